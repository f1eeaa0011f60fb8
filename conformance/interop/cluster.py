"""A table on a cluster: each cell is a piece for a worker that has both stacks; it is judged here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cluster import identity
from conformance.cluster.abilities import LAB, needs
from conformance.cluster.piece import FOLDER, Piece
from conformance.interop import judgement
from conformance.interop.execution import SPEC, Table
from conformance.interop.greeting import HELLO
from conformance.interop.model import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.cluster.options import Work
    from conformance.interop.model import Cell, Outcome
    from conformance.interop.plan import Contestant

_LIMIT = 240.0  # seconds for a cell, far longer than the longest lawful one


def greet(stacks: Sequence[Contestant], work: Work) -> None:
    """Ask each stack what it is, where it is. Raises `ClusterError`."""
    by_piece = {f"hello-{number}": stack for number, stack in enumerate(stacks)}

    def done(piece: Piece, _outcome: object) -> None:
        told = json.loads((work.journal.folder(piece.name) / HELLO).read_text(encoding="utf-8"))
        stack = by_piece[piece.name]
        stack.version, stack.pics, stack.trouble = told["version"], told["pics"], told["trouble"]

    work.dispatch.run(
        [
            Piece(
                name=name,
                program=("conformance.interop.greeting", FOLDER),
                icetcp=identity.icetcp(),
                spec={"name": stack.name, "spec": stack.spec},
                needs=work.needs(*needs(stack.spec)),
            )
            for name, stack in by_piece.items()
        ],
        done,
    )
    for name, why in work.dispatch.report.lost.items():
        by_piece[name].trouble = why
    work.dispatch.report.lost.clear()  # the cells tell it


class ClusterTable(Table):
    """The cells of a table, played on the machines of a cluster."""

    def play(self, cells: Sequence[Cell], work: Work, done: Callable[[Outcome], None]) -> None:
        """Play and judge all cells; `done` gets each outcome as it comes. Raises as `Dispatch.run` does."""
        pieces = {}
        for number, cell in enumerate(cells):
            known = self.settled(cell)
            if known is None:
                pieces[f"cell-{number}-{cell.folder}"] = cell
            else:
                done(known)

        def take(piece: Piece, _outcome: object) -> None:
            cell = pieces[piece.name]
            folder = self.folder / "cells" / cell.folder
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.move(work.journal.folder(piece.name), folder)
            (folder / SPEC).write_text(json.dumps(self.spec(cell, folder)), encoding="utf-8")
            done(self.judged(cell))

        work.dispatch.run([self._piece(name, cell, work) for name, cell in pieces.items()], take)
        for name, why in work.dispatch.report.lost.items():
            done(judgement.unplayed(pieces[name], why))

    def _piece(self, name: str, cell: Cell, work: Work) -> Piece:
        specs = [self.stacks[cell.stack(side)].spec for side in SIDES]
        return Piece(
            name=name,
            program=("conformance.interop.cell", f"{FOLDER}/{SPEC}"),
            icetcp=identity.icetcp(),
            spec=self.spec(cell, Path(FOLDER)),
            needs=work.needs(LAB, *needs(*specs)),
            stacks={spec: identity.stack_or_nothing(spec) for spec in specs},
            proof="facts.json",
            limit=_LIMIT,
        )
