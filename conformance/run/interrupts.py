"""Ctrl-C, SIGTERM and their like: where they take effect at once, where they wait, and the end of all descendants.

An interrupt that is raised at any moment may lose a verdict between two lines of ours. So a run holds interrupts from
its beginning to its end, and opens itself to them only where it waits: see `held` and `opened`. A second one ends the
process at once, unless it comes with the first: a terminal that is closed sends SIGHUP, and so does its shell; a
service manager sends SIGTERM and SIGHUP together.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.iut.signals import ENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType


_ALWAYS = (signal.SIGINT, signal.SIGTERM)
_TOGETHER = 0.5  # seconds; nobody has seen the first one take effect, and asks again, in less


class _State:
    """What the handler knows; there is one process, and only its main thread handles signals."""

    installed = False

    def __init__(self) -> None:
        self.received = 0.0  # when the first one came
        self.holding = False
        self.pending = False
        self.tell: Callable[[], None] | None = None

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.received:
            if now - self.received > _TOGETHER:
                hard_exit()
            return
        self.received = now
        if not self.holding:
            raise KeyboardInterrupt
        self.pending = True
        if self.tell is not None:
            self.tell()

    def deliver(self) -> None:
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt


_state = _State()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make `ENDING` the same as Ctrl-C, and a second one of them a hard end.

    Those that are ignored (SIGHUP under nohup), or that somebody else handles, stay as they are, Ctrl-C and SIGTERM
    excepted.
    """
    if _state.installed:
        yield
        return
    before = _install(_State())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _state.installed = False


def _install(state: _State) -> dict[signal.Signals, Any]:
    """Let this state take the signals; return who took them before."""
    global _state
    numbers = [number for number in ENDING if number in _ALWAYS or _is_free(signal.getsignal(number))]
    _state = state
    _state.installed = True
    return {number: signal.signal(number, _state.interrupt) for number in numbers}


def _is_free(handler: Any) -> bool:
    """Whether nobody handles a signal, or only an earlier `_State`."""
    return handler is signal.SIG_DFL or getattr(handler, "__func__", None) is _State.interrupt


def done() -> None:
    """Drop an interrupt from now on: all is reported, and the process is ending with the status that it came to.

    It takes some more tenths of a second on a busy machine, in which a signal would make it look killed.
    """
    state = _State()
    state.holding = True
    _install(state)


def hold(holding: bool = True) -> None:
    """Let interrupts wait from now on, or no longer; one that has come meanwhile is dropped then."""
    _state.holding, _state.pending = holding, _state.pending and holding


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Let interrupts wait for a whole command, except where it opens itself to them or is told of them (`held`).

    One that comes when there is nothing left to break off is dropped.
    """
    with interruptible():
        hold()
        try:
            yield
        finally:
            hold(False)


@contextlib.contextmanager
def held(tell: Callable[[], None] | None = None) -> Iterator[None]:
    """Let interrupts wait; `tell` is called by the one that comes, to end a wait in order."""
    before = _state.holding, _state.tell
    _state.holding, _state.tell = True, tell
    try:
        if _state.pending and tell is not None:
            tell()
        yield
    finally:
        _state.holding, _state.tell = before
    if not _state.holding:
        _state.deliver()


def taken() -> KeyboardInterrupt:
    """Return the interrupt that waits, for the one who was told of it to raise."""
    _state.pending = False
    return KeyboardInterrupt()


@contextlib.contextmanager
def opened() -> Iterator[None]:
    """Let interrupts take effect at once, as `KeyboardInterrupt`; also the one that has been waiting."""
    before = _state.holding
    _state.holding = False
    try:
        _state.deliver()
        yield
    finally:
        _state.holding = before


def hard_exit() -> NoReturn:
    """End this process and all its descendants now, with the terminal's cursor shown again."""
    end_descendants()
    with contextlib.suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\x1b[?25h\n")
    os._exit(3)


def end_descendants(within: float = 1.0) -> None:
    """Kill every descendant of this process, so that a run that broke off leaves none behind.

    Python's own tracker of what processes share is spared: it ends with this process, and is missed before.
    """
    spared = _tracker()
    _end(lambda: [process for process in descendants(os.getpid()) if process != spared], within)


def _tracker() -> int | None:
    """Return the id of the process that multiprocessing has started for itself, if there is one."""
    module = sys.modules.get("multiprocessing.resource_tracker")
    return getattr(getattr(module, "_resource_tracker", None), "_pid", None)


def end_processes(roots: Iterable[int], within: float = 1.0) -> None:
    """Kill these processes and all their descendants."""
    roots = list(roots)
    _end(lambda: [process for root in roots for process in (root, *descendants(root))], within)


def _end(found: Callable[[], list[int]], within: float) -> None:
    """Kill all that is found.

    They are stopped first, until no new one appears: a child that is started while its parent is killed would go to
    init and live on. Then it is waited, at most so many seconds, until they are gone, since a killed process goes on
    for a moment.
    """
    deadline = time.monotonic() + within
    stopped: list[int] = []
    while new := [process for process in found() if process not in stopped]:
        _signal_all(new, signal.SIGSTOP)
        stopped += new
    _signal_all(stopped, signal.SIGKILL)
    while any(_runs(process) for process in stopped) and time.monotonic() < deadline:
        time.sleep(0.005)


def _signal_all(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, number)


def _runs(process: int) -> bool:
    """Whether a process is neither gone nor a zombie."""
    with contextlib.suppress(OSError):
        return _status(process).partition(" ")[0] not in ("Z", "X")
    return False


def _status(process: int) -> str:
    """Return what /proc says of a process from its state on. Its name in parentheses may hold anything."""
    return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(") ")[2]


def descendants(root: int) -> list[int]:
    """Return the ids of a process's children, their children and so on, youngest generation last."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int(_status(int(entry.name)).split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    generation = [root]
    while generation:
        generation = [child for process in generation for child in parents.get(process, ())]
        found += generation
    return found
