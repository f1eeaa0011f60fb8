"""`icetcp matrix --cluster`: the run of each implementation is a piece for a worker that has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cluster import abilities, identity
from conformance.cluster.options import Work, working
from conformance.cluster.piece import Piece
from conformance.cluster.worker import LOG
from conformance.commands.matrix import asked_of, before, files_of, run_arguments, safe
from conformance.commands.progress import Progress
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.cluster.piece import Outcome

_RUN = "run"


def run_all(stacks: Sequence[tuple[str, str]], folder: Path, options: dict[str, Any], statuses: dict[str, int]) -> None:
    """Run the suite over each implementation that the folder does not have yet; put the exit statuses of all in.

    Raises `ClusterError`, and `KeyboardInterrupt` when the runs under way have been ended.
    """
    places = {name: folder / "runs" / safe(name) for name, _ in stacks}
    asked = {name: asked_of(run_arguments(places[name], spec, options)) for name, spec in stacks}
    for name, _ in stacks:
        known = None if options["again"] else before(files_of(places[name])[0], asked[name])
        if known is not None:
            click.echo(f"{name}: as it was run before", err=True)
            statuses[name] = known
    shown = Progress("implementation")
    missing = [(name, spec) for name, spec in stacks if name not in statuses]
    with working(options, folder, resume=False, progress=shown.under_way) as work:

        def done(piece: Piece, outcome: Outcome) -> None:
            _put(work.journal.folder(piece.name), places[piece.name])
            spec_file, _ = files_of(places[piece.name])
            spec_file.write_text(json.dumps({**asked[piece.name], "status": outcome.status}), encoding="utf-8")
            statuses[piece.name] = outcome.status
            shown.step()

        shown.begin("matrix", len(missing))
        try:
            work.dispatch.run([_piece(name, spec, options, work) for name, spec in missing], done)
        finally:
            shown.close()
        for name, why in work.dispatch.report.lost.items():
            _, log = files_of(places[name])
            log.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(places[name], ignore_errors=True)
            log.write_text(f"{why}\n", encoding="utf-8")
            statuses[name] = int(ExitStatus.COULD_NOT_JUDGE)


def _piece(name: str, spec: str, options: dict[str, Any], work: Work) -> Piece:
    return Piece(
        name=name,
        program=("conformance", *run_arguments(Path("{folder}", _RUN), spec, options)),
        icetcp=identity.icetcp(),
        good=(0, 1, 3),
        proof=f"{_RUN}/junit.xml",
        needs=work.needs(abilities.LAB, *abilities.needs(spec)),
        stacks={spec: identity.stack_or_nothing(spec)},
        counted=f"{_RUN}/record.jsonl",
        limit=options["limit"],
    )


def _put(source: Path, place: Path) -> None:
    """Bring what a worker has made to where the command would have made it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(source / _RUN, place)
    shutil.move(source / LOG, files_of(place)[1])
