"""One allocation on a TURN server: its control connection, permissions and lifetime (RFC 6062, RFC 8656).

It has a relayed address, or one of each family where both were asked for (RFC 8656 section 7.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.candidates import Base
from conformance.agent.dialogue import Question
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.agent.config import IceServer
    from conformance.agent.decisions.serving import Serving
    from conformance.agent.dialogue import Dialogue
    from conformance.wire.stun import Message

TCP, UDP = 6, 17  # REQUESTED-TRANSPORT (RFC 6062 section 4.1, RFC 8656 section 18.8)
_MAX_DATA = 65000  # octets that certainly fit in an indication
_DEFAULT_LIFETIME = 600  # seconds (RFC 8656 section 3.2)
_AHEAD = 60.0  # when a Refresh is asked for again that was not answered
_PERMISSION = 240.0  # permissions, which last 300 s (RFC 8656 section 9), are refreshed after this


@frozen
class Permit:
    """Permissions for peers are asked for."""

    allocation: Allocation


@frozen
class Refresh:
    """More time is asked for; ``ends``: no time at all."""

    allocation: Allocation
    ends: bool = False


@frozen
class Open:
    """A connection of ours to a peer is asked for."""

    allocation: Allocation
    connection: int
    peer: Address


class Allocation:
    """A relayed address of ours. ``dialogue`` is its control connection. Times are seconds on the caller's clock.

    ``refused`` takes the numbers of connections that are asked of it when it is gone.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        decisions: Serving,
        component: int,
        protocol: int,
        answer: Message,
        refused: list[int],
        now: float,
        believed: Callable[[int], int] = lambda lifetime: lifetime,
    ) -> None:
        self._believed = believed
        relayed, mapped = decisions.relayed_in(answer), answer.xor_mapped_address
        if relayed is None:
            raise StunError("an allocation without XOR-RELAYED-ADDRESS")
        self.dialogue = dialogue
        self._decisions = decisions
        self._refreshed = False
        self.protocol = protocol
        self.relayed: Address = relayed
        self.mapped: Address = mapped or dialogue.local or relayed
        self.alive = True
        self._addresses = relayed, *_additional(answer, relayed)
        self.bases = tuple(
            Base(0, component, address.ip, tcptype, port=address.port if tcptype != "active" else 0, relay=self)
            for address in self._addresses
            for tcptype in (("",) if protocol == UDP else ("passive", "active"))
        )
        self.permitting = 0  # requests for permissions that are unanswered
        self._refused = refused
        self._peers: set[str] = set()  # for whom there are permissions, or requests for them
        self._permit_at: float | None = None
        self._refresh_at = 0.0
        self.note_lifetime(answer, now)

    @property
    def server(self) -> IceServer:
        """The server that relays."""
        return self.dialogue.server

    @property
    def own_ip(self) -> str:
        """The address of ours from which the server was asked."""
        return self.dialogue.source.ip

    def __str__(self) -> str:
        return f"relayed {self.relayed} of {self.server}"

    def ask_for_another(self, now: float) -> None:
        """Ask for one more allocation from the same address, which servers refuse (RFC 8656 section 7.2)."""
        self.permitting += 1
        wanted = (attr.requested_transport(self.protocol),)
        self.dialogue.start(Question(Method.ALLOCATE, Permit(self), wanted), now)

    # -- permissions ---------------------------------------------------------------------------------------

    def permit(self, ips: Iterable[str], now: float) -> None:
        """See that these peers can connect to the relayed address and be connected to (RFC 8656 section 9)."""
        new = {ip for ip in ips if self._same_family(ip)} - self._peers
        if new:
            self._peers |= new
            self._create_permission(new, now)

    def _same_family(self, ip: str) -> bool:
        return any((":" in ip) is (":" in address.ip) for address in self._addresses)

    def relayed_for(self, peer: Address) -> Address:
        """Return the relayed address that a peer meets: the one of its family."""
        alike = (address for address in self._addresses if (":" in peer.ip) is (":" in address.ip))
        return next(alike, self.relayed)

    def _create_permission(self, ips: Iterable[str], now: float) -> None:
        self._permit_at = now + _PERMISSION if self._permit_at is None else self._permit_at
        self.permitting += 1
        peers = tuple(Address(ip, 0) for ip in sorted(ips))
        self.dialogue.ask(Question(Method.CREATE_PERMISSION, Permit(self), peers=peers), now)

    # -- connections ---------------------------------------------------------------------------------------

    def open(self, connection: int, peer: Address, now: float) -> None:
        """Let the server connect to a peer (RFC 6062 section 4.3)."""
        if self.alive:
            for _ in range(self._decisions.connects_together()):
                self.dialogue.ask(Question(Method.CONNECT, Open(self, connection, peer), peers=(peer,)), now)
        else:
            self._refused.append(connection)

    def send(self, peer: Address, octets: bytes) -> None:
        """Let a datagram go from a relayed UDP address (RFC 8656 section 11.1); too large a one is lost."""
        if len(octets) <= _MAX_DATA:
            self.dialogue.send_datagram(peer, octets)

    # -- lifetime ------------------------------------------------------------------------------------------

    def advance(self, now: float, connections: int) -> None:
        """Refresh what would end; the allocation has so many data connections."""
        if self._refresh_at <= now:
            self._refresh_at = now + _AHEAD  # in case no answer says more
            if not self._decisions.refreshes_with(connections):
                return
            self.dialogue.ask(Question(Method.REFRESH, Refresh(self)), now)
        if self._permit_at is not None and self._permit_at <= now:
            self._permit_at = None
            self._create_permission(self._peers, now)

    def next_time(self) -> float:
        """Return when `advance` has something to do."""
        return self._refresh_at if self._permit_at is None else min(self._refresh_at, self._permit_at)

    def note_lifetime(self, answer: Message, now: float) -> None:
        """Take note of how long the allocation lasts."""
        lifetime = self._believed(answer.lifetime or _DEFAULT_LIFETIME)
        self._refresh_at = now + self._decisions.refreshes_after(lifetime, not self._refreshed)
        self._refreshed = True

    def delete(self, now: float) -> None:
        """Give the allocation back and close its control connection (RFC 8656 section 8)."""
        if self.alive:
            self.alive = False
            self.dialogue.ask(Question(Method.REFRESH, Refresh(self, ends=True), (attr.lifetime(0),)), now)
            self.dialogue.close()


def _additional(answer: Message, relayed: Address) -> list[Address]:
    """Return the relayed addresses of the other family, if there are any."""
    every = answer.all(Attribute.XOR_RELAYED_ADDRESS)[1:]
    addresses = [attr.decode_xor_address(each, answer.transaction_id) for each in every]
    return [address for address in addresses if (":" in address.ip) is not (":" in relayed.ip)]


def datagram_of(message: Message) -> tuple[Address, bytes] | None:
    """Return the peer and what it sent of a Data indication (RFC 8656 section 11.4); None if it is another message."""
    data = message.first(Attribute.DATA)
    try:
        peer = message.xor_peer_address
    except StunError:
        return None
    return (peer, data.value) if message.method == Method.DATA and peer and data else None


def connection_id_of(message: Message | None) -> int | None:
    """Return CONNECTION-ID, if there is a message that has one in its proper form."""
    try:
        return None if message is None else message.connection_id
    except StunError:
        return None
