"""Data for the IUT's application, and how it shows that they were delivered.

The adapter tells what the application receives. Where DTLS stands above ICE, nothing reaches the application before the
handshake is over; then it shows by what DTLS itself answers: a client whose ClientHello has come answers a
HelloVerifyRequest (RFC 6347 section 4.2.1), or refuses it by an alert. DTLS drops records that it cannot read without a
word, so that an alert, too, shows that one has come as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.iut.upper import DELIVERY
from conformance.peer.secure import Hello, UnexpectedMessage, verify_request
from conformance.suites.values import DATA
from conformance.verdict import Missing
from conformance.wire.rfc4571 import frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

_COOKIE = b"bring this back"
_TIMES = 5  # a packet is sent, until one of them is delivered


def deliverable(upper: Upper, peer: Peer, connection: Connection, octets: bytes = DATA) -> bytes:
    """Return a packet whose delivery shows: these octets or, where DTLS stands above ICE, what its client waits for.

    A preamble: inconclusive if the client has not begun its handshake on this connection.
    """
    if not upper.secured:
        return octets
    peer.wait_until(lambda: any(each.has(Hello()) for each in peer.alike(connection)), peer.pixit.complete)
    client = next((each for each in peer.alike(connection) if each.has(Hello())), connection)
    client.await_frame(Hello, within=0)
    return verify_request(_COOKIE)


def expect_delivered(upper: Upper, peer: Peer, connection: Connection, *packets: bytes) -> None:
    """Expect that packets sent on a connection are delivered; the last is one that `deliverable` has returned."""
    if not upper.secured:
        upper.expect_data(b"".join(packets), component=connection.component, within=peer.pixit.response)
        return
    answers = Hello(_COOKIE), UnexpectedMessage()

    def answered() -> bool:
        return any(each.has(answer) for each in peer.connections for answer in answers)

    if not peer.wait_until(answered, peer.pixit.response):
        raise Missing(
            "the DTLS above ICE has not received what was sent",
            expected="the ClientHello comes again with the cookie of our HelloVerifyRequest",
            actual=f"not within {peer.pixit.response:g} s on any of {len(peer.connections)} connections",
            wanted=DELIVERY,
        )


def expect_delivered_in_the_end(upper: Upper, peer: Peer, connection: Connection, packet: bytes) -> None:
    """Send a packet again and again until it is delivered.

    Between the last response on a pair and its use for data an agent may lose packets: that it be prepared for them
    earlier is only recommended (RFC 8445 section 12.2). Above DTLS a packet is sent once.
    """
    times = 1 if upper.secured else _TIMES
    for _ in range(times):
        connection.send(frame(packet))
        if not upper.secured and peer.wait_until(lambda: upper.has_received(packet), peer.pixit.response / times):
            return
    expect_delivered(upper, peer, connection, *[packet] * times)


def expect_delivered_in_turn(
    upper: Upper, peer: Peer, connection: Connection, flights: Sequence[tuple[bytes, bytes]]
) -> None:
    """Send octets and expect that the packet in them is delivered, then the next: each is read from an idle connection.

    The last packet is one that `deliverable` has returned. Above DTLS only that one shows.
    """
    for number, (octets, _) in enumerate(flights, start=1):
        connection.send(octets)
        if number == len(flights) or not upper.secured:
            expect_delivered(upper, peer, connection, *(packet for _, packet in flights[:number]))
