"""Restarts that go on with the existing connection, as a pair of simultaneous-open candidates (RFC 6544 section 9.2).

A restarting agent may state an S-O candidate at its end of a selected connection. Where the peer has stated one at the
other end, the pair of both has its connection already: it is checked there, and none is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.simultaneous import SO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.candidates import Base
    from conformance.agent.connections import Connection
    from conformance.agent.decisions.pairing import Pairing
    from conformance.agent.stream import Stream


def settle(stream: Stream, base: Base) -> None:
    """Make a new S-O base stand at our end of the component's selected connection, if there is one to go on with."""
    connection = stream.selected.get(base.component)
    if base.tcptype != SO or connection is None or not connection.is_open or connection.is_udp:
        return
    if connection.base.relay is None and connection.local is not None and connection.local.ip == base.ip:
        base.port, base.carries = connection.local.port, connection


def listener(held: Iterable[Base], base: Base) -> int:
    """Return the number of the socket that listens already where a base stands; its own number if none does."""
    if base.carries is None:
        return base.number
    tcp = (other for other in held if other.listens and not other.is_udp)
    return next((other.number for other in tcp if (other.ip, other.port) == (base.ip, base.port)), base.number)


def attach(stream: Stream, decisions: Pairing) -> None:
    """Give the pair of each existing connection that connection."""
    for pair in list(stream.checks.pairs):
        connection = pair.local.base.carries
        if connection is None or not connection.is_open or pair.connection is not None:
            continue
        if pair.remote.endpoint != connection.remote:
            continue
        if not decisions.keeps_existing(pair):
            stream.checks.pairs.remove(pair)
        elif decisions.uses_existing(pair):
            pair.connection, connection.pair, connection.base = connection, pair, pair.local.base


def is_reused(stream: Stream, connection: Connection) -> bool:
    """Whether a connection that was selected before a restart is that of a pair of the new check list."""
    return connection.pair is not None and connection.pair in stream.checks.pairs
