"""Frames in segments that a kernel would not make: where they are cut, and in what order they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest
from conformance.peer.segments.script import SegmentConnection, Segments
from conformance.suites.establishing import establish
from conformance.verdict import Inconclusive, Missing
from conformance.wire.layers import RFC4571

if TYPE_CHECKING:
    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

# Names of orders, and the parts of the octets that they send, in tenths of the whole, one after the other.
ORDERS = {
    "reversed": ((8, 10), (5, 8), (2, 5), (0, 2)),
    "last-first": ((9, 10), (0, 9)),
    "overlapping": ((0, 4), (2, 7), (5, 10)),
    "overlapping-out-of-order": ((5, 10), (3, 6), (0, 4)),
    "repeated": ((0, 3), (0, 3), (3, 10), (3, 10), (0, 10)),
    "hole-filled-late": ((0, 3), (4, 10), (4, 7), (3, 4)),
}


# How a script breaks a connection off: both directions, only ours, at once, or by falling silent.
ENDS = ("FIN", "half-close", "RST", "stall")


def break_off(connection: Connection, end: str) -> None:
    """Break a connection off in one of the ways of `ENDS`."""
    assert isinstance(connection, SegmentConnection)
    if end == "half-close":
        connection.half_close()
    elif end == "stall":
        connection.acknowledge(False)
    else:
        connection.close(reset=end == "RST")


def silent_candidates(peer: Peer, segments: Segments, count: int) -> list[Candidate]:
    """Return passive candidates of ours at which SYNs are not answered; none keeps another frozen."""
    return [
        peer.candidate("passive", port=segments.port("silent").port, other=8191 - n, foundation=f"silent{n}")
        for n in range(count)
    ]


def await_octets(peer: Peer, connection: Connection) -> None:
    """Wait until something of the IUT's has come (preamble): what is not acknowledged may hold up all that follows."""
    if not peer.wait_until(lambda: bool(connection.octets), peer.pixit.response):
        raise Inconclusive(f"nothing came on {connection} within {peer.pixit.response:g} s")


def expect_check_elsewhere(peer: Peer, stuck: Connection, *, within: float) -> None:
    """Wait for a check at another candidate of ours than the one that this connection goes to."""

    def checked() -> bool:
        return any(one.has(BindingRequest()) for one in peer.connections if one.local_address != stuck.local_address)

    if not peer.wait_until(checked, within):
        raise Missing(
            "no check came to any other candidate",
            expected="a Binding request on a connection to another candidate",
            actual=f"not within {within:g} s on any of {len(peer.connections)} connections",
        )


def in_order_of(name: str, octets: bytes) -> list[tuple[int, int]]:
    """Return the parts of octets that an order of `ORDERS` sends."""
    return [(begin * len(octets) // 10, end * len(octets) // 10) for begin, end in ORDERS[name]]


def establish_in_segments(upper: Upper, peer: Peer, side: str) -> SegmentConnection:
    """Bring ICE to completion over our own TCP and return the selected connection (preamble)."""
    selected = establish(upper, peer, side)
    assert isinstance(selected, SegmentConnection)
    return selected


def cut_everywhere(peer: Peer, iut: Description, connection: SegmentConnection, *, pause: float) -> list[Packet]:
    """Send one check for each octet of a check's frame, cut in two segments at that octet; return these checks.

    The IUT gets `pause` seconds in all to read the first halves by themselves.
    """
    length = len(bytes(RFC4571() / peer.check(iut)))
    checks = [peer.check(iut) for _ in range(1, length)]
    for position, check in enumerate(checks, 1):
        connection.send(RFC4571() / check, cut=[position], pause=pause / length)
    return checks
