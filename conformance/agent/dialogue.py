"""Requests to a STUN or TURN server over one connection, and their answers.

RFC 8489 section 6.2.2: messages without frames, sent once, failed when the connection is. Section 9.2: the long-term
credential mechanism, with password algorithms and user hashes where the server announces them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.agent.attributes import SOFTWARE
from conformance.agent.events import Close, Connect, Write
from conformance.wire import attributes as attr
from conformance.wire import longterm
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256
from conformance.wire.longterm import MD5, Feature
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.config import IceServer
    from conformance.agent.decisions.serving import Serving
    from conformance.agent.events import Output
    from conformance.wire.attributes import Address

_PACED = frozenset({Method.BINDING, Method.ALLOCATE})  # RFC 6544 section 4.1
_TRY_ALTERNATE, _UNAUTHENTICATED, _STALE_NONCE = 300, 401, 438
_ATTEMPTS = 4


@dataclass(slots=True)
class Login:
    """Who we are to a server. Realm and nonce are the server's; coturn has a nonce for each connection."""

    username: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    nonce: str = ""
    listed: tuple[int, ...] = ()  # the password algorithms that the server has listed
    algorithm: int = MD5

    @property
    def key(self) -> bytes | None:
        """The key of the integrity; None before the server has asked for it."""
        return longterm.key(self.algorithm, self.username, self.realm, self.password) if self.nonce else None

    def attributes(self) -> list[RawAttribute]:
        """Return what a request carries in addition to its integrity (RFC 8489 sections 9.2.3 and 9.2.5)."""
        if not self.nonce:
            return []
        found = [attr.text(Attribute.REALM, self.realm), attr.text(Attribute.NONCE, self.nonce)]
        if Feature.USERNAME_ANONYMITY in longterm.features(self.nonce):
            found.insert(0, RawAttribute(Attribute.USERHASH, longterm.userhash(self.username, self.realm)))
        else:
            found.insert(0, attr.username(self.username))
        if self.listed:
            found.append(RawAttribute(Attribute.PASSWORD_ALGORITHMS, longterm.encode_algorithms(self.listed)))
            found.append(RawAttribute(Attribute.PASSWORD_ALGORITHM, longterm.encode_algorithms([self.algorithm])))
        return found

    def learn(self, challenge: Message, decisions: Serving) -> bool:
        """Take what a 401 or 438 says; False if it tells nothing new, so that trying again is no use."""
        realm, nonce = challenge.realm or self.realm, challenge.nonce or ""
        if not self.username or not realm or not nonce or nonce == self.nonce:
            return False
        listed, algorithm = self.listed, self.algorithm
        if Feature.PASSWORD_ALGORITHMS in longterm.features(nonce):
            found = challenge.first(Attribute.PASSWORD_ALGORITHMS)
            if found is None and decisions.requires_list():
                return False
            listed = longterm.decode_algorithms(found.value) if found is not None else ()
            picked = decisions.picks(listed) if listed else MD5
            if picked is None:
                return False
            algorithm = picked
        self.realm, self.nonce, self.listed, self.algorithm = realm, nonce, listed, algorithm
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
    by_sha256: bool = False
    challenge: int = 0  # the error after which it is sent again


@frozen
class Answer:
    """The success response to a question; or None, and why there is none."""

    question: Question
    message: Message | None
    why: str = ""
    code: int = 0  # of the error response
    elsewhere: Address | None = None  # where a redirection leads


@frozen
class Indication:
    """What the server says unasked."""

    message: Message


@frozen
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
        decisions: Serving,
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
        self._decisions = decisions
        self._turns = turns
        self._out = out
        self._random = random
        self._timeout = timeout
        self.sibling: Callable[[], Dialogue] | None = None  # makes another connection to the same server
        self._stream = MessageStream()
        self._asked = False  # for the connection
        self._held: list[Question] = []
        self._pending: dict[bytes, Question] = {}

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, question: Question, now: float) -> None:
        """Ask something; there will be one answer."""
        if self._decisions.asks_elsewhere(question.method) and self.sibling is not None:
            self.sibling().start(question, now)
        elif question.method in _PACED:
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
        transaction_id, method = self._random(12), question.method
        known = self.login.key if question.challenge or self._decisions.remembers_login(method) else None
        question.key = None if known is None else self._decisions.server_key(known)
        question.by_sha256 = self._decisions.signs_by_sha256(bool(self.login.listed))
        signed = self._decisions.signs(method) and self._decisions.signs_after(question.challenge)
        key = question.key if signed else None
        peers = _peer_addresses(question.peers, transaction_id)
        asked = [*peers, *question.attributes, *self._more(method), attr.software(SOFTWARE)]
        body = self._decisions.request_attributes(method, asked)
        body += self._decisions.login_attributes(method, [] if known is None else self.login.attributes())
        octets = build(
            method,
            MessageClass.REQUEST,
            transaction_id,
            body,
            key=None if question.by_sha256 else key,
            sha256_key=key if question.by_sha256 else None,
        )
        self._pending[transaction_id] = question
        self._out.append(Write(self.number, self._decisions.to_server(octets)))

    def send_datagram(self, peer: Address, octets: bytes) -> None:
        """Say what nobody answers; servers authenticate no indications (RFC 8489 section 9.2, RFC 8656 11.1)."""
        if self.local is not None:
            transaction_id = self._random(12)
            body = [*_peer_addresses((peer,), transaction_id), RawAttribute(Attribute.DATA, octets)]
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
            yield from self._refused(question, message, octets, now)
        elif not self._counts(question, message, octets):
            yield Answer(question, None, "the answer's integrity is not right")
        else:
            yield Answer(question, message)

    def _counts(self, question: Question, message: Message, octets: bytes) -> bool:
        """Whether a success response is to be believed (RFC 8489 section 9.2.5)."""
        if question.key is None:
            return True
        announced = Feature.PASSWORD_ALGORITHMS in longterm.features(message.nonce or "")
        if announced and not message.has(Attribute.PASSWORD_ALGORITHMS) and self._decisions.heeds_announcement():
            return False
        return self._decisions.believes_server(self._is_signed(question, octets))

    @staticmethod
    def _is_signed(question: Question, octets: bytes) -> bool:
        check = check_integrity_sha256 if question.by_sha256 else check_integrity
        return question.key is not None and check(octets, question.key) is Check.VALID

    def _refused(self, question: Question, message: Message, octets: bytes, now: float) -> Iterator[Answer]:
        """Log in, go elsewhere, or give up (RFC 8489 sections 9.2.5 and 10)."""
        try:
            error = message.error_code
            code = error.code if error else 0
            again = self._decisions.insists_on(code, question.method)
            if code in (_UNAUTHENTICATED, _STALE_NONCE) and not again:
                wanted = self._decisions.answers_challenge(code, question.key is not None, question.method)
                again = wanted and self.login.learn(message, self._decisions)
            elsewhere = self._redirection(question, message, octets) if code == _TRY_ALTERNATE else None
        except StunError as problem:
            yield Answer(question, None, str(problem))
            return
        question.attempts -= 1
        if again and question.attempts:
            question.challenge = code
            self.ask(question, now)
        else:
            yield Answer(question, None, f"the server answered {error}", code, elsewhere)

    def _redirection(self, question: Question, message: Message, octets: bytes) -> Address | None:
        found = message.first(Attribute.ALTERNATE_SERVER)
        if found is None or not self._decisions.follows_redirection(self._is_signed(question, octets)):
            return None
        return attr.decode_address(found)


def _peer_addresses(peers: tuple[Address, ...], transaction_id: bytes) -> list[RawAttribute]:
    return [attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction_id) for peer in peers]
