"""What a STUN and TURN server decides, without a socket or a clock (RFC 8489, RFC 8656, RFC 6062).

It is told of requests and returns what has to be done; two shells do it: `servers`, where the tester is both the server
and the peer behind it, and the relay of the NAT table, which passes octets on between real connections. No octets are
made here: each shell encodes a `Reply` in its own way. Lifetimes never run out, and there is one user.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from conformance.wire import longterm
from conformance.wire.attributes import Address, Attribute, ErrorCode, decode_xor_address
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256
from conformance.wire.longterm import Feature
from conformance.wire.stun import Message, MessageClass, Method

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PORT = 3478  # captures know connections to it as such that begin without frames
REALM = "icetcp"
TCP, UDP = 6, 17
_LIFETIME = 600  # seconds
_TRY_ALTERNATE = 300

Client = TypeVar("Client")  # a connection to the server, whatever the shell has for one
Other = TypeVar("Other")  # a peer's connection, likewise
Value = Address | ErrorCode | int | str | bytes


@frozen
class Reply:
    """A message of the server: attributes as values, and whether it carries MESSAGE-INTEGRITY."""

    method: int
    cls: MessageClass
    transaction_id: bytes
    attributes: list[tuple[Attribute, Value]]
    signed: bool
    key: bytes | None = None  # of the integrity, where it is not the server's usual one
    by_sha256: bool = False
    wrong: bool = False  # its integrity


@dataclass(slots=True, eq=False)
class Allocation(Generic[Client]):
    """A relayed address, the connection that controls it, and the data connections that belong to it."""

    control: Client
    relayed: Address
    transport: int = TCP
    permissions: set[str] = field(default_factory=set)
    data: list[Client] = field(default_factory=list)


# -- what there is to do -----------------------------------------------------------------------------------------


@frozen
class Answer:
    """Send this, and nothing else."""

    reply: Reply


@frozen
class Allocate(Generic[Client]):
    """Find a relayed address, then `grant` it."""

    client: Client
    request: Message
    transport: int
    seen: Address


@frozen
class Connect(Generic[Client]):
    """Connect to a peer from the relayed address, then say `connected` or `refused` (RFC 6062 section 5.2)."""

    allocation: Allocation[Client]
    request: Message
    peer: Address


@frozen
class Bind(Generic[Client, Other]):
    """Send this, and join the connection that it goes to with a peer's (RFC 6062 section 5.4)."""

    reply: Reply
    allocation: Allocation[Client]
    other: Other


@frozen
class End(Generic[Client]):
    """Send this, and end the allocation's data connections (RFC 6062 section 5.5)."""

    reply: Reply
    allocation: Allocation[Client]


@dataclass(slots=True)
class Manner:
    """What a server does otherwise than usual; all of it is lawful but for `spoilt` and `unsigned`.

    ``refusals``: codes for the next authenticated requests of a method; the last one stays if it is in ``always``.
    ``algorithms`` are announced and, unless ``unlisted``, listed. ``spoilt``: methods whose success has a wrong
    integrity ("wrong") or none ("absent"). ``withheld``: methods that are not answered. ``both_families``: the family
    of a relayed address is the one that was asked for (RFC 8656 section 7.2), else the server's own.
    """

    realm: str = REALM
    lifetime: int = _LIFETIME
    refreshed_lifetime: int | None = None
    algorithms: tuple[int, ...] = ()
    anonymous: bool = False
    unlisted: bool = False
    nonce_in_success: bool = False
    refusals: dict[int, list[int]] = field(default_factory=dict)
    always: set[int] = field(default_factory=set)
    unsigned: set[int] = field(default_factory=set)
    spoilt: dict[int, str] = field(default_factory=dict)
    withheld: set[int] = field(default_factory=set)
    strange_family: bool = False
    both_families: bool = False
    alternate: Address | None = None


class _Refusal(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Server(Generic[Client, Other]):
    """A STUN server or, with `transports`, one that also relays those. `numbers` makes connection ids."""

    def __init__(
        self, username: str, password: str, nonce: str, numbers: Callable[[], int], transports: Collection[int]
    ) -> None:
        self.username, self.password = username, password
        self.manner = Manner()
        self._nonces = count(1)
        self._nonce = nonce
        self.allocations: dict[Client, Allocation[Client]] = {}
        self._numbers = numbers
        self._transports = transports
        self._waiting: dict[int, tuple[Allocation[Client], Other]] = {}

    @property
    def nonce(self) -> str:
        """The nonce of now; what it announces begins it (RFC 8489 section 9.2)."""
        announced = [Feature.PASSWORD_ALGORITHMS] * bool(self.manner.algorithms)
        announced += [Feature.USERNAME_ANONYMITY] * self.manner.anonymous
        return longterm.nonce(announced, self._nonce) if announced else self._nonce

    def renew_nonce(self) -> None:
        """Let the nonce of before be stale."""
        self._nonce = f"{self._nonce.partition('-')[0]}-{next(self._nonces)}"

    def lengthen_nonce(self, octets: int) -> None:
        """Have a nonce of so many octets."""
        self._nonce = self._nonce.ljust(octets, "n")

    @property
    def key(self) -> bytes:
        """The key by MD5."""
        return self.key_by(longterm.MD5)

    def key_by(self, algorithm: int) -> bytes:
        """The key by a password algorithm."""
        return longterm.key(algorithm, self.username, self.manner.realm, self.password)

    def key_of(self, request: Message) -> bytes:
        """The key of a request by the algorithm that it names, MD5 where it names none."""
        named = request.first(Attribute.PASSWORD_ALGORITHM)
        return self.key_by(longterm.decode_algorithms(named.value)[0] if named is not None else longterm.MD5)

    def knows(self, request: Message) -> bool:
        """Whether a request names the server's user, in clear or by a hash (RFC 8489 section 9.2.4)."""
        hashed = request.first(Attribute.USERHASH)
        if hashed is not None:
            return hashed.value == longterm.userhash(self.username, self.manner.realm)
        return request.username == self.username

    def entry(self, address: str, port: int, *, relays: bool) -> dict[str, str]:
        """Return what `ice_servers` says of it (RFC 7064, RFC 7065)."""
        host = f"[{address}]" if ":" in address else address
        if not relays:
            return {"url": f"stun:{host}:{port}"}
        url = f"turn:{host}:{port}?transport=tcp"
        return {"url": url, "username": self.username, "credential": self.password}

    # -- requests ----------------------------------------------------------------------------------------------

    def take(
        self, client: Client, request: Message, octets: bytes, seen: Address
    ) -> Answer | Allocate[Client] | Connect[Client] | Bind[Client, Other] | End[Client]:
        """Take a request that has come on a connection from an address; return what there is to do."""
        try:
            if request.method != Method.BINDING:
                self._authenticate(request, octets)
            return self._perform(client, request, seen)
        except _Refusal as refusal:
            return Answer(self._refusal(request, refusal.code, str(refusal)))
        except StunError as problem:
            return Answer(self._refused(request, 400, str(problem)))

    def grant(self, asked: Allocate[Client], relayed: Address) -> tuple[Allocation[Client], Reply]:
        """Allocate an address that was found."""
        allocation = Allocation(asked.client, relayed, asked.transport)
        self.allocations[asked.client] = allocation
        return allocation, self._granted(
            asked.request,
            (Attribute.XOR_RELAYED_ADDRESS, relayed),
            (Attribute.XOR_MAPPED_ADDRESS, asked.seen),
            (Attribute.LIFETIME, self.manner.lifetime),
        )

    def lacking(self, asked: Allocate[Client]) -> Reply:
        """Tell that there is no relayed address left (RFC 8656 section 7.2)."""
        return self._refused(asked.request, 508, "Insufficient Capacity")

    def connected(self, asked: Connect[Client], other: Other) -> Reply:
        """Tell of a connection to a peer; it waits for ConnectionBind."""
        return self._granted(asked.request, (Attribute.CONNECTION_ID, self._keep(asked.allocation, other)))

    def refused(self, asked: Connect[Client]) -> Reply:
        """Tell that there is no connection to a peer."""
        return self._refused(asked.request, 447, "Connection Timeout or Failure")

    def attempt(self, allocation: Allocation[Client], peer: Address, other: Other, transaction_id: bytes) -> Reply:
        """Tell of a peer's connection to a relayed address; it waits for ConnectionBind (RFC 6062 section 5.3)."""
        told: list[tuple[Attribute, Value]] = [
            (Attribute.XOR_PEER_ADDRESS, peer),
            (Attribute.CONNECTION_ID, self._keep(allocation, other)),
        ]
        return Reply(Method.CONNECTION_ATTEMPT, MessageClass.INDICATION, transaction_id, told, signed=False)

    def end(self, client: Client) -> Allocation[Client] | None:
        """Give up the allocation that a connection controls, if any."""
        return self.allocations.pop(client, None)

    # -- inner works -------------------------------------------------------------------------------------------

    def _authenticate(self, request: Message, octets: bytes) -> None:
        """Require the long-term credentials (RFC 8489 section 9.2.4)."""
        if not self._transports:
            raise _Refusal(400, "Bad Request")
        sha256 = request.has(Attribute.MESSAGE_INTEGRITY_SHA256)
        check = (check_integrity_sha256 if sha256 else check_integrity)(octets, self.key_of(request))
        if check is not Check.VALID or not self.knows(request):
            raise _Refusal(401, "Unauthenticated")
        if request.nonce != self.nonce:
            raise _Refusal(438, "Stale Nonce")
        codes = self.manner.refusals.get(request.method, [])
        if codes:
            code = codes[0] if codes[0] in self.manner.always else codes.pop(0)
            if code in (401, 438):
                self.renew_nonce()
            raise _Refusal(code, "Refused")

    def _perform(
        self, client: Client, request: Message, seen: Address
    ) -> Answer | Allocate[Client] | Connect[Client] | Bind[Client, Other] | End[Client]:
        match request.method:
            case Method.BINDING:
                return Answer(self._granted(request, (Attribute.XOR_MAPPED_ADDRESS, seen)))
            case Method.ALLOCATE:
                return self._allocate(client, request, seen)
            case Method.CONNECTION_BIND:
                found = self._waiting.pop(request.connection_id or 0, None)
                if found is None:
                    raise _Refusal(400, "Bad Request")
                found[0].data.append(client)
                return Bind(self._granted(request), *found)
        allocation = self.allocations.get(client)
        if allocation is None:
            raise _Refusal(437, "Allocation Mismatch")
        return self._perform_on(allocation, request)

    def _perform_on(self, allocation: Allocation[Client], request: Message) -> Answer | Connect[Client] | End[Client]:
        """Do what is asked of an allocation."""
        match request.method:
            case Method.REFRESH:
                if request.lifetime == 0:
                    self.end(allocation.control)
                    return End(self._granted(request, (Attribute.LIFETIME, 0)), allocation)
                longer = self.manner.refreshed_lifetime
                lifetime = self.manner.lifetime if longer is None else longer
                return Answer(self._granted(request, (Attribute.LIFETIME, lifetime)))
            case Method.CREATE_PERMISSION:
                peers = request.all(Attribute.XOR_PEER_ADDRESS)
                allocation.permissions |= {decode_xor_address(peer, request.transaction_id).ip for peer in peers}
                return Answer(self._granted(request))
            case Method.CHANNEL_BIND:  # datagrams go by Send and Data indications alone
                raise _Refusal(508, "Insufficient Capacity")
            case Method.CONNECT:
                peer = request.xor_peer_address
                if peer is not None and allocation.transport == TCP:
                    return Connect(allocation, request, peer)
        raise _Refusal(400, "Bad Request")

    def _allocate(self, client: Client, request: Message, seen: Address) -> Allocate[Client]:
        """Let an address be found (RFC 8656 section 7.2, for TCP RFC 6062 section 5.1)."""
        wanted = request.first(Attribute.REQUESTED_TRANSPORT)
        transport = wanted.value[0] if wanted is not None and wanted.value else 0
        if transport not in self._transports:
            raise _Refusal(442, "Unsupported Transport Protocol")
        if client in self.allocations:
            raise _Refusal(437, "Allocation Mismatch")
        return Allocate(client, request, transport, seen)

    def _keep(self, allocation: Allocation[Client], other: Other) -> int:
        number = self._numbers()
        self._waiting[number] = allocation, other
        return number

    def _granted(self, request: Message, *attributes: tuple[Attribute, Value]) -> Reply:
        told = list(attributes)
        how = self.manner.spoilt.get(request.method, "")
        if request.method != Method.BINDING and self.manner.nonce_in_success:
            told.append((Attribute.NONCE, self.nonce))
        return Reply(
            request.method,
            MessageClass.SUCCESS,
            request.transaction_id,
            told,
            signed=request.method != Method.BINDING and how != "absent",
            key=self.key_of(request),
            by_sha256=request.has(Attribute.MESSAGE_INTEGRITY_SHA256),
            wrong=how == "wrong",
        )

    def _refused(self, request: Message, code: int, reason: str) -> Reply:
        attributes: list[tuple[Attribute, Value]] = [(Attribute.ERROR_CODE, ErrorCode(code, reason))]
        challenges = code in (401, 438)
        if challenges:
            attributes += [(Attribute.REALM, self.manner.realm), (Attribute.NONCE, self.nonce)]
            if self.manner.algorithms and not self.manner.unlisted:
                listed = longterm.encode_algorithms(self.manner.algorithms)
                attributes.append((Attribute.PASSWORD_ALGORITHMS, listed))
        if code == _TRY_ALTERNATE and self.manner.alternate is not None:
            attributes.append((Attribute.ALTERNATE_SERVER, self.manner.alternate))
        signed = bool(self._transports) and not challenges and code not in self.manner.unsigned
        return Reply(request.method, MessageClass.ERROR, request.transaction_id, attributes, signed)

    def _refusal(self, request: Message, code: int, reason: str) -> Reply:
        """Refuse a request, by the integrity that it has itself."""
        reply = self._refused(request, code, reason)
        sha256 = request.has(Attribute.MESSAGE_INTEGRITY_SHA256)
        return replace(reply, key=self.key_of(request), by_sha256=sha256)
