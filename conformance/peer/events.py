"""What can happen on a connection, and what a script can expect of it.

An expectation says in words what it waits for, which event fulfils it, and which event makes further waiting
pointless (an error response where success was expected, the end of the connection).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint, check_integrity
from conformance.wire.stun import Message, Method, looks_like_stun

if TYPE_CHECKING:
    from conformance.wire.attributes import Address, ErrorCode


@dataclass(slots=True, eq=False)
class Frame:
    """One RFC 4571 frame from the IUT.

    ``octets`` is the payload without LENGTH (empty: a null frame); ``message`` is set if the payload is to be taken
    for STUN (RFC 5389 sections 6 and 8). ``number`` counts, from 1, the connection's frames that are no null frames,
    ``time`` is `time.monotonic` seconds when the tester had it: `recorded.sent_at` says when the IUT sent it.
    """

    octets: bytes
    number: int
    time: float
    message: Message | None = None
    problem: StunError | None = None
    solicited: bool = False  # a response to a request that we sent on this connection
    look: int = 0  # in which look at all sockets the tester had it
    way: tuple[Address, Address] | None = None  # from which address to which of ours

    @classmethod
    def of(cls, octets: bytes, number: int, time: float) -> Frame:
        """Decode a payload."""
        frame = cls(octets, number, time)
        if looks_like_stun(octets):
            try:
                frame.message = Message.decode(octets)
            except StunError as problem:
                frame.problem = problem
        return frame

    @property
    def stun(self) -> Message:
        """The message; the frame must hold one."""
        assert self.message is not None
        return self.message

    @property
    def xor_mapped_address(self) -> Address | None:
        """The address at which the IUT saw the request (RFC 8489 section 14.2)."""
        return self.stun.xor_mapped_address

    @property
    def error_code(self) -> ErrorCode | None:
        """ERROR-CODE (RFC 8489 section 14.8)."""
        return self.stun.error_code

    def is_to(self, ufrag: str, sender: str = "") -> bool:
        """Whether USERNAME begins with this fragment; `sender`: and ends with that one."""
        if self.message is None:
            return False
        try:
            name = self.message.username or ""
        except StunError:  # not UTF-8
            return False
        return name == f"{ufrag}:{sender}" if sender else name.startswith(f"{ufrag}:")

    def has_code(self, code: int) -> bool:
        """Whether this is an error response with this code."""
        if self.message is None or not self.message.is_error:
            return False
        try:
            error = self.message.error_code
        except StunError:
            return False
        return error is not None and error.code == code

    def integrity(self, key: bytes) -> Check:
        """Whether MESSAGE-INTEGRITY is there and right under this key."""
        return check_integrity(self.octets, key)

    @property
    def fingerprint(self) -> Check:
        """Whether FINGERPRINT is there and right."""
        return check_fingerprint(self.octets)

    def __str__(self) -> str:
        if self.message is None:
            head = self.octets[:12].hex(" ")
            return f"a frame of {len(self.octets)} octets that is no STUN message ({head}…)" if head else "a null frame"
        return describe(self.message)

    def __repr__(self) -> str:  # as a failed assertion shows it
        return f"<{self}>"


_METHODS = {int(method): "".join(map(str.capitalize, method.name.split("_"))) for method in Method}


def describe(message: Message) -> str:
    """Return a message's kind in words, for expected/actual lines."""
    kind = {0: "request", 1: "indication", 2: "success response", 3: "error response"}[int(message.cls)]
    name = _METHODS.get(message.method, f"method 0x{message.method:03x}")
    extra = ""
    if message.is_error:
        try:
            error = message.error_code
        except StunError as problem:
            extra = f" with a broken ERROR-CODE ({problem})"
        else:
            extra = f" {error.code}" if error else " without ERROR-CODE"
    if message.is_request and message.use_candidate:
        extra = " with USE-CANDIDATE"
    return f"a {name} {kind}{extra}"


@dataclass(slots=True, eq=False)
class End:
    """The IUT ended the connection: by FIN, or by RST (``reset``)."""

    reset: bool
    time: float

    def __str__(self) -> str:
        return "the connection was reset" if self.reset else "the connection was closed"


Event = Frame | End


class Expectation(ABC):
    """One thing that a script waits for."""

    text = "something"
    to_latest = False  # a response, and no request is named: it is to one of those that were sent last

    @abstractmethod
    def fulfilled_by(self, event: Event) -> bool:
        """Whether this event is it."""

    def ruled_out_by(self, event: Event) -> bool:
        """Whether after this event it can no longer come."""
        return isinstance(event, End)


@dataclass
class BindingSuccess(Expectation):
    """A success response to what we sent last on this connection, or to the request with this `transaction_id`."""

    transaction_id: bytes | None = None
    text = "a Binding success response"

    @property
    def to_latest(self) -> bool:  # type: ignore[override]
        """Whether no request is named."""
        return self.transaction_id is None

    def fulfilled_by(self, event: Event) -> bool:
        """Take a success response whose transaction we began here."""
        return _concerns(event, self.transaction_id) and event.stun.is_success  # type: ignore[union-attr]

    def ruled_out_by(self, event: Event) -> bool:
        """Give up at an error response to our request and at the connection's end."""
        if isinstance(event, End):
            return True
        return _concerns(event, self.transaction_id) and event.stun.is_error


@dataclass
class BindingError(Expectation):
    """An error response to what we sent last; `codes`: those that are lawful here (none given: any).

    With `transaction_id` it must be to this request.
    """

    codes: tuple[int, ...] = ()
    transaction_id: bytes | None = None
    text: str = field(init=False)

    def __init__(self, *codes: int, transaction_id: bytes | None = None) -> None:
        self.codes = codes
        self.transaction_id = transaction_id
        wanted = " or ".join(map(str, codes))
        self.text = f"a Binding error response {wanted}".rstrip()

    @property
    def to_latest(self) -> bool:  # type: ignore[override]
        """Whether no request is named."""
        return self.transaction_id is None

    def fulfilled_by(self, event: Event) -> bool:
        """Take an error response with one of the codes."""
        if not (_concerns(event, self.transaction_id) and isinstance(event, Frame) and event.stun.is_error):
            return False
        return not self.codes or any(event.has_code(code) for code in self.codes)

    def ruled_out_by(self, event: Event) -> bool:
        """Give up at any other response and at the connection's end."""
        return isinstance(event, End) or (_concerns(event, self.transaction_id) and not self.fulfilled_by(event))


@dataclass
class AnyResponse(Expectation):
    """Any response, success or error, to what we sent last, or to the request with this `transaction_id` alone."""

    transaction_id: bytes | None = None
    text = "a response"

    @property
    def to_latest(self) -> bool:  # type: ignore[override]
        """Whether no request is named."""
        return self.transaction_id is None

    def fulfilled_by(self, event: Event) -> bool:
        """Take any response whose transaction we began here."""
        return _concerns(event, self.transaction_id)


@dataclass
class BindingRequest(Expectation):
    """A Binding request of the IUT, with or without USE-CANDIDATE (None: either), `to` this user name fragment.

    `role`: "controlling" or "controlled", which it claims to be.
    """

    use_candidate: bool | None = None
    to: str | None = None
    role: str = ""

    @property
    def text(self) -> str:  # type: ignore[override]
        """In words."""
        nominating = {None: "", True: " with USE-CANDIDATE", False: " without USE-CANDIDATE"}[self.use_candidate]
        claiming = f" that claims to be {self.role}" if self.role else ""
        return f"a Binding request{nominating}" + (f" to {self.to}" if self.to else "") + claiming

    def fulfilled_by(self, event: Event) -> bool:
        """Take a Binding request."""
        if not isinstance(event, Frame) or event.message is None or not event.message.is_request:
            return False
        if self.to is not None and not event.is_to(self.to):
            return False
        if self.role and getattr(event.message, f"ice_{self.role}") is None:
            return False
        return self.use_candidate in (None, event.message.use_candidate)


class BindingIndication(Expectation):
    """A Binding indication of the IUT."""

    text = "a Binding indication"

    def fulfilled_by(self, event: Event) -> bool:
        """Take a Binding indication."""
        return isinstance(event, Frame) and event.message is not None and event.message.is_indication


@dataclass
class Repetition(Expectation):
    """A message with the transaction id of this one: a retransmission."""

    of: Frame

    @property
    def text(self) -> str:  # type: ignore[override]
        """In words."""
        return f"a retransmission of {describe(self.of.stun)}"

    def fulfilled_by(self, event: Event) -> bool:
        """Take another frame of the same transaction and class."""
        if event is self.of or not isinstance(event, Frame) or event.message is None:
            return False
        return (event.message.transaction_id, event.message.cls) == (
            self.of.stun.transaction_id,
            self.of.stun.cls,
        )


@dataclass
class Data(Expectation):
    """A frame of application data (no STUN, not null); with `octets`, exactly these."""

    octets: bytes | None = None

    @property
    def text(self) -> str:  # type: ignore[override]
        """In words."""
        return "a frame of application data" if self.octets is None else f"a frame with our {len(self.octets)} octets"

    def fulfilled_by(self, event: Event) -> bool:
        """Take a frame that is no STUN."""
        if not isinstance(event, Frame) or event.message is not None or not event.octets:
            return False
        return self.octets in (None, event.octets)


class Payload(Expectation):
    """Any frame with something in it."""

    text = "a frame that is not null"

    def fulfilled_by(self, event: Event) -> bool:
        """Take any frame but a null one."""
        return isinstance(event, Frame) and bool(event.octets)


def _concerns(event: Event, transaction_id: bytes | None) -> bool:
    """Whether this is a response to a request of ours, to the one with this transaction id if one is given."""
    if not (isinstance(event, Frame) and event.solicited):
        return False
    return transaction_id in (None, event.stun.transaction_id)


def as_expectation(wanted: Expectation | type[Expectation]) -> Expectation:
    """Allow a bare class where nothing needs saying beyond it."""
    return wanted() if isinstance(wanted, type) else wanted
