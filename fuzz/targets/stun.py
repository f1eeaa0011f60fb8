"""The target's STUN: what it does with a message, well and, where it was told so, badly."""

from __future__ import annotations

import hmac
import os
import signal
import struct
import sys
import zlib
from typing import Any

COOKIE = 0x2112A442
KNOWN = {0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001E, 0x0020, 0x0024, 0x0025}
LEAK: list[bytes] = []


class Refused(Exception):
    """The request is to be answered with an error."""

    def __init__(self, code: int, more: bytes = b"") -> None:
        self.code, self.more = code, more


class Fatal(Exception):
    """An exception that ends the process."""


def die(number: int, words: str = "") -> None:
    """End as a program without memory safety does."""
    if words:
        sys.stderr.write(words + "\n")
        sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def hang() -> None:
    """Stop answering."""
    signal.pause()


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute."""
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) & 3)


def seal(octets: bytes, key: bytes) -> bytes:
    """Append MESSAGE-INTEGRITY and FINGERPRINT."""
    if key:
        octets += attribute(8, _mac(octets, key))
    body = len(octets) - 20 + 8
    crc = zlib.crc32(octets[:2] + struct.pack("!H", body) + octets[4:]) ^ 0x5354554E
    octets += attribute(0x8028, struct.pack("!I", crc))
    return octets[:2] + struct.pack("!H", len(octets) - 20) + octets[4:]


def _mac(before: bytes, key: bytes) -> bytes:
    return hmac.digest(key, before[:2] + struct.pack("!H", len(before) - 20 + 24) + before[4:], "sha1")


def header(kind: int, identity: bytes) -> bytes:
    """Return a header without a length."""
    return struct.pack("!HHI", kind, 0, COOKIE) + identity


def looks_like_stun(octets: bytes) -> bool:
    """Whether a frame is for us: the cookie is there."""
    return len(octets) >= 8 and octets[0] < 0x40 and octets[4:8] == COOKIE.to_bytes(4, "big")


class Message:
    """A parsed message. Raises `ValueError` if the octets are not a message."""

    def __init__(self, octets: bytes, bugs: frozenset[str]) -> None:
        if len(octets) < 20:
            raise ValueError("short")
        self.octets = octets
        self.kind, length = struct.unpack_from("!HH", octets)
        self.identity = octets[8:20]
        if self.kind == 0 and "type-zero" in bugs:
            die(signal.SIGABRT)
        if length > len(octets) - 20 and not length & 3 and "length-beyond" in bugs:
            die(signal.SIGBUS)
        if length & 3 and length != len(octets) - 20 and "length-odd" in bugs:
            raise Fatal(f"unpack_from requires a buffer of {length} octets")
        self.attributes: dict[int, bytes] = {}
        self.order: list[tuple[int, bytes, int]] = []
        if "trailing-octets" in bugs and length == len(octets) - 20 and length % 4:
            hang()
        if length != len(octets) - 20 or length & 3:
            raise ValueError("length")
        self._walk(octets, bugs)

    def _walk(self, octets: bytes, bugs: frozenset[str]) -> None:
        place = 20
        while place < len(octets):
            kind, size = struct.unpack_from("!HH", octets, place)
            if place + 4 + size > len(octets):
                if "attribute-past-end" in bugs:
                    words = "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602\n"
                    die(signal.SIGSEGV, words + "    #0 0x55 in stun_parse_attribute stun.c:118\n    #1 0x56 in main")
                raise ValueError("attribute")
            value = octets[place + 4 : place + 4 + size]
            self.order.append((kind, value, place))
            self.attributes.setdefault(kind, value)
            place += 4 + size + (-size & 3)
        if len(self.order) > 40 and "many-attributes" in bugs:
            die(signal.SIGILL)
        if len(self.attributes.get(6, b"")) > 513 and "long-username" in bugs:
            die(signal.SIGABRT, "*** stack smashing detected ***: terminated")

    def fingerprint_right(self) -> bool:
        """Whether FINGERPRINT, if it is there, is right and last."""
        if 0x8028 not in self.attributes:
            return True
        kind, value, place = self.order[-1]
        before = self.octets[:place]
        crc = zlib.crc32(before[:2] + struct.pack("!H", place - 20 + 8) + before[4:]) ^ 0x5354554E
        return kind == 0x8028 and value == struct.pack("!I", crc)

    def authentic(self, key: bytes, bugs: frozenset[str]) -> bool:
        """Whether MESSAGE-INTEGRITY is right."""
        for kind, value, place in self.order:
            if kind == 8:
                right = _mac(self.octets[:place], key)
                if "truncated-integrity" in bugs and len(value) < 20:
                    return right.startswith(value)
                return right == value
        return False


def required_unknown(message: Message, bugs: frozenset[str]) -> list[int]:
    """Return the types that must be known and are not."""
    found = []
    for kind, _, _ in message.order:
        if kind == 8 and "after-integrity" not in bugs:
            break
        if kind < 0x8000 and kind not in KNOWN:
            found.append(kind)
    return found


def judge(message: Message, me: Any, bugs: frozenset[str]) -> None:
    """Return if a request is to be answered with success. Raises `Refused`."""
    has = message.attributes
    if 8 not in has and not ("no-integrity" in bugs and 6 in has):
        raise Refused(400)
    if 6 not in has:
        raise Refused(400)
    user = has[6].split(b":")
    if len(user) != 2 or user[0] != me.ufrag.encode():
        raise Refused(401)
    if 8 in has and not message.authentic(me.pwd.encode(), bugs):
        raise Refused(401)
    unknown = required_unknown(message, bugs)
    if unknown and "unknown-accepted" not in bugs:
        if len(unknown) > 1 and "unlisted-types" in bugs:
            unknown = [unknown[0], 0x7F5A]
        raise Refused(420, attribute(10, struct.pack(f"!{len(unknown)}H", *unknown)))
    if len(has.get(0x24, b"")) != 4:
        if "priority-size" in bugs and 0x24 in has:
            struct.unpack("!I", has[0x24])
        raise Refused(400)
    if 0x8022 in has and "software-leak" in bugs:
        LEAK.append(os.urandom(64) * 4096)
    _roles(has, me, bugs)


def _roles(has: dict[int, bytes], me: Any, bugs: frozenset[str]) -> None:
    claimed = has.get(0x802A if me.controlling else 0x8029)
    if claimed is None or len(claimed) != 8 or "conflict-ignored" in bugs:
        return
    if (me.tie >= int.from_bytes(claimed, "big")) == me.controlling:
        raise Refused(487)
    me.controlling = not me.controlling
