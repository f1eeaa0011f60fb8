"""Executes cases: builds each one's testers, runs its function, and makes a result of what happened.

The engine knows nothing of pytest; the plugin gives it the cases that pytest selected and reports its results, and the
mutation tests give it the same cases with faults of the reference agent switched on.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import queue
import random
import shlex
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.catalogue.capabilities import unmet
from conformance.iut.errors import AdapterError
from conformance.iut.reads import Notes
from conformance.iut.upper import Upper
from conformance.peer import lab
from conformance.peer.pixit import Pixit
from conformance.peer.premises import premises
from conformance.peer.pump import Aborted, Pump
from conformance.peer.segments.script import Segments
from conformance.peer.shape import Shape
from conformance.peer.share import WHOLE, Share
from conformance.peer.tester import Peer
from conformance.run.attribution import attributed, described
from conformance.run.case import Case as Case
from conformance.run.evidence import Execution, Repetitions, Suspicion
from conformance.run.order import arranged
from conformance.run.ordinary import judged_by_an_ordinary_session
from conformance.run.topology import LOOPBACK, Topology
from conformance.run.workers import Workers
from conformance.verdict import Result, Verdict, execution_of, variant_of

if TYPE_CHECKING:
    from conformance.iut.pool import Lease, Pool
    from conformance.run.elsewhere import Elsewhere
    from conformance.run.recording import CaseRecording, NoRecording, Recording


_BEFORE_ALL = 1000.0  # seconds that no case takes


@dataclass(slots=True, kw_only=True)
class Settings:
    """What holds for a whole run.

    `explained` says of an inconclusive result that it need not be repeated alone; `alone` says of a variant's id that
    it is to have a process of its own in the first place.
    """

    iut: str
    out: Path
    pixit: Pixit = field(default_factory=Pixit)
    seed: int = 0
    on_wire: bool = False  # the IUT is met on the lab's wire instead of loopback
    ipv6: str = LOOPBACK["IPv6"][0]  # where it is met if not on the wire
    elsewhere: Elsewhere | None = None  # where it is, if its addresses are its own
    logs_passes: bool = True  # off: of what passes no log is kept
    by_hand: bool = False  # a person carries the descriptions and is told which case it is
    repeat: str = "icetcp run -j 1 --case {case}"
    explained: Callable[[Result], bool] = lambda _result: True
    alone: Callable[[str], bool] = lambda _variant: False

    def length(self, case: Case) -> float:
        """Return how long a case takes, as far as declared; one with a process of its own begins before all others."""
        return case.length + (_BEFORE_ALL if self.alone(case.id) else 0)


def of_source(source: str) -> str:
    """Return what the command that repeats a case says of its file; nothing of a case of ours."""
    return f" --cases-from {shlex.quote(source)}" if source else ""


class Engine:
    """Runs cases against one IUT, each with a tester address of its own, as many at once as it has threads."""

    def __init__(
        self,
        pool: Pool,
        recording: Recording | NoRecording,
        settings: Settings,
        pics: Mapping[str, Any],
        share: Share = WHOLE,
    ) -> None:
        self.settings = settings
        self._pool = pool
        self._recording = recording
        self._pics = pics
        self._lock = threading.Lock()
        self._topology = Topology(
            recording, on_wire=settings.on_wire, ipv6=settings.ipv6, elsewhere=settings.elsewhere, share=share
        )
        self._pumps: set[Pump] = set()
        self._stopping = threading.Event()
        self.suspicion = Suspicion()
        self._repetitions = Repetitions(settings.explained)
        self.failures: list[str] = []  # exceptions of ours while the engine was being stopped
        self.stopped = 0.0  # when `stop` was called, in seconds since the epoch

    @property
    def pool(self) -> Pool:
        """The adapter's processes."""
        return self._pool

    @pool.setter
    def pool(self, pool: Pool) -> None:
        self._pool = pool

    # -- one case ------------------------------------------------------------------------------------------------

    def run(
        self,
        case: Case,
        *,
        faults: Sequence[str] = (),
        variation: Mapping[str, object] | None = None,
        notes: Notes | None = None,
    ) -> Result:
        """Execute a case and return its result; once the engine stops, only `Aborted` comes out as an exception.

        `faults` and `variation` are for the reference agent: what it shall do wrongly, and what differently but
        lawfully; `notes` are to be taken of which faults could have made a difference. When something happened to the
        adapter, or nothing can be said because of what other sessions of its process may have done, the case is
        executed once more, alone with a process of its own. See `evidence`.
        """
        extra: dict[str, object] = {}
        if faults:
            extra["x-faults"] = list(faults)
        if variation:
            extra["x-variation"] = dict(variation)
        if notes is not None:
            extra["x-observe"] = notes
        try:
            executions = [self._attempt(case, extra, alone=self.settings.alone(case.id))]
            if self._repetitions.wanted(executions[0]) and not self._stopping.is_set():
                executions.append(self._attempt(case, extra, alone=True, number=2))
        except Exception as error:
            if not self._stopping.is_set():
                raise
            self.failures.append(f"{case.id}, when the run was stopped: {described(error)}")
            raise Aborted from error
        self._repetitions.learn(executions)
        return self.suspicion.joined(executions, _label(case, extra))

    def _attempt(self, case: Case, extra: Mapping[str, object], *, alone: bool, number: int = 1) -> Execution:
        result = self.blank(case, extra)
        reasons = unmet(dict.fromkeys((*case.needs, *case.shape_for(self._pics).needs)), self._pics)
        if reasons:
            result.verdict, result.reason = Verdict.NOT_APPLICABLE, "; ".join(reasons)
            return Execution(result)
        begun = time.monotonic()
        execution = Execution(result, alone=alone)
        try:
            with self._pool.lease(_label(case, extra), isolated=alone) as lease:
                self._execute(case, result, lease, extra, number=number)
                if self.settings.logs_passes or result.verdict is not Verdict.PASS:
                    result.log = lease.log_name
                else:
                    lease.keeps_log = False
        except AdapterError as error:
            result.overwrite(Verdict.INCONC, str(error))
        else:
            execution.incidents = lease.incidents  # complete when the lease has ended
            execution.shared = lease.shared_death
            execution.others, execution.unreadable = lease.others, lease.unreadable
        result.duration = time.monotonic() - begun
        return execution

    def _execute(self, case: Case, result: Result, lease: Lease, extra: Mapping[str, object], *, number: int) -> None:
        pump = Pump()
        with self._lock:
            self._pumps.add(pump)
        if self._stopping.is_set():
            pump.abort()
        try:
            self._script(case, result, lease, extra, pump, number)
        finally:
            with self._lock:
                self._pumps.discard(pump)
            pump.close()

    def _script(
        self, case: Case, result: Result, lease: Lease, extra: Mapping[str, object], pump: Pump, number: int
    ) -> None:
        family = case.shape_for(self._pics).family
        with attributed(result):
            address = self._topology.address(family, in_segments=case.in_segments)
        if result.verdict is not Verdict.NONE:
            return
        with self._recording.case(execution_of(case.id, number), address) as recorded:
            testers: _Testers | None = None
            with attributed(result):
                testers = self._testers(case, lease, extra, pump, recorded, address)
            if testers is not None:

                def another() -> tuple[Upper, Peer]:
                    plain = replace(case, parameters={"shape": Shape(family=family)}, in_segments=False)
                    place = address
                    if case.in_segments:  # the kernel's connections have addresses of their own
                        recorded.add(place := self._topology.address(family))
                    further = self._testers(plain, lease, extra, pump, recorded, place)
                    further.upper.exchanged = recorded.exchanged = testers.upper.exchanged  # the judge reads them all
                    return further.upper, further.peer

                lease.unreadable = self._play(case, result, testers, pump, another)
            recorded.verdict = f"{result.verdict.value}: {result.reason}".rstrip(": ")
        result.capture = recorded.capture
        if recorded.problem:
            result.overwrite(Verdict.ERROR, recorded.problem)

    def _testers(
        self,
        case: Case,
        lease: Lease,
        extra: Mapping[str, object],
        pump: Pump,
        recorded: CaseRecording,
        address: str,
    ) -> _Testers:
        """Return the upper and the lower tester of a case."""
        shape, pixit = case.shape_for(self._pics), self.settings.pixit
        pixit = replace(pixit, decides=min(pixit.decides, float(self._pics.get("decides", pixit.decides))))
        rng = random.Random(f"{self.settings.seed}:{case.id}")

        def second_address() -> str:
            second = self._topology.address("IPv4" if shape.family == "IPv6" else "IPv6")
            recorded.add(second)
            return second

        def second_on_wire() -> str:
            second = self._topology.address(shape.family, in_segments=True)
            recorded.add(second)
            return second

        segments = None
        if case.in_segments:
            assert isinstance(self._recording.wire, lab.Wire)
            segments = Segments(self._recording.wire, address, pump, rng, second_on_wire)
        addresses = self._topology.iut_addresses(shape.family, in_segments=case.in_segments)
        sockets = segments or self._topology.sockets()
        peer = Peer(address, pump, recorded.tap, pixit, rng, second_address, sockets)
        peer.recorded = recorded.recorded
        peer.iut_is_elsewhere = self.settings.elsewhere is not None
        peer.shape = shape
        peer.profile = str(self._pics.get("profile", "plain"))
        notes = extra.get("x-observe")
        told = {**extra, "x-observe": str(notes.path)} if isinstance(notes, Notes) else extra
        upper = Upper(
            lease.session,
            pump,
            pics=self._pics,
            addresses=addresses,
            timeout=max(pixit.adapter, float(self._pics.get("answers", 0))),
            extra={**told, "x-case": case.id} if self.settings.by_hand else told,
            both=self._topology.all_iut_addresses(),
        )
        upper.trickles, upper.is_strange = shape.candidates == "trickled", shape.sdp == "strange"
        upper.reads = notes.reads if isinstance(notes, Notes) else None
        upper.on_description = peer.meet
        pump.ask = upper.ask
        recorded.exchanged = upper.exchanged
        return _Testers(upper, peer, segments, rng)

    def _play(
        self,
        case: Case,
        result: Result,
        testers: _Testers,
        pump: Pump,
        another: Callable[[], tuple[Upper, Peer]],
    ) -> bool:
        """Execute the case's function, then the postamble; `another` makes the testers of a further session.

        Returns whether the case ended because nobody can read what the IUT said.
        """
        body = attributed(result, case.function, _outcome_asked(case))
        offered = {
            "upper": testers.upper,
            "peer": testers.peer,
            "segments": testers.segments,
            "pixit": self.settings.pixit,
            "rng": testers.rng,
        }
        try:
            with body:
                with self._judged(case, testers, another), premises(testers.peer, case.requirements):
                    case.function(**_arguments(case.function, offered, case.parameters))
                result.verdict = result.verdict.worse(Verdict.PASS)
            result.note = "; ".join(dict.fromkeys([*testers.peer.readings, *testers.upper.readings]))
            result.watched = round(pump.watched, 3)
            self._postamble(result, testers.upper)
        finally:
            with attributed(result):
                testers.peer.close()
        return body.unreadable

    def _judged(
        self, case: Case, testers: _Testers, another: Callable[[], tuple[Upper, Peer]]
    ) -> contextlib.AbstractContextManager[None]:
        """Return what holds a failure against an ordinary session, where there can be one: not by hand."""
        if self.settings.by_hand:
            return contextlib.nullcontext()
        return judged_by_an_ordinary_session(testers.upper, testers.peer, case.requirements, another)

    def _postamble(self, result: Result, upper: Upper) -> None:
        """The IUT must have survived, and close its session when told to; what goes wrong on our side is an error."""
        after = Result(case=result.case, title="", section=result.section, requirements=(), level=result.level)
        with attributed(after):
            upper.close()
            upper.check_alive()
        if after.verdict is Verdict.ERROR:
            result.overwrite(Verdict.ERROR, f"after the case: {after.reason}")
        elif after.verdict not in (Verdict.NONE, Verdict.NOT_APPLICABLE):
            result.overwrite(Verdict.INCONC, f"after the case: {after.reason}")

    def blank(self, case: Case, extra: Mapping[str, object] | None = None) -> Result:
        """Return the result of a case that has not been executed."""
        return Result(
            case=case.id,
            title=case.title,
            section=case.section,
            requirements=case.requirements,
            level=case.level,
            iut=self.settings.iut + "".join(f" with {word}" for word in _differences(extra or {})),
            started=time.time(),
            parameters={key: str(value) for key, value in case.parameters.items()},
            seed=self.settings.seed,
            repeat=self.settings.repeat.format(case=shlex.quote(variant_of(case.id))) + of_source(case.source),
        )

    # -- many cases ----------------------------------------------------------------------------------------------

    def start(self, cases: Iterable[Case], jobs: int) -> queue.SimpleQueue[tuple[Case | None, Result | BaseException]]:
        """Begin to execute the cases on `jobs` threads; the queue brings each one's result as it is done.

        See `order` for which begin first.
        """
        ordered = arranged(list(cases), jobs, self.settings.length)
        return Workers(self.run, ordered, jobs, stopping=self._stopping, name="case").done

    def stop(self) -> None:
        """Let every case in execution end at its next wait; start no more."""
        self.stopped = self.stopped or time.time()
        self._stopping.set()
        with self._lock:
            for pump in self._pumps:
                pump.abort()


@dataclass(frozen=True, slots=True)
class _Testers:
    """What a case's function is given."""

    upper: Upper
    peer: Peer
    segments: Segments | None
    rng: random.Random


def _outcome_asked(case: Case) -> str:
    """Return the "then" of a case's purpose."""
    return " ".join(case.purpose.partition("then ")[2].split())


def _label(case: Case, extra: Mapping[str, object]) -> str:
    """Return what tells this execution's log from others of the same case."""
    return "+".join([case.id, *_differences(extra)])


def _differences(extra: Mapping[str, object]) -> list[str]:
    """Return in words how the reference agent was told to differ."""
    faults = extra.get("x-faults", [])
    assert isinstance(faults, list)
    return [f"fault {fault}" for fault in faults] + (["a variation"] if "x-variation" in extra else [])


def _arguments(
    function: Callable[..., None], offered: Mapping[str, object], parameters: Mapping[str, object]
) -> dict[str, object]:
    """Return what the case's function asks for by name."""
    available = {**offered, **parameters}
    return {name: available[name] for name in _names(function)}


@functools.cache
def _names(function: Callable[..., None]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)
