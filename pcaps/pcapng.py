"""Reading and writing pcapng, and reading classic pcap: as a stream, one packet at a time, gzipped or not."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, cast

from conformance.wire import ip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SHB, _IDB, _OPB, _SPB, _NRB, _ISB, _EPB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
_RECEIVED, _DROPPED = 4, 5  # options of interface statistics
_SECTION = _SHB.to_bytes(4, "little")
_ORDER = 0x1A2B3C4D
_COMMENT, _TSRESOL, _TSOFFSET, _APPLICATION = 1, 9, 14, 4
_SNAPLEN = 262144
# magic -> nanoseconds per unit of the fraction, octets of a packet's header
_CLASSIC = {0xA1B2C3D4: (1000, 16), 0xA1B23C4D: (1, 16), 0xA1B2CD34: (1000, 24)}  # the last one: Kuznetzov's tcpdump
_GZIP = b"\x1f\x8b"
_PACKED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"BZh": "bzip2", b"\xfd7zX": "xz", b"PK\3\4": "zip"}
_BUFFER = 1 << 20
_FINEST = 63  # a clock of 2^-63 s or 10^-63 s: none is finer, and larger exponents are nonsense
_LARGEST = 1 << 28
_LONGEST_OPTION = 0xFFFF
_LEFT_OUT = " …".encode()


class CaptureError(Exception):
    """A capture file cannot be read; the message says where it went wrong."""


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class Packet(NamedTuple):
    """One recorded packet; ``time_ns`` is nanoseconds since the epoch."""

    time_ns: int
    octets: bytes
    link_type: int
    comment: str = ""


class Writer:
    """Writes one section with one interface, nanosecond times, and comments."""

    def __init__(self, file: IO[bytes], link_type: int, *, comment: str = "", interface: str = "") -> None:
        self._file = file
        self._last_ns = 0
        options = _comment(comment) if comment else b""
        options += _option(_APPLICATION, b"icetcp") + _option(0, b"")
        self._block(_SHB, struct.pack("<IHHq", _ORDER, 1, 0, -1) + options)
        named = _option(2, interface.encode()) if interface else b""
        self._block(
            _IDB,
            struct.pack("<HHI", link_type, 0, _SNAPLEN) + named + _option(_TSRESOL, b"\x09") + _option(0, b""),
        )

    def names(self, names: Mapping[str, str]) -> None:
        """Say what addresses are called (name resolution block); tools show the names instead."""
        body = b""
        for address, name in names.items():
            packed = ip.packed(address)
            body += _option(1 if len(packed) == 4 else 2, packed + name.encode() + b"\0")
        self._block(_NRB, body + _option(0, b""))

    def packet(self, time_ns: int, octets: bytes, comment: str = "") -> None:
        """Append a packet."""
        self._last_ns = max(self._last_ns, time_ns)
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(octets), len(octets))
        options = _comment(comment) + _option(0, b"") if comment else b""
        self._block(_EPB, head + octets + bytes(-len(octets) % 4) + options)

    def statistics(self, received: int, dropped: int) -> None:
        """Say how many packets the interface has had and how many of them were lost to the recorder."""
        time = struct.pack("<III", 0, self._last_ns >> 32, self._last_ns & 0xFFFFFFFF)
        counts = _option(_RECEIVED, struct.pack("<Q", received)) + _option(_DROPPED, struct.pack("<Q", dropped))
        self._block(_ISB, time + counts + _option(0, b""))

    def _block(self, kind: int, body: bytes) -> None:
        total = len(body) + 12
        self._file.write(struct.pack("<II", kind, total) + body + struct.pack("<I", total))


def _comment(text: str) -> bytes:
    """Return a comment option: text beyond what an option can hold is left out, as what an IUT said may be longer."""
    octets = text.encode(errors="backslashreplace")
    if len(octets) > _LONGEST_OPTION:
        octets = octets[: _LONGEST_OPTION - len(_LEFT_OUT)].decode(errors="ignore").encode() + _LEFT_OUT
    return _option(_COMMENT, octets)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


class _Interface(NamedTuple):
    """What the times and the lengths of an interface's packets depend on."""

    link_type: int
    units: int  # per second
    offset_ns: int
    snaplen: int


@dataclass(slots=True)
class _Section:
    """What later blocks of a section depend on."""

    order: str = "<"
    interfaces: list[_Interface] = field(default_factory=list)
    last_ns: int | None = None  # the time of the latest packet
    words: struct.Struct = field(init=False)
    enhanced: struct.Struct = field(init=False)

    def __post_init__(self) -> None:
        self.words, self.enhanced = struct.Struct(f"{self.order}II"), struct.Struct(f"{self.order}IIII")


def read_file(path: Path) -> Iterator[Packet]:
    """Yield the packets of a capture file, gzipped or not. Raises `CaptureError` and `OSError`."""
    with path.open("rb", buffering=_BUFFER) as file:
        yield from read_stream(file)


def names_in(octets: bytes) -> dict[str, str]:
    """Return what addresses are called in a capture of our own."""
    found: dict[str, str] = {}
    at = 0
    while at + 12 <= len(octets):
        kind, total = struct.unpack_from("<II", octets, at)
        if kind == _NRB:
            found |= _records(octets[at + 8 : at + total - 4])
        if kind == _EPB or total < 12:
            break  # names stand before the packets
        at += total
    return found


def _records(body: bytes) -> dict[str, str]:
    found, at = {}, 0
    while at + 4 <= len(body):
        kind, length = struct.unpack_from("<HH", body, at)
        size = {1: 4, 2: 16}.get(kind)
        if size is None:
            break
        value = body[at + 4 : at + 4 + length]
        found[ip.text(value[:size])] = value[size:].rstrip(b"\0").decode(errors="replace")
        at += 4 + length + (-length & 3)
    return found


def read_stream(file: IO[bytes]) -> Iterator[Packet]:
    """Yield the packets of a capture, gzipped or not, from what cannot be sought in: a pipe, say. Raises as above."""
    buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", file), _BUFFER)
    if buffered.peek(2)[:2] != _GZIP:
        yield from read(buffered)
        return
    with gzip.open(buffered) as inside:
        try:
            yield from read(inside)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CaptureError(f"the gzipped file is cut off or broken: {error}") from error


def read(file: _Readable) -> Iterator[Packet]:
    """Yield the packets of a pcapng or classic pcap file.

    Raises `CaptureError` for what is neither, and at the place where a file is cut off or broken.
    """
    start = file.read(4)
    if start == _SECTION:
        yield from _read_pcapng(file)
        return
    for order in "<>":
        (magic,) = struct.unpack(f"{order}I", start) if len(start) == 4 else (0,)
        if magic in _CLASSIC:
            yield from _read_classic(file, order, *_CLASSIC[magic])
            return
    what = next((name for begin, name in _PACKED.items() if start.startswith(begin)), "")
    begins = (
        f"it is compressed with {what}; unpack it first" if what else f"it begins with {start.hex(' ') or 'nothing'}"
    )
    raise CaptureError(f"neither pcapng nor pcap: {begins}")


class _Window:
    """What was read of a file and not used yet, so that a small block costs no call of the file's."""

    def __init__(self, file: _Readable, octets: bytes) -> None:
        self._read = getattr(file, "read1", file.read)  # a pipe's packets are not kept back until there are many
        self.octets = octets
        self.position = 0  # of the first of these octets

    def fill(self, used: int, count: int, least: int) -> bytes:
        """Let go of what was used, and return at least so many octets, or what is left of the file.

        Raises `CaptureError` if something is left and it is less than `least`.
        """
        self.position += used
        self.octets = self.octets[used:]
        while len(self.octets) < count and (more := self._read(max(_BUFFER, count - len(self.octets)))):
            self.octets += more
        if self.octets and len(self.octets) < least:
            raise _cut_off(self.position)
        return self.octets


def _read_pcapng(file: _Readable) -> Iterator[Packet]:
    section, window = _Section(), _Window(file, _SECTION)
    octets, at = window.octets, 0
    while True:
        if len(octets) - at < 12:
            octets, at = window.fill(at, 12, 8), 0
            if not octets:
                return
        kind, length = section.words.unpack_from(octets, at)
        if kind == _SHB:  # reads the same in both orders; the magic behind the length tells which it is
            order = _order_of(octets[at + 8 : at + 12], window.position + at)
            section = _Section(order, last_ns=section.last_ns)
            _, length = section.words.unpack_from(octets, at)
        if length < 12 or length % 4 or length > _LARGEST:
            raise CaptureError(f"octet {window.position + at}: a block of {length} octets cannot be")
        if len(octets) - at < length:
            octets, at = window.fill(at, length, length), 0
        try:
            packet = _block(kind, octets, at + 8, at + length - 4, section)
        except (struct.error, IndexError):
            raise CaptureError(f"octet {window.position + at}: a block that does not fit") from None
        if packet is not None:
            yield packet
        at += length


def _order_of(magic: bytes, position: int) -> str:
    if len(magic) < 4:
        raise _cut_off(position)
    for order in "<>":
        if struct.unpack(f"{order}I", magic)[0] == _ORDER:
            return order
    raise CaptureError(f"octet {position}: a section without a byte-order magic")


def _block(kind: int, octets: bytes, begin: int, end: int, section: _Section) -> Packet | None:
    """Take in the block whose body these octets have there. Raises `struct.error`, `IndexError` if it is too short."""
    if kind == _EPB:
        interface, high, low, captured = section.enhanced.unpack_from(octets, begin)
        return _packet(section, interface, high << 32 | low, octets, begin + 20, captured, end)
    if kind == _IDB:
        section.interfaces.append(_interface(octets[begin:end], section.order))
    elif kind == _SPB:
        return _simple(octets[begin:end], section)
    elif kind == _OPB:
        interface, _drops, high, low, captured = struct.unpack_from(f"{section.order}HHIII", octets, begin)
        return _packet(section, interface, high << 32 | low, octets, begin + 20, captured, end)
    return None


def _packet(
    section: _Section, interface: int, ticks: int, octets: bytes, begin: int, captured: int, end: int
) -> Packet:
    link_type, units, offset_ns, _ = section.interfaces[interface]
    behind = begin + captured
    if behind > end:
        raise IndexError
    time_ns = section.last_ns = (ticks if units == 1_000_000_000 else ticks * 1_000_000_000 // units) + offset_ns
    if behind + 4 > end:
        return Packet(time_ns, octets[begin:behind], link_type)
    comment = _options(octets[behind + (-captured % 4) : end], section.order).get(_COMMENT, b"")
    return Packet(time_ns, octets[begin:behind], link_type, comment.decode(errors="replace"))


def _simple(body: bytes, section: _Section) -> Packet:
    """A packet without a time: it keeps its place in the file, at the time of the packet before it."""
    (original,) = struct.unpack_from(f"{section.order}I", body)
    first = section.interfaces[0]
    captured = min(original, first.snaplen or original, len(body) - 4)
    time_ns = first.offset_ns if section.last_ns is None else section.last_ns
    return Packet(time_ns, body[4 : 4 + captured], first.link_type)


def _interface(body: bytes, order: str) -> _Interface:
    link_type, snaplen = struct.unpack_from(f"{order}HxxI", body)
    options = _options(body[8:], order)
    resolution = (options.get(_TSRESOL) or b"\x06")[0]
    exponent = min(resolution & 0x7F, _FINEST)
    units = 1 << exponent if resolution & 0x80 else 10**exponent
    offset = options.get(_TSOFFSET, bytes(8))
    seconds = struct.unpack(f"{order}q", offset)[0] if len(offset) == 8 else 0
    return _Interface(link_type, units, seconds * 1_000_000_000, snaplen)


def _options(octets: bytes, order: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(octets):
        code, length = struct.unpack_from(f"{order}HH", octets, position)
        if code == 0:
            break
        found.setdefault(code, octets[position + 4 : position + 4 + length])
        position += 4 + length + (-length % 4)
    return found


def _read_classic(file: _Readable, order: str, unit: int, length: int) -> Iterator[Packet]:
    head = file.read(20)
    if len(head) < 20:
        raise _cut_off(4)
    link_type = struct.unpack_from(f"{order}I", head, 16)[0] & 0xFFFF
    header = struct.Struct(f"{order}IIII{length - 16}x")
    position = 24
    while record := file.read(length):
        if len(record) < length:
            raise CaptureError(f"octet {position}: the file is cut off in a packet's header")
        seconds, fraction, captured, _ = header.unpack(record)
        if captured > _LARGEST:
            raise CaptureError(f"octet {position}: a packet of {captured} octets cannot be")
        octets = file.read(captured)
        if len(octets) < captured:
            raise _cut_off(position)
        yield Packet(seconds * 1_000_000_000 + fraction * unit, octets, link_type)
        position += length + captured


def _cut_off(position: int) -> CaptureError:
    return CaptureError(f"octet {position}: the file is cut off in what begins here")
