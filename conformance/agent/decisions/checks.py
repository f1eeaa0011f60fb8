"""Decisions about checks of ours: when, from where, on what, and what they hold (RFC 6544 sections 4.1 and 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.attributes import SOFTWARE
from conformance.agent.decisions.encoding import Encoding
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.messages import OutgoingCheck
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Credentials, Stream
    from conformance.wire.attributes import RawAttribute


class Checks(Encoding):
    """How the agent checks."""

    # -- when ----------------------------------------------------------------------------------------------

    def pace(self, seconds: float) -> float:
        """Return how long to wait after a check before the next: Ta (RFC 6544 section 4.1, RFC 8445 6.1.4.2)."""
        return seconds

    def agreed_pace(self, own: float, theirs: float | None) -> float:
        """Return Ta in seconds: the larger of both sides' (RFC 8445 section 14.2, RFC 8839 section 5.5)."""
        return max(own, theirs or 0.0)

    def checks_stream(self, stream: Stream) -> bool:
        """Whether checks are made for a stream: for each (RFC 8445 section 6.1.4.2)."""
        return True

    def may_begin(self, connecting: bool, unanswered: bool) -> bool:
        """Whether a check may begin while connections are being opened or others are unanswered: yes.

        RFC 6544 section 7.1: other pairs are checked meanwhile.
        """
        return True

    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        """Whether one more attempt to connect may join those outstanding towards an address (RFC 6544 section 12)."""
        return len(attempts) < self.config.max_attempts

    def connects_at_once(self, pair: Pair) -> bool:
        """Whether a pair's connection is opened as soon as the check list is formed: not before its check is due.

        RFC 6544 section 4.1.
        """
        return False

    # -- connections ---------------------------------------------------------------------------------------

    def opens_now(self, stream: Stream, pair: Pair) -> bool:
        """Whether we open the connection of a pair whose check is due: whatever a=setup says (RFC 6544 4.5)."""
        return True

    def needs_connection(self, pair: Pair) -> bool:
        """Whether a check needs a new connection: each pair has one for all its checks (RFC 6544 section 7.1)."""
        return pair.connection is None

    def opens_another(self, connection: Connection) -> bool:
        """Whether a connection is opened for an S-O pair to which the peer has connected: no (RFC 6544 7.1)."""
        return False

    def source(self, stream: Stream, base: Base) -> Address:
        """Return where a base connects from: an S-O candidate's own port, for an active one an unallocated one.

        RFC 6544 section 7.1: the interface is in any case that of the candidate.
        """
        return Address(base.ip, base.port if base.tcptype == "so" else 0)

    def first_octets(self, connection: Connection) -> bytes:
        """Return what is sent on a new connection before any check: nothing (RFC 6544 section 12)."""
        return b""

    def checks_connection(self, connection: Connection) -> bool:
        """Whether a check is sent on a connection that was opened for one (RFC 6544 section 7.1)."""
        return True

    def asks_on(self, connection: Connection, every: Iterable[Connection]) -> Connection:
        """Return the connection for a check: its pair's, in return for the peer's as well (RFC 8445 7.3.1.4)."""
        return connection

    def checks_at_once(self, pair: Pair) -> int:
        """Return how many checks of a pair are begun together: one, which is then waited for (RFC 8445 7.2.5)."""
        return 1

    def patience(self, seconds: float) -> float:
        """Return how long a response is waited for over TCP: Ti (RFC 8489 section 6.2.2)."""
        return seconds

    # -- what they hold ------------------------------------------------------------------------------------

    def check_priority(self, pair: Pair, worth: int) -> int:
        """Return PRIORITY: `worth`, what a peer-reflexive candidate would have (RFC 8445 section 7.1.1)."""
        return worth

    def user_name(self, who: Credentials) -> str:
        """Return USERNAME: the peer's fragment, then ours (RFC 8445 section 7.2.2)."""
        return f"{who.remote_ufrag}:{who.ufrag}"

    def transaction_id(self, who: Credentials, random: Callable[[int], bytes]) -> bytes:
        """Return the id of a transaction: 96 random bits, new for each (RFC 8489 section 5)."""
        return random(12)

    def check_id_of_consent(self, fresh: bytes) -> bytes:
        """Return the transaction id of a check of consent: a new one (RFC 7675 section 5.1)."""
        return fresh

    def tie_breaker(self, own: int, random: Callable[[int], bytes]) -> int:
        """Return the tie-breaker of a check: the same in each of the session (RFC 8445 section 7.1.3)."""
        return own

    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        """Return what a check says, its protection apart (RFC 8445 sections 7.1 and 7.2.2)."""
        role = attr.ice_controlling if check.controlling else attr.ice_controlled
        body = [
            attr.username(check.user_name),
            attr.priority(check.priority),
            role(check.tie_breaker),
            attr.software(SOFTWARE),
        ]
        return [*body, attr.use_candidate()] if check.use_candidate else body

    def protects_check(self, check: OutgoingCheck) -> bool:
        """Whether a check has MESSAGE-INTEGRITY (RFC 8445 section 7.2.2)."""
        return True

    def adds_sha256(self, check: OutgoingCheck) -> bool:
        """Whether a check has MESSAGE-INTEGRITY-SHA256 as well: ICE builds on RFC 5389 (RFC 8489 section 9.1.2)."""
        return False

    def fingerprints_check(self) -> bool:
        """Whether a check has FINGERPRINT (RFC 8445 section 7.1)."""
        return True

    def says_alive(self) -> bool:
        """Whether a Binding indication goes over selected connections, as a keepalive may (RFC 8445 section 11)."""
        return False

    def says_alive_again(self) -> bool:
        """Whether one goes with each request for consent, sooner than Tr: no (RFC 8445 section 11)."""
        return False

    def indication_attributes(self) -> list[RawAttribute]:
        """Return what an indication says but for FINGERPRINT: nothing (RFC 8445 section 11)."""
        return []

    def protects_indication(self) -> bool:
        """Whether an indication is authenticated: never (RFC 8445 section 11)."""
        return False

    def fingerprints_indication(self) -> bool:
        """Whether an indication has FINGERPRINT (RFC 8445 section 11)."""
        return True

    def keeps_alive(self) -> bool:
        """Whether selected pairs get requests for consent, which are keepalives too (RFC 7675, RFC 8445 section 11)."""
        return True
