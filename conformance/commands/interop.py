"""`icetcp interop`: stack against stack, and which stack is at fault if they do not work together."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cluster.options import on_cluster, working
from conformance.commands.options import complain
from conformance.commands.progress import Progress
from conformance.commands.terminal import counted, one_line
from conformance.run.invocation import command_line
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.interop.model import Cell, Outcome
    from conformance.interop.plan import Contestant
    from reports.folder import OutputFolder

_EXAMPLES = """
\b
Examples:
  icetcp interop libnice pion4
  icetcp interop reference mine='exec:./my-adapter --ice' --quick
  icetcp interop --all --out reports/event
  icetcp interop reference libnice --nat EI/APD
"""
_ANY = "any"
_TCPTYPES = ("active", "passive", "so", _ANY)
_ROLES = ("controlling", "controlled", _ANY)


def _pairs_of(words: Sequence[str], values: Sequence[str]) -> list[tuple[str, str]]:
    """Return what offerer and answerer are told by each value, "" for anything."""
    found = []
    for value in values:
        told = value.lower().split("/")
        if len(told) != 2 or any(word not in words for word in told):  # offerer and answerer
            *others, last = words
            raise click.BadParameter(f"{value!r} is not OFFERER/ANSWERER with {', '.join(others)} or {last}.")
        found.append(("" if told[0] == _ANY else told[0], "" if told[1] == _ANY else told[1]))
    return found


def _tcptypes(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[tuple[str, str]]:
    return _pairs_of(_TCPTYPES, values)


def _roles(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[tuple[str, str]]:
    return _pairs_of(_ROLES, values)


def _nat(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    kinds = ("EI", "AD", "APD")
    parts = value.upper().split("/") if value else []
    if value and (len(parts) != 2 or any(part not in kinds for part in parts)):  # mapping and filtering
        raise click.BadParameter(f"{value!r} is not MAPPING/FILTERING, each of {', '.join(kinds)}.")
    return value.upper()


@click.command(epilog=_EXAMPLES)
@click.argument("stacks", metavar="[NAME|NAME=exec:COMMAND]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every stack that is built here.")
@click.option("--quick", is_flag=True, help="Each pair once: IPv4, every tcptype that they have.")
@click.option("--family", type=click.Choice(["4", "6", "both"]), default="both", show_default=True, help="IP version.")
@click.option(
    "--tcptypes",
    multiple=True,
    callback=_tcptypes,
    metavar="OFFERER/ANSWERER",
    help="Tcptypes that each is asked to offer: active/passive, so/so, any/any; repeatable. A stack that does not "
    "obey offers what it has.",
)
@click.option(
    "--roles",
    multiple=True,
    callback=_roles,
    metavar="OFFERER/ANSWERER",
    help="Roles that each begins with: controlled/controlling, controlling/controlling (a conflict), any/any; "
    "repeatable. A stack that does not obey begins with the role of its side.",
)
@click.option("--nat", default="", callback=_nat, metavar="MAPPING/FILTERING", help="A NAT before one: EI/APD. IPv4.")
@click.option(
    "--nat-side",
    type=click.Choice(["offerer", "answerer", "each"]),
    default="offerer",
    show_default=True,
    help="The side behind the NAT; each: one after the other.",
)
@click.option("-j", "--jobs", default=3, show_default=True, type=click.IntRange(1, 64), help="Cells at once.")
@on_cluster
@click.option("--out", type=click.Path(), default="reports/interop", show_default=True, help="Folder of the reports.")
@click.option("--again", is_flag=True, help="Play cells again that the folder already has.")
@click.option("--survey", is_flag=True, help="A stack that broke something is a result, not a failure: exit status 0.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def interop(stacks: Sequence[str], everything: bool, **options: Any) -> int:
    """Let stacks meet over ICE-TCP alone: every ordered pair, each as offerer and as answerer.

    Each cell has a network of its own: two stacks, a wire or a NAT between them, one capture. It tells how far they
    came (SYN, connection, check, success, nomination, selection, media) and, where they do not work together, which
    of them broke which requirement, that both are lawful, or what is missing to decide it. What is signalled is each
    stack's own description, without candidates of other transports. A table that was interrupted goes on where it
    stopped. With --cluster the cells are played by Dask workers that have both stacks.

    Exit status: 0 all work, or lawfully not; 1 a stack broke something, so that a pair does not work (not with
    --survey); 2 usage; 3 a cell is undecided, or nothing could be played.
    """
    from conformance.interop import plan
    from conformance.iut.stacks.build import all_built

    if everything == bool(stacks):
        return complain("name the stacks, or say --all", ExitStatus.USAGE)
    contestants = [plan.named(argument) for argument in stacks or all_built()]
    names = [stack.name for stack in contestants]
    if len(set(names)) < len(names):
        return complain("two stacks have the same name; write NAME=exec:COMMAND", ExitStatus.USAGE)
    problem = _unknown(contestants, elsewhere=bool(options["cluster"]))
    if problem:
        return complain(problem, ExitStatus.USAGE)
    return _run(contestants, options)


def _unknown(contestants: Sequence[Contestant], *, elsewhere: bool) -> str:
    """Return why stacks cannot meet; `elsewhere`: those that are not built here may be so on a worker."""
    from conformance.iut.stacks import StackError, UnknownStack, resolve

    for stack in contestants:
        try:
            remote = resolve(stack.spec).host is not None
        except UnknownStack as error:
            return str(error)
        except StackError as error:
            if elsewhere:
                continue
            return str(error)
        if remote:
            return f"{stack.spec} is not started on this machine; stacks meet in a network of the run's own"
    return ""


def _run(contestants: Sequence[Contestant], options: dict[str, Any]) -> int:
    from conformance.peer.lab import can_enter
    from reports.folder import INTEROP, FolderError, OutputFolder

    unavailable = None if options["cluster"] else can_enter()
    if unavailable is not None:
        return complain(f"{unavailable.reason}; {unavailable.remedy}", ExitStatus.COULD_NOT_JUDGE)
    try:
        with OutputFolder.claim(Path(options["out"]).absolute(), INTEROP) as folder:
            return _meet(contestants, folder, options)
    except FolderError as error:
        return complain(str(error), ExitStatus.USAGE)


def _meet(contestants: Sequence[Contestant], claimed: OutputFolder, options: dict[str, Any]) -> int:
    """Play all cells, or those that an interrupt leaves the time for, and report."""
    from conformance.cluster.connection import ClusterError
    from conformance.interop import outputs, plan
    from conformance.interop.execution import Unplayable
    from conformance.run.interrupts import end_descendants, interruptible
    from reports.record import ReportError

    folder = claimed.path
    found: list[Outcome] = []
    by_name = {stack.name: stack for stack in contestants}
    progress, interrupted = Progress("cell"), False
    cells: list[Cell] = []
    try:
        with interruptible(), _players(contestants, folder, options, progress) as play:
            claimed.go_on()
            cells = plan.cells(contestants, **_choice(options))
            progress.begin("interop", len(cells))
            play(cells, lambda outcome: _take(outcome, found, progress, quiet=options["as_json"]))
    except KeyboardInterrupt:
        interrupted = True
        end_descendants()
    except (Unplayable, ClusterError) as error:
        return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
    except OSError as error:
        return complain(f"cannot write to {folder}: {error.strerror}; choose another --out", ExitStatus.COULD_NOT_JUDGE)
    finally:
        progress.close()
    order = {cell.id: number for number, cell in enumerate(cells)}
    found.sort(key=lambda outcome: order[outcome.cell.id])
    try:
        outputs.write(folder, found, by_name, command_line(), interrupted=interrupted)
    except (ReportError, OSError) as error:
        return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
    return _tell(found, by_name, folder, options, interrupted=interrupted, wanted=len(cells))


@contextlib.contextmanager
def _players(
    contestants: Sequence[Contestant], folder: Path, options: dict[str, Any], progress: Progress
) -> Iterator[Callable[[Sequence[Cell], Callable[[Outcome], None]], None]]:
    """Ask each stack what it is, and return what plays cells: here or on a cluster."""
    by_name = {stack.name: stack for stack in contestants}
    if options["cluster"]:
        from conformance.interop.cluster import ClusterTable, greet

        with working(options, folder, resume=False, progress=progress.under_way) as work:
            greet(contestants, work)
            table = ClusterTable(folder, by_name, options["again"])
            yield lambda cells, done: table.play(cells, work, done)
        return
    from conformance.interop.execution import Table

    _greet(contestants)
    yield lambda cells, done: Table(folder, by_name, options["again"]).run(cells, options["jobs"], done)


def _greet(contestants: Sequence[Contestant]) -> None:
    """Ask each stack what it is, all at the same time: some take seconds to start."""
    import threading

    from conformance.interop.plan import greet

    threads = [threading.Thread(target=greet, args=(stack,), daemon=True) for stack in contestants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _choice(options: dict[str, Any]) -> dict[str, Any]:
    from conformance.interop.model import OFFERER, SIDES

    families = {"4": (4,), "6": (6,), "both": (4, 6)}[options["family"]]
    tcptypes, roles = options["tcptypes"], options["roles"]
    if options["quick"]:
        families, tcptypes = families[:1], tcptypes or [("", "")]
    sides = SIDES if options["nat_side"] == "each" else (options["nat_side"] or OFFERER,)
    return {"families": families, "tcptypes": tcptypes, "roles": roles, "nat": options["nat"], "nat_sides": sides}


def _take(outcome: Outcome, found: list[Outcome], progress: Progress, *, quiet: bool) -> None:
    found.append(outcome)
    progress.step()
    if not quiet:
        click.echo(f"{outcome.kind.value:<9}  {outcome.cell.id}  {one_line(outcome.sentence)}")


def _tell(
    found: Sequence[Outcome],
    stacks: dict[str, Contestant],
    folder: Path,
    options: dict[str, Any],
    *,
    interrupted: bool,
    wanted: int,
) -> int:
    import json

    from conformance.interop import outputs

    status = outputs.status(found, survey=options["survey"])
    if options["as_json"]:
        click.echo(json.dumps(outputs.data(found, stacks, interrupted=interrupted), indent=1))
    else:
        click.echo(f"\n{outputs.text(found, list(stacks))}")
        works = sum(outcome.ok for outcome in found)
        click.echo(f"\n{counted(len(found), 'cell')} of {wanted}, {works} work; reports: {folder}")
    if interrupted:
        return complain("interrupted; the same command goes on where this one stopped", ExitStatus.COULD_NOT_JUDGE)
    return int(status)
