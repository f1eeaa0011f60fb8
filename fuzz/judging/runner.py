"""Runs cases on an IUT: in the sessions of a campaign, or alone, to see whether a symptom comes again."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any

from fuzz.judging import monitors
from fuzz.judging.growth import LEAKS, back, grew, grown, memory
from fuzz.judging.session import JudgedSession, complaints, fatal, late
from fuzz.judging.symptom import CERTAIN, FATAL, Evidence, Symptom
from fuzz.player.outcome import PLAN, SessionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.judging.subject import Subject

_FORESEEN = 1.0  # seconds for which a session that was begun ahead stays usable
_ATTEMPTS = 3  # to start the process
_SETTLE = 1.5  # seconds for a process to free what it does not need
_BUSY = 0.8  # share of looks at which the process wanted to run while nothing was asked
_KEPT = 16  # sightings that are kept

Sighting = tuple[Symptom, dict[str, Any], Evidence]  # with the case in which it was seen


class Runner:
    """An IUT that can be started again, and trials on it. ``start`` starts a process, or raises an exception."""

    def __init__(self, start: Callable[[], Subject]) -> None:
        self._start = start
        self.within = 1.0
        self.calls = 5.0
        self.median = 0.001
        self.opened = 0.01
        self.separate = False
        self.quick = False  # shorter deadlines, while a case is minimised
        self.until = math.inf  # when to stop repeating
        self.restarts = 0
        self.spoilt = False  # the process must be replaced before the next trial
        self.unplayed = ""  # why the case of the last trial could not be played; empty if it was
        self.sightings: list[Sighting] = []  # deaths and exceptions in trials, for the campaign to collect
        self._plain = dict(PLAN)  # the simplest session
        self._foreseen: tuple[JudgedSession, float] | None = None
        self.iut = start()

    def fresh(self) -> None:
        """Replace the process. Raises what starting it raises, if that fails three times."""
        self._drop()
        self.iut.kill()
        self.restarts += 1
        self.spoilt = False
        for attempt in range(_ATTEMPTS):
            try:
                self.iut = self._start()
            except Exception:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.2)
            else:
                return

    def close(self) -> None:
        """End the process."""
        self._drop()
        self.iut.kill()

    def _drop(self) -> None:
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None:
            foreseen[0].player.close(tell=False)

    def calibrate(self, plan: dict[str, Any]) -> float:
        """Measure what a valid check and a session take, set deadlines by that, return the median of the former."""
        self._plain = dict(plan)
        begun = time.perf_counter()
        session = self.session(plan)
        opened = self.opened = time.perf_counter() - begun
        times = []
        for _ in range(15):
            begun = time.perf_counter()
            if session.player.probe(session.player.connections[0]):
                times.append(time.perf_counter() - begun)
        session.close()
        median = self.median = sorted(times)[len(times) // 2] if times else 0.01
        self.within = min(3.0, max(0.7, 30 * median))
        self.calls = min(20.0, max(2.5, 20 * opened))
        return median

    def foresee(self, plan: dict[str, Any]) -> None:
        """Begin the next session: the IUT opens it while another one is played."""
        if self.iut.pics.get("sessions", 1) > 1:
            session = JudgedSession(self.iut, plan, self.deadline)
            self._foreseen = session, time.monotonic()
            session.begin()

    def session(self, plan: dict[str, Any], within: float = 0.0, *, foreseen: bool = False) -> JudgedSession:
        """Return an open session. Raises `SessionFailed`."""
        session = (self._take(plan) if foreseen else None) or JudgedSession(self.iut, plan, within or self.deadline)
        session.player.calls = min(self.calls, max(0.15, 30 * self.opened)) if self.quick else self.calls
        session.player.separate = self.separate
        try:
            session.open()
        except SessionFailed:
            session.close()
            raise
        return session

    def _take(self, plan: dict[str, Any]) -> JudgedSession | None:
        """Return the session that was begun ahead, if its plan is the wanted one and it is not old."""
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is None:
            return None
        session, begun = foreseen
        if session.plan == plan and session.iut is self.iut and time.monotonic() - begun < _FORESEEN:
            return session
        session.close()
        return None

    @property
    def deadline(self) -> float:
        """Seconds for the answer to a valid check."""
        return max(0.1, 30 * self.median) if self.quick else self.within

    # -- is it well? -----------------------------------------------------------------------------------------------

    def health(self, session: JudgedSession | None) -> list[Symptom]:
        """Return whether the process is dead or serves no session any more; a single session may be over."""
        if found := fatal(self.iut):
            return found
        early = session is not None and session.plan["state"] == "early"
        if session is not None and not self.quick and not early and session.player.alive(self.within):
            return []
        if session is not None and not early:
            session.lost = True
        return self._new_session(session.plan if session is not None else None)

    def _new_session(self, plan: dict[str, Any] | None) -> list[Symptom]:
        """Return whether a new session works."""
        plain = {**(plan or self._plain), "state": "fresh"}
        plain.pop("sdp", None)
        failed = ""
        busy = 1.0 if self.quick else max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # others want the CPU too
        for attempt in range(1 if self.quick else 2):
            try:
                self.session(plain, self.deadline * (1 + attempt) * busy).close()
            except SessionFailed as error:
                failed = str(error)
                if found := fatal(self.iut):
                    return found
            else:
                return []
        return [Symptom("hang", "process", f"no new session works: {failed}")]

    def late(self) -> list[Symptom]:
        """Return what has become of the process since the last session was judged."""
        return late(self.iut)

    # -- trials ----------------------------------------------------------------------------------------------------

    def trial(self, case: dict[str, Any], *, anew: bool = False) -> list[Symptom]:
        """Play a case in a session of its own; return all that is wrong. `anew`: in a new process."""
        if anew or self.spoilt or not self.iut.usable:
            self.fresh()
        self._saw(complaints(self.iut), case, None)  # late, of the trial before
        self.iut.begun.clear()
        session = JudgedSession(self.iut, case["plan"], self.deadline)
        found = self._trial(case, session)
        self.spoilt = self.spoilt or any(symptom.kind in FATAL for symptom in found)
        self._saw(found, case, session)
        return found

    def _trial(self, case: dict[str, Any], session: JudgedSession) -> list[Symptom]:
        session.player.calls = min(self.calls, max(0.15, 30 * self.opened)) if self.quick else self.calls
        session.player.separate = self.separate
        self.unplayed = ""
        try:
            session.open()
        except SessionFailed as error:
            if "sdp" not in case["plan"]:  # else the description is what is tried
                self.unplayed = str(error)
            session.close()
            found = fatal(self.iut) or self.health(None)
            self.spoilt = bool(found)
            # A hang before the first step is not the doing of a case, unless its description brought it about.
            found = [one for one in found if one.kind in CERTAIN or "sdp" in case["plan"]]
            return found if self.iut.death else found + complaints(self.iut)
        found = session.play(case)
        if not any(symptom.kind in FATAL for symptom in found) and not session.answered:
            found += self.health(session)
        session.close()
        if not any(symptom.kind in FATAL for symptom in found):
            found += session.late()
        ends = [symptom for symptom in found if symptom.kind == "death"]
        return ends or found  # a death names the last exception

    def _saw(self, found: list[Symptom], case: dict[str, Any], session: JudgedSession | None) -> None:
        """Keep deaths and exceptions, also if the trial looked for something else."""
        for symptom in found:
            if symptom.kind in CERTAIN and len(self.sightings) < _KEPT:
                evidence = session.evidence() if session is not None else Evidence(self.iut.last_words())
                self.sightings.append((symptom, case, evidence))

    def leak(self, case: dict[str, Any], repeat: int = LEAKS) -> list[Symptom]:
        """Play a case many times in a new process; return what has grown with it, or whether the process spins."""
        self.fresh()
        self.unplayed = ""
        plain = {**case, "steps": []}
        if not self._often(plain, 4):
            return fatal(self.iut)
        self._once(case)
        measured = self._growth(case, repeat)
        if measured is None:
            return fatal(self.iut) or self.spin()
        found = list(grown(*measured, repeat))
        if any(symptom.cause == "memory" for symptom in found) and not self._memory_leaks(case, measured, repeat):
            found = [symptom for symptom in found if symptom.cause != "memory"]
        return found or self.spin()

    def _often(self, case: dict[str, Any], times: int) -> bool:
        return all(time.monotonic() < self.until and self._once(case) for _ in range(times))

    def _growth(self, case: dict[str, Any], times: int) -> tuple[monitors.Usage, monitors.Usage] | None:
        """Return the usage before and after a case was played so often; None if that was not possible."""
        before = self._settled(None)
        played = self._often(case, times)
        after = self._settled(before)
        return (before, after) if played and before is not None and after is not None else None

    def _memory_leaks(self, case: dict[str, Any], first: tuple[monitors.Usage, monitors.Usage], repeat: int) -> bool:
        """Whether memory grows by the case: each time, and more than by a session without it.

        A garbage-collected heap, or an allocator's arena, grows for a while with any case.
        """
        with_it, without = [memory(first)], [0]
        for _ in range(2):
            for some, played in ((without, {**case, "steps": []}), (with_it, case)):
                measured = self._growth(played, repeat)
                if measured is None:
                    return False
                some.append(memory(measured))
        return grew(with_it, without, repeat)

    def spin(self) -> list[Symptom]:
        """Return whether the process is busy although nothing is asked of it."""
        for seconds in (0.1, 0.3, 0.5):
            if monitors.busy(self.iut.pid, seconds) < _BUSY:
                return []
        return [Symptom("spin", "CPU", "the process never waits while nothing is asked of it")]

    def _once(self, case: dict[str, Any]) -> bool:
        try:
            session = self.session(case["plan"])
        except SessionFailed:
            try:
                session = self.session(case["plan"], 4 * self.deadline)  # the machine may be busy
            except SessionFailed as error:
                self.unplayed = str(error)
                return False
        session.play(case)
        for _ in range(3):  # once these are answered, the IUT has served what was sent
            session.player.alive(self.deadline)
        session.close()
        return self.iut.usable

    def _settled(self, before: monitors.Usage | None) -> monitors.Usage | None:
        """Return the usage once nothing more is freed, or once it is back at what it was."""
        last = monitors.usage(self.iut.pid)
        deadline = time.monotonic() + _SETTLE
        while last is not None and time.monotonic() < deadline:
            if before is not None and back(before, last):
                break
            time.sleep(0.15)
            last = monitors.usage(self.iut.pid)
            if before is None:
                break
        return last
