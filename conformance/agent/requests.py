"""Requests of ours: how a check is sent, and what its response means (RFC 8489 sections 6.2.2, 6.3.3 and 9.1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.messages import CheckFailed, OutgoingCheck, RoleConflict, Succeeded, is_conflict
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.decisions.checks import Checks
    from conformance.agent.decisions.outcomes import Outcomes
    from conformance.agent.messages import Outcome
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.roles import Role
    from conformance.agent.stream import Credentials, Stream


class Requests:
    """Opens connections for pairs and sends requests on them."""

    def __init__(
        self, decisions: Decisions, connections: Connections, role: Role, random: Callable[[int], bytes]
    ) -> None:
        self._decisions = decisions
        self._connections = connections
        self._role = role
        self._random = random

    def connect(self, stream: Stream, pair: Pair, now: float) -> Connection:
        """Connect from the local candidate's interface; from an unallocated port if it is active (RFC 6544 7.1)."""
        base = pair.local.base
        source = pair.local.candidate.endpoint if base.is_udp else self._decisions.source(stream, base)
        return self._connections.open(pair, stream.index, source, now)

    def ask(
        self, who: Credentials, connection: Connection, worth: int, *, use_candidate: bool = False, kept: bool = False
    ) -> tuple[bytes, bytes]:
        """Send a request with these credentials; return its transaction id and the message.

        `kept`: it is for a selected pair.
        """
        transaction_id = self._decisions.transaction_id(who, self._random)
        if kept:
            transaction_id = self._decisions.check_id_of_consent(transaction_id)
        check = OutgoingCheck(
            user_name=self._decisions.user_name(who),
            pwd=who.remote_pwd,
            priority=worth,
            controlling=self._decisions.claims(self._role.controlling, kept=kept),
            tie_breaker=self._decisions.tie_breaker(self._role.tie_breaker, self._random),
            use_candidate=use_candidate,
            kept=kept,
        )
        message = encoded(transaction_id, check, self._decisions)
        self._connections.send_request(connection, message)
        return transaction_id, message

    def indicate(self, who: Credentials, connection: Connection) -> None:
        """Send a Binding indication, as a keepalive is (RFC 8445 section 11)."""
        indication = build(
            Method.BINDING,
            MessageClass.INDICATION,
            self._random(12),
            self._decisions.indication_attributes(),
            key=short_term_key(who.remote_pwd) if self._decisions.protects_indication() else None,
            fingerprint=self._decisions.fingerprints_indication(),
        )
        self._connections.send(connection, indication)


def encoded(transaction_id: bytes, check: OutgoingCheck, decisions: Checks) -> bytes:
    """Return a connectivity check (RFC 8445 sections 7.1 and 7.2.2)."""
    body = decisions.check_attributes(check)
    key = decisions.short_term_key(check.pwd)
    return decisions.encoded(
        MessageClass.REQUEST,
        transaction_id,
        body,
        key=key if decisions.protects_check(check) else None,
        sha256_key=key if decisions.adds_sha256(check) else None,
        fingerprint=decisions.fingerprints_check(),
    )


def judged(octets: bytes, message: Message, pwd: str, decisions: Outcomes) -> Outcome:
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
            if is_conflict(message) and decisions.heeds_conflict():
                return RoleConflict()
            mapped = decisions.mapped_by_error(message)
            return Succeeded(mapped) if mapped is not None else CheckFailed(_kind(message))
        mapped = decisions.mapped_in(message)
    except StunError as problem:
        return CheckFailed(str(problem))
    return Succeeded(mapped) if mapped is not None else CheckFailed("success without XOR-MAPPED-ADDRESS")


def _integrity(octets: bytes, message: Message, key: bytes) -> Check:
    """Our requests carry MESSAGE-INTEGRITY, so the response must carry the same (RFC 8489 section 9.1.4)."""
    if not message.has(Attribute.MESSAGE_INTEGRITY):
        return Check.ABSENT
    return check_integrity(octets, key)


def _kind(message: Message) -> str:
    if not message.is_error:
        return "success response"
    try:
        return f"error response {message.error_code}"
    except StunError:
        return "malformed error response"
