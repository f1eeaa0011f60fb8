"""Which captures a run makes, and how: really recorded in a network of its own, or written by the lower tester."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.peer import lab, recorder
from conformance.peer.recorded import Packet
from conformance.peer.share import WHOLE, Share
from conformance.verdict import Verdict
from pcaps.capture import RunCapture, SyntheticCapture

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.peer.traffic import Tap
    from conformance.wire.attributes import Address
    from conformance.wire.sdp import SessionDescription

SHARED = "::1"  # the only IPv6 address that every machine has; outside the lab all cases share it
_NOT_OWN = (
    "no network of its own: {reason}. Captures hold what the tester sent and received, and cases that speak in "
    "segments of their own are n/a. To mend it: {remedy}"
)


_NO_WIRE = "cases that speak in segments are n/a: {reason}. To mend it: {remedy}"
SOCKETS = lab.Unavailable("the run uses the kernel's sockets", "use --link lab")


_ETHERNET_HEADER = 14  # octets; the run's own networks have no tags


class LabRefused(Exception):
    """The user demands a network of the run's own, and it cannot be."""


def file_of(case: str) -> str:
    """Return where the capture of a case's execution lies in the run's folder."""
    return f"captures/{re.sub(r'[^A-Za-z0-9._-]+', '_', case)}.pcapng"


class SilentTap:
    """A tap for runs whose packets are really recorded: it only counts what the recording must hold."""

    def __init__(self) -> None:
        self.arrived: Counter[tuple[Address, Address]] = Counter()  # octets read from connections, by both ends

    def opened(self, local: Address, remote: Address, initiator: bool, time_ns: int) -> None:
        """Nothing to do."""

    def sent(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Nothing to do."""

    def received(self, key: tuple[Address, Address], octets: bytes, time_ns: int) -> None:
        """Count octets that a connection of the tester has brought."""
        self.arrived[key] += len(octets)

    def datagram(self, source: Address, target: Address, octets: bytes, time_ns: int) -> None:
        """Nothing to do."""

    def closed(self, key: tuple[Address, Address], by_peer: bool, reset: bool, time_ns: int) -> None:
        """Nothing to do."""


@dataclass(slots=True)
class CaseRecording:
    """One case's capture while it is made: the tap for its testers."""

    tap: Tap
    addresses: list[str] = field(default_factory=list)
    capture: str = ""
    problem: str = ""
    verdict: str = ""  # for the capture's comment
    exchanged: Sequence[tuple[str, SessionDescription]] = ()  # what the two sides described to each other
    claim: Callable[[str], None] = lambda _address: None
    recorded: Callable[[], list[Packet]] = list  # what has been recorded so far

    def add(self, address: str) -> None:
        """Take in what a further address of the tester sends and receives."""
        self.addresses.append(address)
        self.claim(address)


@dataclass(slots=True)
class CaseCapture:
    """A case's capture with what the two sides described to each other ("IUT" and "tester").

    ``arrived``: how many octets the tester read, by both ends of each connection. ``draw``: its ladder is wanted.
    ``verdict``: what the case came to, with the reason.
    """

    case: str
    path: Path
    tester: frozenset[str]
    exchanged: Sequence[tuple[str, SessionDescription]] = ()
    arrived: Mapping[tuple[Address, Address], int] = field(default_factory=dict)
    draw: bool = False
    verdict: str = ""

    @property
    def names(self) -> dict[str, str]:
        """What the addresses are called in a ladder."""
        return dict.fromkeys(self.tester - {SHARED}, "tester")

    def opened(self) -> CaseCapture:
        """Return this."""
        return self


@dataclass(frozen=True, slots=True)
class SealedCapture:
    """A case's capture on its way between processes: only the one that reads it unpacks the rest."""

    case: str
    draw: bool
    packed: bytes

    @classmethod
    def of(cls, capture: CaseCapture) -> SealedCapture:
        """Pack a capture."""
        return cls(capture.case, capture.draw, pickle.dumps(capture))

    def opened(self) -> CaseCapture:
        """Return the capture."""
        capture: CaseCapture = pickle.loads(self.packed)  # noqa: S301  (packed by a process of ours)
        return capture


class NoRecording:
    """For runs that nobody will look at case by case, such as those against mutants: no captures at all."""

    link = "sockets"
    notes: tuple[str, ...] = ()

    def __init__(self, wire: lab.Wire | lab.Unavailable = SOCKETS) -> None:
        self.wire = wire

    @contextlib.contextmanager
    def case(self, _case: str, address: str) -> Iterator[CaseRecording]:
        """Record nothing."""
        yield CaseRecording(SilentTap(), [address])

    def ipv6_address(self) -> str:
        """Return the one IPv6 address that every machine has."""
        return SHARED


@dataclass(slots=True)
class Recording:
    """All captures of a run. ``link`` is "lab" or "sockets"; ``notes`` say what the environment did not allow."""

    out: Path
    link: str
    notes: list[str] = field(default_factory=list)
    wire: lab.Wire | lab.Unavailable = SOCKETS
    on_capture: Callable[[CaseCapture], None] = lambda _capture: None  # told of each; called from cases' threads
    _permission: socket.socket | None = None
    _recorder: recorder.Recorder | None = None
    _run: RunCapture = field(default_factory=RunCapture)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _all_ipv6: bool = False  # every address of the network's prefix is its own already
    _share: Share = WHOLE

    @classmethod
    def begin(cls, out: Path, *, link: str) -> Recording:
        """Enter a network of the run's own where packets may be recorded, or fall back to kernel sockets and say why.

        Nothing is recorded before `record`. Raises `LabRefused` instead of falling back where `link` is "lab".
        """
        if link == "sockets":
            return cls(out, "sockets")
        unavailable = lab.enter()
        if unavailable is not None:
            if link == "lab":
                raise LabRefused(f"{unavailable.reason}. To mend it: {unavailable.remedy}")
            note = _NOT_OWN.format(reason=unavailable.reason, remedy=unavailable.remedy)
            return cls(out, "sockets", [note], wire=unavailable)
        recording = cls(out, "lab", wire=lab.lay_wire(), _all_ipv6=lab.own_ipv6_prefix())
        if isinstance(recording.wire, lab.Unavailable):
            recording.notes.append(_NO_WIRE.format(reason=recording.wire.reason, remedy=recording.wire.remedy))
        try:
            recording._permission = recorder.permission()
        except OSError as error:
            recording.link = "sockets"
            recording.notes.append(f"packets cannot be recorded ({error.strerror}); the tester writes the captures")
        return recording

    def record(self, share: Share = WHOLE) -> None:
        """Begin to record, in the process that executes cases with this share of the addresses. Raises `OSError`."""
        self._share = share
        if self.link == "lab":
            wire = self.wire if isinstance(self.wire, lab.Wire) else None
            self._recorder = recorder.Recorder(self._run.packet, wire, share)

    def ipv6_address(self) -> str:
        """Return an IPv6 address for a case: its own in the run's network, ::1 otherwise."""
        if self.link != "lab":
            return SHARED
        with self._lock:
            address = self._share.ipv6(next(self._numbers))
        if not self._all_ipv6:
            lab.add_ipv6(address)
        return address

    @contextlib.contextmanager
    def case(self, case: str, address: str) -> Iterator[CaseRecording]:
        """Record a case that uses this tester address; its file is complete when the block ends."""
        relative = file_of(case)
        path = self.out / relative
        if self._recorder is None:
            synthetic = SyntheticCapture(path, case)
            recording = CaseRecording(synthetic, [address], relative)
            try:
                yield recording
            finally:
                synthetic.close()
                self._hand_on(case, path, recording, {})
            return
        self._run.begin(address)
        lost = self._recorder.lost
        tap = SilentTap()
        recording = CaseRecording(tap, [address], relative, claim=lambda more: self._run.also(address, more))
        recording.recorded = lambda: self._recorded(address)
        try:
            yield recording
        finally:
            if not self._recorder.barrier():
                recording.problem = "the recorder did not keep up"
            missing = self._recorder.lost - lost
            if missing:
                recording.problem = f"{missing} packets are missing in the recording of this time"
            self._run.write(address, path, case, verdict=recording.verdict, testers=recording.addresses, lost=missing)
            self._hand_on(case, path, recording, tap.arrived)

    def _recorded(self, address: str) -> list[Packet]:
        """Return what has been recorded of a case up to now."""
        if self._recorder is None or not self._recorder.barrier():
            return []
        since = time.time() - time.monotonic()  # the recorder has the time of day
        packets = self._run.packets(address)
        return [Packet(time_ns / 1e9 - since, octets[_ETHERNET_HEADER:]) for time_ns, octets in packets]

    def _hand_on(
        self, case: str, path: Path, recording: CaseRecording, arrived: Mapping[tuple[Address, Address], int]
    ) -> None:
        draw = not recording.verdict.startswith((Verdict.PASS.value, Verdict.NOT_APPLICABLE.value))
        capture = CaseCapture(
            case, path, frozenset(recording.addresses), recording.exchanged, arrived, draw, recording.verdict
        )
        self.on_capture(capture)

    def close(self) -> None:
        """Stop recording."""
        if self._recorder is not None:
            lost = self._recorder.close()
            if lost:
                self.notes.append(f"{lost} packets are missing in the recording of the run")
            self._recorder = None

    @property
    def folder(self) -> Path:
        """Where the captures lie."""
        return self.out / "captures"
