"""A frame or a datagram field by field: where each field begins, what it is called, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from conformance.wire import attributes
from conformance.wire.attributes import Attribute, RawAttribute, spelling
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint
from conformance.wire.stun import HEADER, Message, MessageClass, Method, unpack_type
from conformance.wire.text import visible
from pcaps.connections import Event, decoded, family

_LENGTH = 2
_METHODS = {int(method): method.name.replace("_", " ").capitalize() for method in Method}
_CLASSES = {
    MessageClass.REQUEST: "request",
    MessageClass.INDICATION: "indication",
    MessageClass.SUCCESS: "success response",
    MessageClass.ERROR: "error response",
}
_MOST_SHOWN = 64  # octets of a value that is no number and no text
_RTP_HEADER, _DTLS_HEADER = 12, 13
_RECORDS = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}


class Field(NamedTuple):
    """So many octets from `offset` on. ``wrong``: they cannot be what stands there."""

    offset: int
    length: int
    name: str
    value: str
    wrong: bool = False


def octets_of(event: Event) -> bytes:
    """Return a frame with its LENGTH, or what went without one."""
    framed = event.what == "frame" and event.whole and event.count == 1
    return len(event.payload).to_bytes(_LENGTH, "big") + event.payload if framed else event.payload


def fields(event: Event) -> list[Field]:
    """Return the fields of what `octets_of` returns."""
    payload, at, found = event.payload, len(octets_of(event)) - len(event.payload), []
    if at:
        found.append(Field(0, at, "LENGTH", f"{len(payload)} octets follow"))
    if event.stun or (event.what == "unframed" and payload[4:8] == b"\x21\x12\xa4\x42"):
        return found + _stun(event, at)
    kind = family(payload)
    if kind == "rtp" and len(payload) >= _RTP_HEADER:
        return found + _rtp(payload, at)
    if kind == "dtls" and len(payload) >= _DTLS_HEADER:
        return found + _dtls(payload, at)
    return found + ([Field(at, len(payload), "data", _octets(len(payload)))] if payload else [])


def kind_of(message: Message) -> str:
    """Return "Binding success response"."""
    return f"{_METHODS.get(message.method, f'method 0x{message.method:03x}')} {_CLASSES[message.cls]}"


def _stun(event: Event, at: int) -> list[Field]:
    payload = event.payload
    if len(payload) < HEADER:
        return [Field(at, len(payload), "STUN", f"{_octets(len(payload))} are too few for a header", wrong=True)]
    method, cls = unpack_type(int.from_bytes(payload[:2], "big") & 0x3FFF)
    length = int.from_bytes(payload[2:4], "big")
    kind = f"{_METHODS.get(method, f'method 0x{method:03x}')} {_CLASSES[cls]}"
    told = f"{length} octets of attributes"
    off = length != len(payload) - HEADER
    found = [
        Field(at, 2, "type", kind, wrong=payload[0] > 0x3F),
        Field(at + 2, 2, "message length", f"{told}, {len(payload) - HEADER} follow" if off else told, wrong=off),
        Field(at + 4, 4, "magic cookie", "", wrong=payload[4:8] != b"\x21\x12\xa4\x42"),
        Field(at + 8, 12, "transaction id", payload[8:20].hex()),
    ]
    message, problem = event.message, event.problem
    if message is None and problem is None:  # without a frame
        message, problem = decoded(payload)
    if problem is not None:
        begin = min(problem.offset if problem.offset is not None else HEADER, len(payload))
        begin = max(begin, HEADER)
        if begin < len(payload):
            found.append(Field(at + begin, len(payload) - begin, "attributes", visible(str(problem)), wrong=True))
    return found + [_attribute(message, raw, payload, at) for raw in message.attributes] if message else found


def _attribute(message: Message, raw: RawAttribute, payload: bytes, at: int) -> Field:
    length = 4 + len(raw.value) + (-len(raw.value) & 3)
    wrong = False
    try:
        value = _VALUES.get(raw.type, _hex)(message, raw)
    except StunError as problem:
        value, wrong = str(problem), True
    if raw.type == Attribute.FINGERPRINT:
        wrong = check_fingerprint(payload) is Check.INVALID
        value += ", wrong" if wrong else ", right"
    if raw.padding is not None:
        value += f"; padding {raw.padding.hex(' ')}"
    return Field(at + raw.offset, length, spelling(raw.type), visible(value), wrong)


def _hex(_message: Message, raw: RawAttribute) -> str:
    shown = raw.value[:_MOST_SHOWN].hex()
    return f"{shown}…" if len(raw.value) > _MOST_SHOWN else shown


def _text(_message: Message, raw: RawAttribute) -> str:
    return attributes.decode_text(raw)


def _number(octets: int, form: str) -> Callable[[Message, RawAttribute], str]:
    return lambda _message, raw: form.format(attributes.decode_number(raw, octets))


def _address(_message: Message, raw: RawAttribute) -> str:
    return str(attributes.decode_address(raw))


def _xor_address(message: Message, raw: RawAttribute) -> str:
    return str(attributes.decode_xor_address(raw, message.transaction_id))


_VALUES: dict[int, Callable[[Message, RawAttribute], str]] = {
    Attribute.USERNAME: _text,
    Attribute.SOFTWARE: _text,
    Attribute.REALM: _text,
    Attribute.NONCE: _text,
    Attribute.PRIORITY: _number(4, "{}"),
    Attribute.LIFETIME: _number(4, "{} s"),
    Attribute.CONNECTION_ID: _number(4, "{}"),
    Attribute.ICE_CONTROLLING: _number(8, "tie-breaker {:016x}"),
    Attribute.ICE_CONTROLLED: _number(8, "tie-breaker {:016x}"),
    Attribute.MAPPED_ADDRESS: _address,
    Attribute.XOR_MAPPED_ADDRESS: _xor_address,
    Attribute.XOR_PEER_ADDRESS: _xor_address,
    Attribute.XOR_RELAYED_ADDRESS: _xor_address,
    Attribute.ERROR_CODE: lambda _m, raw: str(attributes.decode_error_code(raw)),
    Attribute.UNKNOWN_ATTRIBUTES: lambda _m, raw: ", ".join(map(spelling, attributes.decode_unknown_attributes(raw))),
    Attribute.PASSWORD: lambda _m, raw: _octets(len(raw.value)),  # no report shows a password
}


def _rtp(payload: bytes, at: int) -> list[Field]:
    number, stamp = int.from_bytes(payload[2:4], "big"), int.from_bytes(payload[4:8], "big")
    found = [
        Field(at, 2, "RTP", f"payload type {payload[1] & 0x7F}"),
        Field(at + 2, 2, "sequence number", str(number)),
        Field(at + 4, 4, "timestamp", str(stamp)),
        Field(at + 8, 4, "SSRC", payload[8:12].hex()),
    ]
    rest = len(payload) - _RTP_HEADER
    return found + ([Field(at + _RTP_HEADER, rest, "payload", _octets(rest))] if rest else [])


def _dtls(payload: bytes, at: int) -> list[Field]:
    kind = _RECORDS.get(payload[0], f"type {payload[0]}")
    return [
        Field(at, 1, "(D)TLS record", kind),
        Field(at + 1, 2, "version", payload[1:3].hex()),
        Field(at + 3, len(payload) - 3, "record", _octets(len(payload) - 3)),
    ]


def _octets(count: int) -> str:
    return f"{count} octet{'' if count == 1 else 's'}"
