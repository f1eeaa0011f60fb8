"""Faults in the answers to checks and in what follows from checks (RFC 6544 sections 7.2 and 11.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.decisions.pairing import Pairing
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults
from conformance.agent.framing import COOKIE
from conformance.agent.pairs import PairState
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.messages import IncomingCheck
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Credentials, Stream
    from conformance.wire.attributes import RawAttribute
    from conformance.wire.integrity import Check
    from conformance.wire.stun import Message

fault = Faults()


@fault("fingerprint-unchecked", "RFC8489-6.3-s04", "answers requests whatever their FINGERPRINT")
class FingerprintUnchecked(Responses):
    def takes_for_stun(self, payload: bytes) -> bool:
        return payload[4:8] == COOKIE or super().takes_for_stun(payload)

    def fingerprint_holds(self, octets: bytes) -> bool:
        return True


@fault("malformed-message-closes", "RFC8489-6.3-s01", "closes a connection on a malformed STUN message")
class MalformedMessageCloses(Responses):
    def bears_malformed(self) -> bool:
        return False


@fault("indication-answered", "RFC8489-6.3.2-s02", "answers Binding indications")
class IndicationAnswered(Responses):
    def answers_indication(self, message: Message, ufrag: str) -> bool:
        return True


@fault("early-check-unanswered", "RFC8445-7.3-05", "never answers checks that come before the peer's description")
class EarlyCheckUnanswered(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return started and super().answers(stream, connection, started)


@fault(
    "check-after-completion-unanswered",
    "RFC6544-11.1-08",
    "ignores checks on the selected connection after ICE has completed",
)
class CheckAfterCompletionUnanswered(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return stream.completed_at is None and super().answers(stream, connection, started)


@fault("check-in-restart-unanswered", "RFC6544-11.1-08", "ignores checks on selected connections in a restart")
class CheckInRestartUnanswered(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not stream.is_former(connection) and super().answers(stream, connection, started)


@fault("opened-connections-deaf", "RFC6544-11.1-08", "ignores checks on connections that it opened")
class OpenedConnectionsDeaf(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not connection.outgoing and super().answers(stream, connection, started)


@fault("missing-integrity-answered-401", "RFC8489-9.1.3-02", "answers requests without credentials with 401")
class MissingIntegrityAnswered401(Responses):
    def unauthenticated_code(self) -> int:
        return 401


@fault("unknown-user-answered-400", "RFC8489-9.1.3-05", "answers 400 to user names that it does not know")
class UnknownUserAnswered400(Responses):
    def unknown_user_code(self) -> int:
        return 400


@fault("wrong-password-answered-400", "RFC8489-9.1.3-08", "answers 400 to requests whose integrity is wrong")
class WrongPasswordAnswered400(Responses):
    def wrong_integrity_code(self) -> int:
        return 400


@fault("lite-nomination-ignored", "RFC8445-8.2-s01", "takes no nomination as a lite agent")
class LiteNominationIgnored(Responses):
    def heard(self, check: IncomingCheck) -> IncomingCheck:
        return replace(check, use_candidate=False) if self.config.lite else super().heard(check)


@fault("username-unchecked", "RFC8489-9.1.3-04", "accepts requests whatever their USERNAME")
class UsernameUnchecked(Responses):
    def knows_user(self, user_name: str, ufrag: str) -> bool:
        return True


@fault("username-prefix-enough", "RFC8445-7.3-04", "accepts user names that only begin with its fragment")
class UsernamePrefixEnough(Responses):
    def knows_user(self, user_name: str, ufrag: str) -> bool:
        own, colon, theirs = user_name.partition(":")
        return super().knows_user(own[: len(ufrag)] + colon + theirs, ufrag)


@fault("password-unchecked", "RFC8489-9.1.3-07", "accepts requests whatever their MESSAGE-INTEGRITY")
class PasswordUnchecked(Responses):
    def integrity_holds(self, check: Check) -> bool:
        return True


@fault("user-name-ends-at-nul", "RFC8489-9.1.3-04", "takes no notice of what follows a NUL in USERNAME")
class UserNameEndsAtNul(Responses):
    def knows_user(self, user_name: str, ufrag: str) -> bool:
        return super().knows_user(user_name.partition("\0")[0], ufrag)


@fault(
    "unknown-attribute-ignored", "RFC8489-6.3.1-s01", "accepts requests with unknown comprehension-required attributes"
)
class UnknownAttributeIgnored(Responses):
    def unknown_in_request(self, attributes: Sequence[RawAttribute]) -> list[int]:
        return []


@fault("optional-attribute-refused", "RFC8489-6.3-01", "answers 420 for unknown optional attributes")
class OptionalAttributeRefused(Responses):
    def unknown_in_request(self, attributes: Sequence[RawAttribute]) -> list[int]:
        late = 0x8100  # above it are comprehension-optional types that this agent never heard of
        return super().unknown_in_request(attributes) + [a.type for a in attributes if a.type > late]


@fault("unknown-attributes-unlisted", "RFC8489-6.3.1.1-03", "does not name the attributes for which it answers 420")
class UnknownAttributesUnlisted(Responses):
    def listed_unknown(self, unknown: list[int]) -> list[int]:
        return []


@fault("unknown-attributes-first-only", "RFC8489-14.8-10", "names one of several unknown attributes")
class UnknownAttributesFirstOnly(Responses):
    def listed_unknown(self, unknown: list[int]) -> list[int]:
        return super().listed_unknown(unknown)[:1]


@fault("role-conflict-ignored", "RFC8445-7.3.1.1-03", "neither answers 487 nor changes its role in a role conflict")
class RoleConflictIgnored(Responses):
    def heeds_rival(self) -> bool:
        return False


@fault("lost-conflict-ignored", "RFC8445-7.3.1.1-03", "keeps its role in a role conflict that it loses")
class LostConflictIgnored(Responses):
    def yields(self) -> bool:
        return False


@fault("mapped-address-wrong", "RFC8489-6.3.1.1-s03", "says a wrong port in XOR-MAPPED-ADDRESS")
class MappedAddressWrong(Responses):
    def mapped_address(self, source: Address) -> Address:
        return Address(source.ip, source.port ^ 1)


@fault("response-with-username", "RFC8489-9.1.3-12", "says the request's USERNAME in success responses")
class ResponseWithUsername(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        return [*super().success_attributes(mapped, user_name), attr.username(user_name)]


@fault("response-without-integrity", "RFC8489-9.1.3-11", "sends success responses without MESSAGE-INTEGRITY")
class ResponseWithoutIntegrity(Responses):
    def protects_success(self, *, selected: bool) -> bool:
        return False


@fault("response-without-fingerprint", "RFC8445-7.3-08", "sends success responses without FINGERPRINT")
class ResponseWithoutFingerprint(Responses):
    def fingerprints_success(self, *, selected: bool) -> bool:
        return False


@fault(
    "error-without-integrity",
    "RFC8489-9.1.3-11",
    "sends error responses to authenticated requests without MESSAGE-INTEGRITY",
)
class ErrorWithoutIntegrity(Responses):
    def protects_error(self) -> bool:
        return False


@fault("refusal-with-integrity", "RFC8489-9.1.3-13", "protects the refusal of credentials with MESSAGE-INTEGRITY")
class RefusalWithIntegrity(Responses):
    def protects_refusal(self) -> bool:
        return True


@fault("error-without-fingerprint", "RFC8445-7.3-08", "sends error responses without FINGERPRINT")
class ErrorWithoutFingerprint(Responses):
    def fingerprints_error(self) -> bool:
        return False


@fault(
    "early-check-forgotten",
    "RFC8445-7.3-06",
    "answers early checks but does not take them up when the description is there",
)
class EarlyCheckForgotten(Responses):
    def keeps_early(self, check: IncomingCheck) -> bool:
        return False


@fault("nomination-ignored", "RFC8445-8.1.1-s02", "ignores USE-CANDIDATE")
class NominationIgnored(Responses):
    def heard(self, check: IncomingCheck) -> IncomingCheck:
        return replace(super().heard(check), use_candidate=False)


@fault("lite-selects-unnominated", "RFC8445-12.1.1-01", "selects, as a lite agent, the pair of the first check")
class LiteSelectsUnnominated(Pairing, Responses):
    def heard(self, check: IncomingCheck) -> IncomingCheck:
        check = super().heard(check)
        return check if self.makes_checks() else replace(check, use_candidate=True)


@fault("refused-check-triggers", "RFC8489-9.1.3-07", "checks in return for a check that it has refused")
class RefusedCheckTriggers(Responses):
    def minds_refused(self) -> bool:
        return True


@fault("no-triggered-check", "RFC8445-7.3.1.4-s02", "sends no check in return for one that it received")
class NoTriggeredCheck(Responses):
    def triggers(self, check: IncomingCheck, connection: Connection) -> bool:
        return check.use_candidate and super().triggers(check, connection)


@fault("one-early-check-answered", "RFC8445-5.3-07", "answers one check only before it has the answer")
class OneEarlyCheckAnswered(Responses):
    _early = 0

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        self._early += not started
        return (started or self._early < 2) and super().answers(stream, connection, started)


@fault("second-address-deaf", "RFC8445-7.3-01", "answers no checks on connections to its second address")
class SecondAddressDeaf(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not connection.base.rank and super().answers(stream, connection, started)


@fault(
    "opened-connections-trusted", "RFC8445-7.3-02", "looks at no protection of requests on connections that it opened"
)
class OpenedConnectionsTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return not connection.outgoing


@fault("rfc3489-answered", "RFC8445-7.3-07", "answers Binding requests of RFC 3489")
class Rfc3489Answered(Responses):
    def answers_rfc3489(self) -> bool:
        return True


@fault("tie-breakers-always-compared", "RFC8445-7.3.1.1-s01", "sees a conflict in every tie-breaker, whatever the role")
class TieBreakersAlwaysCompared(Responses):
    def rival(self, controlling: bool, theirs: tuple[int | None, int | None]) -> int | None:
        return theirs[0] if theirs[0] is not None else theirs[1]


@fault("late-conflict-ignored", "RFC8445-7.3.1.1-03", "notices no role conflict once ICE has completed")
class LateConflictIgnored(Responses):
    _completed = False

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        self._completed = stream.completed_at is not None
        return super().answers(stream, connection, started)

    def heeds_rival(self) -> bool:
        return not self._completed and super().heeds_rival()


@fault("pair-in-progress-not-checked", "RFC8445-7.3.1.4-01", "triggers no check of a pair whose check is unanswered")
class PairInProgressNotChecked(Responses):
    def checks_again(self, pair: Pair) -> bool:
        return pair.state is not PairState.IN_PROGRESS and super().checks_again(pair)


@fault("failed-pair-not-checked", "RFC8445-7.3.1.4-02", "triggers no check of a pair that has failed")
class FailedPairNotChecked(Responses):
    def checks_again(self, pair: Pair) -> bool:
        return pair.state is not PairState.FAILED and super().checks_again(pair)


@fault("valid-pair-checked-again", "RFC8445-7.3.1.4-s01", "triggers a check of a pair that has succeeded")
class ValidPairCheckedAgain(Responses):
    def checks_again(self, pair: Pair) -> bool:
        return True


@fault(
    "valid-pair-proved-again",
    "RFC8445-7.3.1.5-s01",
    "waits for another check of its own when a valid pair is nominated",
)
class ValidPairProvedAgain(Responses):
    def nominates_valid(self, pair: Pair) -> bool:
        return False


@fault("nomination-forgotten", "RFC8445-7.3.1.5-s02", "forgets a nomination until its own check has succeeded")
class NominationForgotten(Responses):
    def remembers_nomination(self, pair: Pair) -> bool:
        return False


@fault("response-with-priority", "RFC8445-7.1-s01", "says PRIORITY in success responses")
class ResponseWithPriority(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        return [*super().success_attributes(mapped, user_name), attr.priority(1)]


@fault("nominated-component-deaf", "RFC8445-8.1.2-02", "answers no check of a component that has its nominated pair")
class NominatedComponentDeaf(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        nominated = connection.component in stream.checks.nominated and stream.completed_at is None
        return not nominated and super().answers(stream, connection, started)


@fault("late-check-elsewhere-unanswered", "RFC8445-8.3.1-01", "answers no check on another connection after completion")
class LateCheckElsewhereUnanswered(Responses):
    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        elsewhere = stream.completed_at is not None and not connection.selected
        return not elsewhere and super().answers(stream, connection, started)


@fault("late-check-answered-by-check", "RFC8445-11-13", "checks in return for a check on a selected pair")
class LateCheckAnsweredByCheck(Responses):
    def minds_late(self) -> bool:
        return True


@fault("old-credentials-accepted", "RFC8445-9-s01", "accepts the credentials of before a restart when it has completed")
class OldCredentialsAccepted(Responses):
    _old: Credentials | None = None

    def meant(self, stream: Stream, user_name: str) -> Credentials:
        self._old = stream.former or self._old
        asked = user_name.partition(":")[0]
        return self._old if self._old is not None and asked == self._old.ufrag else super().meant(stream, user_name)


@fault(
    "relayed-request-mapped-to-relay", "RFC8445-7.3.1.2-s01", "says its own relayed address to peers behind its relay"
)
class RelayedRequestMappedToRelay(Responses):
    def seen_from(self, connection: Connection) -> Address:
        through = connection.base.relay is not None
        return Address(connection.base.ip, connection.base.port) if through else super().seen_from(connection)


@fault("success-without-mapped-address", "RFC8489-6.3.1.1-s02", "leaves XOR-MAPPED-ADDRESS out of success responses")
class SuccessWithoutMappedAddress(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        return [one for one in super().success_attributes(mapped, user_name) if one.type != mapped.type]
