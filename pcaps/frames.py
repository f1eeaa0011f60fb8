"""Cuts a recorded stream into frames where it may be incomplete, and notices what stands in it without a frame.

`wire.rfc4571.Deframer` is for a stream that is all there. A capture from the field may begin in mid-connection, lack
packets or the tails of packets; and a broken agent leaves the LENGTH out. Neither may make nonsense of what follows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint
from conformance.wire.stun import Message, MessageClass, Method, pack_type

COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
_LENGTH, _HEAD, _HEADER = 2, 8, 20
_TLS_HANDSHAKE = 22
_COOKIE_IN_FRAME, _COOKIE_IN_MESSAGE = 6, 4
_METHODS = {int(method) for method in Method}
_TYPES = {pack_type(method, cls) for method in Method for cls in MessageClass}
_RTP_IN_A_ROW = 4
_RTP = b"\x80"  # no packet of RTP begins with less
_SHOWN = 64
_NULL_FRAMES = re.compile(b"(?:\0\0)+")
_DATA_ATTRIBUTE = b"\0\x13"


class Cut(NamedTuple):
    """A frame's payload, or with `framed` false what stood where a LENGTH belongs.

    ``whole``: the capture holds all of it. ``frames``: null frames that follow each other are one.
    """

    payload: bytes
    framed: bool = True
    whole: bool = True
    frames: int = 1


class FrameReader:
    """``synced``: it is known where the next frame begins; if not, octets are passed over until a check shows it."""

    __slots__ = ("_begun", "_buffer", "_hole", "_rtp", "_searched", "_wanted", "synced")

    def __init__(self, *, synced: bool) -> None:
        self.synced = synced
        self._buffer = bytearray()
        self._wanted = _LENGTH  # octets that must be there, recorded or not, before there is anything to do
        self._hole = 0  # octets of the frame at the beginning of the buffer that were not recorded
        self._begun = False  # whether a frame was cut
        self._searched = 0  # octets at the beginning among which no message was found
        self._rtp: tuple[bytes, int, int] | None = None

    @property
    def pending(self) -> int:
        """Octets of a frame that is not complete yet, its LENGTH included."""
        return len(self._buffer) + self._hole

    @property
    def rest(self) -> bytes:
        """The recorded octets of a frame that is not complete, its LENGTH included; empty where frames are lost."""
        return bytes(self._buffer) if self.synced and not self._hole else b""

    def feed(self, octets: bytes) -> list[Cut]:
        """Take in octets and return what they complete."""
        if self.synced:
            if (octets[:1] >= _RTP or self._rtp is not None) and self._is_bare_rtp(octets):
                self._lose()
                return [Cut(octets[:_SHOWN], framed=False)]
            # The first frame of a direction may be something else, unless a message stands in it.
            begun = self._begun or octets[_COOKIE_IN_FRAME : _COOKIE_IN_FRAME + 4] == COOKIE
            if begun and self._is_one_frame(octets):
                self._begun = True
                return [Cut(octets[_LENGTH:])]
        piece = len(self._buffer)
        self._buffer += octets
        if not self.synced and not self._find(piece):
            return []
        return self._cut()

    def end(self) -> list[Cut]:
        """Say that no more comes; return what was held back because it might have become a message."""
        self._begun, self._wanted = True, _LENGTH
        return self._cut()

    def passes(self, octets: bytes) -> bool:
        """Whether `feed` would return just one frame for these octets, no STUN message, and remember nothing."""
        return (
            self.synced
            and self._rtp is None
            and octets[:1] < _RTP
            and octets[_COOKIE_IN_FRAME : _COOKIE_IN_FRAME + 4] != COOKIE
            and self._is_one_frame(octets)
        )

    def _is_one_frame(self, octets: bytes) -> bool:
        """Whether these octets are just the next frame, as they nearly always are."""
        return (
            not self._buffer
            and not self._hole
            and len(octets) > _LENGTH
            and len(octets) == _LENGTH + (octets[0] << 8 | octets[1])
            and octets[_COOKIE_IN_MESSAGE : _COOKIE_IN_MESSAGE + 4] != COOKIE
            and octets[0] != _TLS_HANDSHAKE
        )

    def hole(self, count: int) -> list[Cut]:
        """Take in that so many octets are missing. Inside a frame whose LENGTH is known they cost that frame only."""
        left = self._wanted - self.pending
        if not self.synced or len(self._buffer) < _LENGTH or count > left:
            self._lose()
            return []
        self._hole += count
        return self._cut()

    def _lose(self) -> None:
        self.synced, self._hole, self._wanted, self._rtp = False, 0, _LENGTH, None
        self._buffer.clear()

    # -- where frames are known to begin ---------------------------------------------------------------------------

    def _cut(self) -> list[Cut]:
        cuts: list[Cut] = []
        while self.synced and self._is_due() and (found := self._next()) is not None:
            self._begun = True
            cuts.append(found)
        return cuts

    def _is_due(self) -> bool:
        """Whether there may be something to cut; the first frame is looked at again whenever more of it comes."""
        return self.pending >= self._wanted or not self._begun

    def _next(self) -> Cut | None:
        buffer = self._buffer
        have = len(buffer) + self._hole
        if have < _LENGTH:
            self._wanted = _LENGTH
            return None
        if not self._hole:
            if nulls := _NULL_FRAMES.match(buffer):
                return self._nulls(nulls.end())
            bare = self._bare(buffer)
            if bare is not None:
                return bare if bare.payload else None
            if not self._begun and (stray := self._stray(buffer)) is not None:
                return stray
        self._wanted = _LENGTH + (buffer[0] << 8 | buffer[1])
        if have < self._wanted:
            return None
        recorded = self._wanted - self._hole
        cut = Cut(bytes(buffer[_LENGTH:recorded]), whole=not self._hole)
        del buffer[:recorded]
        self._hole, self._wanted = 0, _LENGTH
        return cut

    def _nulls(self, octets: int) -> Cut:
        del self._buffer[:octets]
        self._wanted = _LENGTH
        return Cut(b"", frames=octets // _LENGTH)

    def _bare(self, buffer: bytearray) -> Cut | None:
        """Return what stands here without a LENGTH; empty: there is too little of it yet; None: a frame does."""
        if not self._begun and len(buffer) < _HEAD and _may_be_message(buffer):
            self._wanted = _HEAD
            return Cut(b"")
        if buffer[_COOKIE_IN_MESSAGE : _COOKIE_IN_MESSAGE + 4] == COOKIE and buffer[0] < 0x40 and not buffer[3] & 3:
            end = _HEADER + (buffer[2] << 8 | buffer[3])
            if len(buffer) < end:
                self._wanted = end
                return Cut(b"")
            if _is_message(bytes(buffer[:end])):
                cut = Cut(bytes(buffer[:end]), framed=False)
                del buffer[:end]
                self._wanted = _LENGTH
                return cut
        if _is_tls_hello(buffer) or _is_dtls_hello(buffer):
            cut = Cut(bytes(buffer[:_SHOWN]), framed=False)
            self._lose()
            return cut
        return None

    def _stray(self, buffer: bytearray) -> Cut | None:
        """Return octets before the first message that belong to no frame: a handshake of another protocol, say.

        The first frame of a direction holds a check or a response. If other octets stand there, and the frame that they
        would begin holds a whole framed message, they are not a frame.
        """
        if buffer[_COOKIE_IN_FRAME : _COOKIE_IN_FRAME + 4] == COOKIE:
            return None
        frame = _LENGTH + (buffer[0] << 8 | buffer[1])
        at = buffer.find(COOKIE, max(_COOKIE_IN_FRAME + 1, self._searched))
        while 0 <= at < frame + _COOKIE_IN_FRAME:
            begin = at - _COOKIE_IN_FRAME
            end = begin + _LENGTH + (buffer[begin] << 8 | buffer[begin + 1])
            if _begins_framed(buffer, begin) and not _is_of_turn(buffer, begin):
                if end > len(buffer):
                    return None  # the rest of it comes
                if _is_message(bytes(buffer[begin + _LENGTH : end])):
                    cut = Cut(bytes(buffer[:begin][:_SHOWN]), framed=False)
                    del buffer[:begin]
                    self._wanted = _LENGTH
                    return cut
            at = buffer.find(COOKIE, at + 1)
        self._searched = max(0, len(buffer) - _COOKIE_IN_FRAME - 4)
        return None

    def _is_bare_rtp(self, octets: bytes) -> bool:
        """Whether piece after piece begins like packets of one RTP source where one huge frame would have to be."""
        if len(octets) < 12 or octets[0] >> 6 != 2:
            self._rtp = self._rtp if self.pending else None
            return False
        source, number = octets[8:12], octets[2] << 8 | octets[3]
        if self._rtp is not None and self.pending and self._rtp[0] == source:
            following = number == (self._rtp[1] + 1) & 0xFFFF
            self._rtp = (source, number, self._rtp[2] + 1) if following else None
        else:
            self._rtp = None if self.pending else (source, number, 1)
        return self._rtp is not None and self._rtp[2] >= _RTP_IN_A_ROW

    # -- where they are not ----------------------------------------------------------------------------------------

    def _find(self, piece: int) -> bool:
        """Pass over everything before the next frame that plainly holds a STUN message; False: there is none yet.

        What was recorded in one piece begins at `piece`: there a frame may begin whatever stands before it.
        """
        buffer = self._buffer
        at = buffer.find(COOKIE)
        while at >= 0:
            begin = at - _COOKIE_IN_FRAME
            if begin >= 0 and _begins_framed(buffer, begin) and (begin == piece or not _is_of_turn(buffer, begin)):
                del buffer[:begin]
                self.synced = True
                return True
            at = buffer.find(COOKIE, at + 1)
        del buffer[: max(0, len(buffer) - 9)]  # a cookie may lie across two pieces, and 6 octets before it count
        return False


def without_nulls(octets: bytes) -> bytes:
    """Return what stands behind the null frames at the beginning."""
    nulls = _NULL_FRAMES.match(octets)
    return octets[nulls.end() :] if nulls else octets


def begins_like_ice(octets: bytes) -> bool | None:
    """Whether a direction's first octets behind null frames may be ICE's: STUN in a frame or without. None: too few."""
    if len(octets) < _COOKIE_IN_FRAME + 4:
        return None
    return octets[4:8] == COOKIE or octets[6:10] == COOKIE


def _is_of_turn(buffer: bytearray, begin: int) -> bool:
    """Whether the length before a message may be that of TURN's ChannelData or DATA, which carry checks over UDP."""
    before = buffer[max(0, begin - _LENGTH) : begin]
    return before == _DATA_ATTRIBUTE or (len(before) == _LENGTH and 0x40 <= before[0] < 0x80)


def _begins_framed(buffer: bytearray, begin: int) -> bool:
    length = buffer[begin] << 8 | buffer[begin + 1]
    inner = buffer[begin + 4] << 8 | buffer[begin + 5]
    return length == inner + _HEADER and not inner & 3 and buffer[begin + 2] < 0x40


def _is_message(octets: bytes) -> bool:
    """Whether these are a message beyond doubt.

    A byte stream that holds one may lawfully be divided behind its second octet (RFC 6544 section 10.1), and then the
    next LENGTH stands where the type would be: that is no known method, and no FINGERPRINT fits it.
    """
    try:
        message = Message.decode(octets)
    except StunError:
        return False
    return message.method in _METHODS and check_fingerprint(octets) is not Check.INVALID


def _may_be_message(buffer: bytearray) -> bool:
    """Whether a stream that begins so may become a STUN message: too little of it would pass for a tiny frame."""
    return (
        (buffer[0] << 8 | buffer[1]) in _TYPES
        and (len(buffer) < 4 or not buffer[3] & 3)
        and COOKIE.startswith(buffer[4:])
    )


def _is_tls_hello(buffer: bytearray) -> bool:
    """Whether a TLS record with a ClientHello or ServerHello stands here (RFC 8446 sections 4 and 5.1)."""
    if len(buffer) < 11 or buffer[0] != _TLS_HANDSHAKE or buffer[1] != 3 or buffer[2] > 4 or buffer[5] not in (1, 2):
        return False
    record, hello = buffer[3] << 8 | buffer[4], buffer[6] << 16 | buffer[7] << 8 | buffer[8]
    return buffer[9] == 3 and buffer[10] <= 4 and 38 <= hello <= record - 4


def _is_dtls_hello(buffer: bytearray) -> bool:
    """Whether a DTLS record with a whole ClientHello, ServerHello or HelloVerifyRequest stands here (RFC 6347)."""
    if len(buffer) < 25 or buffer[0] != _TLS_HANDSHAKE or buffer[1] != 0xFE or buffer[2] not in (0xFF, 0xFD):
        return False
    if any(buffer[3:9]) or buffer[13] not in (1, 2, 3) or any(buffer[19:22]):  # epoch and number, fragment offset
        return False
    record, hello = buffer[11] << 8 | buffer[12], buffer[14:17]
    return buffer[22:25] == hello and int.from_bytes(hello, "big") + 12 <= record
