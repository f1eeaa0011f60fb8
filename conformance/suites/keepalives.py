"""What comes over a selected pair that carries no data (RFC 8445 section 11)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Frame
from conformance.verdict import Failed, Missing, NotApplicable
from conformance.wire import tcp

if TYPE_CHECKING:
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

_LEAST_APART = 15.0 * 0.9  # seconds; what is left of Tr by a timer's resolution


def expect_keepalive(peer: Peer, connection: Connection, *, within: float) -> None:
    """Expect that something comes on an idle connection: a frame of any kind, or a segment of TCP's own keepalive."""
    before, segments = len(connection.events), _segments(peer, connection)
    peer.wait_until(lambda: len(connection.events) > before, within)
    if len(connection.events) == before and _segments(peer, connection) == segments:
        raise Missing(
            f"nothing keeps {connection} alive",
            expected="a STUN message, data, or a keepalive of TCP's own",
            actual=f"nothing within {within:g} s",
        )


def indications(connection: Connection) -> list[Frame]:
    """Return the Binding indications that have come on a connection."""
    frames = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
    return [frame for frame in frames if frame.stun.is_indication]


def too_close(connection: Connection) -> list[str]:
    """Return, in words, which Binding indications came less than Tr behind the one before."""
    times = [indication.time for indication in indications(connection)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return [f"{gap:.1f} s apart" for gap in gaps if gap < _LEAST_APART]


def needs_quiet(peer: Peer, connection: Connection, *, within: float) -> None:
    """Raise `NotApplicable` where requests come by themselves so often that none can be told from one in return."""
    if connection.wait_for(BindingRequest, within=within):
        raise NotApplicable(f"the IUT sends requests on {connection} by itself within {within:g} s")


def expect_no_check_in_return(peer: Peer, connection: Connection, *, within: float) -> None:
    """Watch that no check comes in return for ours; n/a where another follows it unasked: such come by themselves."""
    try:
        connection.expect_nothing(BindingRequest, within=within)
    except Failed as failure:
        connection.await_frame(BindingRequest, within=0)
        if connection.wait_for(BindingRequest, within=peer.pixit.response):
            raise NotApplicable(f"the IUT sends requests on {connection} by itself") from failure
        raise


def _segments(peer: Peer, connection: Connection) -> int:
    """Return how many segments of the IUT's the recording has of a connection."""
    mine = (connection.remote_address, connection.local_address)
    return sum((each.source, each.destination) == mine for each in filter(None, map(tcp.parse, peer.witness())))
