"""The options of commands whose work a cluster can do, and how they use one. Only click is imported here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.cluster.connection import Cluster
    from conformance.cluster.dispatch import Dispatch
    from conformance.cluster.journal import Journal

Command = Callable[..., int]


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value and value.startswith("local"):
        from conformance.cluster.connection import ClusterError, is_local

        try:
            is_local(value)
        except ClusterError as error:
            raise click.BadParameter(str(error)) from None
    return value


def on_cluster(command: Command) -> Command:
    """Add the options ``--cluster`` and ``--share``."""
    command = click.option(
        "--share",
        metavar="URL",
        help="With --cluster: workers leave captures and logs below this fsspec URL, which this machine can read too, "
        "instead of sending them.",
    )(command)
    return click.option(
        "--cluster",
        metavar="ADDRESS|local:N",
        callback=_address,
        help="Do the work on Dask workers: a scheduler's address or file, or N processes here; see docs/cluster.md.",
    )(command)


def resumable(command: Command) -> Command:
    """Add the option ``--resume``."""
    text = "With --cluster: take over from --out the pieces that an interrupted command has done."
    return click.option("--resume", is_flag=True, help=text)(command)


@dataclass(slots=True)
class Work:
    """A cluster in use for one command."""

    cluster: Cluster
    dispatch: Dispatch
    journal: Journal

    def needs(self, *resources: str) -> tuple[str, ...]:
        """Return what a piece demands; workers that are processes of this machine are all alike."""
        has = self.cluster.local
        return () if has else resources


@contextlib.contextmanager
def working(
    options: Mapping[str, Any],
    out: Path,
    *,
    resume: bool,
    progress: Callable[[int, int], None] = lambda _workers, _counted: None,
    heard: Callable[[Mapping[str, Any]], None] = lambda _event: None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Work]:
    """Connect to the cluster that the options name; say at the end what went otherwise than planned.

    Raises `ClusterError`. What the pieces came to stays in the folder as long as one of them is missing.
    """
    from conformance.cluster.connection import connected
    from conformance.cluster.dispatch import Dispatch
    from conformance.cluster.journal import Journal

    with connected(options["cluster"]) as cluster:
        journal = Journal(out, resume=resume)
        share = options["share"] or ""
        dispatch = Dispatch(cluster, journal, progress=progress, heard=heard, tick=tick, share=share)
        whole = False
        try:
            yield Work(cluster, dispatch, journal)
            whole = not dispatch.report.lost
        finally:
            journal.remove() if whole else journal.close()
            for line in dispatch.report.lines():
                click.echo(f"cluster: {line}", err=True)
