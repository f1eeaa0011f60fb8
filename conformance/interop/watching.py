"""What the capture of a session shows while it goes on: whether both sides use a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop.model import SIDES
from conformance.interop.pairing import can_pair
from conformance.judge import Known, Talk
from pcaps.pcapng import Packet
from pcaps.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.interop.model import Facts
    from conformance.interop.network import Between
    from conformance.wire.sdp import SessionDescription


class Watched:
    """A session under way. ``can_pair``: the candidates of both sides make at least one pair."""

    def __init__(self, between: Between, facts: Facts, described: Mapping[str, SessionDescription]) -> None:
        self._between = between
        self._facts = facts
        self._known = Known.of(list(described.items()))
        self.can_pair = can_pair(described)

    def both_connected(self) -> bool:
        """Whether both use a pair: each says so or, where it never tells its state, the wire shows it."""
        said = [
            self._facts.said(side, "connected", "completed") is not None
            for side in SIDES
            if self._facts.reports(side, "state")
        ]
        return all(said) and (len(said) == len(SIDES) or self._is_nominated())

    @property
    def has_connection(self) -> bool:
        """Whether a check has been seen on a connection."""
        return any(talk.checked for talk in self._talks())

    def _is_nominated(self) -> bool:
        """Whether a nomination was answered with success on a connection where both sides' checks have succeeded."""
        for talk in self._talks():
            both = [talk.successes(self._known, client=client) for client in (True, False)]
            nominated = any(request.message.use_candidate for found in both for request, _ in found)
            lite = any(party.lite for party in self._known.parties)
            if nominated and (all(both) or lite):
                return True
        return False

    def _talks(self) -> list[Talk]:
        reading = Reading(full=True)
        reading.read(Packet(time_ns, octets, self._between.link_type) for time_ns, octets in self._between.recorded())
        reading.finish()
        return [Talk(connection) for connection in reading.ended]
