"""Captures as a corpus: recorded frames as the first cases that are mutated.

The credentials of an old session are useless in a new one. USERNAME, integrity and fingerprint become symbols, so that
a valid message is valid again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, pack_type
from pcaps.pcapng import CaptureError
from pcaps.reading import read_capture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pcaps.connections import Connection

_MOST = 200
_FRAMES = 6
_SYMBOLS = {
    Attribute.USERNAME: "$user",
    Attribute.MESSAGE_INTEGRITY: "$integrity",
    Attribute.FINGERPRINT: "$fingerprint",
    Attribute.MESSAGE_INTEGRITY_SHA256: "$sha256",
}


def from_captures(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return cases of capture files, and of all those in folders. What cannot be read is left out."""
    cases = []
    for path in paths:
        files = sorted(path.rglob("*.pcap*")) if path.is_dir() else [path]
        for file in files:
            try:
                found = read_capture(file).connections
            except (CaptureError, OSError):
                continue
            for connection in found:
                cases += _cases(connection)
    return cases[:_MOST]


def _cases(connection: Connection) -> list[dict[str, Any]]:
    """Return a case per direction of a connection."""
    cases = []
    for from_client in (True, False):
        frames = [_frame(event.payload) for event in connection.frames if event.from_client is from_client]
        if frames:
            step = {"do": "send", "on": 1, "frames": frames[:_FRAMES], "probe": True}
            cases.append({"class": "corpus", "plan": {}, "steps": [step]})
    return cases


def _frame(payload: bytes) -> dict[str, Any]:
    try:
        message = Message.decode(payload)
    except StunError:
        return {"octets": payload.hex()}
    if message.encode() != payload:
        return {"octets": payload.hex()}
    found: dict[str, Any] = {
        "type": pack_type(message.method, message.cls),
        "attributes": [_attribute(one.type, one.value, one.padding) for one in message.attributes],
    }
    if not message.is_request:
        found["id"] = "$peer"
    return {"message": found}


def _attribute(kind: int, value: bytes, padding: bytes | None) -> dict[str, Any]:
    known = _SYMBOLS.get(kind)  # type: ignore[call-overload]
    found: dict[str, Any] = {"type": kind, "value": known or value.hex()}
    if padding is not None and known is None:
        found["padding"] = padding.hex()
    return found
