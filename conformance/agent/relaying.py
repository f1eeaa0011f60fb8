"""What a TURN server does that concerns the whole session (RFC 6062, RFC 8656 section 11, RFC 6544 11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Base
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A connection to the server that is to be joined with the server's connection to a peer (RFC 6062 section 4.5).

    ``connection`` is the number of ours that waits for it; None: the peer connected to the relayed address.
    """

    number: int
    stream: Stream
    allocation: Allocation
    peer: Address
    connection: int | None = None


@frozen
class Joined:
    """A connection through a relay stands; ``rest`` has already come over it."""

    link: Link
    rest: bytes


@frozen
class NotJoined:
    """A connection of ours through a relay cannot be had."""

    connection: int
    why: str


@frozen
class Relayed:
    """A datagram has come to a relayed address."""

    stream: Stream
    base: Base
    peer: Address
    octets: bytes


@frozen
class RelayLost:
    """The connection to a TURN server in use is gone (RFC 6544 section 11.2)."""


Happened = Joined | NotJoined | Relayed | RelayLost
