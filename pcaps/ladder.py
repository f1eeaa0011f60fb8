"""An exchange as a text sequence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.attributes import Attribute, spelling
from conformance.wire.candidate import Candidate
from conformance.wire.errors import StunError
from conformance.wire.stun import Method
from conformance.wire.text import visible
from pcaps.connections import family
from pcaps.flows import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.wire.attributes import Address
    from conformance.wire.stun import Message
    from pcaps.connections import Connection, Event

_CLASSES = ("request", "indication", "success", "error")
_METHODS = {int(method): "".join(map(str.capitalize, method.name.split("_"))) for method in Method}
_SHOWN: dict[int, Callable[[Message], object]] = {
    Attribute.USERNAME: lambda m: m.username,
    Attribute.XOR_MAPPED_ADDRESS: lambda m: m.xor_mapped_address,
    Attribute.ERROR_CODE: lambda m: m.error_code,
    Attribute.SOFTWARE: lambda m: m.software,
    Attribute.XOR_RELAYED_ADDRESS: lambda m: m.xor_relayed_address,
    Attribute.XOR_PEER_ADDRESS: lambda m: m.xor_peer_address,
    Attribute.LIFETIME: lambda m: m.lifetime,
    Attribute.CONNECTION_ID: lambda m: m.connection_id,
}
_FIRST, _LAST = 400, 100  # events of a connection that are drawn
_FAMILIES = {"rtp": "RTP", "dtls": "(D)TLS", "data": "data"}
_QUIET = {Attribute.MESSAGE_INTEGRITY, Attribute.FINGERPRINT}


def render(connections: Iterable[Connection | Flow], names: Mapping[str, str] | None = None) -> str:
    """Return the diagram: one block per connection, times in milliseconds since the first event of all.

    `names` gives names to IP addresses ("tester", "IUT").
    """
    listed = [connection for connection in connections if connection.events]
    if not listed:
        return "no connection"
    start = min(connection.events[0].time_ns for connection in listed)
    return "\n\n".join(_block(connection, start, names or {}) for connection in listed)


def _block(connection: Connection | Flow, start: int, names: Mapping[str, str]) -> str:
    left, right = _name(connection.client, names), _name(connection.server, names)
    lines = [
        f"{left} -> {right}"
        + (" over UDP" if isinstance(connection, Flow) else "")
        + (" (octets are missing from the capture)" if connection.lossy else "")
    ]
    lines += [_line(event, start) for event in connection.events[:_FIRST]]
    left_out = len(connection.events) - _FIRST - _LAST
    if left_out > 0:
        lines.append(f"{'…':>10}          {left_out} more")
    lines += [_line(event, start) for event in connection.events[max(_FIRST, len(connection.events) - _LAST) :]]
    if not isinstance(connection, Flow):
        for client, arrow in ((True, "-->"), (False, "<--")):
            if count := connection.unfinished(client=client):
                lines.append(
                    f"{'at the end':>13}  {arrow}  {count} octet{'s' * (count > 1)} of a frame that never became whole"
                )
    return "\n".join(lines)


def _line(event: Event, start: int) -> str:
    arrow = "-->" if event.from_client else "<--"
    return f"{(event.time_ns - start) / 1e6:10.3f} ms  {arrow}  {_text(event)}"


def _name(address: Address, names: Mapping[str, str]) -> str:
    name = names.get(address.ip)
    return f"{name} {address}" if name else str(address)


def _text(event: Event) -> str:
    if event.what == "gap":
        return f"({event.count} octets are not in the capture)"
    if event.what not in ("frame", "datagram", "unframed"):
        return event.what.upper()
    if event.what == "unframed":
        return f"without a frame: {_payload(event)}"
    if event.count > 1:
        return f"{event.count} frames like [{_payload(event)}]"
    if not event.whole:
        return f"a frame of which octets are missing: {_payload(event)}"
    cuts = f", in {event.segments} segments" if event.segments > 1 else ""
    joined = ", same segment" if event.order else ""
    return f"[{len(event.payload)}{cuts}{joined}] {_payload(event)}"


def _payload(event: Event) -> str:
    if event.message is not None:
        return message_text(event.message)
    if event.problem is not None:
        return f"broken STUN: {event.problem}"
    if not event.payload:
        return "null frame"
    kind = _FAMILIES[family(event.payload)]
    return f"{kind} {event.payload[:16].hex(' ')}{' …' if len(event.payload) > 16 else ''}"


def message_text(message: Message) -> str:
    """Return a message in a line: kind, transaction, and the attributes that matter."""
    return "  ".join([_kind(message), *_words(message)])


def event_text(event: Event) -> tuple[str, str]:
    """Return what happened, and in other words what a message says."""
    if event.what in ("frame", "unframed", "datagram") and event.count == 1 and event.whole:
        bare = ", without a frame" if event.what == "unframed" else ""
        if event.message is not None:
            return _kind(event.message) + bare, ", ".join(_words(event.message))
        return _payload(event) + bare, ""
    return _text(event), ""


def _kind(message: Message) -> str:
    kind = _METHODS.get(message.method, f"method 0x{message.method:03x}")
    return f"{kind} {_CLASSES[message.cls]} {message.transaction_id.hex()[:8]}"


def _words(message: Message) -> list[str]:
    words = [_attribute(message, a.type) for a in message.attributes if a.type not in _QUIET]
    protections = "".join(mark for mark, a in (("I", 8), ("F", 0x8028)) if message.has(a))
    return [*words, f"({protections})" if protections else "(bare)"]


def _attribute(message: Message, kind: int) -> str:
    name = spelling(kind)
    try:
        if kind == Attribute.PRIORITY and message.priority is not None:
            return f"{name}={_priority(message.priority)}"
        show = _SHOWN.get(kind)
        return f"{name}={visible(str(show(message)))}" if show else name
    except StunError as problem:
        return f"{name}: {problem}"


def _priority(value: int) -> str:
    candidate = Candidate("1", 1, "TCP", value, "0.0.0.0", 0, "prflx")  # noqa: S104  (no address: for its arithmetic)
    return (
        f"{value} (type {candidate.type_preference}, direction {candidate.direction_preference}, "
        f"other {candidate.other_preference}, component {256 - (value & 0xFF)})"
    )
