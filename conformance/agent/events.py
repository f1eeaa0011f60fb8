"""What the core tells its driver: commands to carry out, and events for the application."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from conformance.wire.attributes import Address
    from conformance.wire.candidate import Candidate


class AgentError(Exception):
    """The agent was asked for something that it cannot do now, or cannot do at all."""


class Rejected(AgentError):
    """A description of the peer's cannot be used."""


class Unsupported(AgentError):
    """What was asked for is never done by this agent."""


class State(enum.StrEnum):
    """The session as the application sees it."""

    NEW = "new"
    CHECKING = "checking"
    CONNECTED = "connected"  # every component has a valid pair
    COMPLETED = "completed"  # every component has a selected pair
    DISCONNECTED = "disconnected"  # the connection of a selected pair was lost
    FAILED = "failed"
    CLOSED = "closed"


@frozen
class Listen:
    """Open a listening socket; answer with `Agent.listening` or `Agent.listen_failed`. Port 0: any.

    ``shared``: connections are to be opened from the same port as well (RFC 6544 appendix B).
    """

    base: int
    ip: str
    port: int = 0
    shared: bool = False


@frozen
class Bind:
    """Open a UDP socket; answer like `Listen`, and from then on with `Agent.datagram`."""

    base: int
    ip: str


@frozen
class Datagram:
    """Send a datagram from the UDP socket of a base."""

    base: int
    target: Address
    octets: bytes


@frozen
class Unlisten:
    """Close the listening or UDP socket of a base."""

    base: int


@frozen
class Connect:
    """Open a connection from an address (port 0: an unallocated one, else a shared one) to the target."""

    connection: int
    source: Address
    target: Address


@frozen
class Write:
    """Send octets on a connection, in order, whole."""

    connection: int
    octets: bytes


@frozen
class Close:
    """Close a connection (or give up opening it) after what was written has gone out."""

    connection: int


@frozen
class StateChanged:
    """The session's state changed."""

    state: State


@frozen
class SelectedPair:
    """A component of a stream has its selected pair."""

    stream: int
    component: int
    local: Candidate
    remote: Candidate


@frozen
class TrickledCandidate:
    """A candidate to tell the peer of, which no description holds (RFC 8838 section 9); empty: there are no more."""

    mid: str
    candidate: str


@frozen
class DataReceived:
    """Application data arrived: one packet, or the next octets of the byte stream."""

    stream: int
    component: int
    octets: bytes


@frozen
class Note:
    """A line for the log."""

    text: str


Command = Listen | Bind | Unlisten | Connect | Write | Datagram | Close
Event = StateChanged | SelectedPair | TrickledCandidate | DataReceived | Note
Output = Command | Event
