"""`icetcp nat-table`. Only click is imported here; what the table needs comes with it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.options import complain
from conformance.commands.progress import Progress
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.commands.nat_table_output import Table
    from conformance.nattable.execution import Result
    from conformance.nattable.model import Row
    from conformance.nattable.path.impairments import Impairment
    from conformance.nattable.path.network import Network

_MILLISECONDS = click.FloatRange(0, 1000)
_PERCENT = click.FloatRange(0, 50)
_LEAST_MTU = 576  # octets; below, Linux no longer believes what a router tells (it takes 552)


def _mtu(_context: click.Context, _parameter: click.Parameter, value: int) -> int:
    if 0 < value < _LEAST_MTU:
        raise click.BadParameter(f"from {_LEAST_MTU} to 1500 octets, or 0.")
    return value


@click.command(name="nat-table")
@click.option("--quick", is_flag=True, help="Only rows that connect soon, one of each kind: seconds.")
@click.option("-k", "words", default="", metavar="WORDS", help="Only rows whose names hold all of these words.")
@click.option("--delay", default=5.0, show_default=True, type=_MILLISECONDS, metavar="MS", help="Of every packet.")
@click.option("--jitter", default=0.0, type=_MILLISECONDS, metavar="MS", help="At most so much more, in order.")
@click.option("--loss", default=0.0, type=_PERCENT, metavar="%", help="Share of the packets that are lost.")
@click.option("--reorder", default=0.0, type=_PERCENT, metavar="%", help="Share that others overtake.")
@click.option(
    "--mtu", default=0, type=click.IntRange(0, 1500), callback=_mtu, metavar="OCTETS", help="Largest packet; 0: any."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of ports and impairments.")
@click.option("-j", "--jobs", default=16, show_default=True, type=click.IntRange(1, 256), help="Rows begun at once.")
@click.option("--out", type=click.Path(), help="Folder for reports, and captures at both ends of each row.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Of both agents, to see rows fail; repeatable.")
@click.option("--why", is_flag=True, help="With the reason of each expectation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def nat_table(quick: bool, words: str, jobs: int, why: bool, as_json: bool, **options: Any) -> int:
    """Connect two reference agents through NATs of every behaviour; print expected against seen.

    Each row is two NATs with the mapping and filtering that RFC 5382 distinguishes (EI, AD, APD: independent of the
    remote endpoint, dependent on its address, on address and port) and what they do with an unsolicited SYN (drop,
    rst, icmp after 6 s). It tells by which candidates the agents must connect, or that they must fail, as RFC 6544
    has it, and what they did. Needs user and network namespaces, no root; see icetcp doctor.

    Exit status: 0 all as expected, 1 not so, 2 usage, 3 could not be found out.
    """
    from conformance.agent.faults import BY_NAME
    from conformance.nattable.rows import every_row, quick_rows

    unknown = [fault for fault in options["faults"] if fault not in BY_NAME]
    if unknown:
        return complain(
            f"no fault is called {unknown[0]}; see python -m conformance.agent --list-faults", ExitStatus.USAGE
        )
    rows = quick_rows() if quick else every_row()
    rows = [row for row in rows if all(word.lower() in row.name.lower() for word in words.split())]
    if not rows:
        return complain(f"no row has all of {words!r} in its name; see icetcp nat-table --quick", ExitStatus.USAGE)
    return _run(rows, jobs, options, why=why, as_json=as_json)


def _run(rows: Sequence[Row], jobs: int, options: dict[str, Any], *, why: bool, as_json: bool) -> int:
    from conformance.commands import nat_table_output
    from conformance.commands.reference_run import IUT
    from conformance.iut.errors import AdapterError
    from conformance.nattable.path import network
    from conformance.peer.lab import Unavailable
    from conformance.run.interrupts import in_order
    from conformance.run.session import os_error
    from reports.folder import NAT_TABLE, FolderError, OutputFolder
    from reports.record import ReportError

    laid = network.make()  # first of all: namespaces are entered by processes of one thread
    if isinstance(laid, Unavailable):
        return complain(f"there can be no NATs here: {laid.reason}; {laid.remedy}", ExitStatus.COULD_NOT_JUDGE)
    out = Path(options["out"]) if options["out"] else None
    table = nat_table_output.Table(rows, begun=time.time())
    with in_order(), contextlib.ExitStack() as closing:
        closing.callback(laid.close)
        try:
            if out is not None:
                folder = OutputFolder.claim(out, NAT_TABLE)
                closing.callback(folder.release)
                folder.clear(IUT)
            _fill(laid, table, jobs, options, out)
            return _report(table, out, why=why, as_json=as_json)
        except FolderError as error:
            return complain(str(error), ExitStatus.USAGE)
        except AdapterError as error:
            return complain(f"cannot start the reference agent: {error}", ExitStatus.COULD_NOT_JUDGE)
        except ReportError as error:
            return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
        except OSError as error:
            return complain(os_error(error), ExitStatus.COULD_NOT_JUDGE)


def _fill(laid: Network, table: Table, jobs: int, options: dict[str, Any], out: Path | None) -> None:
    """Execute the rows, or those that an interrupt leaves the time for."""
    import asyncio

    from conformance.run.interrupts import end_descendants

    progress = Progress("row")
    progress.begin("NAT table", len(table.rows))
    try:
        asyncio.run(_execute(laid, table, progress, jobs, options, out))
    except KeyboardInterrupt:
        table.interrupted = True
        end_descendants()
    finally:
        progress.close()
    table.sort()


def _report(table: Table, out: Path | None, *, why: bool, as_json: bool) -> int:
    """Print and write what was executed; return the exit status. Raises `ReportError`."""
    from conformance.commands import nat_table_output

    if as_json:
        click.echo(nat_table_output.as_json(table.results))
    else:
        nat_table_output.results(table, why=why)
    for path in nat_table_output.write(out, table) if out is not None else ():
        click.echo(f"written: {path}", err=True)
    for text in table.incidents:
        complain(f"the reference agent: {text}", ExitStatus.COULD_NOT_JUDGE)
    if table.interrupted:
        complain("interrupted", ExitStatus.COULD_NOT_JUDGE)
    return int(table.status())


async def _execute(
    laid: Network, table: Table, progress: Progress, jobs: int, options: dict[str, Any], out: Path | None
) -> None:
    """Execute the rows. An interrupt breaks them off and comes out as `KeyboardInterrupt`."""
    import asyncio

    from conformance.nattable.execution import Bench
    from conformance.run.evidence import told
    from conformance.run.interrupts import held, taken

    def done(result: Result) -> None:
        table.results.append(result)
        progress.step()

    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def break_off() -> None:
        assert task is not None
        loop.call_soon_threadsafe(task.cancel)

    bench = Bench(laid, _impairment(options), options["seed"], out, options["faults"])
    try:
        with held(break_off):
            async with bench:
                await bench.run(table.rows, jobs, done)
    except asyncio.CancelledError:
        raise taken() from None
    finally:
        table.incidents = told(bench.incidents)


def _impairment(options: dict[str, Any]) -> Impairment:
    from conformance.nattable.path.impairments import Impairment

    return Impairment(
        delay=options["delay"] / 1000,
        jitter=options["jitter"] / 1000,
        loss=options["loss"] / 100,
        reordering=options["reorder"] / 100,
        mtu=options["mtu"],
    )
