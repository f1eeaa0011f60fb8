"""`python -m piece_program FOLDER`: the work of a piece in tests, as its spec says.

Each execution appends the piece's name to the file `executed`, and writes `result.txt`. `hold`: wait at a FIFO until the
test opens it, with a child that waits as well. `fill`: octets to be written. `dies`: a signal. `wait`
seconds and `burn` loops are what pieces of a benchmark do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    folder = Path(sys.argv[1])
    spec = json.loads((folder / "spec.json").read_text())
    with open(spec["executed"], "a") as file:  # noqa: PTH123
        file.write(f"{spec['name']}\n")
    if "dies" in spec:
        os.kill(os.getpid(), spec["dies"])
    (folder / "fill").write_bytes(b"x" * spec.get("fill", 0))
    if "hold" in spec:
        child = subprocess.Popen([sys.executable, "-c", f"open({spec['hold']!r}).read()"])
        with open(spec["pids"], "a") as file:  # noqa: PTH123
            file.write(f"{spec['name']} {os.getpid()} {child.pid}\n")
        Path(spec["hold"]).read_text()
        child.wait()
    if "wait" in spec:
        time.sleep(spec["wait"])
    if "burn" in spec:
        burn(spec["burn"])
    (folder / "result.txt").write_text(f"{spec['name']} {sum(range(spec.get('number', 0) + 1))}")
    return 0


def burn(count: int) -> int:
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


if __name__ == "__main__":
    sys.exit(main())
