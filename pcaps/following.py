"""The connections of a capture of our own, put together from its packets and read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.tcp import ACK, SYN
from pcaps.packets import parse
from pcaps.streams import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.wire.attributes import Address
    from pcaps.pcapng import Packet


def connections(packets: Iterable[Packet]) -> list[Connection]:
    """Return the connections of a capture in the order of their beginnings."""
    found: list[Connection] = []
    current: dict[frozenset[Address], Connection] = {}
    for packet in packets:
        segment = parse(packet.link_type, packet.octets)
        if segment is None:
            continue
        key = frozenset((segment.source, segment.destination))
        connection = current.get(key)
        if connection is None or connection.begun_anew_by(segment):
            began = bool(segment.flags & SYN) and not segment.flags & ACK
            connection = current[key] = Connection(segment.source, segment.destination, began)
            found.append(connection)
        connection.take(segment, packet.time_ns)
    return found
