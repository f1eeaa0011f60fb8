"""Text for a terminal: single lines, counts, tables, and a replacement for a stream that nobody reads any more."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from conformance.wire.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

_WIDEST = 400  # characters of a reason, expectation or observation; the reports hold all of it


def one_line(text: str, widest: int = _WIDEST) -> str:
    """Return text on one line, without control characters, at most so many characters."""
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= widest else shown[: widest - 3] + "..."


def counted(number: int, noun: str) -> str:
    """Return "1 case", "2 cases"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def is_terminal(out: TextIO) -> bool:
    """Whether a live display makes sense there."""
    return out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, fields: int = 0) -> None:
    """Print a table on a terminal (the first so many `fields`; 0: all), elsewhere tab-separated lines."""
    if not is_terminal(sys.stdout):
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cut = fields or len(header)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column(header[0], no_wrap=True, overflow="fold")  # the id: to be copied, so never cut or broken
    for name in header[1:cut]:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row[:cut]))
    Console().print(shown)


def muted(stream: TextIO) -> TextIO:
    """Return a stream that swallows everything, in place of one that nobody reads any more.

    Where it is the process's standard output, its descriptor is redirected too, so that the interpreter's
    last flush does not complain.
    """
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  (lives as long as the process)
    if stream is sys.stdout:
        os.dup2(nowhere.fileno(), 1)
    return nowhere
