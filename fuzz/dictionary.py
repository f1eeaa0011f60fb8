r"""Dictionaries: octets that parsers treat specially, from a file in the format of AFL and libFuzzer, or built in.

# a comment
user="alice\x00\xff"     a name, which is ignored, and a value in quotes
"a=ssrc:1 cname:x"       a value alone
802b000401020304         octets as hexadecimal digits
holdconn                 anything else is text as it stands
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fuzz.mutate import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from random import Random

_QUOTED = re.compile(r'(?:[^\s"=]+(?:@\d+)?\s*=\s*)?"(.*)"\s*\Z')
_NAMED = re.compile(r'[A-Za-z_][\w.@-]*\s*=\s*[^"]')
_ESCAPE = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|([\\"]))')
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_LONGEST = 4096

# Attributes and their headers, the cookie, a message header and lengths of frames in wrong places, and strings that
# format functions, shells and text parsers treat specially.
USUAL: tuple[bytes, ...] = (
    b"\x21\x12\xa4\x42", b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"\x01\x01\x00\x00\x21\x12\xa4\x42", b"\x00\x25\x00\x00",
    b"\x00\x24\x00\x04", b"\x80\x28\x00\x04", b"\x00\x08\x00\x14", b"\x00\x1c\x00\x20", b"\x80\x29\x00\x08",
    b"\x80\x2a\x00\x08", b"\x00\x20\x00\x08\x00\x01", b"\x00\x20\x00\x14\x00\x02", b"\x00\x09\x00\x04\x00\x00\x04\x57",
    b"\x00\x00", b"\xff\xff", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff",
    b"%s%n%x", b"../../../", b"\r\n", b"\n", b"\x00", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"${x}", b"`id`",
    b"':\"", b":", b"/", b"+", b"tcptype", b"passive", b"so", b"typ", b"rport", b"host", b"NaN", b"1e309", b"-0",
    b"4294967296", b"18446744073709551616", b"a=candidate:", b"a=ice-ufrag:", b"m=", b"TCP/RTP/AVP",
)  # fmt: skip


class DictionaryError(ValueError):
    """A dictionary cannot be read: the file, the line, what is wrong, and what to write instead."""


def load(path: Path) -> list[bytes]:
    """Return the entries of a file. Raises `DictionaryError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DictionaryError(f"{path}: {error.strerror}; give a file that can be read") from None
    except UnicodeDecodeError as error:
        what = (
            f"{path}:{_line_at(path, error.start)}: no UTF-8; write octets as \\xNN in quotes, or as hexadecimal digits"
        )
        raise DictionaryError(what) from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = _entry(line.strip())
        except ValueError as error:
            raise DictionaryError(f"{path}:{number}: {error}") from None
        if entry is not None and entry not in found:
            found.append(entry)
    if not found:
        raise DictionaryError(f'{path}: no entry; write one a line, name="value"')
    return found


def _line_at(path: Path, offset: int) -> int:
    return path.read_bytes()[:offset].count(b"\n") + 1


def _entry(line: str) -> bytes | None:
    """Return what a line says; None if nothing. Raises `ValueError` with what is wrong, and the remedy."""
    if not line or line.startswith("#"):
        return None
    quoted = _QUOTED.match(line)
    if quoted is not None:
        value = _unescaped(quoted[1])
    elif '"' in line:
        raise ValueError('a value in quotes that does not end, or words around it; write name="value"')
    elif _NAMED.match(line) and not line.startswith(("a=", "m=", "c=", "b=", "s=", "o=", "t=", "v=")):
        raise ValueError('a name whose value is not in quotes; write name="value"')
    elif _HEXADECIMAL.match(line):
        value = bytes.fromhex(line)
    else:
        value = line.encode()
    if not 0 < len(value) <= _LONGEST:
        raise ValueError(f"a value of {len(value)} octets; write one to {_LONGEST}")
    return value


def _unescaped(text: str) -> bytes:
    r"""Return what stands in quotes: \xNN, \\ and \" are one octet each."""
    rest = _ESCAPE.sub("", text)
    if "\\" in rest or '"' in rest:
        raise ValueError('a \\ or " by itself in a value; write \\\\ and \\", and octets as \\xNN')
    value = b""
    place = 0
    for escape in _ESCAPE.finditer(text):
        value += text[place : escape.start()].encode()
        value += bytes.fromhex(escape[1]) if escape[1] else escape[2].encode()
        place = escape.end()
    return value + text[place:].encode()


class Dictionary:
    """Mutations that put entries into messages, frames and descriptions."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        own = list(entries)
        self.entries = [*USUAL, *own * max(1, len(USUAL) // (len(own) or 1))]  # half of what is drawn is the user's
        self.texts = [text for entry in self.entries if (text := _text(entry))]

    def octets(self, random: Random) -> str:
        """Return an entry, perhaps more than once, as a case writes octets."""
        entry = random.choice(self.entries).hex()
        return entry if random.random() < 0.8 else f"{entry}*{random.choice((2, 3, 9, 64))}"

    def mutate(self, random: Random, message: dict[str, Any]) -> None:
        """Put an entry into a message: as a value, inside one, over what is there, or behind the attributes."""
        attributes = message["attributes"]
        draw = random.random()
        if draw < 0.35 or not attributes:
            kind = random.choice(TYPES) if random.random() < 0.7 else 0x9000 + random.randrange(16)
            attributes.insert(
                random.randint(0, max(0, len(attributes) - 2)), {"type": kind, "value": self.octets(random)}
            )
        elif draw < 0.65:
            attributes[random.randrange(max(1, len(attributes) - 2))]["value"] = self.octets(random)
        elif draw < 0.9:
            patch = [random.randrange(120), random.choice(self.entries).hex()]
            message.setdefault("patch", []).append(patch)
        else:
            message["tail"] = self.octets(random)

    def edit(self, random: Random, line: str) -> str:
        """Put a text into a line of a description."""
        place, text = random.randrange(len(line) + 1), random.choice(self.texts)
        return line[:place] + text + (line[place + len(text) :] if random.random() < 0.5 else line[place:])


def _text(entry: bytes) -> str:
    """Return an entry as a text that fits in a line; nothing if it does not."""
    try:
        text = entry.decode()
    except UnicodeDecodeError:
        return ""
    return "" if set(text) & {"\r", "\n", "{", "}"} else text
