"""Which captures a run makes, and how: really recorded in a network of its own, or written by the lower tester."""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.peer import lab
from conformance.peer.recorder import Recorder
from conformance.verdict import Result, Verdict
from pcaps.capture import RunCapture, SyntheticCapture
from pcaps.decode import TsharkFailed, TsharkMissing, View, compare, read_connections, read_flows, tshark_view
from pcaps.ladder import render
from pcaps.pcapng import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.peer.channel import Tap
    from conformance.wire.attributes import Address
    from conformance.wire.sdp import SessionDescription

SHARED = "::1"  # the only IPv6 address that every machine has; outside the lab all cases share it
_NOT_OWN = (
    "no network of its own: {reason}. Captures hold what the tester sent and received, and cases that speak in "
    "segments of their own are n/a. To mend it: {remedy}"
)


_NO_WIRE = "cases that speak in segments are n/a: {reason}. To mend it: {remedy}"
SOCKETS = lab.Unavailable("the run uses the kernel's sockets", "use --link lab")


class LabRefused(Exception):
    """The user demands a network of the run's own, and it cannot be."""


class _Silent:
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

    def add(self, address: str) -> None:
        """Take in what a further address of the tester sends and receives."""
        self.addresses.append(address)
        self.claim(address)


@dataclass(slots=True)
class CaseCapture:
    """A case's capture with what the two sides described to each other ("IUT" and "tester")."""

    case: str
    path: Path
    tester: frozenset[str]
    exchanged: Sequence[tuple[str, SessionDescription]] = ()


class NoRecording:
    """For runs that nobody will look at case by case, such as those against mutants: no captures at all."""

    link = "sockets"
    notes: tuple[str, ...] = ()

    def __init__(self, wire: lab.Wire | lab.Unavailable = SOCKETS) -> None:
        self.wire = wire

    @contextlib.contextmanager
    def case(self, _case: str, address: str) -> Iterator[CaseRecording]:
        """Record nothing."""
        yield CaseRecording(_Silent(), [address])

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
    _recorder: Recorder | None = None
    _run: RunCapture = field(default_factory=RunCapture)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _all_ipv6: bool = False  # every address of the network's prefix is its own already
    _captures: dict[str, tuple[Path, list[str]]] = field(default_factory=dict)  # file, tester's addresses, by case

    @classmethod
    def begin(cls, out: Path, *, link: str) -> Recording:
        """Enter a network of the run's own and record there, or fall back to kernel sockets and say why.

        Raises `LabRefused` instead of falling back where `link` is "lab".
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
            recording._recorder = Recorder(recording._run.packet)
        except OSError as error:
            recording.link = "sockets"
            recording.notes.append(f"packets cannot be recorded ({error.strerror}); the tester writes the captures")
        return recording

    def ipv6_address(self) -> str:
        """Return an IPv6 address for a case: its own in the run's network, ::1 otherwise."""
        if self.link != "lab":
            return SHARED
        with self._lock:
            address = f"fd6c::{next(self._numbers):x}"
        if not self._all_ipv6:
            lab.add_ipv6(address)
        return address

    @contextlib.contextmanager
    def case(self, case: str, address: str) -> Iterator[CaseRecording]:
        """Record a case that uses this tester address; its file is complete when the block ends."""
        path = self.out / "captures" / (re.sub(r"[^A-Za-z0-9._-]+", "_", case) + ".pcapng")
        relative = f"captures/{path.name}"
        if self._recorder is None:
            synthetic = SyntheticCapture(path, case)
            recording = CaseRecording(synthetic, [address], relative)
            try:
                yield recording
            finally:
                synthetic.close()
                self._keep(case, path, recording)
            return
        self._run.begin(address)
        lost = self._recorder.lost
        tap = _Silent()
        recording = CaseRecording(tap, [address], relative, claim=lambda more: self._run.also(address, more))
        try:
            yield recording
        finally:
            if not self._recorder.barrier():
                recording.problem = "the recorder did not keep up"
            missing = self._recorder.lost - lost
            if missing:
                recording.problem = f"{missing} packets are missing in the recording of this time"
            self._run.write(address, path, case, verdict=recording.verdict, testers=recording.addresses, lost=missing)
            recording.problem = recording.problem or _lacking(path, tap.arrived)
            self._keep(case, path, recording)

    def _keep(self, case: str, path: Path, recording: CaseRecording) -> None:
        with self._lock:
            self._captures[case] = path, recording.addresses
        self.on_capture(CaseCapture(case, path, frozenset(recording.addresses), recording.exchanged))

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

    def explain(self, result: Result) -> None:
        """Give a result that is no pass the ladder of its capture."""
        path, addresses = self._captures.get(result.case, (None, []))
        if path is None or result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            return
        try:
            names = dict.fromkeys(set(addresses) - {SHARED}, "tester")
            result.ladder = render([*read_connections(path), *read_flows(path)], names)
        except (OSError, CaptureError) as error:
            result.ladder = f"the capture cannot be read: {error}"

    def ask_tshark(self) -> View | None:
        """Let tshark read all captures. What keeps it from that is added to the notes, and there is no view."""
        try:
            return tshark_view([path for path, _ in self._captures.values()])
        except (TsharkMissing, TsharkFailed) as error:
            self.notes.append(str(error))
            return None

    def cross_check(self, views: Mapping[str, View], seen: View) -> dict[str, tuple[str, str]]:
        """Compare what our decoder saw, by case, with what tshark saw; return both where they differ."""
        found = {}
        for case, own in views.items():
            differences = compare(own, _of_case(seen, own, self._captures[case][1]))
            if differences:
                first = differences[0]
                where = f"from {first.route[0]} to {first.route[1]}"
                found[case] = (f"own decoder, {where}: {first.own}", f"tshark, {where}: {first.tshark}")
        return found


def _lacking(path: Path, arrived: Mapping[tuple[Address, Address], int]) -> str:
    """Return what a capture lacks of the octets that the tester read: of nothing, witnesses would always agree."""
    held: Counter[tuple[Address, Address]] = Counter()
    for connection in read_connections(path):
        for client, ends in (
            (False, (connection.client, connection.server)),
            (True, (connection.server, connection.client)),
        ):
            held[ends] += connection.octets_from(client=client)
    for (local, remote), count in arrived.items():
        if held[local, remote] < count:
            return f"the capture holds {held[local, remote]} of the {count} octets that {local} received from {remote}"
    return ""


def _of_case(seen: View, own: View, addresses: list[str]) -> View:
    """Return the part of a view that is one case's: the tester's addresses tell, where several share one, the ports."""
    mine = set(addresses) - {SHARED}
    routes = [r for r in seen.messages if mine & {r[0].ip, r[1].ip} or (SHARED in addresses and r in own.messages)]
    return View({route: seen.messages[route] for route in routes})
