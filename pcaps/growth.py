"""A file that another process reads while it is written: it comes through a pipe, which waits for what is to come."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Growth:
    """How far a file has been written, and whether it is whole. Callable from any thread.

    ``failed``: why the file could not be read on; None if it could.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._size = 0  # octets
        self._whole = False
        self._unwanted = False  # nobody reads the pipe any more
        self.failed: OSError | None = None

    def reached(self, size: int) -> None:
        """Say that the first `size` octets are there and stay as they are."""
        with self._news:
            self._size = size
            self._news.notify_all()

    def end(self) -> None:
        """Say that no more come."""
        with self._news:
            self._whole = True
            self._news.notify_all()

    def wait(self) -> None:
        """Wait until the file is whole."""
        with self._news:
            self._news.wait_for(lambda: self._whole)

    @contextlib.contextmanager
    def piped(self, path: Path) -> Iterator[int]:
        """Give the end of a pipe through which the file comes, as it grows, until it is whole."""
        reading, writing = os.pipe()
        pump = threading.Thread(target=self._pump, args=(path, writing), name="growth", daemon=True)
        pump.start()
        try:
            yield reading
        finally:
            os.close(reading)  # who writes without a reader is told so
            with self._news:
                self._unwanted = True
                self._news.notify_all()
            pump.join()

    def _pump(self, path: Path, writing: int) -> None:
        try:
            with contextlib.suppress(BrokenPipeError), open(writing, "wb") as pipe, path.open("rb") as file:
                sent = 0
                while (size := self._more_than(sent)) > sent:
                    pipe.write(file.read(size - sent))
                    pipe.flush()
                    sent = size
        except OSError as error:
            self.failed = error

    def _more_than(self, sent: int) -> int:
        """Wait for more octets than these; return how many there are, no more if none come."""
        with self._news:
            self._news.wait_for(lambda: self._size > sent or self._whole or self._unwanted)
            return sent if self._unwanted else self._size
