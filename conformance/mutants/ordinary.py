"""What ordinary sessions show: every fault held against them, up to each of their steps.

`conformance.run.shown` has the result, sentence by sentence. Where it lacks one, cases about this sentence would be
inconclusive though the agent breaks it; where it has one too many, they would fail for what others break.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from conformance.mutants.execution import CALM
from conformance.mutants.matrix import KillMatrix
from conformance.run.engine import Case
from conformance.run.ordinary import Session, lacks
from conformance.run.shown import Step, steps_shown
from conformance.verdict import Inconclusive, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.agent.faults import Fault
    from conformance.iut.upper import Upper
    from conformance.mutants.execution import Bench
    from conformance.peer.tester import Peer
    from conformance.verdict import Result

_LAST = (Step.LATE_ANSWER, Step.DELIVERY, Step.DATA)
_KINDS = (("tester", "full", 1), ("tester", "full", 2), ("tester", "lite", 1), ("IUT", "full", 0))
_AT_ONCE = 64


def _play(upper: Upper, peer: Peer, like: Session, wanted: Step) -> None:
    """Hold an ordinary session; inconclusive with the name of the step that it does not come to."""
    if lacking := lacks(upper, peer, like, wanted):
        step, text = lacking
        raise Inconclusive(f"{step.name}: {text}")


def sessions() -> list[Case]:
    """Return an ordinary session of each kind, up to each last step, as a case: without DTLS above ICE and with it."""
    likes = [Session(side, *kind) for side in ("offerer", "answerer") for kind in _KINDS]
    return [
        Case(
            id=f"ordinary/{like.opener}[{like.side}-{like.agent}-{like.connections}-{wanted.name}-{'-'.join(needs)}]",
            title="ordinary session",
            purpose="",
            section="",
            requirements=("",),
            level=Level.MUST,
            function=_play,
            needs=needs,
            parameters={"like": like, "wanted": wanted},
        )
        for like in likes
        for wanted in _LAST
        for needs in ((), ("payload:dtls",))
    ]


def shown(bench: Bench, faults: Iterable[Fault], cases: Sequence[Case]) -> Mapping[str, Mapping[str, set[Step]]]:
    """Return the steps that these sessions lack first with these faults: by opener, by the sentence that is broken.

    What the table does not have is looked at twice: a busy machine makes a session late that would come about. Raises
    `ValueError` if the healthy agent has no ordinary session.
    """
    matrix = KillMatrix()
    bench.execute([(case, "") for case in cases], matrix, jobs=CALM)
    if unhealthy := matrix.unhealthy():
        raise ValueError(f"{unhealthy[0].case} with the healthy agent: {unhealthy[0].reason}")
    faults = list(faults)
    pairs = [(case, fault.name) for fault in faults for case in cases if matrix.could_change(fault.name, case.id)]
    bench.execute(pairs, matrix, jobs=_AT_ONCE)
    openers = {case.id: case.parameters["like"].opener for case in cases}

    def is_new(fault: Fault, result: Result) -> bool:
        return _lacking(result) not in (None, *steps_shown(fault.requirement, openers[result.case]))

    by_id = {case.id: case for case in cases}
    again = [(by_id[r.case], fault.name) for fault in faults for r in matrix.of(fault.name) if is_new(fault, r)]
    bench.execute(again, matrix, jobs=CALM)
    found: dict[str, dict[str, set[Step]]] = {opener: defaultdict(set) for opener in set(openers.values())}
    for fault in faults:
        for result in matrix.of(fault.name):
            if (step := _lacking(result)) is not None:
                found[openers[result.case]][fault.requirement].add(step)
    return found


def _lacking(result: Result) -> Step | None:
    """Return the step that a session has not come to."""
    return Step[result.reason.partition(":")[0]] if result.verdict is Verdict.INCONC else None


def undeclared(found: Mapping[str, Mapping[str, set[Step]]]) -> list[str]:
    """Return, in words, what `shown` has found and the table does not have."""
    return [
        f"{requirement} shows at {step.name} where the {opener} opens the connection"
        for opener, sentences in found.items()
        for requirement, steps in sentences.items()
        for step in sorted(steps - steps_shown(requirement, opener))
    ]
