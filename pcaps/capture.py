"""Captures of a run: what each case sent and received, in a pcapng file of its own.

Two kinds. A `SyntheticCapture` is written by the lower tester from what it gave to and took from its sockets; a
`RunCapture` takes really recorded packets and sorts them by the tester's address, which is each case's own.
"""

from __future__ import annotations

import contextlib
import io
import threading
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from conformance.wire import udp
from conformance.wire.tcp import ACK, FIN, PSH, RST, SYN
from pcaps.packets import ETHERNET, RAW_IP, Segment, build, endpoints
from pcaps.pcapng import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conformance.wire.attributes import Address

_SYNTHETIC = (
    "Written by the lower tester from what it sent to and received from its sockets: the order and the octets are "
    "real, the TCP segments are not (one for each write and read), and retransmissions do not show."
)
_RECORDED = "Recorded from the network of the run."
_MSS = 65000
_APART = 1 << 20  # between the sequence numbers of two connections with the same ends


@dataclass(slots=True)
class _Conversation:
    """Sequence numbers of both directions: ours, theirs."""

    ours: int = 1
    theirs: int = 1


class SyntheticCapture:
    """Writes one case's conversations as if they had been recorded. One thread at a time may use it."""

    def __init__(self, path: Path, case: str) -> None:
        self._path = path
        self._file = io.BytesIO()
        self._writer = Writer(self._file, RAW_IP, comment=f"{case}\n{_SYNTHETIC}")
        self._conversations: dict[tuple[Address, Address], _Conversation] = {}

    def opened(self, local: Address, remote: Address, initiator: bool, time_ns: int) -> None:
        """Write the handshake of a connection.

        One between the same two endpoints as an earlier one begins with other numbers, or it would be taken for that.
        """
        before = self._conversations.get((local, remote))
        start = 0 if before is None else max(before.ours, before.theirs) + _APART
        self._conversations[local, remote] = _Conversation(start + 1, start + 1)
        first, second = (local, remote) if initiator else (remote, local)
        self._packet(first, second, start, 0, SYN, b"", time_ns)
        self._packet(second, first, start, start + 1, SYN | ACK, b"", time_ns)
        self._packet(first, second, start + 1, start + 1, ACK, b"", time_ns)

    def sent(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Write a segment of ours."""
        talk = self._conversations[key]
        for begin in range(0, len(octets), _MSS):
            piece = octets[begin : begin + _MSS]
            self._packet(*key, talk.ours, talk.theirs, PSH | ACK, piece, time_ns)
            talk.ours += len(piece)

    def received(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Write a segment of the IUT's."""
        talk = self._conversations[key]
        local, remote = key
        for begin in range(0, len(octets), _MSS):
            piece = octets[begin : begin + _MSS]
            self._packet(remote, local, talk.theirs, talk.ours, PSH | ACK, piece, time_ns)
            talk.theirs += len(piece)

    def datagram(self, source: Address, target: Address, octets: bytes, time_ns: int) -> None:
        """Write a UDP datagram of either side."""
        self._writer.packet(time_ns, udp.build(udp.Datagram(source, target, octets)))

    def closed(self, key: tuple[Address, Address], by_peer: bool, reset: bool, time_ns: int) -> None:
        """Write FIN or RST of one side."""
        talk = self._conversations[key]
        local, remote = key
        flags = RST | ACK if reset else FIN | ACK
        if by_peer:
            self._packet(remote, local, talk.theirs, talk.ours, flags, b"", time_ns)
            talk.theirs += 1
        else:
            self._packet(local, remote, talk.ours, talk.theirs, flags, b"", time_ns)
            talk.ours += 1

    def close(self) -> None:
        """Write the file whole or not at all. Raises `OSError`."""
        _write_whole(self._path, self._file.getvalue())

    def _packet(
        self,
        source: Address,
        destination: Address,
        sequence: int,
        acknowledgement: int,
        flags: int,
        octets: bytes,
        time: int,
    ) -> None:
        segment = Segment(source, destination, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, flags, octets)
        self._writer.packet(time, build(segment))


@dataclass(slots=True, eq=False)
class _Kept:
    """The packets of a case so far, and the addresses that the tester has had to do with."""

    packets: list[tuple[int, bytes]] = field(default_factory=list)
    ends: set[str] = field(default_factory=set)


class RunCapture:
    """Takes every packet of the run's network and keeps, per tester address, what belongs to one case.

    Packets of a case are held in memory only while the case lasts. `packet` is called by the recorder's thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cases: dict[str, _Kept] = {}
        self.unclaimed = 0

    def packet(self, time_ns: int, octets: bytes) -> None:
        """Sort a packet by its addresses."""
        ends = endpoints(ETHERNET, octets)
        if ends is None or ends[0] == ends[1]:
            return  # no IP, or the tester with itself: a filled accept queue
        with self._lock:
            for address, other in (ends, ends[::-1]):
                kept = self._cases.get(address)
                if kept is not None:
                    kept.packets.append((time_ns, octets))
                    kept.ends.add(other)
                    return
            self.unclaimed += 1

    def begin(self, address: str) -> None:
        """Claim the packets of a tester address."""
        with self._lock:
            self._cases[address] = _Kept()

    def also(self, address: str, more: str) -> None:
        """Put the packets of a further address of the same tester with those of its first one."""
        with self._lock:
            self._cases[more] = self._cases[address]

    def packets(self, address: str) -> list[tuple[int, bytes]]:
        """Return what has been recorded so far of a tester address, as Ethernet frames with their times, in order."""
        with self._lock:
            kept = self._cases.get(address)
            return [] if kept is None else sorted(kept.packets, key=itemgetter(0))

    def write(
        self,
        address: str,
        path: Path,
        case: str,
        *,
        verdict: str = "",
        testers: Iterable[str] = (),
        lost: int = 0,
    ) -> None:
        """Write a case's packets, in the order of their times, and let go of them. Raises `OSError`.

        The file's comment names case and verdict; both sides' addresses have names in it; `lost` is how many packets
        the recorder has missed meanwhile. It is there whole or not at all.
        """
        testers = list(testers)
        with self._lock:
            kept = self._cases.pop(address, None) or _Kept()
            for other in [other for other, same in self._cases.items() if same is kept]:
                del self._cases[other]
        file = io.BytesIO()
        writer = Writer(file, ETHERNET, comment="\n".join(filter(None, (case, verdict, _RECORDED))))
        others = sorted(kept.ends.difference(testers))
        names = {other: f"IUT{number or ''}" for number, other in enumerate(others)}
        writer.names({**names, **{tester: f"tester{number or ''}" for number, tester in enumerate(testers)}})
        for time_ns, octets in sorted(kept.packets, key=lambda packet: packet[0]):
            writer.packet(time_ns, octets)
        writer.statistics(len(kept.packets), lost)
        _write_whole(path, file.getvalue())


def _write_whole(path: Path, octets: bytes) -> None:
    """Write a file, or leave none behind that somebody could take for a capture."""
    try:
        path.write_bytes(octets)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
