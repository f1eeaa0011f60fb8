"""Selected connections that are lost, and those that take their place (RFC 6544 section 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Data
from conformance.suites.establishing import establish
from conformance.suites.media import SENDING
from conformance.suites.values import DATA
from conformance.verdict import Inconclusive, JudgedElsewhere, Missing, NotApplicable

if TYPE_CHECKING:
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.events import Event, Frame
    from conformance.peer.tester import Peer


def expect_reopened(upper: Upper, peer: Peer, component: int = 1) -> Connection:
    """Let the IUT's application send until the IUT has opened a connection again.

    The application sends repeatedly, and when the IUT has seen the loss: what it sends just then may open a connection
    of an IUT that afterwards gives the session up.
    """
    peer.watch(lambda: peer.was_met, peer.pixit.silence)
    within = peer.pixit.complete if upper.secured else peer.pixit.connect  # DTLS waits longer before each repetition
    attempts = round(within / SENDING)
    for _ in range(attempts):
        upper.try_to_send(DATA, component)
        if peer.wait_until(lambda: peer.was_met, SENDING):
            return peer.expect_connection()
    raise Missing(
        "the IUT did not reopen the selected pair's connection",
        expected="the IUT connects to the remote candidate of the selected pair",
        actual=f"no connection within {within:g} s, in which its application sent {attempts} packets",
    )


def needs_reopened(upper: Upper, peer: Peer) -> Connection:
    """Let the IUT reopen the connection; n/a where it does not."""
    try:
        return expect_reopened(upper, peer)
    except Missing as failure:
        raise JudgedElsewhere(
            f"{failure}: {failure.actual}", case="RFC6544-11.1/active_side_reopens_the_lost_connection"
        ) from failure


def needs_check_first(peer: Peer, reopened: Connection) -> Frame:
    """Return the IUT's first check on a connection that it has reopened; n/a where its media do not wait for it."""
    wanted, media = BindingRequest(), Data()

    def first() -> Event | None:
        return next((e for e in reopened.events if wanted.fulfilled_by(e) or media.fulfilled_by(e)), None)

    peer.wait_until(lambda: first() is not None or not reopened.is_open, peer.pixit.response)
    earliest = first()
    if earliest is not None and media.fulfilled_by(earliest):
        raise JudgedElsewhere(
            f"media come on {reopened} before a check",
            case="RFC6544-11.1/media_waits_for_the_check_on_the_reopened_connection",
        )
    return reopened.await_frame(wanted, within=peer.pixit.response)


def reopen(upper: Upper, peer: Peer, side: str, opener: str) -> Connection:
    """Bring ICE to completion, lose the connection, and return the one in its place, checked both ways (preamble)."""
    peer.lose(establish(upper, peer, side, opener=opener), "RST")
    iut = upper.description
    assert iut is not None, "ICE has completed"
    if opener == "IUT":
        return peer.revive(iut, needs_reopened(upper, peer))
    peer.wait(peer.pixit.silence)
    return peer.revive(iut, peer.connect(iut.candidate(tcptype="passive")))


def reopen_from_so(upper: Upper, peer: Peer, lost: Connection) -> Connection:
    """Open the connection of two S-O candidates again, from our side (preamble); n/a where the IUT has been faster."""
    assert upper.description is not None, "ICE has completed"
    theirs = [c for c in upper.description.candidates(tcptype="so") if c.endpoint == lost.remote_address]
    source = next((at for at in peer.listeners if at.port == lost.local_address.port), None)
    if not theirs or source is None:
        raise Inconclusive(f"the connection {lost} did not lead from one S-O candidate to another")
    peer.wait(peer.pixit.silence)
    if peer.was_met:
        raise NotApplicable("the IUT has reopened the connection itself")
    return peer.connect(theirs[0], source=source)
