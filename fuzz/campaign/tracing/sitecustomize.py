"""Marks the lines that a Python program executes, each once, in a file that the campaign reads.

Python imports this module at its start, because its folder is the first in PYTHONPATH. It uses the standard library
only, and does not change the program, except that each line is slower until it was seen.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType

SIZE = 1 << 16
VARIABLE = "ICETCP_LINES"  # the file's name is in it
_TOOL = 4  # of sys.monitoring, an id that no known tool uses
_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120  (as it stands in file names)


class Marks:
    """Lines as octets in a map: a line whose octet is not zero was executed. Two lines seldom share an octet."""

    def __init__(self, octets: Any) -> None:
        self._octets = octets
        self._left: dict[CodeType, set[int]] = {}  # lines that were not executed yet
        self._before: tuple[Any, Any] = (None, None)  # who traced this process, and its new threads, before

    def start(self) -> None:
        """Mark lines from now on, in all threads."""
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is not None and monitoring.get_tool(_TOOL) is None:
            monitoring.use_tool_id(_TOOL, "icetcp")
            monitoring.register_callback(_TOOL, monitoring.events.LINE, self._executed)
            monitoring.set_events(_TOOL, monitoring.events.LINE)
        else:
            self._before = sys.gettrace(), threading.gettrace()
            threading.settrace(self._entered)
            sys.settrace(self._entered)

    def stop(self) -> None:
        """Stop marking lines."""
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is not None and monitoring.get_tool(_TOOL) == "icetcp":
            monitoring.free_tool_id(_TOOL)
        else:
            trace, in_threads = self._before  # a debugger or coverage tool goes on
            threading.settrace(in_threads)
            sys.settrace(trace)

    def _mark(self, code: CodeType, line: int) -> None:
        if not _library(code):
            self._octets[zlib.crc32(f"{code.co_filename}:{line}".encode()) % SIZE] = 1

    def _executed(self, code: CodeType, line: int) -> Any:
        """Mark a line (Python 3.12 and later), and ask for no further event of it."""
        self._mark(code, line)
        return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]

    def _entered(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Follow a call (before Python 3.12), unless all lines of its code have been seen."""
        code = frame.f_code
        left = self._left.get(code)
        if left is None:
            lines = () if _library(code) else code.co_lines()
            left = self._left[code] = {line for _, _, line in lines if line}
        return self._followed if left else None

    def _followed(self, frame: FrameType, event: str, _argument: Any) -> Any:
        left = self._left[frame.f_code]
        if event == "line" and frame.f_lineno in left:
            left.discard(frame.f_lineno)
            self._mark(frame.f_code, frame.f_lineno)
        return self._followed


def _library(code: CodeType) -> bool:
    name = code.co_filename
    return name == __file__ or (name.startswith(("<", _LIBRARY)) and "site-packages" not in name)


def _begin(path: str) -> None:
    with Path(path).open("r+b") as file:
        Marks(mmap.mmap(file.fileno(), SIZE)).start()


def _hand_on() -> None:
    """Import the sitecustomize that Python would have found without us."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    ours = sys.modules.pop(__name__, None)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != os.path.abspath(here)]  # noqa: PTH100
    try:
        __import__(__name__)
    except ImportError:
        if ours is not None:
            sys.modules[__name__] = ours


if __name__ == "sitecustomize":
    if os.environ.get(VARIABLE):
        _begin(os.environ[VARIABLE])
    _hand_on()
