"""What comes over a selected pair that carries no data (RFC 8445 section 11)."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Frame
from conformance.peer.recorded import sent_at
from conformance.suites.checks import await_success
from conformance.verdict import Failed, Missing, NotApplicable
from conformance.wire import tcp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.description import Description
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

_LOOKS = 3
_LEAST_APART = 15.0 * 0.9  # seconds; what is left of Tr by a timer's resolution


def expect_keepalive(peer: Peer, connection: Connection, *, within: float) -> None:
    """Expect that something comes on an idle connection: a frame of any kind, or a segment of TCP's own keepalive.

    Or on another of the IUT's to the same candidate of ours: it may have gone over to that one.
    """
    watched = _alike(peer, connection)

    def come() -> int:
        return sum(len(one.events) for one in watched)

    before, segments = come(), _segments(peer, watched)
    peer.wait_until(lambda: come() > before, within)
    if come() == before and _segments(peer, watched) == segments:
        raise Missing(
            f"nothing keeps {connection} alive",
            expected="a STUN message, data, or a keepalive of TCP's own",
            actual=f"nothing within {within:g} s",
        )


def indications(peer: Peer, connection: Connection) -> list[Frame]:
    """Return the Binding indications that have come on a connection, or another to which the IUT may go over."""
    return [frame for one in _alike(peer, connection) for frame in _indications_on(one)]


def too_close(peer: Peer, connection: Connection) -> list[str]:
    """Return, in words, which Binding indications left less than Tr behind the one before on their connection."""
    times = [sent_at(peer.recorded(), _indications_on(one)) for one in _alike(peer, connection)]
    gaps = [later - earlier for of_one in times for earlier, later in pairwise(of_one)]
    return [f"{gap:.1f} s apart" for gap in gaps if gap < _LEAST_APART]


def _alike(peer: Peer, connection: Connection) -> list[Connection]:
    return list(dict.fromkeys((connection, *peer.alike(connection))))


def _indications_on(connection: Connection) -> list[Frame]:
    frames = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
    return [frame for frame in frames if frame.stun.is_indication]


def needs_quiet(peer: Peer, connection: Connection, *, within: float) -> None:
    """Wait until no request has come for a while: one may have been under way.

    Raise `NotApplicable` where they come by themselves so often that none can be told from one in return.
    """
    for _ in range(_LOOKS):
        if not connection.wait_for(BindingRequest, within=within):
            return
        connection.pass_over_all()
    raise NotApplicable(f"the IUT sends requests on {connection} by itself within {within:g} s")


def expect_no_check_in_return(peer: Peer, iut: Description, connection: Connection, *, within: float) -> None:
    """Expect that no check comes in return for ours, which are answered with success.

    A request of the IUT's own (for consent: every four to six seconds) may follow one of our checks. It does not follow
    each of three, and nothing when none of ours has come; else n/a.
    """

    def requested(since: int) -> bool:
        return _requests(connection) > since

    for _ in range(_LOOKS):
        before = _requests(connection)
        await_success(peer, iut, connection)
        if not peer.watch(partial(requested, before), within):
            return
    if peer.watch(partial(requested, _requests(connection)), within):
        raise NotApplicable(f"the IUT sends requests on {connection} by itself")
    raise Failed(
        f"a Binding request came in return for each of {_LOOKS} checks on {connection}",
        expected="no Binding request",
        actual="a Binding request came",
    )


def _requests(connection: Connection) -> int:
    """Return how many Binding requests have come on a connection."""
    frames = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
    return sum(frame.stun.is_request for frame in frames)


def _segments(peer: Peer, connections: Sequence[Connection]) -> int:
    """Return how many segments of the IUT's the recording has of these connections."""
    mine = {(connection.remote_address, connection.local_address) for connection in connections}
    return sum((each.source, each.destination) in mine for each in filter(None, map(tcp.parse, peer.witness())))
