"""`icetcp pics`: the PICS proforma of a stack, filled in as far as it can be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import complain
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from reports.pics import Proforma


@click.command()
@click.argument("run", required=False, type=click.Path())
@click.option("--iut", metavar="NAME|exec:COMMAND", help="Ask this implementation instead of reading a run.")
@click.option("--out", type=click.Path(dir_okay=False), help="File, .html or .json [default: JSON to stdout].")
def pics(run: str | None, iut: str | None, out: str | None) -> int:
    """Write the PICS proforma of a stack: its capabilities and every requirement that they make applicable.

    With --iut the stack is asked, and makes one offer that its answers are held against. With RUN, the folder of a run,
    the verdicts also tell which requirements are supported.

    Exit status: 0 written, 2 usage, 3 the stack does not answer, or fails while it is asked.
    """
    from conformance.iut.errors import AdapterError, StackError
    from reports.record import ReportError

    if (run is None) == (iut is None):
        return complain("give either the folder of a run or --iut", ExitStatus.USAGE)
    if out is not None and Path(out).suffix not in (".html", ".json"):
        return complain("--out names a .html or a .json file", ExitStatus.USAGE)
    try:
        found = _of_run(Path(run)) if run is not None else _of_iut(str(iut))
        _write(found, out)
    except (StackError, ReportError) as error:
        return complain(str(error), ExitStatus.USAGE)
    except AdapterError as error:
        return complain(f"cannot ask {iut}: {error}", ExitStatus.COULD_NOT_JUDGE)
    for text in found.incidents:
        complain(f"the adapter {text}", ExitStatus.COULD_NOT_JUDGE)
    return int(ExitStatus.COULD_NOT_JUDGE if found.incidents else ExitStatus.CONFORMS)


def _of_iut(iut: str) -> Proforma:
    from conformance.run.pics import of_iut

    return of_iut(iut)


def _of_run(run: Path) -> Proforma:
    from conformance.run.pics import proforma
    from reports.record import read

    info, results = read(run / "record.jsonl" if run.is_dir() else run)
    return proforma(info.iut, info.iut_version, info.pics, info.scan, results)


def _write(found: Proforma, out: str | None) -> None:
    import msgspec

    from reports import html
    from reports.record import cannot_write, printable

    text = msgspec.json.format(msgspec.json.encode(printable(found.data())), indent=2).decode()
    if out is None:
        click.echo(text)
        return
    try:
        html.write(Path(out), html.render("pics.html.j2", pics=found) if out.endswith(".html") else f"{text}\n")
    except OSError as error:
        raise cannot_write(Path(out), error) from None
    click.echo(f"written: {out}")
