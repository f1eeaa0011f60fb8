"""Processes that are forks of a command's own, each with a pipe to it and a share of the addresses."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
from multiprocessing import Pipe
from typing import TYPE_CHECKING

from conformance.iut.signals import ENDING
from conformance.peer.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_FEWER_COLLECTIONS = 30_000  # objects made between two; what a case makes is let go of by reference counts
_DESCRIPTORS = 8192  # a hundred for some cases, of which there are more at once than the usual limit of 1,024 bears


def fork(count: int, serve: Callable[[Connection, Share], int]) -> list[tuple[int, Connection]]:
    """Return the id of each new process and the pipe to it; call it while this process has one thread.

    `serve` is called in each process and returns its exit status: no process returns into the code of the command,
    whatever happens.
    """
    made: list[tuple[int, Connection]] = []
    gc.freeze()  # a collection in a process would copy all that it shares with this one
    for index in range(count):
        ours, theirs = Pipe()
        process = os.fork()
        if process == 0:
            status = 1
            try:
                for pipe in (ours, *(pipe for _, pipe in made)):
                    pipe.close()
                for number in ENDING:
                    signal.signal(number, _leave_to_the_parent)  # a function: programs that we start do not inherit it
                gc.set_threshold(_FEWER_COLLECTIONS, 20, 50)
                _raise_descriptor_limit()
                status = serve(theirs, Share(index, count))
            finally:
                os._exit(status)
        theirs.close()
        made.append((process, ours))
    gc.unfreeze()
    return made


def _leave_to_the_parent(_number: int, _frame: object) -> None:
    """Do nothing: Ctrl-C in a terminal comes to all processes, and the command's own decides what becomes of it."""


def _raise_descriptor_limit() -> None:
    """Allow more open sockets than usual, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
