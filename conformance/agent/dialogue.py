"""Requests to a STUN or TURN server over one connection, and their answers.

RFC 8489 section 6.2.2: messages without frames, sent once, failed when the connection is. Section 9.2: the long-term
credential mechanism with MD5, which every server of RFC 8489 accepts from older clients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.agent.attributes import SOFTWARE
from conformance.agent.events import Close, Connect, Write
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.config import IceServer
    from conformance.agent.events import Output
    from conformance.wire.attributes import Address, RawAttribute

_PACED = frozenset({Method.BINDING, Method.ALLOCATE})  # RFC 6544 section 4.1
_UNAUTHENTICATED, _STALE_NONCE = 401, 438
_ATTEMPTS = 4


@dataclass(slots=True)
class Login:
    """Who we are to a server. Realm and nonce are the server's; coturn has a nonce for each connection."""

    username: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    nonce: str = ""

    @property
    def key(self) -> bytes | None:
        """The key of MESSAGE-INTEGRITY; None before the server has asked for it."""
        return long_term_key(self.username, self.realm, self.password) if self.nonce else None

    def attributes(self) -> list[RawAttribute]:
        """Return what a request carries beside MESSAGE-INTEGRITY (RFC 8489 section 9.2.3)."""
        if not self.nonce:
            return []
        realm, nonce = attr.text(Attribute.REALM, self.realm), attr.text(Attribute.NONCE, self.nonce)
        return [attr.username(self.username), realm, nonce]

    def learn(self, challenge: Message) -> bool:
        """Take realm and nonce of a 401 or 438; False if they tell nothing new, so that trying again is no use."""
        realm, nonce = challenge.realm or self.realm, challenge.nonce or ""
        if not self.username or not realm or not nonce or nonce == self.nonce:
            return False
        self.realm, self.nonce = realm, nonce
        return True


@dataclass(slots=True, eq=False)
class Question:
    """A request that is to be answered, ``about`` something of the asker's.

    ``peers`` become XOR-PEER-ADDRESS. ``key`` is the one that the response must be protected with.
    """

    method: Method
    about: object
    attributes: tuple[RawAttribute, ...] = ()
    peers: tuple[Address, ...] = ()
    attempts: int = _ATTEMPTS
    deadline: float = 0.0
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The success response to a question; or None, and why there is none."""

    question: Question
    message: Message | None
    why: str = ""
    code: int = 0  # of the error that the server answered


@dataclass(frozen=True, slots=True)
class Indication:
    """What the server says unasked."""

    message: Message


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection to the server is of no more use."""

    why: str


Heard = Answer | Indication | Lost


class Dialogue:
    """One connection to a server. `turns` takes the requests that have to wait for their turn (Ta)."""

    def __init__(
        self,
        number: int,
        server: IceServer,
        source: Address,
        login: Login,
        turns: list[tuple[Dialogue, Question]],
        out: list[Output],
        random: Callable[[int], bytes],
        timeout: float,
        more: Callable[[Method], list[RawAttribute]] = lambda _method: [],
    ) -> None:
        self._more = more
        self.number = number
        self.server = server
        self.source = source
        self.local: Address | None = None  # once connected
        self.login = login
        self._turns = turns
        self._out = out
        self._random = random
        self._timeout = timeout
        self._stream = MessageStream()
        self._asked = False  # for the connection
        self._held: list[Question] = []
        self._pending: dict[bytes, Question] = {}

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, question: Question, now: float) -> None:
        """Ask something; there will be one answer."""
        if question.method in _PACED:
            self._turns.append((self, question))
        else:
            self.start(question, now)

    def start(self, question: Question, now: float) -> None:
        """Send a request; connect first if there is no connection yet (RFC 6544 section 4.1)."""
        question.deadline = now + self._timeout
        if self.local is not None:
            self._send(question)
            return
        self._held.append(question)
        if not self._asked:
            self._asked = True
            self._out.append(Connect(self.number, self.source, self.server.address))

    def _send(self, question: Question) -> None:
        transaction_id = self._random(12)
        question.key = self.login.key
        peers = _peer_addresses(question.peers, transaction_id)
        more = self._more(question.method)
        body = [*peers, *question.attributes, *more, attr.software(SOFTWARE), *self.login.attributes()]
        octets = build(question.method, MessageClass.REQUEST, transaction_id, body, key=question.key)
        self._pending[transaction_id] = question
        self._out.append(Write(self.number, octets))

    def send_datagram(self, peer: Address, octets: bytes) -> None:
        """Say what nobody answers; servers authenticate no indications (RFC 8489 section 9.2, RFC 8656 11.1)."""
        if self.local is not None:
            transaction_id = self._random(12)
            body = [*_peer_addresses((peer,), transaction_id), attr.RawAttribute(Attribute.DATA, octets)]
            self._out.append(Write(self.number, build(Method.SEND, MessageClass.INDICATION, transaction_id, body)))

    # -- what happens --------------------------------------------------------------------------------------

    def connected(self, local: Address) -> None:
        """Send what waited for the connection."""
        self.local = local
        held, self._held = self._held, []
        for question in held:
            self._send(question)

    def received(self, octets: bytes, now: float) -> Iterator[Heard]:
        """Take octets of the server's."""
        for message in self._stream.feed(octets):
            try:
                decoded = Message.decode(message)
            except StunError as error:
                self.close()
                yield Lost(f"the server does not speak STUN: {error}")
                return
            if decoded.is_indication:
                yield Indication(decoded)
            elif not decoded.is_request:
                yield from self._answer(decoded, message, now)

    def release(self) -> bytes:
        """Return what has come behind the last message: from now on the connection carries something else."""
        return self._stream.release()

    def lost(self, why: str) -> list[Answer]:
        """Let everything that is unanswered fail (RFC 8489 section 6.2.2)."""
        unanswered = [*self._held, *self._pending.values()]
        self._held.clear()
        self._pending.clear()
        return [Answer(question, None, why) for question in unanswered]

    def expire(self, now: float) -> list[Answer]:
        """Let requests fail whose time is over."""
        late = [question for question in self._questions() if question.deadline <= now]
        self._held = [question for question in self._held if question not in late]
        self._pending = {key: question for key, question in self._pending.items() if question not in late}
        return [Answer(question, None, "no answer in time") for question in late]

    def next_time(self) -> float | None:
        """Return when `expire` has something to do."""
        return min((question.deadline for question in self._questions()), default=None)

    def close(self) -> None:
        """Close the connection."""
        self._out.append(Close(self.number))

    def _questions(self) -> Iterator[Question]:
        yield from self._held
        yield from self._pending.values()

    # -- answers -------------------------------------------------------------------------------------------

    def _answer(self, message: Message, octets: bytes, now: float) -> Iterator[Answer]:
        question = self._pending.pop(message.transaction_id, None)
        if question is None:
            return
        if message.is_error:
            yield from self._refused(question, message, now)
        elif question.key is not None and check_integrity(octets, question.key) is not Check.VALID:
            yield Answer(question, None, "the answer's MESSAGE-INTEGRITY is not right")
        else:
            yield Answer(question, message)

    def _refused(self, question: Question, message: Message, now: float) -> Iterator[Answer]:
        """Log in, or give up (RFC 8489 section 9.2.5)."""
        try:
            error = message.error_code
            code = error.code if error else 0
            stale = code == _STALE_NONCE and self.login.learn(message)
            challenged = code == _UNAUTHENTICATED and question.key is None and self.login.learn(message)
        except StunError as problem:
            yield Answer(question, None, str(problem))
            return
        question.attempts -= 1
        if (stale or challenged) and question.attempts:
            self.ask(question, now)
        else:
            yield Answer(question, None, f"the server answered {error}", code)


def _peer_addresses(peers: tuple[Address, ...], transaction_id: bytes) -> list[RawAttribute]:
    return [attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction_id) for peer in peers]
