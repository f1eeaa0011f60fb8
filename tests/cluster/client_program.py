"""`python client_program.py SPEC`: gives out pieces as a command does; tells what happens in lines of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from conformance.cluster import identity
from conformance.cluster.connection import ClusterError, connected
from conformance.cluster.dispatch import Dispatch
from conformance.cluster.journal import Journal
from conformance.cluster.piece import Piece
from conformance.run.interrupts import interruptible


def say(**values: object) -> None:
    print(json.dumps(values), flush=True)


def main() -> int:
    spec = json.loads(sys.argv[1])
    out = Path(spec["out"])
    pieces = [
        Piece(
            name=one["name"], program=("piece_program", "{folder}"), icetcp=identity.icetcp(),
            spec=one, needs=tuple(one.get("needs", ())), limit=one.get("limit", 100.0),
        )
        for one in spec["pieces"]
    ]  # fmt: skip
    with interruptible():
        try:
            with connected(spec["cluster"]) as cluster:
                journal = Journal(out, resume=spec.get("resume", False))
                dispatch = Dispatch(
                    cluster, journal, heard=lambda event: say(event=event), share=spec.get("share", ""),
                    patience=spec.get("patience", 30.0),
                )  # fmt: skip

                def done(piece, outcome):
                    text = (journal.folder(piece.name) / "result.txt").read_text()
                    say(done=piece.name, text=text, worker=outcome.worker, seconds=outcome.seconds, spent=outcome.spent)

                try:
                    dispatch.run(pieces, done)
                except KeyboardInterrupt:
                    say(interrupted=True)
                report = dispatch.report
                say(
                    lost=report.lost,
                    repeated=report.repeated,
                    refused=report.refused,
                    before=report.before,
                    left=report.left,
                )
        except ClusterError as error:
            say(error=str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
