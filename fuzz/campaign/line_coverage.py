"""Line coverage of an IUT that is written in Python: new lines count as novelty, in addition to new answers."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.campaign import tracing
from fuzz.campaign.tracing.sitecustomize import SIZE, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lines:
    """The lines that an IUT has executed, in all its processes so far."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="icetcp-lines-")
        self._path = Path(self._folder.name) / "lines"
        self._path.write_bytes(bytes(SIZE))
        with self._path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        self._seen = bytes(SIZE)
        self.count = 0

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return what an adapter's environment needs."""
        folder = str(Path(tracing.__file__).parent)
        others = given.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        return {VARIABLE: str(self._path), "PYTHONPATH": os.pathsep.join(filter(None, (folder, others)))}

    def fresh(self) -> int:
        """Return how many lines were executed for the first time since the last question."""
        now = self._map[:]
        if now == self._seen:
            return 0
        before, self._seen, self.count = self.count, now, SIZE - now.count(0)
        return self.count - before

    def close(self) -> None:
        """Forget it all."""
        self._map.close()
        self._folder.cleanup()
