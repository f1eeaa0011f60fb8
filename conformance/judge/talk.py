"""A connection of a capture as the judge sees it: its STUN messages in order, and the parts that cannot be read."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from conformance.judge.known import Known
from conformance.wire.attributes import Address, RawAttribute, decode_text
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity_sha256, is_integrity, short_term_key
from conformance.wire.stun import MessageClass, Method, View
from pcaps.connections import Connection, Event
from pcaps.frames import COOKIE


class Stun:
    """A STUN message on a connection. ``valid``: it would be taken for one, its FINGERPRINT included.

    What it is, every rule asks of every message, so it is found out once. ``is_request``, ``is_success``,
    ``is_response``: of the method Binding. ``is_check``: a connectivity check, not a question to a STUN or TURN server;
    of what may be either the connection decides.
    ``theirs`` and ``own``: what its user name has before and behind the first colon.
    """

    __slots__ = (
        "_proven",
        "event",
        "from_client",
        "index",
        "is_check",
        "is_request",
        "is_response",
        "is_success",
        "message",
        "own",
        "theirs",
        "username",
        "valid",
    )

    def __init__(self, event: Event, index: int, message: View) -> None:
        self.event = event
        self.index = index
        self.message = message
        self.valid = event.stun or event.what == "unframed"
        self.from_client = event.from_client
        names = message.values.get(_USERNAME)
        self.username, self.theirs, self.own = _NO_NAMES if names is None else _names(names)
        self._proven: dict[bytes, Check] = {}  # by key, what was found of its integrity
        cls, binding = message.cls, message.method == _BINDING
        self.is_request = binding and cls is _REQUEST
        self.is_success = binding and cls is _SUCCESS
        self.is_response = binding and (cls is _SUCCESS or cls is _ERROR)
        self.is_check = self.is_request and (
            (":" in (self.username or "") and _REALM not in message.values)
            or not _OF_CHECKS_ALONE.isdisjoint(message.values)
        )

    @property
    def may_be_check(self) -> bool:
        """Whether it is a request that a STUN or TURN server may get as well.

        PRIORITY is of checks, and yet some agents put it into every request. A colon may stand in the name of a user
        of the long-term mechanism, which REALM shows (RFC 8489 section 14.9); a check's is of the short-term one.
        """
        return self.is_request and (":" in (self.username or "") or _PRIORITY in self.message.values)

    @property
    def octets(self) -> bytes:
        """The message itself."""
        return self.event.payload

    @property
    def is_of_turn(self) -> bool:
        """Whether it controls allocations on a TURN server: without a frame, and of one of its methods."""
        known = self.message.method in _CONTROLS
        return known and self.event.what == "unframed"

    def integrity(self, key: bytes | None) -> Check | None:
        """Return whether its integrity is right by either mechanism; None: there is one, and no key."""
        if _OF_INTEGRITY.isdisjoint(self.message.values):
            return Check.ABSENT
        if key is None:
            return None
        found = self._proven.get(key)
        if found is None:
            at = self.message.integrity_at
            valid = at is not None and is_integrity(self.octets, at, key)
            valid = valid or check_integrity_sha256(self.octets, key) is Check.VALID
            found = self._proven[key] = Check.VALID if valid else Check.INVALID
        return found


_LENGTH, _HEADER = 2, 20
_ENDS = ("fin", "rst")
_IN_FRAME = slice(6, 10)  # where the magic cookie stands in a frame
_CONNECTION_BIND = 0x00B
_CONTROLS = frozenset(map(int, Method)) - {0x001, _CONNECTION_BIND}
# Plain numbers and names: looking up the members of an enumeration costs more than all that is done with them.
_BINDING, _REQUEST, _SUCCESS, _ERROR = 0x001, MessageClass.REQUEST, MessageClass.SUCCESS, MessageClass.ERROR
_USERNAME = 0x0006
_REALM, _PRIORITY = 0x0014, 0x0024
_OF_CHECKS_ALONE = frozenset((0x0025, 0x8029, 0x802A))  # USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING
_OF_INTEGRITY = frozenset((0x0008, 0x001C))  # MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256
_NO_NAMES = (None, "", "")


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
    ``complete``: by side (true: the client), whether the capture holds all of it. ``signals``: SYNs, answers to them,
    FINs and RSTs. ``plain`` and ``unframed``, by side: the frames without a STUN message, and what stands outside
    frames, each with its place among the connection's events. ``aimed``: the candidates that descriptions state and
    that can be connected to.
    """

    def __init__(self, connection: Connection, aimed: Collection[Address] = ()) -> None:
        self.connection = connection
        self.stun: list[Stun] = []
        self._undecodable: list[tuple[int, Malformed]] = []
        self._sent: dict[bool, list[Stun]] = {True: [], False: []}
        self._requests: dict[tuple[bool, bytes], list[Stun]] = {}
        self._cookies: list[tuple[int, Event]] = []  # whole frames in which a STUN message seems to stand
        self.signals: list[Event] = []
        self.plain: dict[bool, list[tuple[int, Event]]] = {True: [], False: []}
        self.unframed: dict[bool, list[tuple[int, Event]]] = {True: [], False: []}
        self._read(connection.events)
        self._tell_checks(to_candidate=connection.server in aimed)
        ends = [event.time_ns for event in self.signals if event.what in _ENDS]
        self.ended_ns = min(ends, default=math.inf)
        self.complete = {side: connection.complete_from(client=side) for side in (True, False)}
        controls = bool(self.stun) and self.stun[0].is_of_turn
        self.relayed = any(stun.message.method == _CONNECTION_BIND for stun in self.stun)
        self._successes: dict[bool, list[tuple[Stun, Stun]]] = {}
        self._validated: dict[bool, int] = {}
        self._said: dict[bool, bytes] = {}
        self._answered: dict[bool, set[bytes]] = {}
        self._by_event: dict[int, Stun] | None = None
        self._free = {side: self._media_from(client=side) for side in (True, False)}
        self._framed = {side: self._frames_of_stun(client=side) for side in (True, False)}
        self.malformed = {side: self._meant(client=side) for side in (True, False)}
        self._legible: dict[bool, bool] = {}
        self._text = ""
        self.hole = ""  # what the capture lacks of it, once a rule has asked
        self.checked = not controls and (any(stun.is_check for stun in self.stun) or self._is_framed_stun())

    def _read(self, events: Sequence[Event]) -> None:
        for index, event in enumerate(events):
            what = event.what
            if what == "frame":
                if event.payload[4:8] != COOKIE:
                    self.plain[event.from_client].append((index, event))
                elif event.whole:
                    self._cookies.append((index, event))
                    self._decode(event, index)
            elif what == "unframed":
                self.unframed[event.from_client].append((index, event))
                if event.payload[4:8] == COOKIE and event.whole:
                    self._decode(event, index)
            elif what != "gap":
                self.signals.append(event)

    def _tell_checks(self, *, to_candidate: bool) -> None:
        """Take what may be a check, or a question to a server, for what it is by the connection that it is on.

        A server reads no frames (RFC 8489 section 6.2.2) and is no candidate of anybody. So a request is one to a
        server only where no message stands in a frame, no other is a check, and nobody stated a candidate there.
        """
        doubtful = [stun for stun in self.stun if not stun.is_check and stun.may_be_check]
        if doubtful and (to_candidate or self._cookies or any(stun.is_check for stun in self.stun)):
            for stun in doubtful:
                stun.is_check = True

    def _decode(self, event: Event, index: int) -> None:
        try:
            stun = Stun(event, index, event.view or View(event.payload))
        except StunError as problem:
            self._undecodable.append((index, Malformed(event, problem)))
            return
        self.stun.append(stun)
        self._sent[stun.from_client].append(stun)
        if stun.message.cls is _REQUEST:
            key = stun.from_client, stun.message.transaction_id
            asked = self._requests.get(key)
            if asked is None:
                self._requests[key] = [stun]
            else:
                asked.append(stun)

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
        if not self._undecodable:
            return []
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
        free = self._free[client]
        for index, event in self._cookies:
            payload = event.payload
            if index >= free:
                break
            if event.from_client is client and payload[0] < 0x40:
                told, inner = len(payload), (payload[2] << 8 | payload[3]) + _HEADER
                found.append((event, told, inner))
                if inner != told:
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
        if not self.complete[client] or self.malformed[client] or self.unframed[client]:
            return False
        if COOKIE in self.connection.rest(client=client)[_IN_FRAME.stop :]:
            return False  # a message stands where a frame that never becomes whole should go on
        framed = self.frames_of_stun(client=client)
        return not framed or framed[-1][1] == framed[-1][2]

    def __str__(self) -> str:
        if not self._text:
            self._text = f"{self.connection.client} -> {self.connection.server}"
        return self._text

    def address(self, *, client: bool) -> Address:
        """Return the address of one side."""
        return self.connection.client if client else self.connection.server

    @property
    def ends(self) -> tuple[Address, Address]:
        """The addresses of both sides."""
        return self.connection.client, self.connection.server

    def end(self) -> Event | None:
        """Return how the connection was ended first; None: it was not, as far as the capture shows."""
        return next((event for event in self.signals if event.what in _ENDS), None)

    def spoke(self, *, client: bool) -> bool:
        """Whether this side sent anything at all, in frames or without."""
        if self._sent[client] or self.plain[client] or self.unframed[client]:
            return True
        return any(event.from_client is client for event in self.connection.events if event.what == "frame")

    def sent(self, *, client: bool) -> list[Stun]:
        """Return one side's messages."""
        return self._sent[client]

    def readable_by(self, *, client: bool) -> bool:
        """Whether it is known what one side sent and was sent: only then it can be blamed for an omission."""
        return self.whole() and self.legible(client=not client)

    def whole(self) -> bool:
        """Whether the capture holds both directions from their first octets on, and in which order."""
        return self.complete[True] and self.complete[False] and not self.connection.disordered

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
        bare = self.unframed[message.from_client]
        return not bare or message.index < bare[0][0]

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
                if request.is_check and response.integrity(key_of(request, known)) is not Check.INVALID
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


@functools.lru_cache(maxsize=1 << 10)
def _names(value: bytes) -> tuple[str | None, str, str]:
    """Return a user name with what it has before and behind its colon; None: it is not text."""
    try:
        username = decode_text(RawAttribute(_USERNAME, value))
    except StunError:
        return _NO_NAMES
    theirs, _, own = username.partition(":")
    return username, theirs, own


def key_of(request: Stun, known: Known) -> bytes | None:
    """Return the key of a check and of the response to it: the password of the agent that is checked."""
    password = known.passwords.get(request.theirs)
    return None if password is None else short_term_key(password)


def trusted(known: Known, talks: Iterable[Talk]) -> Known:
    """Return what is known without the typed passwords that no message at all fits: they are wrong, not the agents."""
    fit: set[str] = set()
    unfit: set[str] = set()
    for talk in talks if known.typed else ():
        for stun in talk.stun:
            fragments = {request.theirs for request in (stun, *talk.requests_for(stun))}
            for fragment in (fragments & known.typed) - fit:
                found = stun.integrity(short_term_key(known.passwords[fragment]))
                (fit if found is Check.VALID else unfit if found is Check.INVALID else set()).add(fragment)
    passwords = {ufrag: pwd for ufrag, pwd in known.passwords.items() if ufrag not in unfit - fit}
    return replace(known, passwords=passwords, typed=frozenset(unfit - fit))
