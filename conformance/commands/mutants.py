"""`icetcp mutants`. Only click is imported here; what a run needs comes with the run."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cluster.options import on_cluster, resumable, working
from conformance.commands.options import complain, filters, selection
from conformance.commands.progress import Progress
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.agent.faults import Fault
    from conformance.mutants.cluster import ClusterBench
    from conformance.mutants.execution import Bench
    from conformance.mutants.lawful import Lawful
    from conformance.mutants.reports import Judged
    from conformance.run.engine import Case


@click.command()
@filters
@click.option("--fault", "names", multiple=True, metavar="NAME", help="Only this fault; repeatable.")
@click.option("--quick", is_flag=True, help="Only the cases of each fault's own requirement.")
@click.option("--lawful", is_flag=True, help="No faults, but lawful variations, which nothing may fail.")
@click.option("--examples", type=click.IntRange(1), default=10, show_default=True, help="Variations for each case.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the variations drawn.")
@click.option("--variation", metavar="JSON", help="With --lawful: this variation only.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1024), help="Cases at once [default: 128 to 256 a core; lawful 32]."
)
@on_cluster
@resumable
@click.option("--piece", type=click.IntRange(1), help="With --cluster: executions in a piece [default: 400].")
@click.option("--out", default="reports/mutants", show_default=True, type=click.Path(), help="Folder of the reports.")
def mutants(**options: Any) -> int:
    """Test the suite itself: run it against every named fault of the reference agent.

    Prints and writes the kill matrix. Each fault breaks one requirement: a case of that requirement must fail, and
    cases of others only where it is known why. The agent without a fault must pass everything.

    With --lawful the agent is right, but different: in the order of its candidates, their priorities, the texts and
    attributes of its messages, how it divides what it sends, when it nominates. No case at MUST may fail for that.

    With --cluster the executions are divided into pieces, which Dask workers do.

    Exit status: 0 every fault is killed and none by accident, 1 not so, 2 usage, 3 could not be found out.
    """
    from conformance.run.discovery import discover

    found = discover(selection(**options))
    if found.outcome.interrupted:
        return complain("interrupted before anything was executed", ExitStatus.COULD_NOT_JUDGE)
    if found.outcome.usage or found.outcome.crash:
        return complain(found.outcome.usage or "the cases cannot be collected; see icetcp list", ExitStatus.USAGE)
    try:
        faults = _faults(options["names"], found.selected, filtered=bool(selection(**options)))
    except click.BadParameter as error:
        return complain(error.message, ExitStatus.USAGE)
    if not found.selected:
        return complain("no case matches; see icetcp list", ExitStatus.USAGE)
    if options["lawful"]:
        return _lawful(found.selected, options)
    return _run(faults, found.selected, found.every, options)


def _faults(names: Sequence[str], selected: Sequence[Case], *, filtered: bool) -> list[Fault]:
    """Return the faults that were asked for; of a part of the suite those that it has cases for."""
    from conformance.agent.faults import BY_NAME, FAULTS
    from conformance.mutants.matrix import faults_with_cases

    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise click.BadParameter(f"no fault is called {unknown[0]}; see python -m conformance.agent --list-faults")
    if names:
        return [BY_NAME[name] for name in dict.fromkeys(names)]
    return faults_with_cases(selected) if filtered else list(FAULTS)


def _run(faults: Sequence[Fault], cases: Sequence[Case], every: Sequence[Case], options: dict[str, Any]) -> int:
    from conformance.commands import mutants_output
    from conformance.commands.reference_run import run_info
    from conformance.mutants import plan, reports
    from conformance.mutants.execution import AT_ONCE, EACH, EACH_IDLE
    from conformance.mutants.matrix import KillMatrix
    from conformance.mutants.places import Places
    from conformance.run.testers import how_many

    begun = time.time()
    work = plan.Plan(faults, cases, every, options["quick"])
    judged = reports.Judged(KillMatrix(), (), options["quick"])
    most = options["jobs"] or EACH * len(os.sched_getaffinity(0))
    processes = how_many(0, len(work.variants), most, adapters=most)
    unasked = (
        AT_ONCE if options["cluster"] else Places(EACH * processes, (EACH_IDLE if processes > 1 else EACH) * processes)
    )
    jobs: int | Places = options["jobs"] or unasked

    def execute(bench: Bench | ClusterBench, shown: Progress) -> None:
        judged.again = plan.run(work, bench, judged.matrix, jobs=jobs, begin=shown.begin, progress=shown.step)

    def report(out: Path) -> None:
        judged.rows, judged.duration = work.rows(judged.matrix), time.time() - begun
        run = run_info(begun, "sockets", interrupted=judged.interrupted, incidents=judged.incidents)
        written = reports.write(out, judged, run)
        mutants_output.matrix(judged, written)

    return _on_bench(Path(options["out"]), judged, execute, options, report, processes=processes, cases=cases)


def _lawful(cases: Sequence[Case], options: dict[str, Any]) -> int:
    from conformance.agent.variation import read
    from conformance.commands import mutants_output
    from conformance.mutants import lawful
    from conformance.mutants.execution import Bench
    from conformance.peer.pixit import Pixit
    from conformance.run.testers import how_many

    given = options["variation"]
    try:
        read(json.loads(given) if given else None)
    except ValueError as error:
        return complain(f"--variation: {error}", ExitStatus.USAGE)
    begun = time.time()
    found = lawful.Lawful(options["seed"])
    drawn = [json.loads(given)] * len(cases) if given else lawful.draw(len(cases) * options["examples"], found.seed)

    jobs = options["jobs"] or lawful.AT_ONCE
    processes = how_many(0, len(drawn), jobs, adapters=jobs)

    def execute(bench: Bench | ClusterBench, shown: Progress) -> None:
        shown.begin("lawful variations meet cases", len(drawn))
        if isinstance(bench, Bench):
            lawful.run(cases, bench, found, drawn, jobs=jobs, progress=shown.step)
        else:
            bench.vary(cases, found, drawn, jobs=jobs, progress=shown.step)

    def report(out: Path) -> None:
        mutants_output.lawful(found, lawful.write(out, found), time.time() - begun)

    response = Pixit().response
    return _on_bench(
        Path(options["out"]), found, execute, options, report, processes=processes, cases=cases, response=response
    )


def _on_bench(
    out: Path,
    outcome: Judged | Lawful,
    execute: Callable[[Bench | ClusterBench, Progress], None],
    options: dict[str, Any],
    report: Callable[[Path], None],
    *,
    processes: int,
    cases: Sequence[Case],
    **settings: float,
) -> int:
    """Claim the folder, execute against the reference agent, and report what was done before an interrupt."""
    from conformance.cluster.connection import ClusterError
    from conformance.commands.reference_run import IUT
    from conformance.iut.errors import AdapterError
    from conformance.run.interrupts import end_descendants, in_order
    from conformance.run.session import os_error
    from reports.folder import MUTANTS, FolderError, OutputFolder
    from reports.record import ReportError

    with in_order(), contextlib.ExitStack() as closing:
        try:
            folder = OutputFolder.claim(out, MUTANTS)
            closing.callback(folder.release)
            folder.clear(IUT)
        except FolderError as error:
            return complain(str(error), ExitStatus.USAGE)
        shown = Progress("execution")
        closing.callback(shown.close)
        try:
            with _bench(out, options, shown, processes, cases, settings) as bench:
                try:
                    execute(bench, shown)
                except KeyboardInterrupt:
                    outcome.interrupted = True
                    if not options["cluster"]:
                        end_descendants()
                outcome.incidents = bench.incidents
        except (AdapterError, ClusterError) as error:
            what = "" if isinstance(error, ClusterError) else "cannot start the reference agent: "
            return complain(f"{what}{error}", ExitStatus.COULD_NOT_JUDGE)
        except OSError as error:
            return complain(os_error(error), ExitStatus.COULD_NOT_JUDGE)
        shown.close()
        try:
            report(out)
        except ReportError as error:
            return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
        return int(outcome.status())


@contextlib.contextmanager
def _bench(
    out: Path,
    options: dict[str, Any],
    shown: Progress,
    processes: int,
    cases: Sequence[Case],
    settings: dict[str, float],
) -> Iterator[Bench | ClusterBench]:
    """Return the reference agent on this machine, or on those of the cluster that the options name."""
    from conformance.mutants.execution import Bench, own_network

    if not options["cluster"]:
        with Bench(out, wire=own_network(), processes=processes, cases=cases, **settings) as bench:
            yield bench
        return
    from conformance.mutants.cluster import PIECE, ClusterBench

    size = options["piece"] or PIECE
    with working(options, out, resume=options["resume"], progress=shown.under_way) as work:
        yield ClusterBench(work.dispatch, work.journal, out, size=size, lab=not work.cluster.local, **settings)
