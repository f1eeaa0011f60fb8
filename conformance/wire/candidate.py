"""The candidate-attribute of RFC 8839 section 5.1 with RFC 6544 section 4.5's tcptype, and candidate priorities."""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

from conformance.wire.attributes import Address
from conformance.wire.errors import SdpError

_CLAUSE = "RFC 8839 section 5.1"
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}\Z")
_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+\Z")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z")
_NUMBER = re.compile(r"[0-9]{1,10}\Z")
_MAX_PRIORITY = 2**31 - 1
# What most candidates are. Others, and those with a fault in them, are taken apart word by word.
_USUAL = re.compile(
    r"candidate:([A-Za-z0-9+/]{1,32}) ([0-9]{1,3}) ([!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+) ([0-9]{1,10}) ([0-9a-fA-F.:]+) "
    r"([0-9]{1,5}) typ ([!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+)(?: raddr ([0-9a-fA-F.:]+) rport ([0-9]{1,5}))?"
    r"(?: tcptype ([^ ]+))?((?: [^ ]+ [^ ]+)*)\Z"
)


def priority(type_preference: int, local_preference: int, component: int) -> int:
    """Return a candidate's priority (RFC 8445 section 5.1.2.1). Fields that run over are not cut off."""
    return (type_preference << 24) + (local_preference << 8) + (256 - component)


def tcp_local_preference(direction: int, other: int) -> int:
    """Return the local preference of a TCP candidate (RFC 6544 section 4.2)."""
    return (direction << 13) + other


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate. Tokens are kept as written; comparisons of tokens ignore letter case (RFC 5234 section 2.3).

    ``extensions`` are the attribute pairs other than tcptype, in order; ``tcptype_position`` says how many of them
    stood before tcptype (0: the place the grammar of RFC 6544 section 4.5 gives it). tcptype may be any word: whether
    it is a direction, the reader judges.
    """

    foundation: str
    component: int
    transport: str
    priority: int
    address: str
    port: int
    type: str
    related_address: str | None = None
    related_port: int | None = None
    tcptype: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    tcptype_position: int = 0

    @classmethod
    def parse(cls, text: str, *, line: int = 1, column: int = 1) -> Candidate:
        """Return the candidate of "candidate:…" or "a=candidate:…".

        Raises `SdpError`, whose line and column count from those given for the text's first character.
        """
        return _usual(text) or _Parser(text, line, column).candidate()

    def __reduce__(self) -> tuple[object, ...]:
        """Be made again from its parts: descriptions go between processes, and dataclasses are slow at that."""
        return Candidate, tuple(getattr(self, name) for name in self.__slots__)

    def __str__(self) -> str:
        parts = [f"candidate:{self.foundation}", str(self.component), self.transport, str(self.priority)]
        parts += [self.address, str(self.port), "typ", self.type]
        if self.related_address is not None:
            parts += ["raddr", self.related_address]
        if self.related_port is not None:
            parts += ["rport", str(self.related_port)]
        pairs = list(self.extensions)
        if self.tcptype is not None:
            pairs.insert(self.tcptype_position, ("tcptype", self.tcptype))
        return " ".join(parts + [word for pair in pairs for word in pair])

    @property
    def is_tcp(self) -> bool:
        """Whether the transport is TCP."""
        return self.transport.upper() == "TCP"

    @property
    def tcptype_in_place(self) -> bool:
        """Whether tcptype stands where the grammar of RFC 6544 section 4.5 has it: before every other extension."""
        return self.tcptype is not None and self.tcptype_position == 0

    @property
    def endpoint(self) -> Address:
        """Address and port."""
        return Address(self.address, self.port)

    @property
    def type_preference(self) -> int:
        """The priority's upper octet."""
        return self.priority >> 24

    @property
    def local_preference(self) -> int:
        """The priority's middle 16 bits."""
        return self.priority >> 8 & 0xFFFF

    @property
    def direction_preference(self) -> int:
        """direction-pref: the upper 3 bits of a TCP candidate's local preference (RFC 6544 section 4.2)."""
        return self.local_preference >> 13

    @property
    def other_preference(self) -> int:
        """other-pref: the lower 13 bits of a TCP candidate's local preference (RFC 6544 section 4.2)."""
        return self.local_preference & 0x1FFF


@functools.lru_cache(maxsize=4096)
def _usual(text: str) -> Candidate | None:
    """Return a candidate that is written as most are; None for any other."""
    found = _USUAL.match(text)
    if found is None:
        return None
    foundation, component, transport, number, address, port, kind, related, rport, tcptype, rest = found.groups()
    if not (1 <= int(component) <= 256 and 1 <= int(number) <= _MAX_PRIORITY and int(port) <= 65535):
        return None
    if not (_is_ip(address) and (related is None or (_is_ip(related) and int(rport) <= 65535))):
        return None
    words = rest.split(" ")[1:]
    if tcptype is None and any(name.lower() in ("tcptype", "raddr", "rport") for name in words[::2]):
        return None
    return Candidate(
        foundation,
        int(component),
        transport,
        int(number),
        address,
        int(port),
        kind,
        related,
        None if rport is None else int(rport),
        tcptype,
        tuple(zip(words[::2], words[1::2], strict=True)),
    )


@functools.lru_cache(maxsize=4096)
def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class _Parser:
    """Takes a candidate-attribute apart word by word, knowing the column of each."""

    def __init__(self, text: str, line: int, column: int) -> None:
        self._line = line
        skipped = 2 if text.startswith("a=") else 0
        self._words = [(match[0], column + skipped + match.start()) for match in re.finditer(r"[^ ]+", text[skipped:])]
        self._end = column + len(text)
        self._next = 0

    def candidate(self) -> Candidate:
        foundation = self._foundation()
        component = self._number("component-id", 1, 256)
        transport = self._matching("transport", _TOKEN)
        priority_value = self._number("priority", 1, _MAX_PRIORITY)
        address = self._address("connection-address")
        port = self._number("port", 0, 65535)
        self._literal("typ")
        kind = self._matching("candidate type", _TOKEN)
        related_address = self._optional("raddr", lambda: self._address("rel-addr"))
        related_port = self._optional("rport", lambda: self._number("rel-port", 0, 65535))
        tcptype, position, extensions = self._extensions()
        return Candidate(
            foundation=foundation,
            component=component,
            transport=transport,
            priority=priority_value,
            address=address,
            port=port,
            type=kind,
            related_address=related_address if isinstance(related_address, str) else None,
            related_port=related_port if isinstance(related_port, int) else None,
            tcptype=tcptype,
            extensions=tuple(extensions),
            tcptype_position=position,
        )

    def _foundation(self) -> str:
        word = self._word("candidate:<foundation>")
        name, colon, foundation = word.partition(":")
        if not colon or name.lower() != "candidate":
            raise self._error(f"{word!r} where candidate:<foundation> belongs")
        if not _FOUNDATION.match(foundation):
            raise self._error(f"the foundation {foundation!r} is not 1 to 32 letters, digits, + or /")
        return foundation

    def _extensions(self) -> tuple[str | None, int, list[tuple[str, str]]]:
        tcptype, position = None, 0
        extensions: list[tuple[str, str]] = []
        while self._next < len(self._words):
            name = self._word("extension attribute")
            if self._next == len(self._words):
                raise self._error(f"the extension attribute {name!r} has no value")
            value = self._word("extension value")
            if name.lower() == "tcptype" and tcptype is None:
                tcptype, position = value, len(extensions)
            else:
                extensions.append((name, value))
        return tcptype, position, extensions

    def _optional(self, name: str, value: object) -> object:
        if self._next < len(self._words) and self._words[self._next][0].lower() == name:
            self._next += 1
            return value()  # type: ignore[operator]
        return None

    def _literal(self, wanted: str) -> None:
        word = self._word(wanted)
        if word.lower() != wanted:
            raise self._error(f"{word!r} where {wanted!r} belongs")

    def _matching(self, what: str, pattern: re.Pattern[str]) -> str:
        word = self._word(what)
        if not pattern.match(word):
            raise self._error(f"{word!r} is no {what}")
        return word

    def _number(self, what: str, least: int, most: int) -> int:
        word = self._word(what)
        if not _NUMBER.match(word) or not least <= int(word) <= most:
            raise self._error(f"{what} {word!r} is no number from {least} to {most}")
        return int(word)

    def _address(self, what: str) -> str:
        word = self._word(what)
        if "%" in word:
            raise self._error(f"{what} {word!r} has a zone, which means nothing to another host")
        if not _is_ip(word) and (":" in word or not _HOST_NAME.match(word)):
            raise self._error(f"{what} {word!r} is neither an IP address nor a host name")
        return word

    def _word(self, what: str) -> str:
        if self._next >= len(self._words):
            raise SdpError(f"the candidate ends where its {what} belongs", self._line, self._end, _CLAUSE)
        word, _ = self._words[self._next]
        self._next += 1
        return word

    def _error(self, what: str, clause: str = _CLAUSE) -> SdpError:
        """An error at the word taken last."""
        return SdpError(what, self._line, self._words[self._next - 1][1], clause)
