"""A NAT for TCP with the behaviours that RFC 5382 distinguishes. Pure: packets and the time go in, packets come out.

It keeps what RFC 5382 asks of every NAT (simultaneous open, REQ-2; timeouts, REQ-5; a port of its own for each mapping,
REQ-7; hairpinning, REQ-8; ICMP errors translated, REQ-9, and harmless, REQ-10), whatever its mapping and filtering.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.nattable.path.packets import error_about, reset_of
from conformance.wire import icmp
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, FIN, RST

if TYPE_CHECKING:
    import random

    from conformance.nattable.path.packets import Packet

TRANSITORY, ESTABLISHED = 240.0, 7440.0  # seconds without a packet after which a session is forgotten (REQ-5)
PATIENCE = 6.0  # seconds before an unsolicited SYN may be answered (REQ-4)
_PORTS = range(1024, 65536)


class Dependence(enum.StrEnum):
    """On what of the remote endpoint a mapping or a filter depends (RFC 4787 sections 4.1 and 5, RFC 5382)."""

    INDEPENDENT = "EI"
    ADDRESS = "AD"
    ADDRESS_AND_PORT = "APD"

    def scope(self, remote: Address) -> tuple[str | int, ...]:
        """Return what is equal of remote endpoints that are treated alike."""
        match self:
            case Dependence.INDEPENDENT:
                return ()
            case Dependence.ADDRESS:
                return (remote.ip,)
        return remote.ip, remote.port


class Unsolicited(enum.StrEnum):
    """What becomes of a SYN from outside that the filter stops (RFC 5382 section 4.3)."""

    DROP = "drop"
    RESET = "rst"
    ICMP = "icmp"  # port unreachable, but only after `PATIENCE` without a SYN from inside (REQ-4)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a NAT behaves. ``reset_ends``: a RST makes it forget the session at once, which RFC 5382 leaves open."""

    mapping: Dependence
    filtering: Dependence
    unsolicited: Unsolicited = Unsolicited.DROP
    reset_ends: bool = True
    preserves_ports: bool = False

    def __str__(self) -> str:
        return f"{self.mapping}M/{self.filtering}F {self.unsolicited}"


class Side(enum.Enum):
    """Where a packet comes out."""

    INSIDE = "inside"
    OUTSIDE = "outside"


Out = tuple[Side, "Packet"]


@dataclass(slots=True, eq=False)
class _Session:
    """One TCP connection through the NAT: the inner endpoint, the remote one, and the binding between them.

    ``acks`` and ``fins`` hold the sides (`Side`) that have sent ACK and FIN.
    """

    binding: _Binding
    remote: Address
    used: float
    contacted: bool = False  # a packet of it went out: its remote endpoint is one the inside has spoken to
    acks: set[Side] = field(default_factory=set)
    fins: set[Side] = field(default_factory=set)
    ended: bool = False

    def note(self, packet: Packet, origin: Side, now: float) -> None:
        """Follow the connection by a packet of it."""
        self.used = now
        self.contacted |= origin is Side.INSIDE
        if packet.flags & ACK:
            self.acks.add(origin)
        if packet.flags & FIN:
            self.fins.add(origin)

    @property
    def expires(self) -> float:
        """When it is forgotten if nothing comes: partly open and closing connections sooner (REQ-5)."""
        lasting = len(self.acks) == 2 and len(self.fins) < 2 and not self.ended
        return self.used + (ESTABLISHED if lasting else TRANSITORY)


@dataclass(slots=True, eq=False)
class _Binding:
    """A mapping: packets from ``inner`` to some remote endpoints come from ``outer``."""

    inner: Address
    outer: Address
    scope: tuple[str | int, ...]
    used: float
    sessions: dict[Address, _Session] = field(default_factory=dict)


@dataclass(slots=True)
class Nat:
    """One NAT with one address outside. Times are seconds on the caller's clock.

    ``counts`` says how many packets were "filtered", "stray" (of no session) or in "conflict" (see `_enter`).
    """

    behaviour: Behaviour
    address: str
    rng: random.Random
    counts: dict[str, int] = field(default_factory=lambda: {"filtered": 0, "stray": 0, "conflict": 0})
    _bindings: dict[tuple[Address, tuple[str | int, ...]], _Binding] = field(default_factory=dict)
    _by_port: dict[int, _Binding] = field(default_factory=dict)
    _sessions: dict[tuple[Address, Address], _Session] = field(default_factory=dict)  # by inner and remote endpoint
    _held: dict[tuple[Address, Address], tuple[float, Packet]] = field(default_factory=dict)

    # -- from inside ---------------------------------------------------------------------------------------

    def outbound(self, packet: Packet, now: float) -> list[Out]:
        """Take a packet from inside; return what comes out, and where."""
        self._forget(now)
        if packet.is_error:
            return []
        session = self._sessions.get((packet.source, packet.destination))
        if session is None:
            if not packet.is_syn:
                self.counts["stray"] += 1
                return []
            session = self._open(self._binding(packet.source, packet.destination, now), packet.destination, now)
        session.binding.used = now
        session.note(packet, Side.INSIDE, now)
        if packet.is_syn:
            self._held.pop((packet.destination, session.binding.outer), None)  # REQ-4: the held SYN is dropped
        self._follow_reset(packet, session)
        translated = packet.readdressed(source=session.binding.outer)
        if translated.destination.ip == self.address:  # hairpinning, from the external address (REQ-8)
            return self.inbound(translated, now)
        return [(Side.OUTSIDE, translated)]

    def _binding(self, inner: Address, remote: Address, now: float) -> _Binding:
        """Return the mapping for a connection to a remote endpoint, made if need be."""
        key = inner, self.behaviour.mapping.scope(remote)
        if key not in self._bindings:
            binding = _Binding(inner, Address(self.address, self._free_port(inner.port)), key[1], now)
            self._bindings[key] = self._by_port[binding.outer.port] = binding
        return self._bindings[key]

    def _free_port(self, wanted: int) -> int:
        """Return a port that no mapping has: there is no port overloading (REQ-7)."""
        if self.behaviour.preserves_ports and wanted not in self._by_port:
            return wanted
        port = self.rng.choice(_PORTS)
        while port in self._by_port or port == wanted:
            port = self.rng.choice(_PORTS)
        return port

    def _open(self, binding: _Binding, remote: Address, now: float) -> _Session:
        session = _Session(binding, remote, now)
        binding.sessions[remote] = self._sessions[binding.inner, remote] = session
        return session

    # -- from outside --------------------------------------------------------------------------------------

    def inbound(self, packet: Packet, now: float) -> list[Out]:
        """Take a packet from outside; return what comes out, and where."""
        self._forget(now)
        if packet.is_error:
            return self._error(packet)
        binding = self._by_port.get(packet.destination.port)
        session = binding.sessions.get(packet.source) if binding is not None else None
        if session is None:
            if not packet.is_syn:
                self.counts["stray"] += 1
                return []
            if binding is None or not self._admits(binding, packet.source):
                return self._refuse(packet, now)
            session = self._enter(binding, packet.source, now)
            if session is None:
                return []
        session.note(packet, Side.OUTSIDE, now)
        self._follow_reset(packet, session)
        return [(Side.INSIDE, packet.readdressed(destination=session.binding.inner))]

    def _admits(self, binding: _Binding, remote: Address) -> bool:
        """Whether the filter lets a remote endpoint open a connection to a mapping (RFC 5382 section 4.3)."""
        scope = self.behaviour.filtering.scope
        spoken_to = {scope(session.remote) for session in binding.sessions.values() if session.contacted}
        return not scope(remote) or scope(remote) in spoken_to

    def _enter(self, binding: _Binding, remote: Address, now: float) -> _Session | None:
        """Begin a session from outside.

        None where inside the very same two endpoints have a connection through another mapping: what the inner host
        answers could then belong to either, so the second one is dropped.
        """
        if (binding.inner, remote) in self._sessions:
            self.counts["conflict"] += 1
            return None
        return self._open(binding, remote, now)

    def _refuse(self, syn: Packet, now: float) -> list[Out]:
        self.counts["filtered"] += 1
        if self.behaviour.unsolicited is Unsolicited.RESET:
            return [(Side.OUTSIDE, reset_of(syn))]
        if self.behaviour.unsolicited is Unsolicited.ICMP:
            self._held.setdefault((syn.source, syn.destination), (now + PATIENCE, syn))
        return []

    def _error(self, error: Packet) -> list[Out]:
        """Translate an ICMP error about a packet of ours; it changes no state (REQ-9, REQ-10)."""
        binding = self._by_port.get(error.source.port)
        if binding is None or error.destination not in binding.sessions:
            return []
        return [(Side.INSIDE, error.readdressed(source=binding.inner))]

    # -- time ----------------------------------------------------------------------------------------------

    def due(self, now: float) -> list[Out]:
        """Return the errors about SYNs that have been held long enough (REQ-4)."""
        ready = [key for key, (when, _) in self._held.items() if when <= now]
        held = [self._held.pop(key)[1] for key in ready]
        return [(Side.OUTSIDE, error_about(syn, icmp.PORT, by=self.address)) for syn in held]

    def next_time(self) -> float | None:
        """Return when `due` has something to do."""
        return min((when for when, _ in self._held.values()), default=None)

    def _follow_reset(self, packet: Packet, session: _Session) -> None:
        if packet.flags & RST:
            session.ended = True
            if self.behaviour.reset_ends:
                self._drop(session)

    def _forget(self, now: float) -> None:
        """Give up idle sessions, and mappings without any."""
        for session in [s for s in self._sessions.values() if s.expires <= now]:
            self._drop(session)
        for key, binding in [item for item in self._bindings.items() if not item[1].sessions]:
            if binding.used + TRANSITORY <= now:
                del self._bindings[key], self._by_port[binding.outer.port]

    def _drop(self, session: _Session) -> None:
        del self._sessions[session.binding.inner, session.remote], session.binding.sessions[session.remote]
