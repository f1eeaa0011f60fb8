"""The second and the third witness: our own reading and tshark's of the same captures, which must agree.

tshark is asked through pyshark, once for all captures of a run. Everything that is particular about pyshark (its event
loop, its duplicate layers, a failure that looks like an empty capture) stays in this module.
"""

from __future__ import annotations

import asyncio
import functools
import io
import re
import shutil
import struct
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.wire.attributes import MAGIC_COOKIE, Address
from conformance.wire.stun import pack_type
from pcaps.packets import RAW_IP
from pcaps.pcapng import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pcaps.connections import Connection, Event
    from pcaps.flows import Flow
    from pcaps.growth import Growth

_UNKNOWN_BLOCK = 0x80000001  # of the types for local use
_END = 5.0  # seconds from tshark's last output to its exit
_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
# RFC 4571 is no protocol that tshark can be told to decode; RTP over TCP is, and it carries STUN in its frames.
_PREFERENCES = ["-n", "-o", "rtp.version0_type:STUN packets", "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "stun"]
_DECODE_AS = {"tcp.port==1-65535": "rtp", "udp.port==1-65535": "stun"}
# Packets are asked for as summaries with these columns. All that tshark knows of them takes it three times as long to
# write, and us ten times as long to read.
_COLUMNS = {
    "source": "ip.src or ipv6.src",
    "target": "ip.dst or ipv6.dst",
    "from_port": "tcp.srcport or udp.srcport",
    "to_port": "tcp.dstport or udp.dstport",
    "types": "stun.type",
    "ids": "stun.id",
    "refusal": "icmp.type or icmpv6.type",
}
_FORMAT = ",".join(f'"{name}","%Cus:{field}"' for name, field in _COLUMNS.items())
_SUMMARIES = [*_PREFERENCES, "-o", f"gui.column.format:{_FORMAT}"]
_SUMMARY = re.compile("<packet>\\s*" + "<section>([^<]*)</section>\\s*" * len(_COLUMNS) + "</packet>")
_END_OF_PACKET = b"</packet>"
_LONGEST_COLUMN = 2000  # characters; tshark cuts what is longer than 2,047
# Of whole packets, only these layers, and these not in depth, are looked at: that is half of what is written.
_PACKETS = [*_PREFERENCES, "-j", "frame ip ipv6 tcp udp stun icmp icmpv6"]

Route = tuple[Address, Address]
Messages = list[tuple[int, str]]  # type and transaction id in hexadecimal, in order


class TsharkMissing(Exception):
    """There is no tshark to ask."""


class TsharkFailed(Exception):
    """tshark, or pyshark, gave up."""


class _Summary(NamedTuple):
    """A packet's columns."""

    source: str
    target: str
    from_port: str
    to_port: str
    types: str
    ids: str
    refusal: str


class _CutShort(Exception):
    """A summary has no room for all messages of its packet."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Our decoder and tshark saw different messages from one endpoint to the other."""

    route: Route
    own: str
    tshark: str


@dataclass(slots=True)
class View:
    """What one witness saw: the messages of each direction, in order. ``doubtful``: ids of malformed messages.

    ``unsure``: directions in which, behind the messages listed, octets are missing or stand outside frames, as on
    connections to STUN servers, which tshark cannot be told to expect. Nothing can be compared from there on.
    """

    messages: dict[Route, Messages] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    unsure: set[Route] = field(default_factory=set)


def own_view(found: Iterable[Connection | Flow]) -> View:
    """Return what our own reading saw."""
    view = View()
    for connection in found:
        ends = (connection.client, connection.server)
        for event in connection.events:
            route = ends if event.from_client else (ends[1], ends[0])
            if event.what in ("unframed", "gap"):
                view.unsure.add(route)
            elif event.what in ("frame", "datagram"):
                _add(view, route, event)
    return view


def _add(view: View, route: Route, event: Event) -> None:
    if not event.certain:
        view.unsure.add(route)
    if route in view.unsure:
        return
    if event.message is not None:
        kind = pack_type(event.message.method, event.message.cls)
        view.messages.setdefault(route, []).append((kind, event.message.transaction_id.hex()))
    elif event.payload[4:8] == _COOKIE:
        view.doubtful.add(event.payload[8:20].hex())


class Captures:
    """One file of many captures, for tshark; a capture that is added again under the same name takes the other's place.

    Sections of pcapng can simply follow each other. One that no longer counts becomes a block of an unknown type, which
    readers pass over.
    """

    def __init__(self, path: Path) -> None:
        """Begin the file. Raises `OSError`."""
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}  # where each begins, and its length
        self.size = 0  # octets
        with path.open("wb") as file:
            Writer(file, RAW_IP)  # the first block of a file may not be of an unknown type
            self.size = file.tell()

    def add(self, name: str, capture: bytes) -> None:
        """Append a capture. Raises `OSError`."""
        with self._path.open("r+b") as file:
            if name in self._places:
                begin, length = self._places[name]
                file.seek(begin)
                file.write(struct.pack("<II", _UNKNOWN_BLOCK, length))
                file.seek(begin + length - 4)
                file.write(struct.pack("<I", length))
            begin = file.seek(0, io.SEEK_END)
            file.write(capture)
            self._places[name] = begin, len(capture)
        self.size = begin + len(capture)


def tshark_view(paths: Sequence[Path]) -> View:
    """Return what tshark saw in these captures. Raises `TsharkMissing` or `TsharkFailed`."""
    try:
        with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
            together = Path(folder) / "together.pcapng"
            captures = Captures(together)
            for path in paths:
                captures.add(str(path), path.read_bytes())
            return ask_tshark(together)
    except OSError as error:
        raise TsharkFailed(no_room(error)) from None


def no_room(error: OSError) -> str:
    """Return that the copy of the captures for tshark cannot be written."""
    return (
        f"tshark could not be given the captures, so nothing cross-checks our decoder: {error.strerror or error}; "
        f"they need room for a copy in {tempfile.gettempdir()}, or in the folder that TMPDIR names"
    )


def ask_tshark(path: Path, growth: Growth | None = None) -> View:
    """Return what tshark saw in a capture file, which may still grow. Raises `TsharkMissing` or `TsharkFailed`."""
    if shutil.which("tshark") is None:
        raise TsharkMissing("tshark is not installed, so nothing cross-checks our decoder; apt-get install tshark")
    return _ask(path, growth)


def _ask(path: Path, growth: Growth | None) -> View:
    """Return tshark's view, read from summaries; from whole packets where a summary has no room for all messages."""
    summaries = {"only_summaries": True, "custom_parameters": _SUMMARIES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyshark's, about its own use of asyncio
        try:
            if growth is None:
                return _read(path, _take_summaries, _summaries(), **summaries)
            with growth.piped(path) as pipe:
                view = _read(pipe, _take_summaries, _summaries(), **summaries)
        except _CutShort:
            if growth is not None:
                growth.wait()
            return _read(path, _take_packet, use_json=True, custom_parameters=_PACKETS)
    if growth.failed is not None:
        raise TsharkFailed(f"tshark could not be given the captures: {growth.failed.strerror}")
    return view


def _read(source: Path | int, take: Callable[[Any, View], None], parser: Any = None, **how: Any) -> View:
    """Have tshark read a file, or a pipe, and take in what it writes."""
    from pyshark.capture.file_capture import FileCapture  # costs 0.3 s, and only a run needs it
    from pyshark.capture.pipe_capture import PipeCapture

    loop = asyncio.new_event_loop()  # the thread's own may be missing or in use
    how |= {"eventloop": loop, "decode_as": _DECODE_AS}
    capture = PipeCapture(source, **how) if isinstance(source, int) else FileCapture(str(source), **how)
    capture._cleanup_subprocess = _ended  # noqa: SLF001
    capture._get_tshark_version = _version  # noqa: SLF001
    if parser is not None:
        capture._setup_tshark_output_parser = lambda: parser  # noqa: SLF001
    view = View()
    packets = iter(capture)
    try:
        for packet in packets:
            take(packet, view)
        loop.run_until_complete(capture.close_async())  # only this tells that tshark failed; a pipe stays open
    except _CutShort:
        raise
    except Exception as error:
        raise TsharkFailed(f"tshark could not read the captures: {error}") from error
    finally:
        packets.close()
        capture._running_processes.clear()  # noqa: SLF001  (else its finalizer uses the closed loop)
        loop.close()
    return view


def _summaries() -> Any:
    """Return what reads summaries, as many as there are at a time: pyshark's own loses all but the first."""
    from pyshark.tshark.output_parser.base_parser import BaseTsharkOutputParser

    class Summaries(BaseTsharkOutputParser):  # type: ignore[misc]
        def _extract_packet_from_data(self, data: bytes, got_first_packet: bool = True) -> tuple[bytes | None, bytes]:
            end = data.rfind(_END_OF_PACKET) + len(_END_OF_PACKET)
            return (data[:end], data[end:]) if end >= len(_END_OF_PACKET) else (None, data)

        def _parse_single_packet(self, packet: bytes) -> list[_Summary]:
            found = [_Summary(*columns) for columns in _SUMMARY.findall(packet.decode())]
            if len(found) != packet.count(_END_OF_PACKET):
                raise TsharkFailed("it wrote a summary that is not understood")
            return found

    return Summaries()


@functools.cache
def _version() -> Any:
    """Return tshark's version. pyshark would ask for it with each file, which takes as long as tshark's start."""
    from pyshark.tshark.tshark import get_tshark_version

    return get_tshark_version()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for tshark's own end. pyshark would kill it there, and so now and then lose the status of a good one."""
    if process.stdout is not None and not process.stdout.at_eof():  # given up, by an interrupt: nobody waits for it
        process.kill()
        await process.wait()
        return
    try:
        status = await asyncio.wait_for(process.wait(), _END)
    except TimeoutError:
        process.kill()
        status = await process.wait()
    if status != 0:
        raise TsharkFailed(f"it ended with status {status}")


def _take_summaries(summaries: list[_Summary], view: View) -> None:
    """Take in packets by their columns, in which what is there several times is separated by commas."""
    for packet in summaries:
        if packet.refusal:
            continue  # it only quotes a datagram that did not arrive
        if len(packet.ids) > _LONGEST_COLUMN:
            raise _CutShort
        types, ids = packet.types.split(","), packet.ids.split(",")
        if len(types) != len(ids) or "," in packet.from_port:
            raise TsharkFailed("tshark showed several transport layers in a packet, or a message without an id")
        route = (Address(packet.source, int(packet.from_port)), Address(packet.target, int(packet.to_port)))
        view.messages.setdefault(route, []).extend(
            (int(kind, 16), identity) for kind, identity in zip(types, ids, strict=True)
        )


def _take_packet(packet: Any, view: View) -> None:
    if "ICMP" in packet or "ICMPV6" in packet:
        return  # it only quotes a datagram that did not arrive
    network = packet.ipv6 if "IPV6" in packet else packet.ip
    transport = packet.udp if "UDP" in packet else packet.tcp
    if isinstance(transport.srcport, list):
        raise TsharkFailed("tshark showed several transport layers in a packet")
    route = (Address(str(network.src), int(transport.srcport)), Address(str(network.dst), int(transport.dstport)))
    for layer in packet.layers:
        if layer.layer_name == "stun":
            for message in (layer, *layer.duplicate_layers):
                identity = str(message.id).replace(":", "")
                view.messages.setdefault(route, []).append((int(str(message.type), 16), identity))


def compare(own: View, tshark: View) -> list[Disagreement]:
    """Return where the witnesses differ in messages that both must know as such.

    Messages that only look like STUN (the doubtful ones) are left out, and so are answers to them, which have the same
    transaction id: whether octets are malformed STUN or something else is a matter of taste.
    """
    found = []
    for route in sorted({*own.messages, *tshark.messages}, key=str):
        ours, theirs = (
            [entry for entry in view.messages.get(route, []) if entry[1] not in own.doubtful] for view in (own, tshark)
        )
        if route in own.unsure:
            theirs = theirs[: len(ours)]
        if ours != theirs:
            found.append(Disagreement(route, _text(ours, theirs), _text(theirs, ours)))
    return found


def _text(messages: Messages, others: Messages) -> str:
    """Return how many messages there are, and those that the other witness does not have."""
    extra = Counter(messages) - Counter(others)
    listed = ", ".join(f"0x{kind:04x} {identity[:8]}" for kind, identity in list(extra)[:5])
    return f"{len(messages)} messages" + (f", of them alone {listed}" if listed else "")
