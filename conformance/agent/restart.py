"""ICE restarts: a stream begins anew while its former selected connections go on (RFC 8445 section 9, RFC 6544 9.2).

A restarting agent may state an S-O candidate at its end of a selected connection. Where the peer has stated one at the
other end, the pair of both has its connection already: it is checked there, and none is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.checklist import CheckList
from conformance.agent.events import Rejected
from conformance.agent.stream import Former, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.connections import Connections
    from conformance.agent.decisions.pairing import Pairing
    from conformance.agent.description import PeerDescription, PeerStream
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream


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
    stream.first_valid.clear()


def unneeded(stream: Stream, connections: Connections) -> list[Connection]:
    """Return the connections that a restarted stream has no more use for: those that carry no data."""
    kept = stream.former.selected if stream.former is not None else ()
    return [c for c in connections if c.stream == stream.index and c not in kept]


def matched(streams: Sequence[Stream], peer: PeerDescription) -> list[tuple[Stream, PeerStream]]:
    """Return those of our streams for which the peer's description goes on with ICE, and what it says of them."""
    found = []
    for stream in streams:
        theirs = peer.streams[stream.section] if stream.section < len(peer.streams) else None
        if theirs is not None and not stream.ended:
            found.append((stream, theirs))
    return found


def restarted(pairs: Iterable[tuple[Stream, PeerStream]]) -> list[tuple[Stream, PeerStream]]:
    """Return the streams that the peer restarts: those whose fragment and password it has changed (RFC 8839 4.4.1.1.1).

    Raises `Rejected` if only one of the two is another, which is neither a restart nor an update.
    """
    found = []
    for stream, theirs in pairs:
        changes = (theirs.ufrag != stream.remote_ufrag) + (theirs.pwd != stream.remote_pwd)
        if changes == 1:
            raise Rejected("a restart changes both ice-ufrag and ice-pwd (RFC 8839 section 4.4.1.1.1)")
        if changes:
            found.append((stream, theirs))
    return found


# -- going on with the existing connection -----------------------------------------------------------------


def settle(stream: Stream, base: Base) -> None:
    """Make a new S-O base stand at our end of the component's selected connection, if there is one to go on with."""
    connection = stream.selected.get(base.component)
    if base.tcptype != "so" or connection is None or not connection.is_open or connection.is_udp:
        return
    if connection.base.relay is None and connection.local is not None and connection.local.ip == base.ip:
        base.port, base.carries = connection.local.port, connection.number


def listener(held: Iterable[Base], base: Base) -> int:
    """Return the number of the socket that listens already where a base stands; its own number if none does."""
    if not base.carries:
        return base.number
    tcp = (other for other in held if other.listens and not other.is_udp)
    return next((other.number for other in tcp if (other.ip, other.port) == (base.ip, base.port)), base.number)


def attach(stream: Stream, decisions: Pairing) -> None:
    """Give the pair of each existing connection that connection."""
    existing = {connection.number: connection for connection in stream.selected.values()}
    for pair in list(stream.checks.pairs):
        connection = existing.get(pair.local.base.carries)
        if connection is None or not connection.is_open or pair.connection is not None:
            continue
        if pair.remote.endpoint != connection.remote:
            continue
        if not decisions.keeps_existing(pair):
            stream.checks.pairs.remove(pair)
        elif decisions.uses_existing(pair):
            pair.connection, connection.pair, connection.base = connection, pair, pair.local.base
