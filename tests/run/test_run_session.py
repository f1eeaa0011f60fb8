"""What a run leaves behind: no processes."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import subprocess, sys
from conformance.run.session import descendants, end_descendants
import os
nest = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
spawning = nest + "print(flush=True); [(time.sleep(0.01), subprocess.Popen(['sleep', '600'])) for _ in range(1000)]"
child = subprocess.Popen([sys.executable, "-c", spawning], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
child.stdout.readline()
before = descendants(os.getpid())
end_descendants()
running = []
for process in {*before, *descendants(os.getpid())}:
    try:
        with open(f"/proc/{process}/stat") as file:
            state = file.read().rpartition(")")[2].split()[0]
    except OSError:
        continue
    if state not in "ZX":
        running.append((process, state))
print(len(before), running)
"""


def test_no_descendant_runs_any_more_not_even_one_that_was_started_meanwhile() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    number, _, running = done.stdout.strip().partition(" ")
    assert int(number) >= 2
    assert running == "[]"
