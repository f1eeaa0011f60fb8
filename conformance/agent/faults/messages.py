"""Faults in the octets of messages to the peer (RFC 8489 sections 5, 9.1 and 14)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.agent.attributes import SOFTWARE
from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.encoding import Encoding
from conformance.agent.decisions.framing import Framing
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.frozen import frozen
from conformance.wire.integrity import fingerprint_value, integrity_sha256_value, integrity_value, with_length
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.messages import OutgoingCheck
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Credentials

fault = Faults()

_HEADER = 20
_RESPONSES = (MessageClass.SUCCESS, MessageClass.ERROR)


@frozen
class Misencoded(RawAttribute):
    """An attribute whose length field is `longer` than its value."""

    longer: int = 0

    def encode(self) -> bytes:
        octets = RawAttribute.encode(self)
        return octets[:2] + (len(self.value) + self.longer).to_bytes(2, "big") + octets[4:]


def _changed(body: Sequence[RawAttribute], kind: Attribute, change: Callable[[bytes], bytes]) -> list[RawAttribute]:
    return [replace(a, value=change(a.value)) if a.type == kind else a for a in body]


# -- header (section 5) --------------------------------------------------------------------------------------------


@fault("top-bits-set", "RFC8489-5-01", "sets the second bit of its messages")
class TopBitsSet(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections)
        return bytes([octets[0] | 0x40]) + octets[1:]


@fault("cookie-missing", "RFC8489-5-03", "has zeros where the magic cookie belongs")
class CookieMissing(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections)
        return octets[:4] + bytes(4) + octets[8:]


@fault("transaction-ids-counted", "RFC8489-5-04", "counts its transaction ids up from 1")
class TransactionIdsCounted(Checks):
    _count = 0

    def transaction_id(self, who: Credentials, random: Callable[[int], bytes]) -> bytes:
        self._count += 1
        return self._count.to_bytes(12, "big")


@fault("response-of-another-transaction", "RFC8489-5-06", "answers with a transaction id that nobody has asked with")
class ResponseOfAnotherTransaction(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, *body: Any, **protections: Any) -> bytes:
        other = bytes(octet ^ 0xFF for octet in transaction_id) if cls in _RESPONSES else transaction_id
        return super().encoded(cls, other, *body, **protections)


@fault("length-counts-header", "RFC8489-5-07", "counts the header in the message length")
class LengthCountsHeader(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections)
        return with_length(octets, len(octets))


@fault("class-before-method", "RFC8489-5-s01", "writes the class of its responses before the method")
class ClassBeforeMethod(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections)
        return (int(cls) << 12 | Method.BINDING).to_bytes(2, "big") + octets[2:]


@fault("software-not-padded", "RFC8489-5-s02", "leaves out the padding of SOFTWARE")
class SoftwareNotPadded(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        bare = [replace(a, padding=b"") if a.type == Attribute.SOFTWARE else a for a in body]
        return super().encoded(cls, transaction_id, bare, **protections)


@fault("unasked-response", "RFC8489-6.1-02", "sends a success response that nobody has asked for before its checks")
class UnaskedResponse(Framing):
    def check_frames(self, connection: Connection, message: bytes) -> list[bytes]:
        unasked = build(Method.BINDING, MessageClass.SUCCESS, bytes(range(12)))
        return [unasked, *super().check_frames(connection, message)]


@fault("response-of-another-method", "RFC8489-6.3.1.1-s01", "answers Binding requests by Shared Secret responses")
class ResponseOfAnotherMethod(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        if cls in _RESPONSES:
            return build(0x002, cls, transaction_id, body, **protections)
        return super().encoded(cls, transaction_id, body, **protections)


# -- attributes (section 14) ---------------------------------------------------------------------------------------


@fault("attribute-runs-past-end", "RFC8489-14-01", "writes a length of SOFTWARE that goes past the message's end")
class AttributeRunsPastEnd(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        wrong = [Misencoded(a.type, a.value, longer=4000) if a.type == Attribute.SOFTWARE else a for a in body]
        return super().encoded(cls, transaction_id, wrong, **protections)


@fault("attributes-packed", "RFC8489-14-02", "pads a message, but not its attributes")
class AttributesPacked(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        bare = [replace(a, padding=b"") for a in body if a.type != Attribute.SOFTWARE]
        fill = -sum(len(a.value) for a in bare) % 4
        software = replace(attr.software("icetcp!!" + "!" * fill), padding=b"")
        return super().encoded(cls, transaction_id, [software, *bare], **protections)


@fault("padding-counted", "RFC8489-14-03", "counts the padding of error codes and lists in their length")
class PaddingCounted(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        for kind in (Attribute.ERROR_CODE, Attribute.UNKNOWN_ATTRIBUTES):
            body = _changed(body, kind, lambda value: value + bytes(-len(value) % 4))
        return super().encoded(cls, transaction_id, body, **protections)


@fault("mapped-address-plain", "RFC8489-14.2-s01", "does not XOR the address in XOR-MAPPED-ADDRESS")
class MappedAddressPlain(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        plain = attr.address(Attribute.MAPPED_ADDRESS, self._source)
        return super().success_attributes(replace(plain, type=mapped.type), user_name)

    def mapped_address(self, source: attr.Address) -> attr.Address:
        self._source = source
        return super().mapped_address(source)


@fault("mapped-address-reserved-octet", "RFC8489-14.2-s02", "has an octet other than zero before the mapped family")
class MappedAddressReservedOctet(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        return super().success_attributes(replace(mapped, value=b"\x80" + mapped.value[1:]), user_name)


@fault("mapped-address-family-of-sockets", "RFC8489-14.2-s03", "writes the number of the kernel as mapped family")
class MappedAddressFamilyOfSockets(Responses):
    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        family = {1: 2, 2: 10}[mapped.value[1]]
        return super().success_attributes(replace(mapped, value=bytes([0, family]) + mapped.value[2:]), user_name)


@fault("user-name-in-latin-1", "RFC8489-14.3-01", "writes USERNAME with an octet that no UTF-8 has")
class UserNameInLatin1(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return _changed(super().check_attributes(check), Attribute.USERNAME, lambda value: value + b"\xe9")


@fault("check-without-user-name", "RFC8489-9.1.2-01", "sends checks without USERNAME")
class CheckWithoutUserName(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        return [a for a in super().check_attributes(check) if a.type != Attribute.USERNAME]


@fault("integrity-over-whole-length", "RFC8489-14.5-s01", "computes MESSAGE-INTEGRITY over the length of the whole")
class IntegrityOverWholeLength(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections)
        message, key = Message.decode(octets), protections.get("key")
        found = message.first(Attribute.MESSAGE_INTEGRITY)
        if found is None or key is None:
            return octets
        before = octets[: found.offset]
        padded = before + bytes(len(octets) - len(before) - 24)  # as if the message ended where it does
        wrong = integrity_value(padded, key)
        octets = octets[: found.offset + 4] + wrong + octets[found.offset + 24 :]
        return octets[:-4] + fingerprint_value(octets[:-8]).to_bytes(4, "big")


@fault("key-with-line-end", "RFC8489-9.1.1-s01", "makes its keys of the password and the end of its line")
class KeyWithLineEnd(Encoding):
    def short_term_key(self, password: str) -> bytes:
        return super().short_term_key(password) + b"\r"


class _Sha256(Encoding):
    """What becomes of the value of MESSAGE-INTEGRITY-SHA256."""

    def _value(self, before: bytes, key: bytes) -> bytes:
        return integrity_sha256_value(before, key)

    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        key = protections.pop("sha256_key", None)
        if key is None:
            return super().encoded(cls, *body, **protections)
        octets = super().encoded(cls, *body, **{**protections, "fingerprint": False})
        octets += RawAttribute(Attribute.MESSAGE_INTEGRITY_SHA256, self._value(octets, key)).encode()
        crc = fingerprint_value(octets).to_bytes(4, "big")
        octets += RawAttribute(Attribute.FINGERPRINT, crc).encode()
        return with_length(octets, len(octets) - _HEADER)


@fault("sha256-of-12-octets", "RFC8489-14.6-01", "sends MESSAGE-INTEGRITY-SHA256 of 12 octets")
class Sha256Of12Octets(_Sha256):
    def _value(self, before: bytes, key: bytes) -> bytes:
        return integrity_sha256_value(before, key, 12)


@fault("sha256-truncated", "RFC8489-14.6-s01", "sends MESSAGE-INTEGRITY-SHA256 of 20 octets")
class Sha256Truncated(_Sha256):
    def _value(self, before: bytes, key: bytes) -> bytes:
        return integrity_sha256_value(before, key, 20)


@fault("sha256-over-wrong-length", "RFC8489-14.6-s02", "computes MESSAGE-INTEGRITY-SHA256 over the length before it")
class Sha256OverWrongLength(_Sha256):
    def _value(self, before: bytes, key: bytes) -> bytes:
        return integrity_sha256_value(before[:-4] or before, key)


@fault("sha256-answered-by-sha1", "RFC8489-9.1.3-10", "answers MESSAGE-INTEGRITY-SHA256 by MESSAGE-INTEGRITY")
class Sha256AnsweredBySha1(Responses):
    def answers_in_kind(self) -> bool:
        return False


@fault("both-integrities-always", "RFC8489-9.1.5-01", "sends both integrity attributes whatever the peer answers by")
class BothIntegritiesAlways(Checks):
    def adds_sha256(self, check: OutgoingCheck) -> bool:
        return True


@fault("software-behind-fingerprint", "RFC8489-14.7-02", "puts SOFTWARE behind FINGERPRINT")
class SoftwareBehindFingerprint(Encoding):
    def encoded(self, cls: MessageClass, *body: Any, **protections: Any) -> bytes:
        octets = super().encoded(cls, *body, **protections) + attr.software(SOFTWARE).encode()
        return with_length(octets, len(octets) - _HEADER)


@fault("software-of-800-octets", "RFC8489-14.14-02", "says SOFTWARE of 800 octets")
class SoftwareOf800Octets(Encoding):
    def encoded(self, cls: MessageClass, transaction_id: bytes, body: Any, **protections: Any) -> bytes:
        long = _changed(body, Attribute.SOFTWARE, lambda value: value.ljust(800, b"!"))
        return super().encoded(cls, transaction_id, long, **protections)


# -- error codes (sections 6.3.1.1 and 14.8) -----------------------------------------------------------------------


@fault("error-without-code", "RFC8489-6.3.1.1-01", "sends error responses without ERROR-CODE")
class ErrorWithoutCode(Responses):
    def error_attributes(self, *refusal: RawAttribute) -> list[RawAttribute]:
        return [a for a in super().error_attributes(*refusal) if a.type != Attribute.ERROR_CODE]


@fault("unknown-attributes-padded", "RFC8489-14.13-s01", "fills lists of unknown attributes up with type 0")
class UnknownAttributesPadded(Responses):
    def listed_unknown(self, unknown: list[int]) -> list[int]:
        listed = super().listed_unknown(unknown)
        return listed + [0] * (len(listed) % 2)


@fault(
    "unknown-attributes-in-other-errors",
    "RFC8489-14.13-s02",
    "says an empty list of unknown attributes in other errors",
)
class UnknownAttributesInOtherErrors(Responses):
    def error_attributes(self, *refusal: RawAttribute) -> list[RawAttribute]:
        said = super().error_attributes(*refusal)
        listed = any(a.type == Attribute.UNKNOWN_ATTRIBUTES for a in said)
        return said if listed else [*said, attr.unknown_attributes([])]


class _Code(Responses):
    """What becomes of the value of ERROR-CODE."""

    def _changed_code(self, value: bytes) -> bytes:
        return value

    def error_attributes(self, *refusal: RawAttribute) -> list[RawAttribute]:
        return _changed(super().error_attributes(*refusal), Attribute.ERROR_CODE, self._changed_code)


@fault("reason-of-200-characters", "RFC8489-14.8-01", "gives a reason of 200 characters for errors")
class ReasonOf200Characters(_Code):
    def _changed_code(self, value: bytes) -> bytes:
        return value.ljust(4 + 200, b"!")


@fault("error-reserved-bits-set", "RFC8489-14.8-02", "sets reserved bits of ERROR-CODE")
class ErrorReservedBitsSet(_Code):
    def _changed_code(self, value: bytes) -> bytes:
        return b"\1" + value[1:]


@fault("error-of-class-0", "RFC8489-14.8-04", "writes the class of an error code as 0")
class ErrorOfClass0(_Code):
    def _changed_code(self, value: bytes) -> bytes:
        return value[:2] + b"\0" + value[3:]


@fault("error-number-over-99", "RFC8489-14.8-05", "writes the whole code as the number of an error code")
class ErrorNumberOver99(_Code):
    def _changed_code(self, value: bytes) -> bytes:
        return value[:3] + bytes([100 + value[3]]) + value[4:]


@fault("fingerprint-not-xored", "RFC8489-14.7-s01", "writes the CRC itself as FINGERPRINT")
class FingerprintNotXored(Encoding):
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
        octets = super().encoded(cls, transaction_id, body, key=key, sha256_key=sha256_key, fingerprint=fingerprint)
        plain = bytes(one ^ other for one, other in zip(octets[-4:], b"STUN", strict=True))
        return octets[:-4] + plain if fingerprint else octets
