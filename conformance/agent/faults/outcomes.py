"""Faults in what is believed of responses, and of those who do not speak STUN (RFC 6544 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.outcomes import Outcomes, Stranger
from conformance.agent.faults.model import Faults
from conformance.agent.messages import is_conflict
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from conformance.agent.pairs import Connection
    from conformance.wire.attributes import RawAttribute
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


@fault("conflict-error-ignored", "RFC8445-7.2.5.1-03", "takes 487 for a failure of the pair, and keeps its role")
class ConflictErrorIgnored(Outcomes):
    def heeds_conflict(self) -> bool:
        return False


@fault("conflict-keeps-role", "RFC8445-7.2.5.1-02", "checks again after a 487, but in the role of before")
class ConflictKeepsRole(Outcomes):
    def yields_to_conflict(self) -> bool:
        return False


@fault("error-response-believed", "RFC8445-7.2.5.3-s01", "takes error responses for success")
class ErrorResponseBelieved(Outcomes):
    def mapped_by_error(self) -> Address | None:
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
