"""Progress of a command on standard error: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
from typing import Any

import click

from conformance.commands.terminal import counted, is_terminal

_STEP = 1000  # between two lines where there is no terminal


class Progress:
    """Counts up to a number that is known, of what the noun names."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._done = self._total = self._workers = 0
        self._what = ""
        self._bar: Any = None
        self._task: Any = None

    def begin(self, what: str, count: int) -> None:
        """Begin to count."""
        self.close()
        self._done, self._total = 0, count
        if not is_terminal(sys.stderr):
            click.echo(f"{what}: {counted(count, self._noun)}", err=True)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self._what = what
        self._task = self._bar.add_task(what, total=count)
        self._bar.start()

    def step(self, *_what: object) -> None:
        """Count one item."""
        self._done += 1
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif self._done % _STEP == 0:
            click.echo(f"  {self._done} of {self._total}", err=True)

    def under_way(self, workers: int, count: int) -> None:
        """Show how many workers of a cluster there are, and how much is done of what they have not handed over."""
        if self._bar is not None:
            where = f"{self._what} on {counted(workers, 'worker')}"
            self._bar.update(self._task, completed=self._done + count, description=where)
        elif workers != self._workers:
            click.echo(f"  {counted(workers, 'worker')}", err=True)
        self._workers = workers

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
