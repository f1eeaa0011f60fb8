"""An IUT that nominates by each check goes over to another connection to the same candidate: it is judged there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.peer.pixit import Pixit
from conformance.suites import keepalives, media
from conformance.verdict import Missing
from conformance.wire.attributes import Address
from conformance.wire.layers import binding_indication

PACKET = b"\x80\x00 of the application"


class Channel:
    """A connection of the IUT's; `selected`: the IUT has nominated it."""

    component = 1

    def __init__(self, port: int, *, selected: bool) -> None:
        self.selected = selected
        self.local_address, self.remote_address = Address("127.16.0.9", 9), Address("127.0.0.1", port)
        self.events: list[Frame] = []
        self.octets = b""

    def come(self, octets: bytes) -> None:
        self.events.append(Frame.of(octets, len(self.events), float(len(self.events))))
        self.octets += octets

    def has(self, wanted) -> bool:
        return any(map(wanted.fulfilled_by, self.events))

    def expect(self, wanted, *, within: float) -> None:
        if not self.has(wanted):
            raise Missing("did not come", expected="", actual="", wanted=wanted, on=self)


def session(*, also_selected: bool = True):
    """Return a peer, the connection on which ICE has completed, and another one like it, on which a packet comes."""
    first, other = Channel(1, selected=True), Channel(2, selected=also_selected)

    def wait_until(condition, _within) -> bool:
        if not other.events:
            other.come(PACKET)
        return condition()

    peer = SimpleNamespace(
        pixit=Pixit(), wait_until=wait_until, alike=lambda one: [one, other], witness=list, recorded=list
    )
    return peer, first, other


RAW = SimpleNamespace(secured=False, try_to_send=lambda *_, **__: None)


def test_media_may_come_on_any_connection_that_the_iut_has_nominated() -> None:
    peer, first, _ = session()
    assert media.came(RAW, peer, first, PACKET)
    media.expect_media(RAW, peer, first, PACKET)


def test_media_may_come_on_no_other() -> None:
    peer, first, _ = session(also_selected=False)
    assert not media.came(RAW, peer, first, PACKET)
    with pytest.raises(Missing):
        media.expect_media(RAW, peer, first, PACKET)


def test_the_connection_in_use_is_kept_alive() -> None:
    peer, first, _ = session()
    keepalives.expect_keepalive(peer, first, within=0.1)
    peer.wait_until = lambda condition, _within: condition()
    with pytest.raises(Missing, match="nothing keeps"):
        keepalives.expect_keepalive(peer, first, within=0.1)


def test_keepalives_are_looked_at_where_they_come() -> None:
    peer, first, other = session()
    for _ in range(2):
        other.come(bytes(binding_indication(transaction_id=bytes(12))))
    assert len(keepalives.indications(peer, first)) == 2
