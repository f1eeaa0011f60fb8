"""What the rules look at: connections with their STUN messages, and what offer and answer told.

A rule is a generator over an `Exchange` that says what it saw: `HELD` where the requirement was met, `broken(...)`
where it was not, `unclear(...)` where there was something to judge and the capture does not hold enough for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.catalogue import requirement as look_up
from conformance.verdict import Verdict
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.stun import Message, MessageClass, Method
from pcaps.field import Attempt
from pcaps.splitter import COOKIE
from pcaps.streams import Connection, Event

if TYPE_CHECKING:
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import SessionDescription


# -- what offer and answer told ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """An agent as its descriptions show it. ``media``: the candidates of each media section."""

    name: str
    ufrags: frozenset[str] = frozenset()
    media: tuple[tuple[Candidate, ...], ...] = ()
    lite: bool = False

    @property
    def candidates(self) -> list[Candidate]:
        """All candidates."""
        return [candidate for section in self.media for candidate in section]

    def at(self, endpoint: Address) -> list[Candidate]:
        """Return the TCP candidates with this transport address."""
        mine = [c for c in self.candidates if c.is_tcp and c.port == endpoint.port]
        return [candidate for candidate in mine if same_address(candidate.address, endpoint.ip)]

    def owns(self, ip: str) -> bool:
        """Whether a host candidate has this address."""
        return any(same_address(c.address, ip) for c in self.candidates if c.type.lower() == "host")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the capture.

    ``passwords`` by user name fragment. ``spared``: addresses whose agent is not judged; ``only``: if there are any,
    the only ones that are. ``whole``: every description of the exchange is known and nothing translates addresses, as
    in the run of a suite.
    """

    passwords: Mapping[str, str] = field(default_factory=dict)
    parties: tuple[Party, ...] = ()
    spared: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    whole: bool = False

    @classmethod
    def of(
        cls, descriptions: Iterable[tuple[str, SessionDescription]], credentials: Mapping[str, str] | None = None
    ) -> Known:
        """Gather the descriptions of each named agent, in any number, and further passwords."""
        passwords = dict(credentials or {})
        gathered: dict[str, Party] = {}
        for name, description in descriptions:
            party = gathered.get(name, Party(name))
            found = [(m.ufrag, m.pwd) for m in description.media]
            passwords.update({ufrag: pwd for ufrag, pwd in found if ufrag and pwd})
            gathered[name] = Party(
                name,
                party.ufrags | {ufrag for ufrag, _ in found if ufrag},
                (*party.media, *(tuple(m.candidates) for m in description.media)),
                party.lite or description.ice_lite,
            )
        return cls(passwords, tuple(gathered.values()))

    def judges(self, address: Address) -> bool:
        """Whether the agent at this address is judged."""
        return address.ip not in self.spared and (not self.only or address.ip in self.only)

    def owner(self, ufrag: str) -> Party | None:
        """Return the agent of a user name fragment."""
        return next((party for party in self.parties if ufrag in party.ufrags), None)

    def endpoints(self) -> set[Address]:
        """Return the transport addresses of all TCP candidates that others can connect to."""
        found = [c for party in self.parties for c in party.candidates if c.is_tcp]
        return {Address(canonical(c.address), c.port) for c in found if (c.tcptype or "").lower() != "active"}


def canonical(ip: str) -> str:
    """Return an IP address in the form in which captures have it; other text unchanged."""
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        return ip


def same_address(one: str, other: str) -> bool:
    """Whether two texts are the same IP address."""
    return one == other or canonical(one) == canonical(other)


# -- what the capture shows --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stun:
    """A STUN message on a connection. ``valid``: it would be taken for one, its FINGERPRINT included."""

    event: Event
    index: int
    message: Message
    valid: bool
    username: str | None

    @property
    def octets(self) -> bytes:
        """The message itself."""
        return self.event.payload

    @property
    def from_client(self) -> bool:
        """Which side sent it."""
        return self.event.from_client

    @property
    def is_request(self) -> bool:
        """Whether it is a Binding request."""
        return self.message.method == Method.BINDING and self.message.cls is MessageClass.REQUEST

    @property
    def is_check(self) -> bool:
        """Whether it is a connectivity check, not a question to a STUN or TURN server."""
        names = self.username is not None and ":" in self.username
        return self.is_request and (names or any(self.message.has(kind) for kind in _OF_CHECKS))

    @property
    def is_success(self) -> bool:
        """Whether it is a Binding success response."""
        return self.message.method == Method.BINDING and self.message.cls is MessageClass.SUCCESS

    @property
    def is_response(self) -> bool:
        """Whether it is a Binding response."""
        return self.message.method == Method.BINDING and self.message.cls in (MessageClass.SUCCESS, MessageClass.ERROR)


_OF_CHECKS = (0x0024, 0x0025, 0x8029, 0x802A)  # PRIORITY, USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING


class Talk:
    """A connection with its STUN messages in order.

    ``checked``: a connectivity check was seen on it. ``relayed``: it leads to a TURN server, which passes on what
    another connection brings (RFC 6062), so that its ends are not those of the candidate pair.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stun: list[Stun] = []
        for index, event in enumerate(connection.events):
            if event.what in ("frame", "unframed") and event.payload[4:8] == COOKIE and event.whole:
                self._decode(event, index)
        self.checked = any(stun.is_check for stun in self.stun)
        self.relayed = any(stun.message.method == Method.CONNECTION_BIND for stun in self.stun)
        self._requests: dict[tuple[bool, bytes], list[Stun]] = {}
        for stun in self.stun:
            if stun.message.cls is MessageClass.REQUEST:
                self._requests.setdefault((stun.from_client, stun.message.transaction_id), []).append(stun)
        self._successes: dict[bool, list[tuple[Stun, Stun]]] = {}

    def _decode(self, event: Event, index: int) -> None:
        try:
            message = Message.decode(event.payload)
        except StunError:
            return
        valid = event.stun or event.what == "unframed"
        self.stun.append(Stun(event, index, message, valid, _username(message)))

    def __str__(self) -> str:
        return f"{self.connection.client} -> {self.connection.server}"

    def address(self, *, client: bool) -> Address:
        """Return the address of one side."""
        return self.connection.client if client else self.connection.server

    def sent(self, *, client: bool) -> list[Stun]:
        """Return one side's messages."""
        return [stun for stun in self.stun if stun.from_client is client]

    def whole(self) -> bool:
        """Whether the capture holds both directions from their first octets on."""
        return self.connection.complete_from(client=True) and self.connection.complete_from(client=False)

    def requests_for(self, response: Stun) -> list[Stun]:
        """Return the other side's requests with the transaction id of a response.

        Whatever their order: nobody knows the id of a request that is still to come, but captures may be out of order.
        """
        return self._requests.get((not response.from_client, response.message.transaction_id), [])

    def successes(self, known: Known, *, client: bool) -> list[tuple[Stun, Stun]]:
        """Return (check, response) of this side's checks that succeeded.

        A response whose integrity is known to be wrong is none; one that cannot be checked counts.
        """
        if client not in self._successes:
            self._successes[client] = [
                (request, response)
                for response in self.sent(client=not client)
                if response.is_success and response.valid
                for request in self.requests_for(response)
                if request.is_check and integrity_of(response, key_of(request, known)) is not Check.INVALID
            ]
        return self._successes[client]

    @property
    def pair(self) -> tuple[str, Address]:
        """What stays the same when the connection of a candidate pair is opened again."""
        return self.connection.client.ip, self.connection.server


def _username(message: Message) -> str | None:
    try:
        return message.username
    except StunError:
        return None


def key_of(request: Stun, known: Known) -> bytes | None:
    """Return the key of a check and of the response to it: the password of the agent that is checked."""
    fragment = (request.username or "").partition(":")[0]
    password = known.passwords.get(fragment)
    return None if password is None else short_term_key(password)


def integrity_of(stun: Stun, key: bytes | None) -> Check | None:
    """Return whether a message's integrity is right by either mechanism; None: there is one, and no key."""
    if not (stun.message.has(0x0008) or stun.message.has(0x001C)):
        return Check.ABSENT
    if key is None:
        return None
    found = {check_integrity(stun.octets, key), check_integrity_sha256(stun.octets, key)}
    return Check.VALID if Check.VALID in found else Check.INVALID


@dataclass(slots=True)
class Exchange:
    """All there is to judge: connections of ICE, attempts, and what is known. ``until_ns``: the capture's end.

    ``partial``: earlier connections of a very large capture were judged already and are no longer here. ``strangers``:
    ends of connections whose beginning the capture does not hold and that do not show what they are.
    """

    talks: Sequence[Talk]
    attempts: Sequence[Attempt] = ()
    known: Known = field(default_factory=Known)
    until_ns: int = 0
    partial: bool = False
    strangers: Collection[tuple[Address, Address]] = ()

    def sides(self) -> Iterator[tuple[Talk, bool]]:
        """Yield each connection with each side of it that is judged (true: the client)."""
        for talk in self.talks:
            for client in (True, False):
                if self.known.judges(talk.address(client=client)):
                    yield talk, client

    def checks(self) -> Iterator[tuple[Talk, Stun]]:
        """Yield the connectivity checks of judged agents."""
        for talk, client in self.sides():
            for stun in talk.sent(client=client):
                if stun.is_check:
                    yield talk, stun

    def responses(self) -> Iterator[tuple[Talk, Stun, list[Stun]]]:
        """Yield the success responses of judged agents to connectivity checks, with the checks they may answer."""
        for talk, client in self.sides():
            for stun in talk.sent(client=client):
                if stun.is_success and any(request.is_check for request in talk.requests_for(stun)):
                    yield talk, stun, talk.requests_for(stun)


# -- what a rule says --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that a rule saw. ``agent`` is the address of who is judged, ``connection`` where it was seen."""

    verdict: Verdict
    reason: str = ""
    expected: str = ""
    actual: str = ""
    connection: Connection | None = None
    time_ns: int = 0
    agent: str = ""


HELD = Observation(Verdict.PASS)


def reading(text: str) -> Observation:
    """Return that the requirement is met by one of two honest readings of it."""
    return Observation(Verdict.PASS, text)


def broken(talk: Talk, stun: Stun | Event, reason: str, *, expected: str, actual: str = "") -> Observation:
    """Return that the sender of a message broke the requirement."""
    event = stun.event if isinstance(stun, Stun) else stun
    agent = str(talk.address(client=event.from_client))
    return Observation(
        Verdict.FAIL, f"{agent} {reason}", expected, actual or reason, talk.connection, event.time_ns, agent
    )


def unclear(reason: str, talk: Talk | None = None) -> Observation:
    """Return that there was something to judge, and why it could not be."""
    where = f" ({talk})" if talk is not None else ""
    return Observation(Verdict.INCONC, reason + where, connection=talk.connection if talk else None)


def hole(talk: Talk) -> str:
    """Return, in words, what a connection's capture lacks."""
    connection = talk.connection
    if connection.clipped:
        return f"{connection.clipped} of the connection's events were too many to be kept"
    if connection.lossy:
        return "octets are missing from the capture"
    return "the capture does not hold the connection's beginning"


Looker = Callable[[Exchange], Iterable[Observation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it is called, what it holds an exchange against, and how."""

    name: str
    requirement: str
    title: str
    look: Looker


RULES: list[Rule] = []


def rule(requirement: str, title: str) -> Callable[[Looker], Looker]:
    """Make a function a rule of this requirement; its name is the rule's."""
    look_up(requirement)

    def register(function: Looker) -> Looker:
        RULES.append(Rule(function.__name__, requirement, title, function))
        return function

    return register
