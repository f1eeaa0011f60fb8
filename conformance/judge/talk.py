"""A connection of a capture as the judge sees it: its STUN messages in order, and the parts that cannot be read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from conformance.judge.known import Known
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.stun import Message, MessageClass, Method
from pcaps.connections import Connection, Event, decoded
from pcaps.frames import COOKIE


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


_LENGTH, _HEADER = 2, 20
_IN_FRAME = slice(6, 10)  # where the magic cookie stands in a frame
_CONTROLS = frozenset(Method) - {Method.BINDING, Method.CONNECTION_BIND}
_OF_CHECKS = (0x0024, 0x0025, 0x8029, 0x802A)  # PRIORITY, USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING


@dataclass(frozen=True, slots=True)
class Malformed:
    """Octets that are meant as a STUN message but cannot be decoded."""

    event: Event
    problem: StunError


class Talk:
    """A connection with its STUN messages in order.

    ``checked``: a connectivity check was seen on it, or what only ICE sends: STUN in frames, be it malformed.
    ``relayed``: it leads to a TURN server, which passes on what another connection brings (RFC 6062), so that its ends
    are not those of the candidate pair. What goes over a TURN server's control connection is no check on that
    connection, but a check over UDP that is relayed. ``ended_ns``: when a side ended it first; infinite: never.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stun: list[Stun] = []
        self._undecodable: list[tuple[int, Malformed]] = []
        for index, event in enumerate(connection.events):
            if event.what in ("frame", "unframed") and event.payload[4:8] == COOKIE and event.whole:
                self._decode(event, index)
        self._sent = {side: [stun for stun in self.stun if stun.from_client is side] for side in (True, False)}
        controls = bool(self.stun) and self.stun[0].is_of_turn
        self.relayed = any(stun.message.method == Method.CONNECTION_BIND for stun in self.stun)
        self._requests: dict[tuple[bool, bytes], list[Stun]] = {}
        for stun in self.stun:
            if stun.message.cls is MessageClass.REQUEST:
                self._requests.setdefault((stun.from_client, stun.message.transaction_id), []).append(stun)
        self._successes: dict[bool, list[tuple[Stun, Stun]]] = {}
        self._validated: dict[bool, int] = {}
        self._said: dict[bool, bytes] = {}
        self._answered: dict[bool, set[bytes]] = {}
        self._by_event: dict[int, Stun] | None = None
        self._bare: dict[bool, int] | None = None  # by side, which event is its first without a frame
        ends = [event.time_ns for event in connection.events if event.what in ("fin", "rst")]
        self.ended_ns = min(ends, default=math.inf)
        self._free = {side: self._media_from(client=side) for side in (True, False)}
        self._framed = {side: self._frames_of_stun(client=side) for side in (True, False)}
        self.malformed = {side: self._meant(client=side) for side in (True, False)}
        self._legible: dict[bool, bool] = {}
        self.checked = not controls and (any(stun.is_check for stun in self.stun) or self._is_framed_stun())

    def _decode(self, event: Event, index: int) -> None:
        message, problem = decoded(event.payload)
        if message is None:
            assert problem is not None
            self._undecodable.append((index, Malformed(event, problem)))
            return
        valid = event.stun or event.what == "unframed"
        self.stun.append(Stun(event, index, message, valid, _username(message)))

    def _media_from(self, *, client: bool) -> int:
        """Return from which event on this side may send media, which may look like anything.

        A side that checks nothing is lite, or takes the other one's checks for its own.
        """
        own = any(stun.is_request for stun in self._sent[client])
        asker = client if own else not client
        asked = {stun.message.transaction_id for stun in self._sent[asker] if stun.is_request}
        answers = [s.index for s in self._sent[not asker] if s.is_success and s.message.transaction_id in asked]
        return min(answers, default=len(self.connection.events))

    def _meant(self, *, client: bool) -> list[Malformed]:
        """Return what one side sent as STUN that is malformed.

        Once media may come it may look like that too, and then only a request's transaction id shows what it is.
        """
        found = []
        misframed = [id(event) for event, told, inner in self.frames_of_stun(client=client) if told != inner]
        for index, malformed in self._undecodable:
            event = malformed.event
            answers = (not client, event.payload[8:20]) in self._requests
            if event.from_client is not client or id(event) in misframed:
                continue  # what is wrong is the LENGTH before it
            if index < self._free[client] or answers:
                found.append(malformed)
        return found

    def _is_framed_stun(self) -> bool:
        """Whether there is STUN in frames, which STUN servers never send: the checks then cannot be read."""
        responses = any(stun.is_response and stun.event.what == "frame" for stun in self.stun)
        rests = [self.connection.rest(client=side)[_IN_FRAME] for side in (True, False)]
        return responses or any(self.malformed.values()) or COOKIE in rests

    def frames_of_stun(self, *, client: bool) -> list[tuple[Event, int, int]]:
        """Return the frames of one side before it may send media, each with its LENGTH and that of the message in it.

        Behind a wrong LENGTH frames cannot be found: it is the last one.
        """
        return self._framed[client]

    def _frames_of_stun(self, *, client: bool) -> list[tuple[Event, int, int]]:
        found = []
        for event in self.connection.events[: self._free[client]]:
            if event.from_client is client and event.what == "frame" and event.whole:
                told, inner = _lengths(len(event.payload).to_bytes(2, "big") + event.payload)
                if inner:
                    found.append((event, told, inner))
                if inner not in (0, told):
                    return found
        rest = self.connection.rest(client=client)
        told, inner = _lengths(rest)
        if told > inner > 0 and len(rest) >= _LENGTH + inner and self._free[client] == len(self.connection.events):
            found.append((Event(self.connection.last_ns, client, "frame", rest), told, inner))
        return found

    def legible(self, *, client: bool) -> bool:
        """Whether all that one side sent is in the capture and can be read: else its silence proves nothing."""
        if client not in self._legible:
            self._legible[client] = self._is_legible(client=client)
        return self._legible[client]

    def _is_legible(self, *, client: bool) -> bool:
        if not self.connection.complete_from(client=client) or self.malformed[client]:
            return False
        if any(event.what == "unframed" and event.from_client is client for event in self.connection.events):
            return False
        if COOKIE in self.connection.rest(client=client)[_IN_FRAME.stop :]:
            return False  # a message stands where a frame that never becomes whole should go on
        return all(told == inner for _, told, inner in self.frames_of_stun(client=client))

    def __str__(self) -> str:
        return f"{self.connection.client} -> {self.connection.server}"

    def address(self, *, client: bool) -> Address:
        """Return the address of one side."""
        return self.connection.client if client else self.connection.server

    @property
    def ends(self) -> tuple[Address, Address]:
        """The addresses of both sides."""
        return self.connection.client, self.connection.server

    def sent(self, *, client: bool) -> list[Stun]:
        """Return one side's messages."""
        return self._sent[client]

    def readable_by(self, *, client: bool) -> bool:
        """Whether it is known what one side sent and was sent: only then it can be blamed for an omission."""
        return self.whole() and self.legible(client=not client)

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

    def may_be_media(self, request: Stun) -> bool:
        """Whether a request may be media that looks like one: its sender may send media, and nobody answers it."""
        ours, identifier = request.from_client, request.message.transaction_id
        return request.index >= self._free[ours] and identifier not in self.answered(client=not ours)

    def answered(self, *, client: bool) -> set[bytes]:
        """Return the transaction ids of this side's responses."""
        if client not in self._answered:
            self._answered[client] = {s.message.transaction_id for s in self.sent(client=client) if s.is_response}
        return self._answered[client]

    def stun_of(self, event: Event) -> Stun | None:
        """Return the message that an event is."""
        if self._by_event is None:
            self._by_event = {id(stun.event): stun for stun in self.stun}
        return self._by_event.get(id(event))

    def is_framed_until(self, message: Stun) -> bool:
        """Whether all that the sender of a message had sent by then, the message included, stands in frames."""
        if self._bare is None:
            self._bare = {}
            for index, seen in enumerate(self.connection.events):
                if seen.what == "unframed":
                    self._bare.setdefault(seen.from_client, index)
        return message.index < self._bare.get(message.from_client, len(self.connection.events))

    def successes(self, known: Known, *, client: bool) -> list[tuple[Stun, Stun]]:
        """Return (check, response) of this side's checks that succeeded.

        A response whose integrity is known to be wrong does not count; one that cannot be checked does.
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
        if client not in self._validated:
            found = self.successes(known, client=client)
            end = len(self.connection.events)
            self._validated[client] = min((response.index for _, response in found), default=end)
        return self._validated[client]

    def said_otherwise(self, *, client: bool) -> bytes:
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


def _lengths(frame: bytes) -> tuple[int, int]:
    """Return what LENGTH says and what the STUN header behind it says in all; 0 where there is none."""
    if len(frame) < _IN_FRAME.stop or frame[_IN_FRAME] != COOKIE or frame[_LENGTH] >= 0x40:
        return 0, 0
    return int.from_bytes(frame[:_LENGTH], "big"), int.from_bytes(frame[4:6], "big") + _HEADER


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
        checks = (check_integrity, check_integrity_sha256)
        valid = any(check(stun.octets, key) is Check.VALID for check in checks)
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
