"""Runs cases against an IUT: in the stage of a campaign, or anew, to see whether a symptom comes again."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from fuzz import monitors
from fuzz.campaign.iut import Iut
from fuzz.campaign.player import PLAN, StageFailed
from fuzz.campaign.scene import Scene
from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.iut.stacks import Stack
    from fuzz.campaign.player import Link

LEAKS = 12  # repetitions that tell a leak from noise
_SETTLE = 1.5
_LEAKED = 24 << 10  # octets per repetition
_FORESEEN = 1.0  # seconds that a session may have waited for us to go on with it
_BUSY = 0.8  # share of looks at which the process wanted to run while nothing was asked


class Runner:
    """An IUT that can be had anew, and trials on it."""

    def __init__(self, stack: Stack, environment: Mapping[str, str] | None = None) -> None:
        self.stack = stack
        self.environment = dict(environment or {})
        self.within = 1.0
        self.calls = 5.0
        self.median = 0.001
        self.opened = 0.01
        self.separate = False
        self.quick = False  # shorter deadlines, while a case is made smaller
        self.until = math.inf  # when to give up repeating
        self.restarts = 0
        self.spoilt = False  # the process is not to be trusted any more
        self._heard = 0
        self._plain = dict(PLAN)  # the simplest session
        self._foreseen: tuple[Scene, float] | None = None
        self.iut = self._start()

    def _start(self) -> Iut:
        iut = Iut(self.stack, self.environment)
        try:
            iut.greet()
        except AdapterError:
            iut.kill()
            raise
        return iut

    def fresh(self) -> None:
        """Replace the process. Raises `AdapterError` if that fails three times."""
        self._drop()
        self.iut.kill()
        self.restarts += 1
        self.spoilt = False
        for attempt in range(3):
            try:
                self.iut = self._start()
                self._heard = 0
            except AdapterError:
                if attempt == 2:
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
            foreseen[0].stage.close(tell=False)

    def calibrate(self, plan: dict[str, Any]) -> float:
        """Measure what a valid check and a session take, and set deadlines by that; return the median of the former."""
        self._plain = dict(plan)
        begun = time.perf_counter()
        scene = self.scene(plan)
        opened = self.opened = time.perf_counter() - begun
        times = []
        for _ in range(15):
            begun = time.perf_counter()
            if scene.stage.probe(scene.stage.links[0]):
                times.append(time.perf_counter() - begun)
        scene.close()
        median = self.median = sorted(times)[len(times) // 2] if times else 0.01
        self.within = min(3.0, max(0.7, 30 * median))
        self.calls = min(20.0, max(1.5, 20 * opened))
        return median

    def foresee(self, plan: dict[str, Any]) -> None:
        """Begin a session that will be wanted soon: the IUT opens it while another one is played."""
        if self.iut.greet().pics.get("sessions", 1) > 1:
            scene = Scene(self.iut, plan, self.deadline)
            self._foreseen = scene, time.monotonic()
            scene.begin()

    def scene(self, plan: dict[str, Any], within: float = 0.0, *, foreseen: bool = False) -> Scene:
        """Return an open stage. Raises `StageFailed`."""
        scene = (self._take(plan) if foreseen else None) or Scene(self.iut, plan, within or self.deadline)
        scene.stage.calls = min(self.calls, max(0.15, 30 * self.opened)) if self.quick else self.calls
        scene.stage.separate = self.separate
        try:
            scene.open()
        except StageFailed:
            scene.close()
            raise
        return scene

    def _take(self, plan: dict[str, Any]) -> Scene | None:
        """Return the session that was begun, if it is as wanted and has not waited for long."""
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is None:
            return None
        scene, begun = foreseen
        if scene.plan == plan and scene.iut is self.iut and time.monotonic() - begun < _FORESEEN:
            return scene
        scene.close()
        return None

    @property
    def deadline(self) -> float:
        """Seconds for the answer to a valid check."""
        return max(0.1, 30 * self.median) if self.quick else self.within

    # -- is it well? -----------------------------------------------------------------------------------------------

    def health(self, scene: Scene | None) -> list[Symptom]:
        """Return whether the process is dead or answers nobody; a session alone may be over."""
        if self.iut.death and self.iut.process.death is not None:
            return [scene.iut_death() if scene is not None else self._death()]
        early = scene is not None and scene.plan["state"] == "early"
        if scene is not None and not self.quick and not early and scene.stage.alive(self.within):
            return []
        if scene is not None and not early:
            scene.lost = True
        return self._fresh_session(scene.plan if scene is not None else None)

    def _fresh_session(self, plan: dict[str, Any] | None) -> list[Symptom]:
        """Return whether a session of its own works."""
        plain = {**(plan or self._plain), "state": "fresh"}
        plain.pop("sdp", None)
        failed = ""
        for attempt in range(1 if self.quick else 2):
            try:
                self.scene(plain, self.deadline * (1 + attempt)).close()
            except StageFailed as error:
                failed = str(error)
                if self.iut.process.death is not None or self.iut.death:
                    return [self._dead(error)]
            else:
                return []
        return [Symptom("hang", "process", f"no new session works: {failed}")]

    def _dead(self, error: StageFailed) -> Symptom:
        if error.hung or (self.iut.process.death is None and self.iut.process.retired):
            return Symptom("hang", "process", str(error))
        return self._death()

    def _death(self) -> Symptom:
        return monitors.death(self.iut.death, self.iut.last_words(self._heard))

    # -- once more -------------------------------------------------------------------------------------------------

    def trial(self, case: dict[str, Any], *, anew: bool = False) -> list[Symptom]:
        """Play a case in a stage of its own; return all that is wrong. `anew`: in a new process, too."""
        if anew or self.spoilt or self.iut.death:
            self.fresh()
        self._heard = self.iut.heard
        try:
            scene = self.scene(case["plan"])
        except StageFailed:
            found = self.health(None)
            self.spoilt = bool(found)
            return found if "sdp" in case["plan"] else []
        found = scene.play(case)
        if not any(symptom.kind in ("death", "hang") for symptom in found) and not scene.answered:
            found += self.health(scene)
        scene.close()
        if not found and self.iut.process.death is not None:
            found = [self._death()]
        self.spoilt = any(symptom.kind in ("death", "hang") for symptom in found)
        return found if self.spoilt else found + scene.notices()

    def links(self, case: dict[str, Any]) -> list[Link]:
        """Play a case and return its connections, for a record of what passed."""
        try:
            scene = self.scene(case["plan"])
        except StageFailed:
            return []
        scene.play(case)
        scene.close()
        return scene.outcome.links

    def leak(self, case: dict[str, Any], repeat: int = LEAKS) -> list[Symptom]:
        """Play a case over and over in a new process; return what has grown with it, or spins."""
        self.fresh()
        plain = {**case, "steps": []}
        if not self._often(plain, 4):
            return []
        self._once(case)
        measured = self._growth(case, repeat)
        if measured is None:
            return self.spin()
        found = list(_grown(*measured, repeat))
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

        A heap that is collected, or an allocator's arena, grows by itself for a while, whatever is played.
        """
        with_it, without = [_memory(first)], [0]
        for _ in range(2):
            for some, played in ((without, {**case, "steps": []}), (with_it, case)):
                measured = self._growth(played, repeat)
                if measured is None:
                    return False
                some.append(_memory(measured))
        return min(with_it) >= max(repeat * _LEAKED * 2, 2 * max(without))

    def spin(self) -> list[Symptom]:
        """Return whether the process is busy with nothing to do."""
        for seconds in (0.1, 0.3, 0.5):
            if monitors.busy(self.iut.pid, seconds) < _BUSY:
                return []
        return [Symptom("spin", "CPU", "the process never waits while nothing is asked of it")]

    def _once(self, case: dict[str, Any]) -> bool:
        try:
            scene = self.scene(case["plan"])
        except StageFailed:
            return False
        scene.play(case)
        for _ in range(3):  # what was sent has been served when these are answered
            scene.stage.alive(self.deadline)
        scene.close()
        return not self.iut.death

    def _settled(self, before: monitors.Usage | None) -> monitors.Usage | None:
        """Return the usage once nothing is freed any more, or back at what it was."""
        last = monitors.usage(self.iut.pid)
        deadline = time.monotonic() + _SETTLE
        while last is not None and time.monotonic() < deadline:
            if before is not None and _back(before, last):
                break
            time.sleep(0.15)
            last = monitors.usage(self.iut.pid)
            if before is None:
                break
        return last


def _memory(measured: tuple[monitors.Usage, monitors.Usage]) -> int:
    before, after = measured
    return after.memory - before.memory


def _back(before: monitors.Usage, now: monitors.Usage) -> bool:
    """Whether a process holds no more than it did."""
    same = now.descriptors <= before.descriptors and now.threads <= before.threads
    return same and now.memory - before.memory < _LEAKED * LEAKS


def _grown(before: monitors.Usage, after: monitors.Usage, repeat: int) -> list[Symptom]:
    found = []
    if after.descriptors - before.descriptors >= max(2, repeat // 3):
        text = f"{before.descriptors} descriptors before, {after.descriptors} after {repeat} times"
        found.append(Symptom("leak", "descriptors", text))
    if after.threads - before.threads >= max(2, repeat // 3):
        found.append(
            Symptom("leak", "threads", f"{before.threads} threads before, {after.threads} after {repeat} times")
        )
    if after.memory - before.memory >= repeat * _LEAKED * 2:
        text = f"{before.memory >> 10} KiB before, {after.memory >> 10} KiB after {repeat} times"
        found.append(Symptom("leak", "memory", text))
    return found
