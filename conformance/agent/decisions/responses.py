"""Decisions about the peer's checks: which are answered, and how (RFC 6544 section 7.2, RFC 8489 section 9.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.attributes import SOFTWARE, unknown_required
from conformance.agent.decisions.encoding import Encoding
from conformance.agent.decisions.gathering import ICE_CHARS
from conformance.wire import attributes as attr
from conformance.wire.integrity import Check, check_fingerprint, check_integrity, check_integrity_sha256
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.messages import IncomingCheck
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Credentials, Stream
    from conformance.wire.attributes import Address, RawAttribute
    from conformance.wire.stun import Message


class Responses(Encoding):
    """What the agent answers, and what it takes a check for."""

    # -- messages ------------------------------------------------------------------------------------------

    def takes_for_stun(self, payload: bytes) -> bool:
        """Whether a frame holds STUN (RFC 6544 section 10.2, RFC 8489 section 6.3)."""
        return looks_like_stun(payload)

    def fingerprint_holds(self, octets: bytes) -> bool:
        """Whether a message's FINGERPRINT, which it must have, is right (RFC 8445 section 7.3)."""
        return check_fingerprint(octets) is Check.VALID

    def bears_malformed(self) -> bool:
        """Whether a connection goes on after a malformed message, which is discarded (RFC 8489 section 6.3)."""
        return True

    def honoured(self, message: Message) -> tuple[RawAttribute, ...]:
        """Return the attributes that count: the first of a type, few behind the integrity (RFC 8489 9 and 14)."""
        return message.honoured()

    def answers_indication(self, message: Message, ufrag: str) -> bool:
        """Whether a Binding indication is answered: never (RFC 8489 section 6.3.2). `ufrag` is ours."""
        return False

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        """Whether a check is answered: at any time, on any connection (RFC 6544 sections 7.2 and 11.1).

        `started`: the peer's description is there.
        """
        return True

    def responds_on(self, connection: Connection, all_of_them: Iterable[Connection]) -> Connection:
        """Return the connection for a response: that of the request (RFC 8489 section 6.3.1.2)."""
        return connection

    def closes_unanswered(self, stream: Stream, connection: Connection) -> bool:
        """Whether a connection is closed instead of an answer: never (RFC 8489 section 6.2.2)."""
        return False

    def closes_answered(self, connection: Connection) -> bool:
        """Whether a connection is closed behind an answer: the client closes it (RFC 8489 section 6.2.2)."""
        return False

    def connects_back(self, connection: Connection) -> bool:
        """Whether a connection is opened to where one came from that has ended: never (RFC 8489 section 6.2.2)."""
        return False

    def meant(self, stream: Stream, user_name: str) -> Credentials:
        """Return whose password protects a request: the stream's, or its former one's while it restarts.

        RFC 8445 sections 7.3 and 9.
        """
        return stream.addressed(user_name)

    # -- who may ask ---------------------------------------------------------------------------------------

    def authenticates_first(self) -> bool:
        """Whether credentials are looked at before unknown attributes (RFC 8489 section 6.3)."""
        return True

    def looks_for_attributes_first(self) -> bool:
        """Whether missing attributes are noticed before a wrong user name (RFC 8489 section 9.1.3)."""
        return True

    def integrity_of(self, octets: bytes, key: bytes, *, sha256: bool) -> Check:
        """Return what a request's integrity comes to under a key (RFC 8489 sections 14.5 and 14.6)."""
        return check_integrity_sha256(octets, key) if sha256 else check_integrity(octets, key)

    def unauthenticated_code(self) -> int:
        """Return the error for a request without USERNAME or integrity: 400 (RFC 8489 section 9.1.3)."""
        return 400

    def unknown_user_code(self) -> int:
        """Return the error for a request with another USERNAME: 401 (RFC 8489 section 9.1.3)."""
        return 401

    def wrong_integrity_code(self) -> int:
        """Return the error for a request whose protection is wrong: 401 (RFC 8489 section 9.1.3)."""
        return 401

    def knows_user(self, user_name: str, ufrag: str) -> bool:
        """Whether USERNAME is our fragment, a colon and another fragment (RFC 8445 section 7.3, RFC 8839 5.4)."""
        own, colon, theirs = user_name.partition(":")
        return own == ufrag and bool(colon and theirs) and all(octet in ICE_CHARS for octet in theirs)

    def integrity_holds(self, check: Check) -> bool:
        """Whether a request's protection is right (RFC 8489 section 9.1.3)."""
        return check is Check.VALID

    def unknown_in_request(self, attributes: Sequence[RawAttribute]) -> list[int]:
        """Return the types that must be understood and are not, for which 420 is answered (RFC 8489 6.3.1)."""
        return unknown_required(attributes)

    def listed_unknown(self, unknown: list[int]) -> list[int]:
        """Return the types that UNKNOWN-ATTRIBUTES lists: all (RFC 8489 section 6.3.1)."""
        return unknown

    def authenticates(self, connection: Connection) -> bool:
        """Whether a request's protection is looked at: on every connection (RFC 8445 section 7.3)."""
        return True

    def answers_rfc3489(self) -> bool:
        """Whether requests without the magic cookie are answered: never (RFC 8445 section 7.3)."""
        return False

    def rival(self, controlling: bool, theirs: tuple[int | None, int | None]) -> int | None:
        """Return the tie-breaker of a peer that claims our own role (RFC 8445 section 7.3.1.1).

        `theirs`: of ICE-CONTROLLING and of ICE-CONTROLLED.
        """
        return theirs[0] if controlling else theirs[1]

    def heeds_rival(self) -> bool:
        """Whether a role conflict is noticed in a request (RFC 8445 section 7.3.1.1)."""
        return True

    def yields(self) -> bool:
        """Whether our role changes in a conflict that the tie-breakers decide against us (RFC 8445 7.3.1.1)."""
        return True

    # -- what is answered ----------------------------------------------------------------------------------

    def seen_from(self, connection: Connection) -> Address:
        """Return where requests come from: through a relay, where that saw the peer (RFC 8445 section 7.3.1.2)."""
        return connection.remote

    def mapped_address(self, source: Address) -> Address:
        """Return XOR-MAPPED-ADDRESS: where the request came from (RFC 8489 section 6.3.1.2)."""
        return source

    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        """Return what a success response says, its protection apart (RFC 8445 section 7.3, RFC 8489 9.1.3)."""
        return [mapped, attr.software(SOFTWARE)]

    def error_attributes(self, *refusal: RawAttribute) -> list[RawAttribute]:
        """Return what an error response says, its protection apart (RFC 8489 section 6.3.1.1)."""
        return [*refusal, attr.software(SOFTWARE)]

    def protects_success(self, *, selected: bool) -> bool:
        """Whether success responses have the request's kind of integrity (RFC 8489 section 9.1.3).

        `selected`: they go over a selected connection.
        """
        return True

    def answers_in_kind(self) -> bool:
        """Whether MESSAGE-INTEGRITY-SHA256 is answered by the same (RFC 8489 section 9.1.3)."""
        return True

    def protects_error(self) -> bool:
        """Whether errors after authentication have the request's kind of integrity (RFC 8489 section 9.1.3)."""
        return True

    def protects_refusal(self) -> bool:
        """Whether a refusal of credentials has integrity: no, there is no shared secret (RFC 8489 section 9.1.3)."""
        return False

    def fingerprints_success(self, *, selected: bool) -> bool:
        """Whether success responses have FINGERPRINT, also over a selected connection (RFC 8445 section 7.3)."""
        return True

    def fingerprints_error(self) -> bool:
        """Whether error responses have FINGERPRINT (RFC 8445 section 7.3)."""
        return True

    # -- what follows --------------------------------------------------------------------------------------

    def keeps_early(self, check: IncomingCheck) -> bool:
        """Whether a check that came before the peer's description is taken up with it (RFC 6544 section 7.2)."""
        return True

    def heard(self, check: IncomingCheck) -> IncomingCheck:
        """Return an accepted check as it is understood (RFC 8445 section 7.3.1.5)."""
        return check

    def minds_late(self) -> bool:
        """Whether a check on a selected pair has one in return: no, it changes nothing (RFC 8445 section 11)."""
        return False

    def minds_refused(self) -> bool:
        """Whether a check that was refused has a check in return: never (RFC 8445 section 7.3)."""
        return False

    def checks_again(self, pair: Pair) -> bool:
        """Whether a check triggers one of its pair: unless one has succeeded (RFC 8445 section 7.3.1.4)."""
        return pair.valid is None

    def nominates_valid(self, pair: Pair) -> bool:
        """Whether a nomination of a pair that has succeeded needs no further check (RFC 8445 section 7.3.1.5)."""
        return True

    def remembers_nomination(self, pair: Pair) -> bool:
        """Whether a nomination counts when the check that it triggered has succeeded (RFC 8445 section 7.3.1.5)."""
        return True

    def triggers(self, check: IncomingCheck, connection: Connection) -> bool:
        """Whether an accepted check has one in return (RFC 8445 section 7.3.1.4)."""
        return True
