"""What descriptions say of a stream that has completed (RFC 8839 section 4.4.1.2.2, RFC 6544 section 9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.agent.candidates import Local
    from conformance.agent.stream import Stream
    from conformance.wire.candidate import Candidate


def settled(stream: Stream) -> bool:
    """Whether a description is an updated one for this stream."""
    return stream.completed_at is not None and bool(stream.chosen)


def default(stream: Stream) -> Local:
    """Return the local candidate of the first component's selected pair."""
    return stream.chosen[1].local


def candidates(stream: Stream) -> list[Candidate]:
    """Return the local candidates of the selected pairs, one a component, and no other."""
    return [pair.local.candidate for _, pair in sorted(stream.chosen.items())]


def remote_candidates(stream: Stream) -> str:
    """Return the attribute by which the controlling side names the peer's candidates of the selected pairs."""
    pairs = sorted(stream.chosen.items())
    theirs = (f"{component} {pair.remote.address} {pair.remote.port}" for component, pair in pairs)
    return "remote-candidates:" + " ".join(theirs)
