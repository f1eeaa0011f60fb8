"""A cluster of real processes on machines of the test's own: network namespaces, with a scheduler at their gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
WITHIN = 60.0  # seconds, on a busy machine
SCHEDULER = "tcp://10.77.0.1:8786"
# A dead connection is noticed after this time, which is half a minute by default.
ENVIRONMENT = {
    "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parents[1]}",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}


def until(come: Callable[[], Any], what: str, within: float = WITHIN) -> Any:
    deadline = time.monotonic() + within
    while not (found := come()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


@dataclass
class Client:
    """A client under way: what it has told so far."""

    pid: int
    file: Path

    @property
    def told(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self.file.read_text().splitlines()
            if line.startswith("{") and line.endswith("}")
        ]

    def events(self, what: str) -> list[dict[str, Any]]:
        return [one["event"] for one in self.told if "event" in one and one["event"]["what"] == what]

    def done(self) -> list[str]:
        return [one["done"] for one in self.told if "done" in one]

    def end(self) -> dict[str, Any]:
        """Return the report, once the client has ended."""
        until(lambda: not runs(self.pid), f"the end of the client ({self.file.read_text()[-2000:]})")
        found = [one for one in self.told if "lost" in one or "error" in one]
        assert found, self.file.read_text()
        return found[-1]


@dataclass
class Machines:
    """The machines of a test, each by its name."""

    names: list[str]
    folder: Path
    _program: subprocess.Popen[str] = field(init=False)
    scheduler_pid: int = 0
    _count: int = 0

    def __enter__(self) -> Machines:
        command = [sys.executable, str(HERE / "network_program.py"), *self.names]
        self._program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT}
        )
        assert self._program.stdout is not None
        assert self._program.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(WITHIN)
        self._program.stdout.close()

    def tell(self, **what: Any) -> int:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(what) + "\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())

    def start(self, machine: str, argv: list[str], name: str, **environment: str) -> int:
        output = str(self.folder / f"{name}.log")
        return self.tell(start=machine, argv=argv, environment={**ENVIRONMENT, **environment}, output=output)

    def scheduler(self) -> None:
        where = ["--host", "10.77.0.1", "--port", "8786", "--no-dashboard"]
        command = [sys.executable, "-P", "-m", "distributed.cli.dask_scheduler", *where]
        self.scheduler_pid = self.start("home", command, "scheduler")

    def worker(
        self, machine: str, *, resources: str = "", scratch: str = "", name: str = "", **environment: str
    ) -> int:
        """Start `dask worker` on a machine; return its process."""
        options = ["--nworkers", "1", "--nthreads", "1", "--memory-limit", "0", "--no-nanny", "--no-dashboard"]
        options += ["--resources", resources] if resources else []
        options += ["--local-directory", scratch or str(self.folder)]
        command = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", SCHEDULER, *options]
        return self.start(machine, command, f"worker-{name or machine}", **environment)

    def client(self, pieces: list[dict[str, Any]], **spec: Any) -> Client:
        self._count += 1
        name = f"client-{self._count}"
        every = [
            {"executed": str(self.folder / "executed"), "pids": str(self.folder / "pids"), **one} for one in pieces
        ]
        told = {"cluster": SCHEDULER, "out": str(self.folder / "out"), "pieces": every, **spec}
        program = str(HERE / "client_program.py")
        pid = self.start("home", [sys.executable, program, json.dumps(told)], name)
        return Client(pid, self.folder / f"{name}.log")

    def executed(self) -> list[str]:
        file = self.folder / "executed"
        return file.read_text().split() if file.is_file() else []

    def pids(self, *names: str) -> list[int]:
        """Return the processes of pieces that hold, or of some of them: program and child of each execution."""
        file = self.folder / "pids"
        lines = [line.split() for line in file.read_text().splitlines()] if file.is_file() else []
        return [int(one) for name, *pids in lines if not names or name in names for one in pids]

    def hold(self, name: str) -> str:
        """Return a path that a piece waits at until `release`."""
        path = self.folder / f"hold-{name}"
        os.mkfifo(path)
        return str(path)

    def release(self, *names: str) -> None:
        """Let pieces go on that wait, and not wait any more."""
        for name in names:
            path, aside = self.folder / f"hold-{name}", self.folder / f"held-{name}"
            if not path.is_file():
                path.rename(aside)
                path.write_text("")
            os.close(os.open(aside, os.O_RDWR | os.O_NONBLOCK))


@pytest.fixture
def machines(tmp_path) -> Iterator[Machines]:
    """Machines a and b, with a scheduler at home and no worker yet."""
    with Machines(["a", "b"], tmp_path) as made:
        made.scheduler()
        yield made
