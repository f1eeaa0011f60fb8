"""What the rules look at: connections with their STUN messages, and what offer and answer told.

A rule is a generator over an `Exchange` that says what it saw: `HELD` where the requirement was met, `broken(...)`
where it was not, `unclear(...)` where there was something to judge and the capture does not hold enough for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from conformance.catalogue import requirement as look_up
from conformance.judge.known import Known
from conformance.verdict import Verdict
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.stun import Message, MessageClass, Method
from pcaps.connections import Connection, Event
from pcaps.frames import COOKIE
from pcaps.reading import Attempt

# -- what the capture shows --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stun:
    """A STUN message on a connection. ``valid``: it would be taken for one, its FINGERPRINT included.

    What it is, every rule asks of every message, so it is found out once. ``is_request``, ``is_success``,
    ``is_response``: of the method Binding. ``is_check``: a connectivity check, not a question to a STUN or TURN server.
    """

    event: Event
    index: int
    message: Message
    valid: bool
    username: str | None
    proven: dict[bytes, Check] = field(default_factory=dict)  # by key, what was found of its integrity
    from_client: bool = field(init=False)
    is_request: bool = field(init=False)
    is_success: bool = field(init=False)
    is_response: bool = field(init=False)
    is_check: bool = field(init=False)

    def __post_init__(self) -> None:
        cls, binding = self.message.cls, self.message.method == Method.BINDING
        self.from_client = self.event.from_client
        self.is_request = binding and cls is MessageClass.REQUEST
        self.is_success = binding and cls is MessageClass.SUCCESS
        self.is_response = self.is_success or (binding and cls is MessageClass.ERROR)
        names = self.username is not None and ":" in self.username
        self.is_check = self.is_request and (names or any(map(self.message.has, _OF_CHECKS)))

    @property
    def octets(self) -> bytes:
        """The message itself."""
        return self.event.payload

    @property
    def is_of_turn(self) -> bool:
        """Whether it controls allocations on a TURN server: without a frame, and of one of its methods."""
        known = self.message.method in _CONTROLS
        return known and self.event.what == "unframed"


_CONTROLS = frozenset(Method) - {Method.BINDING, Method.CONNECTION_BIND}
_OF_CHECKS = (0x0024, 0x0025, 0x8029, 0x802A)  # PRIORITY, USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING


class Talk:
    """A connection with its STUN messages in order.

    ``checked``: a connectivity check was seen on it. ``relayed``: it leads to a TURN server, which passes on what
    another connection brings (RFC 6062), so that its ends are not those of the candidate pair. What goes over a TURN
    server's control connection is no check on that connection, but a check over UDP that is relayed.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stun: list[Stun] = []
        for index, event in enumerate(connection.events):
            if event.what in ("frame", "unframed") and event.payload[4:8] == COOKIE and event.whole:
                self._decode(event, index)
        self._sent = {side: [stun for stun in self.stun if stun.from_client is side] for side in (True, False)}
        controls = bool(self.stun) and self.stun[0].is_of_turn
        self.checked = not controls and any(stun.is_check for stun in self.stun)
        self.relayed = any(stun.message.method == Method.CONNECTION_BIND for stun in self.stun)
        self._requests: dict[tuple[bool, bytes], list[Stun]] = {}
        for stun in self.stun:
            if stun.message.cls is MessageClass.REQUEST:
                self._requests.setdefault((stun.from_client, stun.message.transaction_id), []).append(stun)
        self._successes: dict[bool, list[tuple[Stun, Stun]]] = {}
        self._said: dict[bool, bytes] = {}

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
        return self._sent[client]

    def whole(self) -> bool:
        """Whether the capture holds both directions from their first octets on, and in which order."""
        connection = self.connection
        complete = connection.complete_from(client=True) and connection.complete_from(client=False)
        return complete and not connection.disordered

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

    def validated_at(self, known: Known, *, client: bool) -> int:
        """Return where among the connection's events this side's first success stands; beyond them all without one."""
        found = self.successes(known, client=client)
        return min((response.index for _, response in found), default=len(self.connection.events))

    def said_beside(self, *, client: bool) -> bytes:
        """Return all that one side sent and that is neither a response nor another message that asks for none."""
        if client not in self._said:
            others = {stun.index for stun in self.stun if not stun.is_request}
            events = enumerate(self.connection.events)
            mine = [e.payload for index, e in events if e.from_client is client and index not in others]
            self._said[client] = bytes(4).join(mine)
        return self._said[client]

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
    if key not in stun.proven:
        valid = Check.VALID in (check_integrity(stun.octets, key), check_integrity_sha256(stun.octets, key))
        stun.proven[key] = Check.VALID if valid else Check.INVALID
    return stun.proven[key]


def trusted(known: Known, talks: Iterable[Talk]) -> Known:
    """Return what is known without the typed passwords that no message at all fits: they are wrong, not the agents."""
    fit: set[str] = set()
    unfit: set[str] = set()
    for talk in talks if known.typed else ():
        for stun in talk.stun:
            fragments = {(request.username or "").partition(":")[0] for request in (stun, *talk.requests_for(stun))}
            for fragment in (fragments & known.typed) - fit:
                found = integrity_of(stun, short_term_key(known.passwords[fragment]))
                (fit if found is Check.VALID else unfit if found is Check.INVALID else set()).add(fragment)
    passwords = {ufrag: pwd for ufrag, pwd in known.passwords.items() if ufrag not in unfit - fit}
    return replace(known, passwords=passwords, typed=frozenset(unfit - fit))


@dataclass(slots=True)
class Exchange:
    """All there is to judge: connections of ICE, attempts, and what is known. ``until_ns``: the capture's end.

    ``partial``: earlier connections of a very large capture were judged already and are no longer here. ``strangers``:
    ends of connections whose beginning the capture does not hold and that do not show what they are. ``untimed``: the
    capture's clock went back or stood still, so that connections cannot be put in order.
    """

    talks: Sequence[Talk]
    attempts: Sequence[Attempt] = ()
    known: Known = field(default_factory=Known)
    until_ns: int = 0
    partial: bool = False
    strangers: Collection[tuple[Address, Address]] = ()
    untimed: bool = False

    _sides: list[tuple[Talk, bool]] | None = None  # many rules ask for the same
    _checks: list[tuple[Talk, Stun]] | None = None
    _responses: list[tuple[Talk, Stun, list[Stun]]] | None = None

    def sides(self) -> list[tuple[Talk, bool]]:
        """Return each connection with each side of it that is judged (true: the client)."""
        if self._sides is None:
            judges = self.known.judges
            both = ((talk, client) for talk in self.talks for client in (True, False))
            self._sides = [(talk, client) for talk, client in both if judges(talk.address(client=client))]
        return self._sides

    def _messages(self) -> Iterator[tuple[Talk, Stun]]:
        """Yield the messages of judged agents."""
        for talk, client in self.sides():
            for stun in talk.sent(client=client):
                yield talk, stun

    def checks(self) -> list[tuple[Talk, Stun]]:
        """Return the connectivity checks of judged agents."""
        if self._checks is None:
            self._checks = [(talk, stun) for talk, stun in self._messages() if stun.is_check]
        return self._checks

    def responses(self) -> list[tuple[Talk, Stun, list[Stun]]]:
        """Return the success responses of judged agents to connectivity checks, with the checks they may answer."""
        if self._responses is None:
            answers = ((talk, stun, talk.requests_for(stun)) for talk, stun in self._messages() if stun.is_success)
            self._responses = [answer for answer in answers if any(request.is_check for request in answer[2])]
        return self._responses


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
    if connection.disordered and connection.complete_from(client=True) and connection.complete_from(client=False):
        return "the packets' times contradict their order"
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
