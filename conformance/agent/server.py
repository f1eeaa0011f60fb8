"""The STUN server of connectivity checks (RFC 8489 sections 6.3 and 9.1.3, RFC 8445 section 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from conformance.agent.decisions.responses import Responses
    from conformance.wire.attributes import Address, RawAttribute


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the server is when a request comes: credentials, role, tie-breaker and mode."""

    ufrag: str
    pwd: str
    controlling: bool
    tie_breaker: int
    lite: bool = False


@dataclass(frozen=True, slots=True)
class IncomingCheck:
    """A connectivity check that was accepted."""

    priority: int
    use_candidate: bool
    peer_ufrag: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do about a request: the response, the check if it was accepted, and whether to change roles."""

    response: bytes
    check: IncomingCheck | None = None
    switch_role: bool = False
    error: int = 0


_BAD_REQUEST = 400


class _Refused(Exception):
    def __init__(self, code: int, reason: str, *more: RawAttribute) -> None:
        super().__init__(reason)
        self.code = code
        self.more = (attr.error_code(code, reason), *more)


class Server:
    """Answers requests; holds no state between them."""

    def __init__(self, decisions: Responses) -> None:
        self._decisions = decisions

    def judge(self, octets: bytes, message: Message, source: Address, me: Identity, *, nominable: bool) -> Judgement:
        """Return what to do about a Binding request that came from `source`.

        `octets` is the whole message and `message` the same with its honoured attributes only. `nominable`: a
        nomination would be accepted on this connection.
        """
        transaction = message.transaction_id
        key = sha256_key = None
        try:
            username = self._authenticate(octets, message, me)
            key, sha256_key = self._protection(message, me.pwd)
            check, switch = self._examine(message, username, me, nominable)
        except _Refused as refused:
            if (key or sha256_key) and not self._decisions.protects_error():
                key = sha256_key = None
            error = build(
                Method.BINDING,
                MessageClass.ERROR,
                transaction,
                self._decisions.error_attributes(*refused.more),
                key=key,
                sha256_key=sha256_key,
                fingerprint=self._decisions.fingerprints_error(),
            )
            return Judgement(error, error=refused.code)
        if not self._decisions.protects_success():
            key = sha256_key = None
        mapped = self._decisions.mapped_address(source)
        xor_mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, mapped, transaction)
        success = build(
            Method.BINDING,
            MessageClass.SUCCESS,
            transaction,
            self._decisions.success_attributes(xor_mapped, username),
            key=key,
            sha256_key=sha256_key,
            fingerprint=self._decisions.fingerprints_success(),
        )
        return Judgement(success, check, switch)

    def _authenticate(self, octets: bytes, message: Message, me: Identity) -> str:
        """Do the checks of RFC 8489 section 9.1.3 in their order; return USERNAME."""
        integrity = message.has(Attribute.MESSAGE_INTEGRITY)
        sha256 = message.has(Attribute.MESSAGE_INTEGRITY_SHA256)
        if not (integrity or sha256) or not message.has(Attribute.USERNAME):
            code = self._decisions.unauthenticated_code()
            raise _Refused(code, "Bad Request" if code == _BAD_REQUEST else "Unauthenticated")
        try:
            username = message.username or ""
        except StunError:
            raise _Refused(401, "Unauthenticated") from None
        if not self._decisions.knows_user(username, me.ufrag):
            raise _Refused(401, "Unauthenticated")
        key = short_term_key(me.pwd)
        check = check_integrity_sha256(octets, key) if sha256 else check_integrity(octets, key)
        if not self._decisions.integrity_holds(check):
            raise _Refused(401, "Unauthenticated")
        return username

    @staticmethod
    def _protection(message: Message, pwd: str) -> tuple[bytes | None, bytes | None]:
        """Return the keys of the response's MESSAGE-INTEGRITY or -SHA256, as the request had (RFC 8489 9.1.3)."""
        key = short_term_key(pwd)
        return (None, key) if message.has(Attribute.MESSAGE_INTEGRITY_SHA256) else (key, None)

    def _examine(self, message: Message, username: str, me: Identity, nominable: bool) -> tuple[IncomingCheck, bool]:
        unknown = self._decisions.unknown_in_request(message.attributes)
        if unknown:
            listed = self._decisions.listed_unknown(unknown)
            raise _Refused(420, "Unknown Attribute", attr.unknown_attributes(listed))
        try:
            priority = message.priority
            controlling, controlled = message.ice_controlling, message.ice_controlled
        except StunError:
            raise _Refused(400, "Bad Request") from None
        if priority is None or (controlling is not None and controlled is not None):
            raise _Refused(400, "Bad Request")
        switch = self._resolve_roles(me, controlling, controlled)
        use_candidate = message.use_candidate and me.controlling == switch  # we are, or now become, controlled
        if use_candidate and not nominable:
            raise _Refused(400, "Nominated Already")
        return IncomingCheck(priority, use_candidate, username.partition(":")[2]), switch

    def _resolve_roles(self, me: Identity, controlling: int | None, controlled: int | None) -> bool:
        """Return whether we change roles; refuse with 487 if the peer must (RFC 8445 section 7.3.1.1)."""
        theirs = controlling if me.controlling else controlled
        if me.lite:  # the role of a lite agent follows from the descriptions alone (RFC 8445 section 7.3.1)
            return False
        if theirs is None or not self._decisions.heeds_rival():
            return False
        we_lead = me.tie_breaker >= theirs
        if we_lead == me.controlling:
            raise _Refused(487, "Role Conflict")
        return self._decisions.yields()
