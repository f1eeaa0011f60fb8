"""Threads that take their work from a queue and put what comes of it into another."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Workers(Generic[Item, Outcome]):
    """Does `work` on every item, on so many threads at once; ``done`` brings outcomes, or exceptions, as they come.

    After `stopping` is set no item is begun. The threads do not keep the process alive.
    """

    def __init__(
        self,
        work: Callable[[Item], Outcome],
        items: Iterable[Item],
        threads: int,
        *,
        stopping: threading.Event | None = None,
        name: str = "worker",
    ) -> None:
        """Begin."""
        self.stopping = stopping or threading.Event()
        self.done: queue.SimpleQueue[tuple[Item | None, Outcome | BaseException]] = queue.SimpleQueue()
        self._work = work
        self._waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._count = 0
        for item in items:
            self._waiting.put(item)
            self._count += 1
        for number in range(min(threads, self._count)):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def end(self, error: BaseException) -> None:
        """Let `outcomes` end with this exception, behind what has been done by now. Callable in a signal handler."""
        self.done.put((None, error))

    def outcomes(self) -> Iterator[Outcome]:
        """Yield each outcome as it comes; an exception of the work comes out as itself. No item is begun after that."""
        try:
            for _ in range(self._count):
                _, outcome = self.done.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            self.stopping.set()

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.done.put((item, self._work(item)))
            except BaseException as error:
                self.done.put((item, error))
