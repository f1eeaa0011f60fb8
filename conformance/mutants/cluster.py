"""The kill matrix and the lawful variations on a cluster: divided into pieces, and put together again."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from conformance.cluster import identity
from conformance.cluster.abilities import LAB
from conformance.cluster.piece import Piece
from conformance.mutants.execution import AT_ONCE
from conformance.mutants.lawful import Finding, shared
from conformance.mutants.piece import PAIRS, RESULTS, SHARES
from conformance.verdict import Verdict
from reports.record import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from conformance.cluster.dispatch import Dispatch
    from conformance.cluster.journal import Journal
    from conformance.mutants.lawful import Lawful, Variation
    from conformance.mutants.matrix import KillMatrix
    from conformance.run.engine import Case
    from conformance.verdict import Result

PIECE = 400  # executions: ten to twenty seconds, against two that a piece takes to start
_PROGRAM = "conformance.mutants.piece"


class ClusterBench:
    """The reference agent on the machines of a cluster, in the place of `conformance.mutants.execution.Bench`."""

    def __init__(
        self, dispatch: Dispatch, journal: Journal, out: Path, *, size: int = PIECE, lab: bool = True, **settings: float
    ) -> None:
        self._dispatch, self._journal, self._out = dispatch, journal, out
        self._size, self._settings = size, settings
        self._needs = (LAB,) if lab else ()
        self._phase = 0
        self._incidents: list[str] = []

    @property
    def incidents(self) -> list[str]:
        """What the agent did against the contract, and which pieces could not be done."""
        lost = [f"piece {name} could not be done: {why}" for name, why in self._dispatch.report.lost.items()]
        return [*dict.fromkeys(self._incidents), *lost]

    def execute(
        self,
        pairs: Sequence[tuple[Case, str]],
        matrix: KillMatrix,
        *,
        jobs: int = AT_ONCE,
        progress: Callable[[str, Result], None] = lambda _fault, _result: None,
    ) -> None:
        """Execute each (case, fault name; "": none), as `Bench.execute` does."""
        named = [[case.id, fault] for case, fault in pairs]

        def take(line: dict[str, Any], prefix: str) -> None:
            if "result" not in line:
                return
            result = self._with_log(unpacked(line["result"]), prefix)
            matrix.add(line["fault"], result)
            if not line["fault"]:
                observed = line["observed"]
                matrix.observed[result.case] = None if observed is None else frozenset(observed)
            progress(line["fault"], result)

        self._run(PAIRS, named, {"jobs": jobs}, take)

    def vary(
        self,
        cases: Sequence[Case],
        found: Lawful,
        drawn: Sequence[Variation],
        *,
        jobs: int,
        progress: Callable[[str, None], None],
    ) -> None:
        """Let each case meet its share of lawful variations, as `lawful.run` does."""
        shares = [[case.id, list(variations)] for case, variations in shared(cases, drawn) if variations]

        def take(line: dict[str, Any], prefix: str) -> None:
            if not line:
                progress("", None)
            elif "executed" in line:
                found.executed += line["executed"]
                found.weaker += line["weaker"]
            elif "finding" in line:
                result = self._with_log(unpacked(line["finding"]), prefix)
                found.findings.append(Finding(line["case"], line["variation"], result, found.seed))

        each = max(1, len(drawn) // max(1, len(shares)))
        self._run(SHARES, shares, {"jobs": jobs, "seed": found.seed}, take, size=max(1, self._size // each))

    def _run(
        self,
        what: str,
        work: Sequence[Any],
        spec: dict[str, Any],
        take: Callable[[dict[str, Any], str], None],
        size: int = 0,
    ) -> None:
        self._phase += 1
        size = size or self._size
        pieces = [
            Piece(
                name=f"{self._phase}-{number}",
                program=(_PROGRAM, "{folder}"),
                icetcp=identity.icetcp(),
                spec={**spec, **self._settings, what: work[begin : begin + size]},
                needs=self._needs,
                counted=RESULTS,
            )
            for number, begin in enumerate(range(0, len(work), size), start=1)
        ]

        def done(piece: Piece, _outcome: object) -> None:
            for line in _lines(self._journal.folder(piece.name) / RESULTS):
                if "incidents" in line:
                    self._incidents += line["incidents"]
                else:
                    take(line, piece.name)

        self._dispatch.run(pieces, done)

    def _with_log(self, result: Result, prefix: str) -> Result:
        """Bring the log of a result to those of the other pieces."""
        if result.log and result.verdict is not Verdict.PASS:
            source = self._journal.folder(prefix) / result.log
            result.log = re.sub(r"\A(?:.*/)?", f"logs/{prefix}-", result.log, count=1)
            if source.is_file():
                (self._out / "logs").mkdir(exist_ok=True)
                shutil.copyfile(source, self._out / result.log)
        return result


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
