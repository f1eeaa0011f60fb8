"""What a stack tells of the pair that it has selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.peer.events import BindingRequest
from conformance.suites.establishing import await_selection
from conformance.suites.negotiation import negotiate
from conformance.suites.servers import NAT
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

MAPPED = Address(NAT, 40711)


@dataclass(frozen=True, slots=True)
class SelectedPair:
    """A selected pair as the stack tells of it, and its connection."""

    local: Candidate
    remote: Candidate
    connection: Connection


def selected_behind_a_nat(upper: Upper, peer: Peer, side: str, *, candidates: int = 1) -> SelectedPair:
    """Bring ICE to completion on a connection of the IUT's, telling it an address of a NAT (preamble).

    `candidates`: so many passive ones of ours. n/a where the stack does not tell candidates.
    """

    def map_address(connection: Connection, _: object) -> None:
        connection.seen_from = MAPPED

    peer.before_answer = map_address
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(candidates)]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    connection = peer.await_connection()
    connection.wait_for(BindingRequest, within=peer.pixit.response)
    selected = peer.complete(iut, connection)
    await_selection(upper, peer, selected)
    if selected.first_priority is None:
        raise JudgedElsewhere("the check has no PRIORITY", case="RFC8445-7.1.1/check_carries_priority")
    if not upper.selected:
        raise Inconclusive("the stack has told of no selected pair")
    return SelectedPair(_told(upper.selected[-1], "local"), _told(upper.selected[-1], "remote"), selected)


def _told(pair: Mapping[str, Any], which: str) -> Candidate:
    try:
        return Candidate.parse(str(pair.get(which, "")))
    except SdpError as flaw:
        raise NotApplicable(f"the stack does not tell the {which} candidate of the selected pair: {flaw}") from flaw
