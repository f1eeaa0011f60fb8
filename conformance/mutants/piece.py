"""`python -m conformance.mutants.piece FOLDER`: a part of a kill matrix, or of the lawful variations, as a program.

The folder's ``spec.json`` says what is to be executed; every result is a line of ``results.jsonl`` as it comes.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conformance.mutants import lawful
from conformance.mutants.execution import Bench, own_network
from conformance.mutants.matrix import KillMatrix
from conformance.run.discovery import discover
from conformance.run.interrupts import interruptible
from reports.record import packed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.run.engine import Case
    from conformance.verdict import Result

RESULTS = "results.jsonl"
PAIRS, SHARES = "pairs", "shares"


def main() -> int:
    """Execute the piece; return 0 when all of it was executed."""
    folder = Path(sys.argv[1])
    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    found = discover()
    if found.outcome.usage or found.outcome.crash:
        sys.stderr.write(found.outcome.usage or found.outcome.crash)
        return 1
    cases = {case.id: case for case in found.every}
    with ExitStack() as closing:
        closing.enter_context(interruptible())
        file = closing.enter_context((folder / RESULTS).open("w", encoding="utf-8"))
        settings = {"response": spec["response"]} if "response" in spec else {}
        bench = closing.enter_context(Bench(folder, wire=own_network(), **settings))
        execute = _pairs if PAIRS in spec else _shares
        execute(spec, cases, bench, file)
        _line(file, incidents=bench.incidents)
    return 0


def _pairs(spec: Mapping[str, Any], cases: Mapping[str, Case], bench: Bench, file: IO[str]) -> None:
    matrix = KillMatrix()

    def note(fault: str, result: Result) -> None:
        observed = matrix.observed.get(result.case)
        known = sorted(observed) if observed is not None and not fault else None
        _line(file, fault=fault, result=packed(result), observed=known)

    pairs = [(cases[case], fault) for case, fault in spec[PAIRS]]
    bench.execute(pairs, matrix, jobs=spec["jobs"], progress=note)


def _shares(spec: Mapping[str, Any], cases: Mapping[str, Case], bench: Bench, file: IO[str]) -> None:
    found = lawful.Lawful(spec["seed"])
    shares = [(cases[case], variations) for case, variations in spec[SHARES]]
    lawful.execute(shares, bench, found, jobs=spec["jobs"], progress=lambda *_: _line(file))
    for finding in found.findings:
        _line(file, case=finding.case, variation=finding.variation, finding=packed(finding.result))
    _line(file, executed=found.executed, weaker=found.weaker)


def _line(file: IO[str], **values: Any) -> None:
    file.write(json.dumps(values) + "\n")
    file.flush()


if __name__ == "__main__":
    sys.exit(main())
