"""The program of a `replay.py`: plays the case with an adapter, and says whether the finding comes again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from fuzz.judging.answers import answers_of
from fuzz.judging.runner import Runner
from fuzz.judging.session import at_end
from fuzz.judging.symptom import AT_END, Symptom
from fuzz.player.adapter import Adapter
from fuzz.player.outcome import PLAN, Outcome, SessionFailed

ATTEMPTS = 5  # a finding may depend on timing
USAGE, UNUSABLE = 2, 3  # exit statuses
_REPEATED = 2  # attempts of which each repeats the case many times
_BY_KIND = ("death", "hang", "deaf", "closed", "garbage")
_LONG = ("leak", "spin")  # kinds whose trials repeat the case many times


@dataclass(frozen=True, slots=True)
class Known:
    """The finding that is replayed."""

    kind: str
    cause: str
    case: dict[str, Any]
    repeat: int = 1


def again(runner: Runner, known: Known) -> list[Symptom]:
    """Play the case of a finding once, in a new process; return all that is wrong."""
    if known.kind in _LONG:
        return runner.leak(known.case, max(1, known.repeat))
    found = runner.trial(known.case, anew=True)
    if known.cause.endswith(AT_END):
        return found or at_end(runner.iut)
    if known.kind == "disagreement" and not found:
        return disagreement(runner, known)
    return found


def disagreement(runner: Runner, known: Known) -> list[Symptom]:
    """Return the finding, if this IUT still answers as it did when another IUT answered differently."""
    try:
        session = runner.session(known.case["plan"])
    except SessionFailed:
        return []
    session.play(known.case)
    session.close()
    mine = answers(session.outcome)
    text = f"this IUT answers {mine or 'nothing'}; the other IUT answered differently"
    return [Symptom(known.kind, known.cause, text)] if mine == known.cause.partition(" / ")[0] else []


def answers(outcome: Outcome) -> str:
    """Return the class of what came back, without the time that it took."""
    return " ".join(sorted({answers_of(connection) for connection in outcome.connections}))


def comes(found: list[Symptom], known: Known) -> bool:
    """Whether a finding is among the symptoms.

    A death or hang by the same case is the same finding, even if stderr tells of it in other words.
    """
    return any(one.kind == known.kind and (one.cause == known.cause or known.kind in _BY_KIND) for one in found)


def kept(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the plain session of a case: what its deadlines are measured with."""
    return {**PLAN, **{name: plan[name] for name in ("side", "iut", "profile") if name in plan}}


def calibrate(runner: Runner, plan: dict[str, Any]) -> None:
    """Set deadlines by a plain session; where there is none, the usual deadlines stay."""
    try:
        runner.calibrate(kept(plan))
    except SessionFailed:
        runner.fresh()


def main(known: Known) -> int:
    """Play the case with the adapter that the command line names.

    Exit status: 1 if the finding comes again, 0 if not, 2 for usage, 3 if the adapter cannot be used or if no attempt
    could open the session of the case.
    """
    if len(sys.argv) < 2:
        _say(f"usage: python3 {sys.argv[0]} COMMAND OF THE ADAPTER")
        return USAGE

    def start() -> Adapter:
        adapter = Adapter(sys.argv[1:])
        try:
            adapter.greet()
        except SessionFailed:
            adapter.kill()
            raise
        return adapter

    _say(f"finding: {known.kind}: {known.cause}")
    try:
        runner = Runner(start)
    except (OSError, SessionFailed) as error:
        _say(f"the adapter cannot be used: {error}")
        return UNUSABLE
    try:
        return _replay(runner, known)
    except (OSError, SessionFailed) as error:
        _say(f"the adapter cannot be used any more: {error}")
        return UNUSABLE
    finally:
        runner.close()


def _replay(runner: Runner, known: Known) -> int:
    calibrate(runner, known.case["plan"])
    played = 0
    for attempt in range(1, ATTEMPTS + 1):
        found = again(runner, known)
        for symptom in found:
            _say(f"attempt {attempt}: {symptom.kind}: {symptom.cause}: {symptom.text}")
        if not found:
            _say(f"attempt {attempt}: {f'not played: {runner.unplayed}' if runner.unplayed else 'nothing'}")
        if comes(found, known):
            for line in runner.iut.last_words()[-20:]:
                _say(f"  stderr: {line}")
            _say("the finding comes again")
            return 1
        played += not runner.unplayed
        if known.kind in _LONG and played == _REPEATED:
            break
    if not played:
        _say("the case could not be played: whether the finding comes again is unknown")
        return UNUSABLE
    _say("the finding does not come again")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
