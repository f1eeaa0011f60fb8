"""The STUN server of connectivity checks (RFC 8489 sections 6.3 and 9.1.3, RFC 8445 section 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.variation import USUAL, Variation
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, comprehension_required
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256, short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.wire.attributes import Address, RawAttribute

SOFTWARE = "icetcp reference agent"

# Comprehension-required types that this agent knows: RFC 8489's and RFC 8445's. TURN's belong to another server.
KNOWN = frozenset(
    {
        Attribute.MAPPED_ADDRESS,
        Attribute.USERNAME,
        Attribute.MESSAGE_INTEGRITY,
        Attribute.ERROR_CODE,
        Attribute.UNKNOWN_ATTRIBUTES,
        Attribute.REALM,
        Attribute.NONCE,
        Attribute.MESSAGE_INTEGRITY_SHA256,
        Attribute.PASSWORD_ALGORITHM,
        Attribute.USERHASH,
        Attribute.XOR_MAPPED_ADDRESS,
        Attribute.PRIORITY,
        Attribute.USE_CANDIDATE,
    }
)


_LATE_TYPES = 0x8100  # comprehension-optional ones that this agent never heard of


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


class _Refused(Exception):
    def __init__(self, code: int, reason: str, *more: RawAttribute) -> None:
        super().__init__(reason)
        self.code = code
        self.more = (attr.error_code(code, reason), *more)


def unknown_required(attributes: Iterable[RawAttribute]) -> list[int]:
    """Return the types that must be understood and are not (RFC 8489 section 6.3.1)."""
    return [a.type for a in attributes if comprehension_required(a.type) and a.type not in KNOWN]


class Server:
    """Answers requests; holds no state between them."""

    def __init__(self, faults: frozenset[str] = frozenset(), variation: Variation = USUAL) -> None:
        self._faults = faults
        self._variation = variation

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
            if "error-without-integrity" in self._faults:
                key = sha256_key = None
            more = self._dress(*refused.more, attr.software(SOFTWARE))
            error = build(
                Method.BINDING,
                MessageClass.ERROR,
                transaction,
                more,
                key=key,
                sha256_key=sha256_key,
                fingerprint="error-without-fingerprint" not in self._faults,
            )
            return Judgement(error, error=refused.code)
        if "response-without-integrity" in self._faults:
            key = sha256_key = None
        mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, self._mapped(source), transaction)
        named = [attr.username(username)] if "response-with-username" in self._faults else []
        body = self._dress(mapped, attr.software(SOFTWARE), *named)
        success = build(
            Method.BINDING,
            MessageClass.SUCCESS,
            transaction,
            body,
            key=key,
            sha256_key=sha256_key,
            fingerprint="response-without-fingerprint" not in self._faults,
        )
        return Judgement(success, check, switch)

    def _authenticate(self, octets: bytes, message: Message, me: Identity) -> str:
        """Do the checks of RFC 8489 section 9.1.3 in their order; return USERNAME."""
        integrity = message.has(Attribute.MESSAGE_INTEGRITY)
        sha256 = message.has(Attribute.MESSAGE_INTEGRITY_SHA256)
        if not (integrity or sha256) or not message.has(Attribute.USERNAME):
            if "missing-integrity-answered-401" in self._faults:
                raise _Refused(401, "Unauthenticated")
            raise _Refused(400, "Bad Request")
        try:
            username = message.username or ""
        except StunError:
            raise _Refused(401, "Unauthenticated") from None
        own, colon, theirs = username.partition(":")
        if "username-prefix-enough" in self._faults:
            own = own[: len(me.ufrag)]
        ours = own == me.ufrag and bool(colon and theirs) and ":" not in theirs
        if not ours and "username-unchecked" not in self._faults:
            raise _Refused(401, "Unauthenticated")
        key = short_term_key(me.pwd)
        check = check_integrity_sha256(octets, key) if sha256 else check_integrity(octets, key)
        if check is not Check.VALID and "password-unchecked" not in self._faults:
            raise _Refused(401, "Unauthenticated")
        return username

    @staticmethod
    def _protection(message: Message, pwd: str) -> tuple[bytes | None, bytes | None]:
        """Return the keys of the response's MESSAGE-INTEGRITY or -SHA256, as the request had (RFC 8489 9.1.3)."""
        key = short_term_key(pwd)
        return (None, key) if message.has(Attribute.MESSAGE_INTEGRITY_SHA256) else (key, None)

    def _examine(self, message: Message, username: str, me: Identity, nominable: bool) -> tuple[IncomingCheck, bool]:
        unknown = unknown_required(message.attributes)
        if "optional-attribute-refused" in self._faults:
            unknown += [attribute.type for attribute in message.attributes if attribute.type > _LATE_TYPES]
        if unknown and "unknown-attribute-ignored" not in self._faults:
            if "unknown-attributes-unlisted" in self._faults:
                unknown = []
            if "unknown-attributes-first-only" in self._faults:
                unknown = unknown[:1]
            raise _Refused(420, "Unknown Attribute", attr.unknown_attributes(unknown))
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
        if theirs is None or "role-conflict-ignored" in self._faults:
            return False
        we_lead = me.tie_breaker >= theirs
        if we_lead == me.controlling:
            raise _Refused(487, "Role Conflict")
        return "lost-conflict-ignored" not in self._faults

    def _dress(self, *attributes: RawAttribute) -> Sequence[RawAttribute]:
        return attributes if self._variation == USUAL else self._variation.dress(attributes)

    def _mapped(self, source: Address) -> Address:
        if "mapped-address-wrong" in self._faults:
            return attr.Address(source.ip, source.port ^ 1)
        return source
