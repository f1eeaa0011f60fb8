"""Faults in reading messages of the peer (RFC 8489 sections 6.2.2, 6.3, 9 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.outcomes import Outcomes
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, integrity_value
from conformance.wire.stun import Message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

fault = Faults()

_MAPPED = Address("192.0.2.1", 9)
_ELSEWHERE = {  # known attributes that have no place in a Binding request
    Attribute.ERROR_CODE,
    Attribute.UNKNOWN_ATTRIBUTES,
    Attribute.REALM,
    Attribute.NONCE,
    Attribute.XOR_MAPPED_ADDRESS,
}


def _decoded(octets: bytes) -> Message | None:
    try:
        return Message.decode(octets)
    except StunError:
        return None


class _Reader(Responses):
    """Takes no message for STUN in which something displeases it."""

    def _displeases(self, message: Message) -> bool:
        return False

    def takes_for_stun(self, payload: bytes) -> bool:
        message = _decoded(payload)
        return not (message is not None and self._displeases(message)) and super().takes_for_stun(payload)


@fault("padding-minded", "RFC8489-14-04", "discards messages whose padding is not zero")
class PaddingMinded(_Reader):
    def _displeases(self, message: Message) -> bool:
        return any(a.padding is not None for a in message.attributes)


@fault("repeated-attribute-minded", "RFC8489-14-06", "discards messages that have an attribute twice")
class RepeatedAttributeMinded(_Reader):
    def _displeases(self, message: Message) -> bool:
        return len({a.type for a in message.attributes}) < len(message.attributes)


@fault("long-user-name-discarded", "RFC8489-14.3-02", "discards messages with a USERNAME of more than 513 octets")
class LongUserNameDiscarded(_Reader):
    def _displeases(self, message: Message) -> bool:
        found = message.first(Attribute.USERNAME)
        return found is not None and len(found.value) > 513


@fault("optional-range-begins-late", "RFC8489-14-s01", "takes types up to 0x80FF for comprehension-required ones")
class OptionalRangeBeginsLate(Responses):
    def unknown_in_request(self, attributes: Sequence[RawAttribute]) -> list[int]:
        known = {int(a) for a in Attribute}
        return super().unknown_in_request(attributes) + [
            a.type for a in attributes if 0x8000 <= a.type <= 0x80FF and a.type not in known - {0x8000, 0x8001}
        ]


@fault("known-attribute-out-of-place-refused", "RFC8489-6.3-02", "answers 420 for known attributes that it expects not")
class KnownAttributeOutOfPlaceRefused(Responses):
    def unknown_in_request(self, attributes: Sequence[RawAttribute]) -> list[int]:
        return super().unknown_in_request(attributes) + [a.type for a in attributes if a.type in _ELSEWHERE]


@fault("behind-integrity-heeded", "RFC8489-9-01", "heeds what stands behind MESSAGE-INTEGRITY")
class BehindIntegrityHeeded(Responses):
    def honoured(self, message: Message) -> tuple[RawAttribute, ...]:
        return message.attributes if message.has(Attribute.MESSAGE_INTEGRITY) else super().honoured(message)


@fault("behind-sha256-heeded", "RFC8489-9-02", "heeds what stands behind MESSAGE-INTEGRITY-SHA256")
class BehindSha256Heeded(Responses):
    def honoured(self, message: Message) -> tuple[RawAttribute, ...]:
        alone = not message.has(Attribute.MESSAGE_INTEGRITY)
        return message.attributes if alone else super().honoured(message)


@fault("fingerprint-alone-expected", "RFC8489-14.5-s02", "takes 8 octets to follow MESSAGE-INTEGRITY")
class FingerprintAloneExpected(Responses):
    def integrity_of(self, octets: bytes, key: bytes, *, sha256: bool) -> Check:
        found = Message.decode(octets).first(Attribute.MESSAGE_INTEGRITY)
        if sha256 or found is None:
            return super().integrity_of(octets, key, sha256=sha256)
        before = octets[: found.offset] + bytes(max(0, len(octets) - found.offset - 24 - 8))
        return Check.VALID if integrity_value(before, key) == found.value else Check.INVALID


@fault("unknown-before-credentials", "RFC8489-6.3-s06", "answers 420 before it looks at credentials")
class UnknownBeforeCredentials(Responses):
    def authenticates_first(self) -> bool:
        return False


@fault("user-name-before-attributes", "RFC8489-9.1.3-s01", "answers 401 for a user name before it misses integrity")
class UserNameBeforeAttributes(Responses):
    def looks_for_attributes_first(self) -> bool:
        return False


# -- indications ---------------------------------------------------------------------------------------------------


@fault("strange-indication-answered", "RFC8489-6.3.2-s01", "answers indications with unknown required attributes")
class StrangeIndicationAnswered(Responses):
    def answers_indication(self, message: Message, ufrag: str) -> bool:
        return bool(self.unknown_in_request(message.attributes))


@fault("bare-indication-answered", "RFC8489-9.1.3-03", "answers indications without credentials")
class BareIndicationAnswered(Responses):
    def answers_indication(self, message: Message, ufrag: str) -> bool:
        return not message.attributes or not message.has(Attribute.USERNAME)


@fault("strangers-indication-answered", "RFC8489-9.1.3-06", "answers indications of users that it does not know")
class StrangersIndicationAnswered(Responses):
    def answers_indication(self, message: Message, ufrag: str) -> bool:
        return message.has(Attribute.USERNAME) and not self.knows_user(message.username or "", ufrag)


@fault("unprotected-indication-answered", "RFC8489-9.1.3-09", "answers indications whose integrity is wrong")
class UnprotectedIndicationAnswered(Responses):
    def answers_indication(self, message: Message, ufrag: str) -> bool:
        named = message.has(Attribute.USERNAME) and self.knows_user(message.username or "", ufrag)
        return named and message.has(Attribute.MESSAGE_INTEGRITY)


# -- connections ---------------------------------------------------------------------------------------------------


@fault("response-on-oldest-connection", "RFC8489-6.3.1.2-s01", "answers on the oldest connection of the component")
class ResponseOnOldestConnection(Responses):
    def responds_on(self, connection: Connection, all_of_them: Iterable[Connection]) -> Connection:
        return min((c for c in all_of_them if c.component == connection.component), key=lambda c: c.number)


@fault("connection-closed-behind-answer", "RFC8489-6.2.2-06", "closes connections behind its response")
class ConnectionClosedBehindAnswer(Responses):
    def closes_answered(self, connection: Connection) -> bool:
        return not connection.outgoing


@fault("connection-closed-unanswered", "RFC8489-6.2.2-07", "closes a connection when a second request comes on it")
class ConnectionClosedUnanswered(Responses):
    def closes_unanswered(self, stream: Stream, connection: Connection) -> bool:
        return connection.authenticated and not connection.outgoing


@fault("connects-back", "RFC8489-6.2.2-08", "opens a connection to where one came from that has ended")
class ConnectsBack(Responses):
    def connects_back(self, connection: Connection) -> bool:
        return True


# -- responses -----------------------------------------------------------------------------------------------------


class _Believer(Outcomes):
    """Takes some error responses for success."""

    def _believes(self, code: int) -> bool:
        return False

    def mapped_by_error(self, message: Message) -> Address | None:
        try:
            error = message.error_code
        except StunError:
            return None
        return _MAPPED if self._believes(error.code if error is not None else 0) else None


@fault("redirection-believed", "RFC8489-6.3.4-01", "takes codes from 300 to 399 for success")
class RedirectionBelieved(_Believer):
    def _believes(self, code: int) -> bool:
        return 300 <= code < 400


@fault("client-error-believed", "RFC8489-6.3.4-s02", "takes codes from 400 to 499 for success")
class ClientErrorBelieved(_Believer):
    def _believes(self, code: int) -> bool:
        return 400 <= code < 500


@fault("global-error-believed", "RFC8489-6.3.4-s03", "takes codes from 600 on for success")
class GlobalErrorBelieved(_Believer):
    def _believes(self, code: int) -> bool:
        return code >= 600


@fault("error-without-code-believed", "RFC8489-6.3.4-s01", "takes error responses without a code for success")
class ErrorWithoutCodeBelieved(_Believer):
    def _believes(self, code: int) -> bool:
        return code == 0


class _Insistent(Outcomes):
    """Sends a check again that was answered by an error."""

    def _insists(self, code: int, before: int) -> bool:
        return False

    def asks_again(self, message: Message, before: int) -> bool:
        error = message.error_code
        return error is not None and self._insists(error.code, before)


@fault("server-error-asked-for-ever", "RFC8489-6.3.4-02", "sends its check again after each error from 500 to 599")
class ServerErrorAskedForEver(_Insistent):
    def _insists(self, code: int, before: int) -> bool:
        return 500 <= code < 600


@fault("server-error-asked-nine-times", "RFC8489-6.3.4-03", "sends its check eight times more after errors from 500 on")
class ServerErrorAskedNineTimes(_Insistent):
    def _insists(self, code: int, before: int) -> bool:
        return 500 <= code < 600 and before < 8


@fault("bad-request-asked-again", "RFC8489-14.8-08", "sends its check once more after a 400")
class BadRequestAskedAgain(_Insistent):
    def _insists(self, code: int, before: int) -> bool:
        return code == 400 and before < 1


@fault("success-without-address-believed", "RFC8489-6.3.3-s02", "takes a success without a mapped address for one")
class SuccessWithoutAddressBelieved(Outcomes):
    def mapped_in(self, message: Message) -> Address | None:
        return super().mapped_in(message) or _MAPPED


@fault("strange-family-stops-all", "RFC8489-6.3.3-01", "answers nothing after a strange mapped family")
class StrangeFamilyStopsAll(Outcomes, Responses):
    _stopped = False

    def mapped_in(self, message: Message) -> Address | None:
        try:
            return super().mapped_in(message)
        except StunError:
            self._stopped = True
            raise

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not self._stopped and super().answers(stream, connection, started)


@fault("mapped-reserved-octet-minded", "RFC8489-14.2-s02", "refuses mapped addresses whose reserved octet is not zero")
class MappedReservedOctetMinded(Outcomes):
    def unknown_in_response(self, attributes: Iterable[RawAttribute]) -> list[int]:
        listed = list(attributes)
        minded = [a.type for a in listed if a.type == Attribute.XOR_MAPPED_ADDRESS and a.value[0]]
        return super().unknown_in_response(listed) + minded


@fault("error-reserved-bits-minded", "RFC8489-14.8-03", "fails a transaction over the reserved bits of ERROR-CODE")
class ErrorReservedBitsMinded(Outcomes):
    def unknown_in_response(self, attributes: Iterable[RawAttribute]) -> list[int]:
        listed = list(attributes)
        minded = [a.type for a in listed if a.type == Attribute.ERROR_CODE and any(a.value[:2])]
        return super().unknown_in_response(listed) + minded


@fault("responses-in-order-alone", "RFC8489-6.3.1.2-s02", "takes responses in the order of its requests only")
class ResponsesInOrderAlone(Outcomes):
    def answered(self, transaction_id: bytes, waiting: Collection[bytes]) -> bytes | None:
        oldest = next(iter(waiting), None)
        return super().answered(transaction_id, waiting) if transaction_id == oldest else None


@fault("sha256-response-believed", "RFC8489-9.1.4-01", "believes responses by the algorithm that it did not use")
class Sha256ResponseBelieved(Outcomes):
    def needs_integrity(self, message: Message) -> bool:
        return not message.has(Attribute.MESSAGE_INTEGRITY_SHA256) and super().needs_integrity(message)
