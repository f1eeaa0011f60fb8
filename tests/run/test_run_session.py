"""What a run leaves behind: no processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PROGRAM = """
import subprocess, sys
from conformance.run.session import descendants, end_descendants
from processes import left_of
import os
nest = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
spawning = nest + "print(flush=True); [(time.sleep(0.01), subprocess.Popen(['sleep', '600'])) for _ in range(1000)]"
child = subprocess.Popen([sys.executable, "-c", spawning], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
child.stdout.readline()
before = descendants(os.getpid())
end_descendants()
print(len(before), left_of({*before, *descendants(os.getpid())}, within=0))
"""


TRACKED = """
import multiprocessing, time
from multiprocessing import resource_tracker
from conformance.run.session import end_descendants
resource_tracker.ensure_running()
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
child.start()
end_descendants()
child.join()
resource_tracker.ensure_running()  # warns if it is gone
print(child.exitcode)
"""


def test_the_tracker_of_pythons_own_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRACKED], capture_output=True, text=True, timeout=90, cwd=TESTS
    )
    assert (done.stdout, done.stderr) == ("-9\n", "")


def test_no_descendant_runs_any_more_not_even_one_that_was_started_meanwhile() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=90, check=True, cwd=TESTS
    )
    number, _, running = done.stdout.strip().partition(" ")
    assert int(number) >= 2
    assert running == "[]"
