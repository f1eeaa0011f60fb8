"""One allocation on a TURN server: its control connection, permissions and lifetime (RFC 6062, RFC 8656)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from conformance.agent.candidates import Base
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.agent.dialogue import Dialogue
    from conformance.agent.gathering import Place
    from conformance.wire.attributes import RawAttribute
    from conformance.wire.stun import Message

TCP, UDP = 6, 17  # REQUESTED-TRANSPORT (RFC 6062 section 4.1, RFC 8656 section 18.8)
_MAX_DATA = 65000  # octets that certainly fit in an indication
_DEFAULT_LIFETIME = 600  # seconds (RFC 8656 section 3.2)
_AHEAD = 60.0  # an allocation is refreshed so long before it ends (RFC 8656 section 8) ...
_PERMISSION = 240.0  # ... and permissions, which last 300 s (RFC 8656 section 9), after this


class Allocation:
    """A relayed address of ours. ``dialogue`` is its control connection. Times are seconds on the caller's clock."""

    def __init__(self, dialogue: Dialogue, place: Place, answer: Message, now: float) -> None:
        relayed, mapped = answer.xor_relayed_address, answer.xor_mapped_address
        if relayed is None:
            raise StunError("an allocation without XOR-RELAYED-ADDRESS")
        self.dialogue = dialogue
        self.place = place
        self.relayed: Address = relayed
        self.mapped: Address = mapped or dialogue.local or relayed
        self.alive = True
        starts = (("", relayed.port),) if place.protocol == UDP else (("passive", relayed.port), ("active", 0))
        self.bases = tuple(
            Base(0, place.component, relayed.ip, tcptype, port=port, relay=self) for tcptype, port in starts
        )
        self._peers: set[str] = set()  # for whom there are permissions, or requests for them
        self.permitting = 0  # requests for permissions that are unanswered
        self._permit_at: float | None = None
        self._refresh_at = 0.0
        self._note_lifetime(answer, now)

    def __str__(self) -> str:
        return f"relayed {self.relayed} of {self.dialogue.server}"

    # -- permissions ---------------------------------------------------------------------------------------

    def permit(self, ips: Iterable[str], now: float) -> None:
        """See that these peers can connect to the relayed address and be connected to (RFC 8656 section 9)."""
        new = {ip for ip in ips if self._same_family(ip)} - self._peers
        if new:
            self._peers |= new
            self._create_permission(new, now)

    def _same_family(self, ip: str) -> bool:
        return ipaddress.ip_address(ip).version == ipaddress.ip_address(self.relayed.ip).version

    def _create_permission(self, ips: Iterable[str], now: float) -> None:
        peers = sorted(ips)
        self._permit_at = now + _PERMISSION if self._permit_at is None else self._permit_at

        def body(transaction_id: bytes) -> list[RawAttribute]:
            return [attr.xor_address(Attribute.XOR_PEER_ADDRESS, Address(ip, 0), transaction_id) for ip in peers]

        def answered(_answer: Message | None, _why: str, _now: float) -> None:
            self.permitting -= 1

        self.permitting += 1
        self.dialogue.ask(Method.CREATE_PERMISSION, body, answered, now)

    # -- connections ---------------------------------------------------------------------------------------

    def connect(self, peer: Address, answered: Callable[[int | None, str, float], None], now: float) -> None:
        """Let the server connect to a peer; `answered` gets CONNECTION-ID (RFC 6062 section 4.3)."""

        def body(transaction_id: bytes) -> list[RawAttribute]:
            return [attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction_id)]

        def on_answer(message: Message | None, why: str, then: float) -> None:
            answered(connection_id_of(message), why, then)

        self.dialogue.ask(Method.CONNECT, body, on_answer, now)

    def send(self, peer: Address, octets: bytes) -> None:
        """Let a datagram go from a relayed UDP address (RFC 8656 section 11.1); too large a one is lost."""

        def body(transaction_id: bytes) -> list[RawAttribute]:
            to = attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction_id)
            return [to, attr.RawAttribute(Attribute.DATA, octets)]

        if len(octets) <= _MAX_DATA:
            self.dialogue.indicate(Method.SEND, body)

    # -- lifetime ------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Refresh what would end."""
        if self._refresh_at <= now:
            self._refresh_at = now + _AHEAD  # in case no answer says more
            self.dialogue.ask(Method.REFRESH, lambda _: [], self._refreshed, now)
        if self._permit_at is not None and self._permit_at <= now:
            self._permit_at = None
            self._create_permission(self._peers, now)

    def next_time(self) -> float:
        """Return when `advance` has something to do."""
        return self._refresh_at if self._permit_at is None else min(self._refresh_at, self._permit_at)

    def _refreshed(self, answer: Message | None, why: str, now: float) -> None:
        if answer is not None:
            self._note_lifetime(answer, now)
        elif self.alive:
            self.dialogue.close()
            self.dialogue.lost(why, now)

    def _note_lifetime(self, answer: Message, now: float) -> None:
        lifetime = answer.lifetime or _DEFAULT_LIFETIME
        self._refresh_at = now + max(lifetime - _AHEAD, lifetime / 2)

    def delete(self, now: float) -> None:
        """Give the allocation back and close its control connection (RFC 8656 section 8)."""
        if self.alive:
            self.alive = False
            self.dialogue.ask(Method.REFRESH, lambda _: [attr.lifetime(0)], _no_matter, now)
            self.dialogue.close()


def datagram_of(message: Message) -> tuple[Address, bytes] | None:
    """Return the peer and what it sent of a Data indication (RFC 8656 section 11.4); None if it is none."""
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


def _no_matter(_answer: Message | None, _why: str, _now: float) -> None:
    """Nothing follows: what the request was for shows itself."""
