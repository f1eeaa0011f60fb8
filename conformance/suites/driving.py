"""Sessions that are driven through what an IUT can say. Nothing is judged here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import AnyResponse, BindingRequest, BindingSuccess
from conformance.peer.secure import AnyDtls
from conformance.suites.framing import PACKETS
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere
from conformance.wire.layers import RFC4571, RawStunAttribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.events import Expectation, Frame
    from conformance.peer.tester import Peer

_STRANGE = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")


def live(upper: Upper, peer: Peer, iut: Description, connections: Sequence[Connection], *, anew: bool = True) -> None:
    """Make the IUT say everything it can say on these connections: refusals, success, checks, nomination, data.

    Nothing is judged; where an IUT takes part no longer, the rest is left out. `anew`: see `drive`.
    """
    for connection in connections:
        for refused in ({"password": "wrong" * 5}, {"password": None}, {"attributes": [_STRANGE]}):
            _ask(peer, connection, peer.check(iut, component=connection.component, **refused))
    drive(peer, iut, connections, anew=anew)
    for connection in connections:
        for packet in PACKETS if upper.pics.get("payload") == "raw" else ():
            upper.try_to_send(packet, connection.component)
        _ask(peer, connection, peer.check(iut, component=connection.component))
    if upper.secured:
        peer.wait_until(lambda: any(connection.has(AnyDtls()) for connection in connections), peer.pixit.response)
    peer.wait(peer.pixit.silence)


def drive(peer: Peer, iut: Description, connections: Iterable[Connection], *, anew: bool = True) -> None:
    """Check each connection and have it nominated by the controlling side, so far as the IUT takes part; judge nothing.

    Not `anew`: it takes the place of a connection whose pair is nominated already.
    """
    for connection in connections:
        connection.send(RFC4571() / peer.check(iut, component=connection.component))
        connection.wait_for(BindingSuccess, within=peer.pixit.response)
        connection.wait_for(BindingRequest, within=peer.pixit.connect)
        if peer.controlling:
            connection.send(RFC4571() / peer.check(iut, component=connection.component, use_candidate=True))
            peer.wait(peer.pixit.silence)
        elif anew:
            connection.wait_for(BindingRequest(use_candidate=True), within=peer.pixit.complete)


def check_each(
    peer: Peer, iut: Description, connections: Iterable[Connection], until: type[Expectation] = BindingSuccess
) -> None:
    """Send a check on each connection, and give what is to follow the time to come; judge nothing."""
    for connection in connections:
        connection.send(RFC4571() / peer.check(iut, component=connection.component))
        connection.wait_for(until, within=peer.pixit.connect)


def await_check(peer: Peer) -> tuple[Connection, Frame]:
    """Return the connection on which the IUT's first check comes, and the check (preamble)."""
    try:
        return peer.expect(BindingRequest, within=peer.pixit.connect)
    except Failed as failure:
        raise Inconclusive(f"{failure}") from failure


def answer_check(peer: Peer, connection: Connection, request: Frame) -> None:
    """Answer a check of the IUT's with success, as the peer would by itself."""
    connection.send(RFC4571() / peer.success(connection, request))
    connection.checked = True
    if request.stun.use_candidate and not peer.controlling:
        connection.selected = True


def nominate(peer: Peer, iut: Description, connections: Iterable[Connection]) -> None:
    """Nominate on each connection, and give the answer the time to come; judge nothing."""
    for connection in connections:
        connection.send(RFC4571() / peer.check(iut, component=connection.component, use_candidate=True))
        connection.wait_for(BindingSuccess, within=peer.pixit.response)


def refused_check(peer: Peer, iut: Description, connection: Connection) -> Connection:
    """Send a check with a wrong password: it names the session that a connection is for, and validates nothing.

    An IUT whose sessions share a listening socket knows whose a connection is by nothing else.
    """
    connection.send(RFC4571() / peer.check(iut, component=connection.component, password="wrong" * 5))
    connection.wait_for(AnyResponse, within=peer.pixit.response)
    return connection


def needs_refused_check(peer: Peer, iut: Description, connection: Connection) -> None:
    """Send a check with a wrong password; n/a where the IUT takes it for a valid one."""
    refused_check(peer, iut, connection)
    if connection.had_success:
        raise JudgedElsewhere(
            "a check with a wrong password succeeds", case="RFC8489-9.1.3/wrong_password_is_refused_with_401"
        )


def _ask(peer: Peer, connection: Connection, request: Packet) -> None:
    before = len(connection.octets)
    connection.send(RFC4571() / request)
    peer.wait_until(lambda: len(connection.octets) > before, peer.pixit.silence)
