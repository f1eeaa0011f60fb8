"""Starts programs under the guard: they are gone, with all that they have started, when this process is."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from conformance.iut.stacks import own_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GONE_WITHIN = 10.0  # seconds
# The guard needs no installed package, and starts in a third of the time without them.
_GUARD = "import sys; sys.path.insert(0, sys.argv.pop(1)); from conformance.cluster.guard import main; sys.exit(main())"


def _root() -> str:
    return str(Path(__file__).resolve().parents[2])


@dataclass(slots=True)
class Guarded:
    """A program under the guard."""

    process: subprocess.Popen[bytes]
    _pipe: int
    _ended: int

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        *,
        output: IO[bytes] | int,
        stdin: int = subprocess.DEVNULL,
        errors: IO[bytes] | int = subprocess.STDOUT,
        environment: Mapping[str, str] | None = None,
    ) -> Guarded:
        """Start `python -m` with these arguments, in a session of its own."""
        theirs, ours = os.pipe()
        python = [sys.executable, "-P", "-m"]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD, _root(), str(theirs), *python, *arguments],
                stdin=stdin,
                stdout=output,
                stderr=errors,
                pass_fds=[theirs],
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": own_environment()["PYTHONPATH"], **(environment or {})},
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours, os.pidfd_open(process.pid))

    def ended(self, within: float) -> bool:
        """Wait at most so many seconds for its end; return whether it has come."""
        return bool(select.select([self._ended], [], [], within)[0])

    def stop(self, within: float) -> None:
        """Ask the program to end in order; the guard kills it where that takes longer, in seconds up to 255."""
        with contextlib.suppress(OSError):
            os.write(self._pipe, bytes([max(1, min(255, round(within)))]))

    def end(self) -> int:
        """End it with all that it has started, if it has not ended; return the exit status."""
        if self._pipe >= 0:
            os.close(self._pipe)
            os.close(self._ended)
            self._pipe = self._ended = -1
        try:
            return self.process.wait(_GONE_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
