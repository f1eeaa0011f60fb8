"""Session descriptions as ICE-TCP needs them (RFC 8866, 8839, 6544, 4145, 4571), lossless line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Candidate", "Line", "Media", "SessionDescription"]

_CLAUSE = "RFC 8866 section 5"
_MEDIA = re.compile(r"(\S+) (\d{1,5})(?:/([1-9]\d*))? (\S+)((?: \S+)+) *\Z")
_CANDIDATE = "candidate:"
_LIKE_A_CANDIDATE = re.compile(r"(?:(?:a=|[ \t])+candidate[ \t]*|candidate[ \t]+):", re.IGNORECASE)
_ASCII = bytes(range(0x20, 0x7F))
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+\Z")
_ICE = "ice-"
_ICE_LIMITS = {"ice-ufrag": (4, 256), "ice-pwd": (22, 256)}


@frozen
class Line:
    """One line: its type letter, its value, and the characters that ended it in the original."""

    type: str
    value: str
    end: str = "\r\n"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.type}={self.value}{self.end}"

    def __reduce__(self) -> tuple[object, ...]:
        """Be made again from its parts: descriptions go between processes, and dataclasses are slow at that."""
        return Line, (self.type, self.value, self.end, self.number)

    @property
    def attribute(self) -> tuple[str, str | None] | None:
        """Name and value of an a= line; None for every other."""
        if self.type != "a":
            return None
        name, colon, value = self.value.partition(":")
        return name, value if colon else None


@dataclass(slots=True)
class _Section:
    """Lines, and how to look attributes up among them."""

    lines: list[Line]

    def attributes(self, name: str) -> list[str | None]:
        """Return the values of all attributes of this name (None: a flag)."""
        return list(self._values(name))

    def attribute(self, name: str) -> str | None:
        """Return the first value of an attribute; None if it is missing or a flag."""
        return next(self._values(name), None)

    def has(self, name: str) -> bool:
        """Whether there is such an attribute."""
        return any(True for _ in self._values(name))

    def _values(self, name: str) -> Iterator[str | None]:
        begin = f"{name}:"
        for line in self.lines:
            if line.type == "a" and line.value.startswith(begin):
                yield line.value[len(begin) :]
            elif line.type == "a" and line.value == name:
                yield None

    def values(self, kind: str) -> list[str]:
        """Return the values of all lines of a type letter."""
        return [line.value for line in self.lines if line.type == kind]


@dataclass(slots=True)
class Media(_Section):
    """One media section. Credentials and the rest fall back to the session level, as RFC 8839 section 5.4 says."""

    session: _Section = field(default_factory=lambda: _Section([]), repr=False, compare=False)
    kind: str = ""
    port: int = 0
    ports: int | None = None
    proto: str = ""
    formats: list[str] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)

    def _inherited(self, name: str) -> str | None:
        own = self.attribute(name)
        return own if own is not None else self.session.attribute(name)

    @property
    def ufrag(self) -> str | None:
        """a=ice-ufrag."""
        return self._inherited("ice-ufrag")

    @property
    def pwd(self) -> str | None:
        """a=ice-pwd."""
        return self._inherited("ice-pwd")

    @property
    def setup(self) -> str | None:
        """a=setup (RFC 4145 section 4)."""
        return self._inherited("setup")

    @property
    def connection(self) -> str | None:
        """a=connection (RFC 4145 section 5)."""
        return self._inherited("connection")

    @property
    def mid(self) -> str | None:
        """a=mid."""
        return self.attribute("mid")

    @property
    def ice_options(self) -> tuple[str, ...]:
        """a=ice-options of media and session level."""
        own, session = self.attribute("ice-options"), self.session.attribute("ice-options")
        return tuple(dict.fromkeys(f"{session or ''} {own or ''}".split()))

    @property
    def bandwidth(self) -> list[str]:
        """b= lines, such as "RS:0"."""
        return self.values("b")

    @property
    def rtcp(self) -> str | None:
        """a=rtcp."""
        return self.attribute("rtcp")

    @property
    def end_of_candidates(self) -> bool:
        """Whether a=end-of-candidates is there (RFC 8838 section 8.2, RFC 8840)."""
        return self.has("end-of-candidates")

    @property
    def disabled(self) -> bool:
        """Whether the section is rejected or not in use: port 0 (RFC 8866 section 5.14, RFC 9143 section 6)."""
        return self.port == 0 and not self.has("bundle-only")

    @property
    def connection_address(self) -> str | None:
        """The address of the c= line."""
        lines = self.values("c") or self.session.values("c")
        words = lines[0].split() if lines else []
        return words[2] if len(words) == 3 else None


@dataclass(slots=True)
class SessionDescription(_Section):
    """An offer or answer: the session level's lines, then the media sections."""

    media: list[Media] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str | bytes) -> SessionDescription:
        """Return the description of a text with CRLF or LF line ends; `str()` of it is the text again.

        Octets are UTF-8, or what their a=charset says (RFC 8866 section 6.10). Raises `SdpError` for what RFC 8866
        section 5 does not allow, for malformed media lines, credentials and candidates. Unknown lines and attributes
        are kept.
        """
        lines = _lines(text if isinstance(text, str) else _decoded(text))
        if not lines or lines[0].type != "v":
            raise SdpError("a description begins with v=0", clause=_CLAUSE)
        if lines[0].value != "0":
            raise SdpError(f"version {lines[0].value!r} is not 0", 1, 3, _CLAUSE)
        starts = [index for index, line in enumerate(lines) if line.type == "m"]
        description = cls(lines[: starts[0]] if starts else lines)
        _check(description)
        for begin, end in pairwise([*starts, len(lines)]):
            description.media.append(_media(lines[begin:end], description))
        return description

    def __str__(self) -> str:
        sections: list[_Section] = [self, *self.media]
        return "".join(str(line) for section in sections for line in section.lines)

    @property
    def misplaced_candidates(self) -> tuple[str, ...]:
        """Candidates at the session level, where RFC 8839 section 5.1 has none."""
        return tuple(line.value for line in self.lines if line.type == "a" and _is_candidate(line))

    @property
    def ice_lite(self) -> bool:
        """Whether a=ice-lite is there (RFC 8839 section 5.3)."""
        return self.has("ice-lite")

    @property
    def ice_options(self) -> tuple[str, ...]:
        """a=ice-options of the session level."""
        return tuple((self.attribute("ice-options") or "").split())

    @classmethod
    def build(
        cls,
        *,
        kind: str,
        proto: str,
        formats: Sequence[str],
        address: str,
        port: int,
        ufrag: str,
        pwd: str,
        candidates: Iterable[Candidate],
        setup: str | None = None,
        connection: str | None = None,
        mid: str | None = None,
        ice_lite: bool = False,
        ice_options: str = "",
        bandwidth: Iterable[str] = (),
        session_attributes: Iterable[str] = (),
        attributes: Iterable[str] = (),
        version: int = 1,
        user: str = "-",
        session_id: int = 1,
    ) -> SessionDescription:
        """Return a description with one media section; `attributes` are further a= values of it, in order."""
        family = "IP6" if ":" in address else "IP4"
        session = ["v=0", f"o={user} {session_id} {version} IN {family} {address}", "s=-", "t=0 0"]
        session += ["a=ice-lite"] * ice_lite
        session += [f"a={value}" for value in session_attributes]
        media = [f"m={kind} {port} {proto} {' '.join(formats)}", f"c=IN {family} {address}"]
        media += [f"b={value}" for value in bandwidth]
        optional: Mapping[str, str | None] = {
            "mid": mid,
            "ice-options": ice_options or None,
            "setup": setup,
            "connection": connection,
        }
        media += [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{pwd}"]
        media += [f"a={name}:{value}" for name, value in optional.items() if value is not None]
        media += [f"a={value}" for value in attributes]
        media += [f"a={candidate}" for candidate in candidates]
        return cls.parse("".join(f"{line}\r\n" for line in session + media))


def _lines(text: str) -> list[Line]:
    lines = []
    *ended, rest = text.split("\n")
    for number, whole in enumerate(ended + [rest] * bool(rest), start=1):
        lines.append(_line(whole, number, number <= len(ended)))
    return lines


@lru_cache(maxsize=4096)  # most lines are the same in all descriptions of an agent
def _line(whole: str, number: int, is_ended: bool) -> Line:
    body = whole.removesuffix("\r") if is_ended else whole
    end = "" if not is_ended else "\n" if len(body) == len(whole) else "\r\n"
    if len(body) < 2 or body[1] != "=" or not (body[0].isascii() and body[0].isalpha()):
        shown = "a line with a password" if "pwd" in body.lower() else repr(body[:20])
        raise SdpError(f"{shown} is no line of the form <type>=<value>", number, 1, _CLAUSE)
    if "\r" in body or "\0" in body:
        column = next(i for i, c in enumerate(body, start=1) if c in "\r\0")
        raise SdpError("a line holds CR or NUL", number, column, _CLAUSE)
    return Line(body[0], body[2:], end, number)


def _media(lines: list[Line], session: _Section) -> Media:
    head = lines[0]
    match = _MEDIA.match(head.value)
    if match is None or int(match[2]) > 65535:
        raise SdpError("not m=<media> <port> <proto> <fmt> ...", head.number, 3, "RFC 8866 section 5.14")
    media = Media(
        lines,
        session=session,
        kind=match[1],
        port=int(match[2]),
        ports=int(match[3]) if match[3] else None,
        proto=match[4],
        formats=match[5].split(),
    )
    _check(media)
    media.candidates = [
        Candidate.parse(line.value, line=line.number, column=3) for line in lines if _is_candidate(line)
    ]
    return media


def _decoded(octets: bytes) -> str:
    """Return the text of octets. Raises `SdpError` for what is in no charset that we know."""
    found = re.search(rb"^a=charset:([^\s]*)", octets, re.MULTILINE)
    named = found[1].decode("ascii", "replace") if found else "UTF-8"
    try:
        return octets.decode(named if _is_charset(named) else "UTF-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        column = error.start - octets.rfind(b"\n", 0, error.start)
        what = f"it is not {named} text: octet 0x{octets[error.start]:02x}"
        raise SdpError(what, line, column, _CLAUSE) from None


def _is_charset(named: str) -> bool:
    """Whether this is the name of a charset that we know and in which the lines of a description can stand."""
    try:
        return _ASCII.decode(named) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        return False


def _is_candidate(line: Line) -> bool:
    """Whether a line states a candidate. Raises `SdpError` for what only looks so, and would be lost."""
    if line.type != "a" or "candidate" not in line.value.lower():
        return False
    if _LIKE_A_CANDIDATE.match(line.value):
        raise SdpError("a candidate's line begins with a=candidate:", line.number, 1, "RFC 8839 section 5.1")
    return line.value.lower().startswith(_CANDIDATE)


def _check(section: _Section) -> None:
    _check_credentials(section)
    for line in section.lines:
        if line.type == "c" and "%" in line.value:
            what = "an address with a zone means nothing to another host"
            raise SdpError(what, line.number, 3 + line.value.index("%"), "RFC 8866 section 5.7")


def _check_credentials(section: _Section) -> None:
    """RFC 8839 section 5.4: 4 to 256 and 22 to 256 ice-chars."""
    for line in section.lines:
        if line.type != "a" or not line.value.startswith(_ICE):
            continue
        name, _, value = line.value.partition(":")
        if name not in _ICE_LIMITS:
            continue
        least, most = _ICE_LIMITS[name]
        if not least <= len(value) <= most or not _ICE_CHARS.match(value):
            what = f"a={name} is not {least} to {most} letters, digits, + or /"
            raise SdpError(what, line.number, 4 + len(name), "RFC 8839 section 5.4")
