"""What the IUT has sent, in frames and out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.misframing import Misframed, Reader
from conformance.suites.values import rtp
from conformance.verdict import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

# Packets of many lengths, none of which begins or ends like another.
PACKETS = tuple(rtp(number, bytes([0x41 + number]) * size) for number, size in enumerate((0, 1, 244, 300, 1400, 40000)))
HANDSHAKE_RECORD = b"\x16\xfe"  # type and major version, as in DTLS 1.0 and 1.2 (RFC 6347 section 4.1)
_HEADER = 20  # octets of a STUN message's


def misframed(connections: Sequence[Connection]) -> Misframed:
    """Read all that came on these connections."""
    reader = Reader(PACKETS)
    for connection in connections:
        reader.read(bytes(connection.octets))
    return reader.found


def require_framed(connection: Connection) -> None:
    """Raise `Inconclusive` if what came so far on a connection was not all in frames."""
    if misframed([connection]).any:
        raise Inconclusive(
            f"before that, what came on {connection} was not in frames: {misframed([connection]).any[0]}"
        )


def await_answer_octets(peer: Peer, connection: Connection, transaction_id: bytes) -> bytes:
    """Return the answer to this request of ours when it has come whole, in a frame or not (preamble)."""

    def whole() -> bool:
        begin = connection.octets.find(transaction_id) - 8
        if begin < 0:
            return False
        return len(connection.octets) >= begin + _HEADER + int.from_bytes(
            connection.octets[begin + 2 : begin + 4], "big"
        )

    if not peer.wait_until(whole, peer.pixit.response):
        raise Inconclusive(f"no octets of an answer came on {connection} within {peer.pixit.response:g} s")
    message = bytes(connection.octets[connection.octets.find(transaction_id) - 8 :])
    return message[: _HEADER + int.from_bytes(message[2:4], "big")]


def await_message_octets(peer: Peer, connection: Connection) -> None:
    """Wait until the IUT has sent as much as a STUN message's header on a connection, in a frame or not (preamble)."""
    if not peer.wait_until(lambda: len(connection.octets) >= _HEADER + 2, peer.pixit.response):
        raise Inconclusive(f"{len(connection.octets)} octets came on {connection} within {peer.pixit.response:g} s")
    peer.wait(peer.pixit.drip)


def let_handshake_begin(peer: Peer, connection: Connection) -> None:
    """Give the IUT the time to send a DTLS handshake record on a connection, in a frame or not.

    Or on another of its connections to the same candidate of ours: it may have gone over to that one.
    """
    if peer.wait_until(
        lambda: any(HANDSHAKE_RECORD in one.octets for one in peer.alike(connection)), peer.pixit.complete
    ):
        peer.wait(peer.pixit.drip)  # for the rest of its frame


def send_halves(peer: Peer, connections: Sequence[Connection], octets: Sequence[bytes]) -> None:
    """Send the first half of each connection's octets, then the second halves: their frames are open side by side."""
    for half in (slice(0, 40), slice(40, None)):
        for connection, one in zip(connections, octets, strict=True):
            connection.send(one[half])
        peer.wait(peer.pixit.drip)
        for connection in connections:
            connection.await_read(within=peer.pixit.response)
