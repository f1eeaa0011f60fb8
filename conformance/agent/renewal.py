"""ICE restarts: a stream begins anew while its former selected connections go on (RFC 8445 section 9, RFC 6544 9.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.checklist import CheckList
from conformance.agent.events import Rejected, Unsupported
from conformance.agent.reuse import is_reused
from conformance.agent.trickle import Progress
from conformance.wire.errors import StunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.connections import Connection, Connections
    from conformance.agent.description import PeerDescription, PeerStream
    from conformance.agent.stream import Credentials, Stream
    from conformance.wire.stun import Message


@dataclass(slots=True, eq=False)
class Former:
    """What a restarted stream was before, until it has selected again: checks on the old connections go on with it."""

    ufrag: str
    pwd: str
    remote_ufrag: str
    remote_pwd: str
    selected: tuple[Connection, ...]


def renew(stream: Stream, ufrag: str, pwd: str) -> None:
    """Begin a stream anew: all of its state goes but the role and the selected connections (RFC 8445 section 9)."""
    if stream.completed_at is not None:
        selected = tuple(stream.selected.values())
        stream.former = Former(stream.ufrag, stream.pwd, stream.remote_ufrag, stream.remote_pwd, selected)
    stream.ufrag, stream.pwd = ufrag, pwd
    stream.remote_ufrag = stream.remote_pwd = ""
    stream.bases, stream.locals, stream.remotes = [], [], []
    stream.checks = CheckList()
    stream.progress = Progress()
    stream.completed_at = None
    stream.formed = False
    stream.forget_progress()


def unneeded(stream: Stream, connections: Connections) -> list[Connection]:
    """Return the connections that a restarted stream has no more use for: those that carry no data."""
    kept = stream.former.selected if stream.former is not None else ()
    return [c for c in connections if c.stream == stream.index and c not in kept]


def addressed(stream: Stream, message: Message) -> Credentials:
    """Return whom a request means: the stream as it is, or as it was before a restart."""
    former = stream.former
    try:
        own = (message.username or "").partition(":")[0]
    except StunError:
        return stream
    return former if former is not None and own == former.ufrag else stream


def is_former(stream: Stream, connection: Connection) -> bool:
    """Whether a connection was selected before the restart and no pair of the new check list runs over it."""
    kept = stream.former is not None and connection in stream.former.selected
    return kept and not is_reused(stream, connection)


def credentials(stream: Stream, connection: Connection) -> Credentials:
    """Return what checks on a selected connection carry (RFC 7675 section 5.1, during a restart)."""
    former = stream.former
    return former if former is not None and connection in former.selected else stream


def matched(streams: Sequence[Stream], peer: PeerDescription) -> list[tuple[Stream, PeerStream]]:
    """Return our streams with the peer's new words about them. Raises `Unsupported` if some come or go."""
    usable = [theirs for theirs in peer.streams if theirs is not None]
    if len(usable) != len(streams):
        raise Unsupported("streams are neither added nor removed")
    return list(zip(streams, usable, strict=True))


def restarted(pairs: Iterable[tuple[Stream, PeerStream]]) -> list[tuple[Stream, PeerStream]]:
    """Return the streams that the peer restarts: those whose fragment and password it has changed (RFC 8839 4.4.1.1.1).

    Raises `Rejected` if only one of the two is another, which is neither a restart nor none.
    """
    found = []
    for stream, theirs in pairs:
        changes = (theirs.ufrag != stream.remote_ufrag) + (theirs.pwd != stream.remote_pwd)
        if changes == 1:
            raise Rejected("a restart changes both ice-ufrag and ice-pwd (RFC 8839 section 4.4.1.1.1)")
        if changes:
            found.append((stream, theirs))
    return found
