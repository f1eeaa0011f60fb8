"""How the messages of the tester's STUN and TURN server are written, and what those of its clients carry."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from conformance.peer.events import Event, Frame
from conformance.wire import layers
from conformance.wire.attributes import Address, Attribute, ErrorCode
from conformance.wire.attributes import address as encode_address
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, MessageClass, Method

if TYPE_CHECKING:
    from scapy.packet import Packet

    from conformance.peer import turn

_LAYERS = {
    Attribute.XOR_MAPPED_ADDRESS: layers.XorMappedAddress,
    Attribute.XOR_RELAYED_ADDRESS: layers.XorRelayedAddress,
    Attribute.XOR_PEER_ADDRESS: layers.XorPeerAddress,
    Attribute.LIFETIME: layers.Lifetime,
    Attribute.CONNECTION_ID: layers.ConnectionId,
    Attribute.REALM: layers.Realm,
    Attribute.NONCE: layers.Nonce,
}
_FIELDS = {Address: "address", int: "number", str: "value"}


def encode(reply: turn.Reply, usual: bytes) -> Packet:
    """Return a reply as a message; `usual` is the key that protects it unless it names another one."""
    attributes: list[Packet] = []
    for kind, value in reply.attributes:
        if isinstance(value, bytes):
            attributes.append(layers.RawStunAttribute(type=kind, value=value))
        elif kind == Attribute.ALTERNATE_SERVER and isinstance(value, Address):
            attributes.append(layers.RawStunAttribute(type=kind, value=encode_address(kind, value).value))
        elif isinstance(value, ErrorCode):
            attributes.append(layers.ErrorCode(code=value.code, reason=value.reason))
        else:
            attributes.append(_LAYERS[kind](**{_FIELDS[type(value)]: value}))
    key = (reply.key or usual) if reply.signed else None
    key = key[::-1] if key is not None and reply.wrong else key
    return message(reply.method, reply.cls, reply.transaction_id, attributes, key, by_sha256=reply.by_sha256)


def message(
    method: int,
    cls: MessageClass,
    transaction_id: bytes,
    attributes: list[Packet],
    key: bytes | None,
    *,
    by_sha256: bool = False,
) -> Packet:
    """Return a message with its attributes, the integrity that a key gives it, and FINGERPRINT."""
    kind = layers.MessageIntegritySha256 if by_sha256 else layers.MessageIntegrity
    protections: list[Packet] = [] if key is None else [kind(key=key)]
    protections.append(layers.Fingerprint())
    return layers.STUN(
        method=method,
        message_class=int(cls),
        transaction_id=transaction_id,
        attributes=[*attributes, *protections],
    )


def carried(event: Event) -> Message | None:
    """Return the message that a Send indication carries (RFC 8656 section 11.1), if that is what an event is."""
    if not isinstance(event, Frame) or event.message is None or event.message.method != Method.SEND:
        return None
    data = event.message.first(Attribute.DATA)
    try:
        return None if data is None else Message.decode(data.value)
    except StunError:
        return None


def error_code(response: Message) -> int | None:
    """Return the error code of a response; None where there is none that can be read."""
    with contextlib.suppress(StunError):
        return None if response.error_code is None else response.error_code.code
    return None
