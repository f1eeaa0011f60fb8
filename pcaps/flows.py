"""UDP in a capture: datagrams between two endpoints, read like the frames of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire import udp
from conformance.wire.stun import looks_like_stun
from pcaps.connections import Event
from pcaps.packets import network_layer

if TYPE_CHECKING:
    from conformance.wire.attributes import Address
    from pcaps.pcapng import Packet


@dataclass(slots=True)
class Flow:
    """What went between two UDP endpoints. ``client`` spoke first; each event is one datagram."""

    client: Address
    server: Address
    events: list[Event] = field(default_factory=list)
    lossy: bool = False

    @property
    def frames(self) -> list[Event]:
        """The datagrams of both directions, in the order of the capture."""
        return self.events

    def take(self, datagram: udp.Datagram, time_ns: int) -> None:
        """Take in a datagram of this flow."""
        looks = looks_like_stun(datagram.payload)
        from_client = datagram.source == self.client
        self.events.append(Event(time_ns, from_client, "datagram", datagram.payload, stun=looks, certain=True))


class Flows:
    """The UDP flows of a capture, in the order of their beginnings."""

    def __init__(self) -> None:
        self._by_ends: dict[frozenset[Address], Flow] = {}

    @property
    def found(self) -> list[Flow]:
        """The flows so far."""
        return list(self._by_ends.values())

    def take(self, packet: Packet) -> None:
        """Take in the datagram that a packet holds, if it holds one."""
        at = network_layer(packet.link_type, packet.octets)
        datagram = udp.parse(packet.octets, at) if at >= 0 else None
        if datagram is not None:
            ends = frozenset((datagram.source, datagram.destination))
            flow = self._by_ends.setdefault(ends, Flow(datagram.source, datagram.destination))
            flow.take(datagram, packet.time_ns)
