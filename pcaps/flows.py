"""UDP in a capture: datagrams between two endpoints, read like the frames of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire import udp
from conformance.wire.stun import looks_like_stun
from pcaps.packets import network_layer
from pcaps.streams import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.wire.attributes import Address
    from pcaps.pcapng import Packet


@dataclass(slots=True)
class Flow:
    """What went between two UDP endpoints. ``client`` spoke first; each event is one datagram."""

    client: Address
    server: Address
    events: list[Event] = field(default_factory=list)
    lossy: bool = False
    bare: bool = False  # UDP has no frames, but tshark knows STUN over it

    @property
    def frames(self) -> list[Event]:
        """The datagrams of both directions, in the order of the capture."""
        return self.events

    def take(self, datagram: udp.Datagram, time_ns: int) -> None:
        """Take in a datagram of this flow."""
        looks = looks_like_stun(datagram.payload)
        event = Event(time_ns, datagram.source == self.client, "datagram", datagram.payload, stun=looks)
        self.events.append(event)


def flows(packets: Iterable[Packet]) -> list[Flow]:
    """Return the UDP flows of a capture in the order of their beginnings."""
    found: dict[frozenset[Address], Flow] = {}
    for packet in packets:
        at = network_layer(packet.link_type, packet.octets)
        datagram = udp.parse(packet.octets, at) if at >= 0 else None
        if datagram is not None:
            ends = frozenset((datagram.source, datagram.destination))
            flow = found.setdefault(ends, Flow(datagram.source, datagram.destination))
            flow.take(datagram, packet.time_ns)
    return list(found.values())
