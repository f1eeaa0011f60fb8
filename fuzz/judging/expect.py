"""What an IUT may answer to the octets that it was sent, with the clause.

The octets themselves are read, not the case that made them. Where an RFC has two readings, both are right. A stack may
also give up on a peer that breaks the protocol.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import lru_cache

from conformance.wire.stun import MessageClass, Method, unpack_type
from fuzz.judging.reading import FINGERPRINT, INTEGRITY, authentic, fingerprinted
from fuzz.player.reading import HEADER, walk

COOKIE = b"\x21\x12\xa4\x42"
ROLES = (0x8029, 0x802A)  # ICE-CONTROLLED and ICE-CONTROLLING
_USERNAME, _PRIORITY, _USE_CANDIDATE, _SOFTWARE = 0x0006, 0x0024, 0x0025, 0x8022
_SHA256 = 0x001C
_FIRST_UNASSIGNED = 0x0040  # required types from here up to 0x7FFF are not assigned
_SIZES = {_PRIORITY: 4, _USE_CANDIDATE: 0, ROLES[0]: 8, ROLES[1]: 8, INTEGRITY: 20, FINGERPRINT: 4}
_LONGEST_NAME = 508  # RFC 8489 section 14.3: fewer than 509 octets
_LONGEST_SOFTWARE = 763  # section 14.14
_NOT_AFTER = frozenset((_PRIORITY, _USERNAME, *ROLES, _USE_CANDIDATE, _SOFTWARE))
_LAST = b"\xff" * 8


class Expected(enum.Enum):
    """What may come back."""

    NOTHING_STUN = "no answer: it is not STUN (RFC 8489 section 6.3)"
    MUTE = "no answer: it is not a request (RFC 8489 section 6.3)"
    NO_SUCCESS = "anything but success: it is malformed (RFC 8489 section 6.3)"
    UNPROTECTED = "anything but success: it is not authentic (RFC 8489 section 9.1.3)"
    ERROR = "an error: it is not authentic (RFC 8489 section 9.1.3)"
    UNKNOWN = "420: it has an unknown required attribute (RFC 8489 section 6.3.1)"
    CONFLICT = "487: the peer must repair the role conflict (RFC 8445 section 7.3.1.1)"
    SUCCESS = "success: it is valid (RFC 8445 section 7.3)"
    ANY = "any answer, or no answer"

    __hash__ = object.__hash__  # faster than the hash of the name


@dataclass(slots=True)
class View:
    """What is known about a session.

    ``early``: the IUT has no description of ours yet. ``roles_clear``: nothing has happened that could change roles.
    ``unsure``: it is not known which credentials hold. ``concluded``: a pair may have been selected, so the IUT may
    close connections and free candidates (RFC 6544 section 8, RFC 8445 section 8.3). ``elsewhere``: a case selected it,
    on any connection. ``ended``: we have ended the standing connection. If no other pair is left, the check list has
    failed, and the IUT may give up (RFC 8445 section 6.1.2.1).
    """

    ufrag: str = ""
    peer: str = ""
    key: bytes = b""
    iut_controlling: bool = True
    early: bool = False
    roles_clear: bool = True
    unsure: bool = False
    concluded: bool = False
    elsewhere: bool = False
    ended: bool = False
    asked: dict[bytes, int] = field(default_factory=dict)  # how often each id was sent
    requested: set[bytes] = field(default_factory=set)  # ids of messages that may have been answered, if late
    media: dict[int, set[bytes]] = field(default_factory=dict)


# The same octets are read several times while a case is judged.
walked = lru_cache(maxsize=128)(walk)


def expect(octets: bytes, view: View) -> Expected:
    """Return what may come back for the payload of a frame."""
    if len(octets) < HEADER or octets[0] > 0x3F or octets[4:8] != COOKIE:
        return Expected.NOTHING_STUN
    if octets[2] << 8 | octets[3] < len(octets) - HEADER:
        return Expected.ANY  # a message, and something behind it
    request = _Request.read(octets)
    if request is None:
        return Expected.NO_SUCCESS
    method, message_class = unpack_type(octets[0] << 8 | octets[1])
    if message_class is not MessageClass.REQUEST:
        return Expected.MUTE
    if method != Method.BINDING:
        return Expected.NO_SUCCESS
    return Expected.ANY if view.unsure else request.expected(view)


@dataclass(slots=True)
class _Request:
    """A Binding request, and the first attribute of each type, which is the one that counts (RFC 8489 section 14)."""

    octets: bytes
    kinds: list[int]
    places: list[int]
    values: list[bytes]
    first: dict[int, bytes]

    @classmethod
    def read(cls, octets: bytes) -> _Request | None:
        attributes = walked(octets)
        if attributes is None:
            return None
        kinds, places, values = attributes
        return cls(octets, kinds, places, values, dict(zip(reversed(kinds), reversed(values), strict=True)))

    def expected(self, view: View) -> Expected:
        kinds, printed = self.kinds, False
        if FINGERPRINT in self.first:
            printed = fingerprinted(self.octets, self.places[kinds.index(FINGERPRINT)], self.first[FINGERPRINT])
            if not printed and kinds[-1] == FINGERPRINT and kinds.count(FINGERPRINT) == 1:
                return Expected.NOTHING_STUN
        if _SHA256 in self.first:
            return Expected.ANY  # which of the two a stack goes by is its own business, and it need not know this one
        sound = printed and self._sound()
        if not self._authentic(view):
            return Expected.ERROR if sound and not view.early else Expected.UNPROTECTED
        if view.early or not sound:
            return Expected.ANY
        return self._authenticated(view)

    def _sound(self) -> bool:
        """Whether each attribute is there once, has its size, and has a value that we can judge."""
        if len(self.first) != len(self.kinds):
            return False
        for kind, value in self.first.items():
            size = _SIZES.get(kind)
            if size is not None:
                if len(value) != size:
                    return False
            elif kind in (_USERNAME, _SOFTWARE):
                most = _LONGEST_NAME if kind == _USERNAME else _LONGEST_SOFTWARE
                if len(value) > most or not value.isascii():
                    return False
            elif _somebodys(kind):
                return False
        return True

    def _authentic(self, view: View) -> bool:
        """Whether USERNAME and MESSAGE-INTEGRITY are right."""
        name = self.first.get(_USERNAME)
        if name is None or name.partition(b":")[0] != view.ufrag.encode() or INTEGRITY not in self.first:
            return False
        place = self.places[self.kinds.index(INTEGRITY)]
        return authentic(self.octets, place, self.first[INTEGRITY], view.key)

    def _authenticated(self, view: View) -> Expected:
        place = self.kinds.index(INTEGRITY)
        before, after = self.kinds[:place], self.kinds[place + 1 :]
        if any(_FIRST_UNASSIGNED <= kind < 0x8000 for kind in before):
            return Expected.UNKNOWN
        if _USE_CANDIDATE in before or _USERNAME not in before or _PRIORITY not in before:
            return Expected.ANY
        if self.first[_USERNAME] != f"{view.ufrag}:{view.peer}".encode() or not _NOT_AFTER.isdisjoint(after):
            return Expected.ANY
        if not 0 < int.from_bytes(self.first[_PRIORITY], "big") < 2**31:
            return Expected.ANY
        return self._by_role(before, view)

    def _by_role(self, before: list[int], view: View) -> Expected:
        claims = [kind for kind in before if kind in ROLES]
        if len(claims) != 1 or not view.roles_clear:
            return Expected.ANY
        if (claims[0] == ROLES[1]) != view.iut_controlling:
            return Expected.SUCCESS
        if self.first[claims[0]] == (bytes(8) if view.iut_controlling else _LAST):
            return Expected.CONFLICT
        return Expected.ANY


def _somebodys(kind: int) -> bool:
    """Whether a type is registered or used by vendors, so that an agent may know it and check its value."""
    return kind < _FIRST_UNASSIGNED or 0x8000 <= kind < 0x8040 or kind >= 0xC000
