"""`icetcp matrix`: the suite over many implementations, one result."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cluster.options import on_cluster
from conformance.commands.options import complain, filters, run_filters, variants
from conformance.commands.terminal import counted, is_terminal, one_line
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.matrix import Row, Run

_EXAMPLES = """
\b
Examples:
  icetcp matrix reference libnice pion4
  icetcp matrix --all --variants usual --out reports/matrix
  icetcp matrix libnice mine='exec:./my-adapter' --section 7.2
"""
_SPEC, _JSON, _HTML = "matrix-spec.json", "matrix.json", "matrix.html"
_LOOK = 1.0  # seconds between two looks at how far a run is
_ENDS_WITHIN = 20.0  # seconds for a run to write its reports after Ctrl-C
_LIMIT = 3600.0  # seconds for one implementation, unless --limit says otherwise


@click.command(epilog=_EXAMPLES)
@click.argument("stacks", metavar="[NAME|NAME=exec:COMMAND]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every stack that is built here.")
@filters
@variants
@click.option("--quick", is_flag=True, help="The same as --variants one.")
@click.option("--limit", type=click.FloatRange(1), default=_LIMIT, show_default=True, help="Seconds a stack may take.")
@click.option("--again", is_flag=True, help="Run stacks again that the folder already has.")
@on_cluster
@click.option("--out", type=click.Path(), default="reports/matrix", show_default=True, help="Folder of the reports.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def matrix(stacks: Sequence[str], everything: bool, **options: Any) -> int:
    """Run the suite over many implementations; write matrix.json and matrix.html: requirement by implementation.

    A cell tells a broken MUST, a SHOULD that is not met, a lawful choice, pass, or why nothing was judged, and opens
    its cases with exchange, messages and capture. What every implementation but icetcp's own fails is marked: ask
    first whether the oracle is wrong. Each implementation has a run of its own below the folder; one that hangs or
    dies costs that run. A matrix that was interrupted goes on with the first run that is not whole. With --cluster
    the runs are made by Dask workers that have the stacks.

    Exit status: 0 all conform, or deviate as known, 1 one does not, 2 usage, 3 one was not judged, or not wholly.
    """
    from conformance.interop.plan import named
    from conformance.iut.errors import StackError
    from conformance.iut.stacks import UnknownStack, resolve
    from conformance.iut.stacks.build import all_built
    from reports.folder import MATRIX, FolderError, OutputFolder

    if everything == bool(stacks):
        return complain("name the stacks, or say --all", ExitStatus.USAGE)
    wanted = [named(argument) for argument in stacks or all_built()]
    names = [stack.name for stack in wanted]
    if len(set(names)) < len(names):
        return complain("two stacks have the same name; write NAME=exec:COMMAND", ExitStatus.USAGE)
    for stack in wanted:
        try:
            if resolve(stack.spec).by_hand:
                return complain(f"{stack.spec} needs a person at the terminal; use icetcp run", ExitStatus.USAGE)
        except UnknownStack as error:
            return complain(str(error), ExitStatus.USAGE)
        except StackError:
            pass  # its run says so
    try:
        with OutputFolder.claim(Path(options["out"]), MATRIX) as folder:
            folder.go_on()
            return _all([(stack.name, stack.spec) for stack in wanted], folder.path, options)
    except FolderError as error:
        return complain(str(error), ExitStatus.USAGE)


def _all(stacks: Sequence[tuple[str, str]], folder: Path, options: dict[str, Any]) -> int:
    from conformance.cluster.connection import ClusterError
    from conformance.run.interrupts import hold, interruptible

    statuses: dict[str, int] = {}
    interrupted = False
    try:
        with interruptible():
            if options["cluster"]:
                from conformance.commands.matrix_on_cluster import run_all

                run_all(stacks, folder, options, statuses)
            else:
                for number, (name, spec) in enumerate(stacks, start=1):
                    click.echo(f"[{number}/{len(stacks)}] {name}", err=True)
                    statuses[name] = _run(folder / "runs" / safe(name), name, spec, options)
    except KeyboardInterrupt:
        interrupted = True
        hold()
    except ClusterError as error:
        return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
    except OSError as error:
        return complain(f"cannot write to {folder}: {error.strerror}; choose another --out", ExitStatus.COULD_NOT_JUDGE)
    try:
        return _hand_out(folder, [name for name, _ in stacks], statuses, options, interrupted=interrupted)
    except OSError as error:
        return complain(f"cannot write to {folder}: {error.strerror}; choose another --out", ExitStatus.COULD_NOT_JUDGE)


def safe(name: str) -> str:
    """Return a name as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


# -- one run -----------------------------------------------------------------------------------------------------------


def _run(folder: Path, name: str, spec: str, options: dict[str, Any]) -> int:
    """Run the suite over one implementation, unless its run is there; return the exit status."""
    from conformance.iut.stacks import own_environment

    arguments = run_arguments(folder, spec, options)
    command = [sys.executable, "-P", "-m", "conformance", *arguments]
    spec_file, log = files_of(folder)
    asked = asked_of(arguments)
    if not options["again"]:
        known = before(spec_file, asked)
        if known is not None:
            click.echo("      as it was run before", err=True)
            return known
    folder.parent.mkdir(parents=True, exist_ok=True)
    spec_file.unlink(missing_ok=True)
    with log.open("wb") as file:
        environment = {**os.environ, "PYTHONPATH": own_environment()["PYTHONPATH"]}  # adapters inherit it: no more
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=environment
        )
        try:
            status = _watch(process, folder, name, options["limit"])
        except KeyboardInterrupt:
            _end(process, signal.SIGINT)
            raise
    if status is None:
        _end(process, signal.SIGTERM)
        click.echo(f"      {name} took more than {options['limit']:g} s", err=True)
        return int(ExitStatus.COULD_NOT_JUDGE)
    spec_file.write_text(json.dumps({**asked, "status": status}), encoding="utf-8")
    return status


def run_arguments(folder: Path, spec: str, options: dict[str, Any]) -> list[str]:
    """Return the arguments of `icetcp` that run the suite over one implementation."""
    arguments = ["run", "--iut", spec, "--out", str(folder)]
    return [*arguments, "--variants", "one" if options["quick"] else options["variants"], *run_filters(options)]


def files_of(folder: Path) -> tuple[Path, Path]:
    """Return the files beside a run's folder: what was asked for, and what the run said."""
    return folder.with_name(f"{folder.name}.{_SPEC}"), folder.with_name(f"{folder.name}.log")


def asked_of(arguments: list[str]) -> dict[str, Any]:
    """Return what must be the same for a run not to be made again."""
    return {"command": arguments, "icetcp": _version()}


def before(spec_file: Path, asked: dict[str, Any]) -> int | None:
    """Return the exit status of a run that is there already and was asked for in the same way; None: there is none."""
    try:
        found = json.loads(spec_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    status = found.pop("status", None)
    return status if found == asked and status in (0, 1) else None  # others may have had a passing cause


def _watch(process: subprocess.Popen[bytes], folder: Path, name: str, limit: float) -> int | None:
    """Wait for a run and show how far it is; None: it takes too long."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_LOOK)
        if is_terminal(sys.stderr):
            click.echo(f"\r      {name}: {_done(folder / 'record.jsonl')}", err=True, nl=False)
    return None


def _done(record: Path) -> str:
    try:
        octets = record.read_bytes()
    except OSError:
        return "starting"
    begun = re.search(rb'"variants":(\d+)', octets)
    done = octets.count(b'"kind":"verdict"')
    return f"{done} of {begun[1].decode() if begun else '?'} variants   "


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """End a run in order, so that its reports are written, or else at once."""
    with contextlib.suppress(OSError):
        process.send_signal(number)
    try:
        process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _version() -> str:
    from conformance.run.version import own_version

    return own_version()


# -- all of them -------------------------------------------------------------------------------------------------------


def _hand_out(
    folder: Path, names: Sequence[str], statuses: dict[str, int], options: dict[str, Any], *, interrupted: bool
) -> int:
    from conformance.catalogue import REQUIREMENTS
    from conformance.run.matrix_evidence import evidence
    from reports import html
    from reports import matrix as made
    from reports.html import matrix as pages

    runs = [_read(folder, name, statuses) for name in names]
    rows = made.rows(runs, REQUIREMENTS)
    titles = {entry.id: (entry.level.value, entry.title) for entry in REQUIREMENTS.values()}
    found = made.data(runs, rows, titles)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _JSON).write_text(json.dumps(found, indent=1), encoding="utf-8")
    shown = {run.name: evidence(folder, run, rows) for run in runs}
    html.write(folder / _HTML, pages.page(runs, rows, titles, shown, _version()))
    if options["as_json"]:
        click.echo(json.dumps(found, indent=1))
    else:
        _tell(runs, rows, folder)
    if interrupted:
        return complain("interrupted; the same command goes on where this one stopped", ExitStatus.COULD_NOT_JUDGE)
    values = [statuses.get(name, int(ExitStatus.COULD_NOT_JUDGE)) for name in names]
    if int(ExitStatus.DOES_NOT_CONFORM) in values:
        return int(ExitStatus.DOES_NOT_CONFORM)
    return int(ExitStatus.CONFORMS if not any(values) else ExitStatus.COULD_NOT_JUDGE)


def _read(folder: Path, name: str, statuses: dict[str, int]) -> Run:
    from reports.matrix import Run
    from reports.record import ReportError, end_of, read

    own = folder / "runs" / safe(name)
    try:
        info, results = read(own / "record.jsonl")
        end = end_of(own / "record.jsonl")
    except ReportError:
        return Run(name, None, trouble=_last_words(own.with_name(f"{own.name}.log"), name in statuses))
    whole = end is not None and not end["interrupted"]
    relative = str(own.relative_to(folder))
    return Run(name, info, results, "" if whole else "the run did not come to its end", relative)


def _last_words(log: Path, begun: bool) -> str:
    if not begun:
        return "not begun"
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return one_line(lines[-1]) if lines else "its run said nothing"
    return "its run left nothing"


def _tell(runs: Sequence[Run], rows: Sequence[Row], folder: Path) -> None:
    from reports.matrix import State, counts, failing_everywhere

    width = max(len(run.name) for run in runs)
    for run in runs:
        numbers = counts(run.name, rows)
        said = ", ".join(f"{numbers[state.value]} {state.value}" for state in State if numbers[state.value])
        trouble = f" ({run.trouble})" if run.trouble else ""
        click.echo(f"{run.name.ljust(width)}  {said}{trouble}")
        for text in run.incidents:
            click.echo(f"{' ' * width}  the adapter {one_line(text)}")
    asked = [row.requirement for row in rows if row.ask]
    if asked:
        click.echo(f"all fail, ask first whether the oracle is wrong: {', '.join(asked)}")
    for case, names in failing_everywhere(runs).items():
        click.echo(f"  {case}: {', '.join(names)}")
    click.echo(f"{counted(len(rows), 'requirement')}, {counted(len(runs), 'implementation')}: {folder / _HTML}")
