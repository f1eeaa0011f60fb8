"""The second and the third witness: our own decoder and tshark read the same captures, and must agree.

tshark is asked through pyshark, once for all captures of a run. Everything that is particular about pyshark (its event
loop, its duplicate layers, a failure that looks like an empty capture) stays in this module.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.wire.attributes import MAGIC_COOKIE, Address
from conformance.wire.stun import pack_type
from pcaps import pcapng
from pcaps.flows import Flow, flows
from pcaps.following import connections
from pcaps.streams import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_END = 5.0  # seconds from tshark's last output to its exit
_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
# RFC 4571 is no protocol that tshark can be told to decode; RTP over TCP is, and it carries STUN in its frames.
_PREFERENCES = ["-n", "-o", "rtp.version0_type:STUN packets", "-o", "tcp.reassemble_out_of_order:TRUE"]
_DECODE_AS = {"tcp.port==1-65535": "rtp", "udp.port==1-65535": "stun"}

Route = tuple[Address, Address]
Messages = list[tuple[int, str]]  # type and transaction id in hexadecimal, in order


class TsharkMissing(Exception):
    """There is no tshark to ask."""


class TsharkFailed(Exception):
    """tshark, or pyshark, gave up."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Our decoder and tshark saw different messages from one endpoint to the other."""

    route: Route
    own: str
    tshark: str


@dataclass(slots=True)
class View:
    """What one witness saw: the messages of each direction, in order. ``doubtful``: ids of broken lookalikes.

    ``bare``: directions of connections that began without frames, which tshark cannot be told to expect.
    """

    messages: dict[Route, Messages] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    bare: set[Route] = field(default_factory=set)


def read_connections(path: Path) -> list[Connection]:
    """Return the connections of a capture file. Raises `pcaps.pcapng.CaptureError`."""
    with path.open("rb") as file:
        return connections(pcapng.read(file))


def read_flows(path: Path) -> list[Flow]:
    """Return the UDP flows of a capture file. Raises `pcaps.pcapng.CaptureError`."""
    with path.open("rb") as file:
        return flows(pcapng.read(file))


def own_view_of(path: Path) -> View:
    """Return what our own decoder saw in a capture file. Raises `pcaps.pcapng.CaptureError` and `OSError`."""
    with path.open("rb") as file:
        packets = list(pcapng.read(file))
    return own_view([*connections(packets), *flows(packets)])


def own_view(found: Iterable[Connection | Flow]) -> View:
    """Return what our own decoder saw."""
    view = View()
    for connection in found:
        if connection.bare:
            ends = (connection.client, connection.server)
            view.bare |= {ends, (ends[1], ends[0])}
            continue
        for event in connection.frames:
            ends = (connection.client, connection.server)
            route = ends if event.from_client else (ends[1], ends[0])
            if event.message is not None:
                kind = pack_type(event.message.method, event.message.cls)
                view.messages.setdefault(route, []).append((kind, event.message.transaction_id.hex()))
            elif event.payload[4:8] == _COOKIE:
                view.doubtful.add(event.payload[8:20].hex())
    return view


def tshark_view(paths: Sequence[Path]) -> View:
    """Return what tshark saw in these captures. Raises `TsharkMissing` or `TsharkFailed`."""
    if shutil.which("tshark") is None:
        raise TsharkMissing("tshark is not installed, so nothing cross-checks our decoder; apt-get install tshark")
    try:
        with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
            merged = Path(folder) / "run.pcapng"
            with merged.open("wb") as out:  # sections of pcapng can simply follow each other
                for path in paths:
                    out.write(path.read_bytes())
            return _ask(merged)
    except OSError as error:
        raise TsharkFailed(
            f"tshark could not be given the captures, so nothing cross-checks our decoder: {error.strerror or error}; "
            f"they need room for a copy in {tempfile.gettempdir()}, or in the folder that TMPDIR names"
        ) from None


def _ask(path: Path) -> View:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyshark's, about its own use of asyncio
        import pyshark  # costs 0.3 s, and only a run's end needs it

        loop = asyncio.new_event_loop()  # the thread's own may be missing or in use
        capture = pyshark.FileCapture(
            str(path),
            eventloop=loop,
            use_json=True,
            keep_packets=False,
            display_filter="stun",
            custom_parameters=_PREFERENCES,
            decode_as=_DECODE_AS,
        )
        capture._cleanup_subprocess = _ended  # noqa: SLF001
        view = View()
        packets = iter(capture)
        try:
            for packet in packets:
                _take(packet, view)
            capture.close()  # only this tells that tshark failed
        except Exception as error:
            raise TsharkFailed(f"tshark could not read the captures: {error}") from error
        finally:
            packets.close()
            capture._running_processes.clear()  # noqa: SLF001  (else its finalizer uses the closed loop)
            loop.close()
    return view


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


def _take(packet: Any, view: View) -> None:
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

    Connections to servers, which begin without frames, have our own decoder as their only witness. Frames that
    only look like STUN (the doubtful ones) are left out: to call them broken or no STUN at all is a matter of taste.
    """
    found = []
    for route in sorted({*own.messages, *tshark.messages} - own.bare, key=str):
        # an answer to such a frame has its transaction id, too
        ours, theirs = (
            [entry for entry in view.messages.get(route, []) if entry[1] not in own.doubtful] for view in (own, tshark)
        )
        if ours != theirs:
            found.append(Disagreement(route, _text(ours, theirs), _text(theirs, ours)))
    return found


def _text(messages: Messages, others: Messages) -> str:
    """Return how many messages there are, and those that the other witness does not have."""
    extra = Counter(messages) - Counter(others)
    listed = ", ".join(f"0x{kind:04x} {identity[:8]}" for kind, identity in list(extra)[:5])
    return f"{len(messages)} messages" + (f", of them alone {listed}" if listed else "")
