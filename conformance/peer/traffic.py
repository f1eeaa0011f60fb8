"""Notes on the tester's traffic as it passes, how it is cut, and the part that only the recording has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conformance.wire import tcp, udp
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


class Tap(Protocol):
    """Records what the lower tester sends and receives. Times are nanoseconds since the epoch."""

    def opened(self, local: Address, remote: Address, initiator: bool, time_ns: int) -> None:
        """A connection stands; ``initiator``: we opened it."""
        ...

    def sent(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Octets were given to the kernel."""
        ...

    def received(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Octets came."""
        ...

    def datagram(self, source: Address, target: Address, octets: bytes, time_ns: int) -> None:
        """A UDP datagram was sent or came."""
        ...

    def closed(self, key: tuple[Address, Address], by_peer: bool, reset: bool, time_ns: int) -> None:
        """One side ended the connection."""
        ...


class Splitter(Protocol):
    """Cuts what the IUT sends into payloads."""

    @property
    def pending(self) -> int:
        """Octets that wait for the rest of their payload."""
        ...

    def feed(self, octets: bytes) -> Iterable[bytes]:
        """Take in octets and return the payloads they complete."""
        ...

    def finish(self) -> None:
        """Raise `FramingError` if the stream has ended inside a payload."""
        ...


def unanswered_syn(packets: Iterable[bytes], bases: Collection[Address]) -> tcp.Segment | None:
    """Return a SYN to one of these addresses of ours that our kernel has not answered, so that it never reached it."""
    syns, answered = list[tcp.Segment](), set[Address]()
    for segment in filter(None, map(tcp.parse, packets)):
        if segment.source in bases and segment.has(tcp.ACK):
            answered.add(segment.destination)
        elif segment.destination in bases and segment.flags & (tcp.SYN | tcp.ACK) == tcp.SYN:
            syns.append(segment)
    return next((syn for syn in syns if syn.source not in answered), None)


def datagrams_to(packets: Iterable[bytes], address: Address) -> Iterator[udp.Datagram]:
    """Yield the datagrams to an address of ours, whether or not they reached it."""
    return (datagram for datagram in filter(None, map(udp.parse, packets)) if datagram.destination == address)
