"""What a person sees and can do while `icetcp judge` reads a large capture: progress, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import IO

    from pcaps.pcapng import Packet

_FIRST, _NEXT = 1.0, 0.5  # seconds until progress is shown, and between two lines of it
_LOOK = 1024  # packets between two looks at the clock
_STDIN = "-"


class Watch:
    """While it is entered, Ctrl-C ends the reading between two packets; a second one ends the process as usual."""

    def __init__(self) -> None:
        self.interrupted = False
        self._before: Any = None
        self._shows = sys.stderr.isatty()

    def __enter__(self) -> Watch:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def packets(self, capture: Path) -> Iterator[Packet]:
        """Yield the packets of a capture or of stdin. Raises as `pcaps.pcapng.read_file`, and so when interrupted."""
        from pcaps.pcapng import read_stream

        if str(capture) == _STDIN:
            yield from self._watched(sys.stdin.buffer, read_stream(sys.stdin.buffer), _STDIN)
            return
        with capture.open("rb", buffering=1 << 20) as file:
            yield from self._watched(file, read_stream(file), str(capture))

    def _watched(self, file: IO[bytes], packets: Iterator[Packet], name: str) -> Iterator[Packet]:
        from pcaps.pcapng import CaptureError

        due = time.monotonic() + _FIRST
        shown = False
        for number, packet in enumerate(packets, start=1):
            yield packet
            if self.interrupted:
                raise CaptureError("the reading was interrupted")
            if self._shows and not number % _LOOK and time.monotonic() > due:
                due = time.monotonic() + _NEXT
                shown = True
                _show(f"\r{name}: {number:,} packets{_part(file)} ")
        if shown:
            _show("\r\x1b[K")


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _part(file: IO[bytes]) -> str:
    """Return how much of a file was read; nothing for a pipe."""
    try:
        whole, read = os.fstat(file.fileno()).st_size, file.tell()
    except OSError:
        return ""
    return f", {100 * read // whole} %" if whole else ""
