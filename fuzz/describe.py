"""What is unusual about a case, as words: for buckets, and to avoid cases that only find again what is known.

A word names a dimension and its rough value, without exact numbers: minimal cases of the same cause get the same words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fuzz.player.render import has_symbol, octets, request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FIXED = {0x0024: 4, 0x0025: 0, 0x8029: 8, 0x802A: 8, 0x0008: 20, 0x8028: 4}
_NAMES = {
    0x0001: "MAPPED-ADDRESS",
    0x0006: "USERNAME",
    0x0008: "MESSAGE-INTEGRITY",
    0x0009: "ERROR-CODE",
    0x000A: "UNKNOWN-ATTRIBUTES",
    0x0014: "REALM",
    0x0015: "NONCE",
    0x001C: "MESSAGE-INTEGRITY-SHA256",
    0x0020: "XOR-MAPPED-ADDRESS",
    0x0024: "PRIORITY",
    0x0025: "USE-CANDIDATE",
    0x8022: "SOFTWARE",
    0x8028: "FINGERPRINT",
    0x8029: "ICE-CONTROLLED",
    0x802A: "ICE-CONTROLLING",
}
_CLASSES = {0x0001: "request", 0x0011: "indication", 0x0101: "success", 0x0111: "error"}
_SHORT, _BEYOND = "short header", "delta beyond"
_USUAL = [attribute["type"] for attribute in request()["attributes"]]
_TEXTS = (0x06, 0x14, 0x15, 0x8022)
_LONG = 508
_LONG_LINE, _FEW_LINES = 200, 4
_PARTS = 8  # of a candidate line, before its extensions
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}\Z")
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}\Z")
_NAME = re.compile(r"[A-Za-z]")
_PORT = re.compile(r"(?:\{port\}|[1-9]\d{0,4})\Z")
_OF_CLASS = {0x0101: [0x0020, 0x0008, 0x8028], 0x0111: [0x0009, 0x0008, 0x8028]}


def words(case: dict[str, Any]) -> frozenset[str]:
    """Return what is unusual about a case."""
    return frozenset(_plan(case["plan"])) | frozenset(_steps(case["steps"]))


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    if plan["state"] == "early":
        yield "early"
    if plan.get("addresses", 1) > 1:
        yield "addresses"
    for operation in plan.get("sdp", ()):
        yield f"sdp {_line(operation)}"
        if len(operation) > 2 and isinstance(operation[2], str):
            yield from _unusual(operation[2])
    if len(plan.get("sdp", ())) > _FEW_LINES:
        yield "sdp many"


def _line(operation: list[Any]) -> str:
    name = operation[0]
    text = operation[2] if len(operation) > 2 and isinstance(operation[2], str) else ""
    if name not in ("set", "insert", "replace", ""):
        return str(name)
    if text.startswith("a=candidate:"):
        return "candidate"
    return f"{text[:1]} {text[2:].partition(':')[0][:16]}{' long' if len(text) > _LONG_LINE else ''}".strip()


def _unusual(line: str) -> Iterator[str]:
    """Return what is unusual about a line of a description."""
    if not line.isascii():
        yield "sdp not ASCII"
    if any(ord(letter) < ord(" ") for letter in line):
        yield "sdp control character"
    if line.startswith("a=candidate:"):
        yield from (f"candidate {what}" for what in _candidate(line))


def _candidate(line: str) -> Iterator[str]:
    """Return what is unusual about a candidate line (RFC 8839 section 5.1, RFC 6544 section 4.5)."""
    if len(line) > _LONG_LINE:
        yield "long"
    words = line.removeprefix("a=candidate:").split(" ")
    if len(words) < _PARTS or words[6] != "typ":
        yield "broken"
        return
    foundation, component, transport, priority, address, port, _, kind = words[:_PARTS]
    if not _FOUNDATION.match(foundation):
        yield "foundation"
    if component not in ("1", "2"):
        yield "component"
    if transport.upper() != "TCP":
        yield "UDP" if transport.upper() == "UDP" else "transport"
    if not priority.isdigit() or not 0 < int(priority[:20]) < 2**31:
        yield "priority"
    if address != "{address}" and not _IPV4.match(address):
        yield "IPv6" if ":" in address else "name" if _NAME.search(address) else "address"
    if not _PORT.match(port):
        yield "port"
    if kind != "host":
        yield "type"
    yield from _extensions(words[_PARTS:], transport)


def _extensions(words: list[str], transport: str) -> Iterator[str]:
    known = dict(zip(words[::2], words[1::2], strict=False))
    if transport.upper() == "TCP" and known.get("tcptype") not in ("active", "passive", "so"):
        yield "tcptype"
    if len(words) % 2:
        yield "unpaired"
    if set(words[::2]) - {"tcptype"}:
        yield "extension"


def _steps(steps: list[dict[str, Any]]) -> Iterator[str]:
    connections = {step["on"] for step in steps if "on" in step}
    if len(connections) > 1 or any(step.get("count", 1) > 1 for step in steps):
        yield "connections"
    for step in steps:
        if step["do"] == "send":
            yield from _send(step)
        elif step["do"] == "raw":
            yield f"part {min(len(step['octets']) // 2, 3)}"
        elif step["do"] == "flood":
            yield "flood"
        elif step["do"] == "end":
            yield f"end {step['how']}"
        elif step["do"] in ("call", "accept", "restart", "urgent"):
            yield step.get("method", step["do"])
        elif step["do"] == "trickle":
            yield f"trickle {_line(['', 0, step['line']])}"
            yield from _unusual(step["line"])
        elif step["do"] == "open" and len(steps) == 1:
            yield "silent"


def _send(step: dict[str, Any]) -> Iterator[str]:
    if step.get("component", 1) > 1:
        yield "component 2"
    if "stop" in step:
        yield f"part {min(step['stop'], 3) if step['stop'] >= 0 else 3}"
    cuts = step.get("cuts")
    if cuts:
        yield "cut 1" if 1 in cuts else "cut"
    if len(step["frames"]) > 3:
        yield "coalesced"
    for frame in step["frames"]:
        yield from _frame(frame)


def _frame(frame: dict[str, Any]) -> Iterator[str]:
    if "length" in frame:
        said = f"LENGTH {_size(frame['length'])}"
        yield _cut_off(frame["message"], frame["length"], said) if "message" in frame else said
    if "message" in frame:
        yield from _message(frame["message"])
    elif "frames" in frame:
        yield "nested"
    else:
        text = frame["octets"]
        piece, _, count = text.partition("*")
        size = len(piece) // 2 * (int(count) if count else 1)
        like = text[:1] == "0"  # as a STUN message begins
        yield _SHORT if like and 0 < size < 20 else f"frame of {_size(size)}" + (" from 0" if like else "")


def _cut_off(message: dict[str, Any], length: int, otherwise: str) -> str:
    """Return the word for a message of which a frame holds so many octets, whatever cut it off."""
    least = 20 + sum(
        4 + (8 if has_symbol(one["value"]) else len(octets(one["value"]))) for one in message["attributes"]
    )
    if 0 < length < 20:
        return _SHORT
    return _BEYOND if 20 <= length < least else otherwise


def _size(size: int) -> str:
    for limit, text in ((0, "0"), (1, "1"), (19, "<20"), (8192, "<8K"), (0xFFFD, "<64K")):
        if size <= limit:
            return text
    return "64K"


def _message(message: dict[str, Any]) -> Iterator[str]:
    kind = message["type"]
    if kind != 1:
        yield _CLASSES.get(kind, "type 0" if kind == 0 else "type")
    if "cut" in message:
        yield _cut_off(message, message["cut"], "cut")
    for name in ("cookie", "id", "patch"):
        if name in message and not (name == "id" and kind & 0x100):
            yield name
    if "tail" in message:
        yield "tail" if len(octets(message["tail"])) % 4 == 0 else "unaligned"
    if "delta" in message:
        yield "delta odd" if message["delta"] & 3 else _BEYOND if message["delta"] > 0 else "delta short"
    yield from _attributes(message["attributes"], kind)


def _attributes(attributes: list[dict[str, Any]], kind: int) -> Iterator[str]:
    types = [attribute["type"] for attribute in attributes]
    usual = _OF_CLASS.get(kind, _USUAL)
    if kind == 1:
        yield from (f"no {_name(missing)}" for missing in _USUAL if missing not in types)
    many = sum(attribute.get("times", 1) for attribute in attributes) > 40
    if many:
        yield "many attributes"
        attributes = [one for one in attributes if one.get("times", 1) == 1]  # which are many does not matter
        if len(attributes) > 40:
            attributes = [*attributes[:1], *attributes[-5:]]
    behind = False
    for place, attribute in enumerate(attributes):
        named = attribute["type"]
        name = _name(named)
        if "length" in attribute:
            yield f"{name} length"
        if "padding" in attribute:
            aligned = (_length(attribute["value"]) + _length(attribute["padding"])) % 4 == 0
            yield "padding" if aligned else "unaligned"
        if not many and _repeated(attribute, types, place):
            yield f"{name} twice"
        if behind and named != 0x8028:
            yield f"{name} behind"
        elif named not in usual:
            yield f"with {name}"
        behind = behind or named == 8
        yield from _value(name, named, attribute["value"])


def _repeated(attribute: dict[str, Any], types: list[Any], place: int) -> bool:
    """Whether an attribute is there more than once."""
    return attribute.get("times", 1) > 1 or attribute["type"] in types[:place]


def _value(name: str, kind: int | str, value: str) -> Iterator[str]:
    if has_symbol(value):
        if ":" in value or value in ("$resu", "$ufrag"):
            yield f"{name} {value}"
        elif "+" in value:
            yield from _pieces(name, value)
        return
    size = len(octets(value))
    if isinstance(kind, str):
        kind = 0x8029
    least = _FIXED.get(kind)
    if least is not None:
        yield f"{name} {'short' if size < least else 'value'}"
    elif kind in _TEXTS and size > _LONG:
        yield f"{name} long"
    elif kind in (0x06, 0x20):
        yield f"{name} value"
    elif kind == 0x09 and (size < 4 or value[4:8] == "0457"):
        yield f"{name} {'short' if size < 4 else '487'}"


def _pieces(name: str, value: str) -> Iterator[str]:
    """Return what is unusual about the octets next to symbols in a value."""
    extra = b"".join(octets(one) for one in value.split("+") if not one.startswith("$"))
    if b"\0" in extra:
        yield f"{name} NUL"
    elif not extra.isascii():
        yield f"{name} not ASCII"
    yield f"{name} {'long' if len(extra) > _LONG // 2 else 'value'}"


def _length(value: str) -> int:
    """Return the length of a value for its alignment. Most symbols stand for multiples of four octets."""
    return 0 if has_symbol(value) else len(octets(value))


def _name(kind: int | str) -> str:
    if isinstance(kind, str):
        return kind
    return _NAMES.get(kind) or ("required" if kind < 0x8000 else "optional")


def summary(found: Iterable[str]) -> str:
    """Return words as one line."""
    return ", ".join(sorted(found)) or "nothing unusual"
