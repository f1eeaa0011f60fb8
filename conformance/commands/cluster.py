"""`icetcp cluster`: the machines that `--cluster` works on."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from typing import NoReturn

import click

from conformance.commands.options import complain
from conformance.verdict import ExitStatus


@click.group()
def cluster() -> None:
    """Let this machine work for commands with --cluster, on the Dask scheduler of another."""


@cluster.command(name="worker")
@click.argument("scheduler")
@click.option("--pieces", type=click.IntRange(1, 1000), help="Pieces at a time [default: one a core].")
@click.option("--name", default="", metavar="NAME", help="Name of the worker; without it, its address.")
@click.option("--scratch", default="", type=click.Path(), help="Folder for pieces under way.")
@click.option("--show", is_flag=True, help="Print the command, with what this machine can do, and end.")
def worker(scheduler: str, pieces: int | None, name: str, scratch: str, show: bool) -> int:
    """Start a Dask worker for the SCHEDULER (address or file), which tells what this machine can do.

    Announced are `lab` (networks of a run's own), `browser`, and `stack:NAME` for each stack that is built. Pieces
    that need these go only to workers that have them. The worker runs until Ctrl-C; then its pieces end.
    """
    from importlib import util

    from conformance.cluster.abilities import resources
    from conformance.cluster.connection import WORKER, worker_arguments
    from conformance.cluster.identity import icetcp

    if util.find_spec("distributed") is None:
        return complain("a worker needs dask.distributed: pip install 'icetcp[cluster]'", ExitStatus.COULD_NOT_JUDGE)
    count = pieces or os.cpu_count() or 1
    where = ["--scheduler-file", scheduler] if os.path.isfile(scheduler) else [scheduler]  # noqa: PTH113
    command = [sys.executable, "-P", "-m", WORKER, *worker_arguments(where, count, resources(count), name, scratch)]
    if show:
        click.echo(shlex.join(command))
        return 0
    click.echo(f"icetcp {icetcp()}: worker of {scheduler}, {count} pieces at a time", err=True)
    os.environ.setdefault("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "False")
    return _become(command)


def _become(command: list[str]) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, exit statuses of pieces are lost
    os.execv(command[0], command)  # noqa: S606  (no shell is wanted)
