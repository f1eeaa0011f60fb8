"""Faults in what is believed of responses, and of those who do not speak STUN (RFC 6544 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.outcomes import Outcomes, Stranger
from conformance.agent.faults.model import Faults
from conformance.agent.messages import is_conflict
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.agent.pairs import Connection, Pair
    from conformance.wire.attributes import RawAttribute
    from conformance.wire.candidate import Candidate
    from conformance.wire.stun import Message

fault = Faults()


@fault("response-integrity-unchecked", "RFC8489-9.1.4-04", "believes responses whatever their MESSAGE-INTEGRITY")
class ResponseIntegrityUnchecked(Outcomes):
    def needs_integrity(self, message: Message) -> bool:
        return False


@fault("unprotected-conflict-believed", "RFC8489-9.1.4-04", "changes its role for a 487 without MESSAGE-INTEGRITY")
class UnprotectedConflictBelieved(Outcomes):
    def needs_integrity(self, message: Message) -> bool:
        return not is_conflict(message) and super().needs_integrity(message)


@fault(
    "unknown-attribute-in-response-ignored",
    "RFC8489-6.3.3-s01",
    "believes success responses with unknown comprehension-required attributes",
)
class UnknownAttributeInResponseIgnored(Outcomes):
    def unknown_in_response(self, attributes: Iterable[RawAttribute]) -> list[int]:
        return []


@fault("optional-attribute-fails-check", "RFC8489-6.3-01", "takes checks for failed by unknown optional attributes")
class OptionalAttributeFailsCheck(Outcomes):
    def unknown_in_response(self, attributes: Iterable[RawAttribute]) -> list[int]:
        attributes = list(attributes)
        late = 0x8100  # above it are comprehension-optional types that this agent never heard of
        return super().unknown_in_response(attributes) + [a.type for a in attributes if a.type > late]


@fault("conflict-error-ignored", "RFC8445-7.2.5.1-03", "takes 487 for a failure of the pair, and keeps its role")
class ConflictErrorIgnored(Outcomes):
    def heeds_conflict(self) -> bool:
        return False


@fault("conflict-keeps-role", "RFC8445-7.2.5.1-02", "checks again after a 487, but is still controlling")
class ConflictKeepsRole(Outcomes):
    def yields_to_conflict(self, controlling: bool) -> bool:
        return not controlling and super().yields_to_conflict(controlling)


@fault("conflict-leaves-controlled", "RFC8445-7.2.5.1-01", "checks again after a 487, but is still controlled")
class ConflictLeavesControlled(Outcomes):
    def yields_to_conflict(self, controlling: bool) -> bool:
        return controlling and super().yields_to_conflict(controlling)


@fault("error-response-believed", "RFC8445-7.2.5.3-s01", "takes error responses for success")
class ErrorResponseBelieved(Outcomes):
    def mapped_by_error(self, message: Message) -> Address | None:
        return Address("192.0.2.1", 9)


@fault("transaction-id-unchecked", "RFC8489-6.3-s03", "takes a response whatever its transaction id")
class TransactionIdUnchecked(Outcomes):
    def answered(self, transaction_id: bytes, waiting: Collection[bytes]) -> bytes | None:
        return super().answered(transaction_id, waiting) or next(iter(waiting), None)


@fault("response-anywhere-believed", "RFC8445-7.2.5.2.1-02", "believes responses on other connections than the check")
class ResponseAnywhereBelieved(Outcomes):
    def believes_elsewhere(self, connection: Connection, asked_on: Connection) -> bool:
        return True


@fault(
    "non-stun-answer-ignored", "RFC6544-7.1-05", "goes on when the first check is answered by something that is no STUN"
)
class NonStunAnswerIgnored(Outcomes):
    def on_stranger(self, connection: Connection) -> Stranger:
        return Stranger.IGNORE


@fault(
    "non-stun-answer-retried",
    "RFC6544-7.1-05",
    "tries a remote candidate again that answered with something that is no STUN",
)
class NonStunAnswerRetried(Outcomes):
    def on_stranger(self, connection: Connection) -> Stranger:
        return Stranger.TRY_AGAIN


@fault(
    "non-stun-answer-fails-one-pair",
    "RFC6544-7.1-05",
    "goes on with other pairs of a remote candidate that answered with something that is no STUN",
)
class NonStunAnswerFailsOnePair(Outcomes):
    def on_stranger(self, connection: Connection) -> Stranger:
        return Stranger.FAIL_PAIR


@fault("unreachable-not-failed", "RFC6544-7.1-04", "leaves a pair in progress when its connection was refused")
class UnreachableNotFailed(Outcomes):
    def fails_unreachable(self, connection: Connection) -> bool:
        return False


@fault("response-to-first-check", "RFC8445-7.2.5-s01", "takes every response for that to its oldest unanswered check")
class ResponseToFirstCheck(Outcomes):
    def answered(self, transaction_id: bytes, waiting: Collection[bytes]) -> bytes | None:
        known = super().answered(transaction_id, waiting) is not None
        return next(iter(waiting)) if known else None

    def believes_elsewhere(self, connection: Connection, asked_on: Connection) -> bool:
        return True


@fault("conflict-keeps-tie-breaker", "RFC8445-7.2.5.1-04", "changes its role for a 487, but not its tie-breaker")
class ConflictKeepsTieBreaker(Outcomes):
    def renews_tie_breaker(self) -> bool:
        return False


@fault(
    "mapped-address-ignored", "RFC8445-7.2.5.3.1-01", "takes the pair of a check for the valid one, whatever is mapped"
)
class MappedAddressIgnored(Outcomes):
    def mapped(self, pair: Pair, mapped: Address) -> Address:
        return pair.local.candidate.endpoint


@fault("learnt-priority-own", "RFC8445-7.2.5.3.1-s01", "gives a candidate that a response reveals a priority of 1")
class LearntPriorityOwn(Outcomes):
    def learnt_priority(self, worth: int) -> int:
        return 1


@fault("valid-pair-elsewhere", "RFC8445-7.2.5.3.2-s01", "makes the valid pair with another candidate of the peer's")
class ValidPairElsewhere(Outcomes):
    def valid_remote(self, pair: Pair, known: Sequence[Candidate]) -> Candidate:
        return next((other for other in known if other is not pair.remote), pair.remote)


@fault("failed-nomination-used", "RFC8445-7.2.5.3.4-01", "uses a pair whose nomination was answered with an error")
class FailedNominationUsed(Outcomes):
    def bears_failed_nomination(self, pair: Pair, *, ours: bool) -> bool:
        return ours


@fault(
    "failed-check-of-opened-used",
    "RFC8445-7.2.5.3.4-02",
    "uses a nominated pair whose connection it opened although its own check has failed",
)
class FailedCheckOfOpenedUsed(Outcomes):
    def bears_failed_nomination(self, pair: Pair, *, ours: bool) -> bool:
        return not ours and pair.connection is not None and pair.connection.outgoing


@fault(
    "failed-check-of-accepted-used",
    "RFC8445-7.3.1.5-01",
    "uses a nominated pair whose connection it accepted although its own check has failed",
)
class FailedCheckOfAcceptedUsed(Outcomes):
    def bears_failed_nomination(self, pair: Pair, *, ours: bool) -> bool:
        return not ours and pair.connection is not None and not pair.connection.outgoing


@fault("cancelled-check-forgotten", "RFC8445-7.3.1.4-s04", "does not believe responses to checks that it has cancelled")
class CancelledCheckForgotten(Outcomes):
    def waits_for_cancelled(self) -> bool:
        return False


@fault("error-response-waited-out", "RFC8445-7.2.5.2.4-01", "leaves a pair in progress when its check was refused")
class ErrorResponseWaitedOut(Outcomes):
    def fails_refused(self, message: Message) -> bool:
        return False
