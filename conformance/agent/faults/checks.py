"""Faults in checks of its own: when, from where, what they hold (RFC 6544 sections 4.1, 7.1 and 12)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import Address, Attribute, RawAttribute, software
from conformance.wire.stun import MessageClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.messages import OutgoingCheck
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Credentials, Stream

fault = Faults()


@fault("checks-unpaced", "RFC8445-6.1.4.2-s01", "begins its checks without waiting Ta between them")
class ChecksUnpaced(Checks):
    def pace(self, seconds: float) -> float:
        return 0.0


@fault("connects-all-at-once", "RFC6544-4.1-s02", "opens all connections as soon as it has both descriptions")
class ConnectsAllAtOnce(Checks):
    def connects_at_once(self, pair: Pair) -> bool:
        return True


@fault("first-stream-alone-checked", "RFC6544-7.1-s01", "makes checks for the first of several streams only")
class FirstStreamAloneChecked(Checks):
    def checks_stream(self, stream: Stream) -> bool:
        return stream.index == 0


@fault("one-attempt-at-a-time", "RFC6544-7.1-04", "waits for a connection to come about before it tries another pair")
class OneAttemptAtATime(Checks):
    def may_begin(self, connecting: bool, unanswered: bool) -> bool:
        return not connecting and super().may_begin(connecting, unanswered)


@fault("unanswered-check-blocks", "RFC8445-6.1.4.2-s01", "sends no check while another is unanswered")
class UnansweredCheckBlocks(Checks):
    def may_begin(self, connecting: bool, unanswered: bool) -> bool:
        return not unanswered and super().may_begin(connecting, unanswered)


@fault("attempts-unlimited", "RFC6544-12-03", "has any number of connection attempts to one address outstanding")
class AttemptsUnlimited(Checks):
    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        return True


@fault("so-attempts-uncounted", "RFC6544-12-03", "has any number of attempts of S-O candidates outstanding")
class SoAttemptsUncounted(Checks):
    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        return super().may_attempt([attempt for attempt in attempts if attempt.base.tcptype != "so"])


@fault("setup-directs-connections", "RFC6544-4.5-s04", "connects only where setup makes it the DTLS client")
class SetupDirectsConnections(Checks):
    def opens_now(self, stream: Stream, pair: Pair) -> bool:
        return stream.dtls_client or not self.config.secured


@fault("second-connection-per-check", "RFC6544-7.1-s02", "opens another connection for each further check of a pair")
class SecondConnectionPerCheck(Checks):
    def needs_connection(self, pair: Pair) -> bool:
        return True


@fault("so-opened-twice", "RFC6544-7.1-s02", "opens a connection for an S-O pair whose connection the peer has opened")
class SoOpenedTwice(Checks):
    def opens_another(self, connection: Connection) -> bool:
        return True


@fault("so-connects-from-other-port", "RFC6544-7.1-s01", "connects for S-O pairs from a port that is not their base's")
class SoConnectsFromOtherPort(Checks):
    def source(self, stream: Stream, base: Base) -> Address:
        return Address(base.ip, 0) if base.tcptype == "so" else super().source(stream, base)


@fault("connects-from-other-interface", "RFC6544-7.1-01", "leaves the source address of connections to the kernel")
class ConnectsFromOtherInterface(Checks):
    def source(self, stream: Stream, base: Base) -> Address:
        anywhere = Address("0.0.0.0" if "." in base.ip else "::", 0)  # noqa: S104
        return anywhere if base.tcptype == "active" else super().source(stream, base)


@fault("connects-from-allocated-port", "RFC6544-7.1-02", "connects from the port that its passive candidate listens on")
class ConnectsFromAllocatedPort(Gathering, Checks):
    def shares_ports(self) -> bool:
        return True

    def source(self, stream: Stream, base: Base) -> Address:
        return stream.listening_address(base) if base.tcptype == "active" else super().source(stream, base)


@fault("media-before-validation", "RFC6544-12-s01", "sends data on a connection before any check")
class MediaBeforeValidation(Checks):
    def first_octets(self, connection: Connection) -> bytes:
        return bytes.fromhex("16fefd0000000000000000000c010000000000000000000000")  # begins like a ClientHello


@fault("connects-without-check", "RFC6544-7.1-s01", "opens connections but sends no check on them")
class ConnectsWithoutCheck(Checks):
    def checks_connection(self, connection: Connection) -> bool:
        return False


@fault("check-priority-of-host", "RFC8445-7.1.1-01", "puts the host candidate's own priority into PRIORITY")
class CheckPriorityOfHost(Checks):
    def check_priority(self, pair: Pair, worth: int) -> int:
        return pair.local.candidate.priority


@fault("check-username-reversed", "RFC8445-7.2.2-s01", "puts its own fragment first in USERNAME")
class CheckUsernameReversed(Checks):
    def user_name(self, who: Credentials) -> str:
        return f"{who.ufrag}:{who.remote_ufrag}"


@fault("tie-breaker-anew", "RFC8445-16.1-03", "takes a new tie-breaker for each check")
class TieBreakerAnew(Checks):
    def tie_breaker(self, own: int, random: Callable[[int], bytes]) -> int:
        return int.from_bytes(random(8), "big")


@fault("controlled-tie-breaker-anew", "RFC8445-16.1-01", "takes a new tie-breaker for each check when it has answered")
class ControlledTieBreakerAnew(Checks):
    def tie_breaker(self, own: int, random: Callable[[int], bytes]) -> int:
        return super().tie_breaker(own, random) if self.config.offerer else int.from_bytes(random(8), "big")


@fault("controlled-check-without-role", "RFC8445-7.1.3-02", "sends checks without ICE-CONTROLLED")
class ControlledCheckWithoutRole(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return [a for a in super().check_attributes(check) if a.type != Attribute.ICE_CONTROLLED]


@fault("one-transaction-id", "RFC8489-5-05", "gives all requests with the same credentials the same transaction id")
class OneTransactionId(Checks):
    def transaction_id(self, who: Credentials, random: Callable[[int], bytes]) -> bytes:
        return sha256(f"{who.remote_ufrag}:{who.ufrag}".encode()).digest()[:12]


@fault("check-without-role", "RFC8445-7.1.3-01", "sends checks with neither ICE-CONTROLLING nor ICE-CONTROLLED")
class CheckWithoutRole(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        roles = (Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED)
        return [attribute for attribute in super().check_attributes(check) if attribute.type not in roles]


@fault("check-without-priority", "RFC8445-7.1.1-01", "sends checks without PRIORITY")
class CheckWithoutPriority(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return [a for a in super().check_attributes(check) if a.type != Attribute.PRIORITY]


@fault("check-without-integrity", "RFC8445-7.2.2-01", "sends checks without MESSAGE-INTEGRITY")
class CheckWithoutIntegrity(Checks):
    def protects_check(self, check: OutgoingCheck) -> bool:
        return False


@fault("nomination-without-integrity", "RFC8445-7.2.2-01", "sends nominating checks without MESSAGE-INTEGRITY")
class NominationWithoutIntegrity(Checks):
    def protects_check(self, check: OutgoingCheck) -> bool:
        return not check.use_candidate and super().protects_check(check)


@fault("check-without-fingerprint", "RFC8445-7.2.4-02", "sends checks without FINGERPRINT")
class CheckWithoutFingerprint(Checks):
    def fingerprints_check(self) -> bool:
        return False


@fault("checks-twice-at-once", "RFC8489-6.2.2-s01", "sends two checks of a pair at once, each a transaction")
class ChecksTwiceAtOnce(Checks):
    def checks_at_once(self, pair: Pair) -> int:
        return 2


@fault("response-given-up-early", "RFC8489-6.2.2-02", "waits a second for the response to a check")
class ResponseGivenUpEarly(Checks):
    def patience(self, seconds: float) -> float:
        return 1.0


@fault("priority-changes-with-nomination", "RFC8445-7.1.1-01", "lowers PRIORITY in the check that nominates")
class PriorityChangesWithNomination(Checks):
    def check_priority(self, pair: Pair, worth: int) -> int:
        return worth - pair.nominate


@fault("peers-pace-ignored", "RFC8445-14.2-03", "checks at its own pace although the peer proposes a slower one")
class PeersPaceIgnored(Checks):
    def agreed_pace(self, own: float, theirs: float | None) -> float:
        return own


@fault("priority-of-64-bits", "RFC8445-16.1-s02", "writes PRIORITY with 64 bits")
class PriorityOf64Bits(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        found = super().check_attributes(check)
        return [RawAttribute(a.type, bytes(4) + a.value) if a.type == Attribute.PRIORITY else a for a in found]


@fault("use-candidate-with-value", "RFC8445-16.1-s01", "writes a value into USE-CANDIDATE")
class UseCandidateWithValue(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        found = super().check_attributes(check)
        return [RawAttribute(a.type, bytes(4)) if a.type == Attribute.USE_CANDIDATE else a for a in found]


@fault("tie-breaker-of-32-bits", "RFC8445-16.1-s03", "draws 32 bits for its tie-breaker")
class TieBreakerOf32Bits(Checks):
    def tie_breaker(self, own: int, random: Callable[[int], bytes]) -> int:
        return super().tie_breaker(own, random) & 0xFFFFFFFF


@fault("nomination-unsaid", "RFC8445-7.1.2-01", "nominates by a further check without USE-CANDIDATE")
class NominationUnsaid(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return [a for a in super().check_attributes(check) if a.type != Attribute.USE_CANDIDATE]


@fault("check-with-change-request", "RFC8445-7.2.4-01", "asks in its checks for what RFC 3489 servers did")
class CheckWithChangeRequest(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return [*super().check_attributes(check), RawAttribute(0x0003, bytes(4))]


@fault("check-never-times-out", "RFC8445-7.2.5.2.3-01", "waits for the response to a check for ever")
class CheckNeverTimesOut(Checks):
    def patience(self, seconds: float) -> float:
        return 100_000.0


@fault("silent-when-idle", "RFC8445-11-04", "sends nothing on a selected pair that carries no data")
class SilentWhenIdle(Checks):
    def keeps_alive(self) -> bool:
        return False


@fault("indication-every-5-seconds", "RFC8445-11-06", "sends a Binding indication every five seconds")
class IndicationEvery5Seconds(Checks):
    def says_alive(self) -> bool:
        return True

    def says_alive_again(self) -> bool:
        return True


@fault("indication-with-integrity", "RFC8445-11-11", "authenticates the Binding indications that it sends")
class IndicationWithIntegrity(Checks):
    def says_alive(self) -> bool:
        return True

    def protects_indication(self) -> bool:
        return True


@fault("indication-without-fingerprint", "RFC8445-11-12", "sends Binding indications without FINGERPRINT")
class IndicationWithoutFingerprint(Checks):
    def says_alive(self) -> bool:
        return True

    def fingerprints_indication(self) -> bool:
        return False


@fault("indication-with-software", "RFC8445-11-12", "sends Binding indications with an attribute beside FINGERPRINT")
class IndicationWithSoftware(Checks):
    def says_alive(self) -> bool:
        return True

    def indication_attributes(self) -> list[RawAttribute]:
        return [software("keepalive")]


@fault("peer-reflexive-below-reflexive", "RFC8445-5.1.2.1-02", "gives peer-reflexive candidates the type preference 90")
class PeerReflexiveBelowReflexive(Checks):
    def check_priority(self, pair: Pair, worth: int) -> int:
        return worth - (20 << 24)


@fault("check-priority-made-up", "RFC8445-7.1.1-01", "puts a local preference of no candidate of its into PRIORITY")
class CheckPriorityMadeUp(Checks):
    def check_priority(self, pair: Pair, worth: int) -> int:
        return (worth & ~0xFFFF00) | (4711 << 8)


@fault(
    "refused-attempts-count-for-good", "RFC6544-7.1-04", "makes five attempts to connect to an address, then no more"
)
class RefusedAttemptsCountForGood(Checks):
    _made = 0

    def source(self, stream: Stream, base: Base) -> Address:
        self._made += 1
        return super().source(stream, base)

    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        return self._made < self.config.max_attempts


@fault("attempts-counted-by-component", "RFC6544-12-03", "has five attempts outstanding for each component")
class AttemptsCountedByComponent(Checks):
    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        counts = [sum(attempt.component == component for attempt in attempts) for component in (1, 2)]
        return super().may_attempt(attempts) or 0 < min(counts) < self.config.max_attempts


@fault("check-signed-otherwise", "RFC8445-7.2.2-s02", "signs its checks with another password than the peer's")
class CheckSignedOtherwise(Checks):
    def encoded(
        self,
        cls: MessageClass,
        transaction_id: bytes,
        body: Sequence[RawAttribute],
        *,
        key: bytes | None = None,
        sha256_key: bytes | None = None,
        fingerprint: bool = True,
    ) -> bytes:
        other = key[::-1] if key is not None and cls is MessageClass.REQUEST else key
        return super().encoded(cls, transaction_id, body, key=other, sha256_key=sha256_key, fingerprint=fingerprint)


@fault("triggered-check-elsewhere", "RFC8445-7.3.1.4-s03", "sends its check in return on its first accepted connection")
class TriggeredCheckElsewhere(Checks):
    def asks_on(self, connection: Connection, every: Iterable[Connection]) -> Connection:
        own = super().asks_on(connection, every)
        place = own.stream, own.component
        accepted = (c for c in every if not (c.outgoing or c.is_udp) and c.is_open and (c.stream, c.component) == place)
        return own if own.outgoing else next(accepted, own)
