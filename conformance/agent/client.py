"""The STUN client of connectivity checks (RFC 8489 sections 6.2.2, 6.3.3 and 9.1.4, RFC 8445 section 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from conformance.agent.connections import Connection
    from conformance.agent.decisions.checks import Checks
    from conformance.agent.decisions.outcomes import Outcomes
    from conformance.agent.pairs import Pair
    from conformance.agent.retransmission import Retransmission
    from conformance.wire.attributes import Address


@dataclass(slots=True, eq=False)
class Transaction:
    """A check that is on its way; ``deadline`` in seconds on the caller's clock.

    ``cancelled``: a later check took its place, so that its silence is no failure (RFC 8445 section 7.3.1.4).
    """

    id: bytes
    pair: Pair
    connection: Connection
    pwd: str
    controlling: bool
    use_candidate: bool
    priority: int
    deadline: float
    cancelled: bool = False
    again: Retransmission | None = None  # over UDP


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The peer answered; ``mapped`` is where it saw us."""

    mapped: Address


@dataclass(frozen=True, slots=True)
class RoleConflict:
    """The peer wants us in the other role (487)."""


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """The transaction is over without success."""

    why: str


_ROLE_CONFLICT = 487

Outcome = Succeeded | RoleConflict | CheckFailed


@dataclass(frozen=True, slots=True)
class Question:
    """What a check says about its sender."""

    username: str
    pwd: str
    priority: int
    controlling: bool
    tie_breaker: int
    use_candidate: bool


def request(transaction_id: bytes, question: Question, decisions: Checks) -> bytes:
    """Return a connectivity check (RFC 8445 sections 7.1 and 7.2.2)."""
    body = decisions.check_attributes(question)
    key = short_term_key(question.pwd) if decisions.protects_check(question) else None
    fingerprint = decisions.fingerprints_check()
    return build(Method.BINDING, MessageClass.REQUEST, transaction_id, body, key=key, fingerprint=fingerprint)


def judge(octets: bytes, message: Message, pwd: str, decisions: Outcomes) -> Outcome:
    """Return what a response to one of our checks means.

    On a reliable transport a response that fails its protection ends the transaction (RFC 8489 section 9.1.4).
    """
    valid = _integrity(octets, message, short_term_key(pwd)) is Check.VALID
    if not valid and decisions.needs_integrity(message):
        return CheckFailed(f"{_kind(message)} without valid MESSAGE-INTEGRITY")
    if decisions.unknown_in_response(message.attributes):
        return CheckFailed(f"{_kind(message)} with unknown comprehension-required attributes")
    try:
        if message.is_error:
            conflict = is_conflict(message) and decisions.heeds_conflict()
            return RoleConflict() if conflict else CheckFailed(_kind(message))
        mapped = message.xor_mapped_address
    except StunError as problem:
        return CheckFailed(str(problem))
    return Succeeded(mapped) if mapped is not None else CheckFailed("success without XOR-MAPPED-ADDRESS")


def _integrity(octets: bytes, message: Message, key: bytes) -> Check:
    """Our requests carry MESSAGE-INTEGRITY, so the response must carry the same (RFC 8489 section 9.1.4)."""
    if not message.has(Attribute.MESSAGE_INTEGRITY):
        return Check.ABSENT
    return check_integrity(octets, key)


def is_conflict(message: Message) -> bool:
    """Whether a message is the error 487. Raises `StunError` where its ERROR-CODE cannot be read."""
    error = message.error_code if message.is_error else None
    return error is not None and error.code == _ROLE_CONFLICT


def _kind(message: Message) -> str:
    if not message.is_error:
        return "success response"
    try:
        return f"error response {message.error_code}"
    except StunError:
        return "malformed error response"
