"""What an agent is told before it starts, with the defaults of the RFCs. All times are seconds."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from conformance.wire.attributes import Address
from conformance.wire.frozen import frozen


class Media(enum.StrEnum):
    """What a data stream carries in its frames."""

    RTP = "rtp"  # packets: one frame each (RFC 4571)
    BYTES = "bytes"  # a byte stream: any number of octets a frame (RFC 6544 section 10.1)


MAX_COMPONENTS = {Media.RTP: 2, Media.BYTES: 16}


@frozen
class StreamPlan:
    """One data stream: what it carries and how many components it has."""

    media: Media = Media.BYTES
    components: int = 1
    mid: str = "0"


@frozen
class IceServer:
    """A server for candidates, spoken to over TCP: a STUN server, or a TURN server with our credentials on it."""

    address: Address
    relays: bool = False
    username: str = ""
    credential: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{'turn' if self.relays else 'stun'}:{self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set from outside.

    ``addresses`` are those to gather host candidates on, most preferred first; ``tcptypes`` which kinds of TCP
    candidate to gather ("active", "passive", "so"; none: no TCP), ``udp`` whether to gather UDP ones for RTP.
    """

    offerer: bool
    streams: tuple[StreamPlan, ...] = (StreamPlan(),)
    addresses: tuple[str, ...] = ()
    tcptypes: frozenset[str] = frozenset({"active", "passive"})
    udp: bool = False
    lite: bool = False
    role: str = ""  # at the beginning: controlling or controlled; empty: what offer and answer make it
    secured: bool = False  # media goes through DTLS, which begins by itself on selected connections
    servers: tuple[IceServer, ...] = ()
    gateways: tuple[Address, ...] = ()  # NATs that are asked for mappings (RFC 6544 section 5.3)
    pacing: float = 0.050  # Ta (RFC 8445 section 14.2)
    transaction_timeout: float = 39.5  # Ti (RFC 8489 section 6.2.2)
    connect_timeout: float = 20.0
    gathering_timeout: float = 5.0  # servers and gateways that have not answered by then add no candidates
    failure_patience: float = 39.5  # the PAC timer (RFC 8863 section 4)
    settling: float = 0.1  # a controlling agent nominates no sooner after the first valid pair
    decision: float = 0.5  # ... and no longer waits for better pairs after this
    consent: float = 5.0  # between checks for consent (RFC 7675 section 5.1); 0: consent is not kept up
    consent_expiry: float = 30.0
    grace: float = 3.0  # unselected candidates and late connections are freed so long after completion (RFC 8445 8.3.1)
    max_pairs: int = 100  # RFC 8445 section 6.1.2.5
    max_attempts: int = 5  # outstanding connection attempts to one address of the peer (RFC 6544 section 12)
    max_strangers: int = 128  # accepted connections on which nobody has authenticated yet
    max_outbox: int = 1 << 20  # octets the application may hand over before a pair is selected
