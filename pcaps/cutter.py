"""Cuts one direction of a connection into payloads: RFC 4571 frames or, towards servers, bare STUN messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.rfc4571 import Deframer
from conformance.wire.stun import MessageClass, Method
from conformance.wire.stunstream import MessageStream, begins_like_stun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.wire.stun import Message

_STUN_PORT = 3478  # RFC 8489 section 18.6
_ENOUGH = 8


def is_bare(server_port: int, first: bytes) -> bool:
    """Whether a connection carries STUN without frames, as its client's first octets show.

    Too few of them to tell are taken for such at the port of STUN servers only.
    """
    return begins_like_stun(first) or (len(first) < _ENOUGH and server_port == _STUN_PORT)


def begins_frames(message: Message) -> bool:
    """Whether frames follow on both directions: a TURN server has joined a data connection (RFC 6062 section 4.3)."""
    return message.method == Method.CONNECTION_BIND and message.cls is MessageClass.SUCCESS


class Cutter:
    """One direction's payloads."""

    def __init__(self) -> None:
        self._frames = Deframer()
        self._messages: MessageStream | None = None
        self._held = b""

    def speak_bare(self) -> None:
        """Take what comes for messages without frames."""
        self._messages = MessageStream()

    def speak_frames(self) -> None:
        """Take what comes behind the last payload for frames."""
        if self._messages is not None:
            self._held, self._messages = self._messages.release(), None

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Take in octets and yield the payloads they complete; between two of them the connection may change."""
        if self._messages is not None:
            yield from self._messages.feed(octets)
            octets = b""
        if self._messages is None:
            held, self._held = self._held, b""
            yield from self._frames.feed(held + octets)

    @property
    def pending(self) -> int:
        """Octets that wait for the rest of their payload."""
        return len(self._held) + (self._frames if self._messages is None else self._messages).pending
