"""The way to a Dask cluster: one that is there, or processes of this machine that end with this one."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cluster.guarded import Guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})\Z")
_CONNECTS = 10.0  # seconds for a scheduler to answer
_STARTS = 60.0  # seconds for a scheduler and workers of this machine to be there
_LOOK = 0.05
# What Dask measures of Python threads tells nothing here: pieces are processes.
_QUIET = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"}
SCHEDULER, WORKER = "distributed.cli.dask_scheduler", "distributed.cli.dask_worker"


class ClusterError(Exception):
    """The cluster cannot be used; the message says why, and what to do."""


@dataclass(slots=True)
class Workers:
    """The workers of a cluster at a moment, by address: how many pieces each does at a time, and what it has."""

    threads: dict[str, int] = field(default_factory=dict)
    resources: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many pieces can be done at a time."""
        return sum(self.threads.values())

    def able(self, needs: tuple[str, ...], without: set[str]) -> list[str]:
        """Return those that have all of this, except for some."""
        return [one for one, has in self.resources.items() if has >= set(needs) and one not in without]


@dataclass(slots=True)
class Cluster:
    """A cluster, through Dask's client. ``local``: its workers are processes of this machine."""

    client: Any
    name: str
    local: bool = False

    def workers(self) -> Workers:
        """Return who works there now. Raises `ClusterError` where the scheduler is gone."""
        try:
            known = self.client.scheduler_info(n_workers=-1).get("workers")
        except (OSError, TimeoutError, RuntimeError) as error:
            raise self.gone(error) from None
        if known is None:  # the connection is broken, and with it goes what the scheduler knew of the pieces
            raise self.gone()
        return Workers(
            {address: int(one["nthreads"]) for address, one in known.items()},
            {address: frozenset(one["resources"]) for address, one in known.items()},
        )

    def gone(self, error: object = "") -> ClusterError:
        """Return what is said when the scheduler does not answer any more."""
        why = f" ({error})" if str(error) else ""
        return ClusterError(f"the scheduler {self.name} does not answer any more{why}; start it, then use --resume")


def is_local(address: str) -> bool:
    """Whether an address means workers on this machine; raises `ClusterError` for a wrong one."""
    if not address.startswith("local"):
        return False
    if _LOCAL.match(address) is None:
        raise ClusterError(f"--cluster {address}: write local:N with N from 1 to 999, or the address of a scheduler")
    return True


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to `ADDRESS`, the scheduler's file, or `local:N`. Raises `ClusterError`."""
    local = is_local(address)
    try:
        import distributed
    except ImportError:
        raise ClusterError("--cluster needs dask.distributed: pip install 'icetcp[cluster]'") from None
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what happens is told in our words
    with contextlib.ExitStack() as closing:
        if local:
            address = closing.enter_context(_on_this_machine(int(address.partition(":")[2])))
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        try:
            client = distributed.Client(**where, timeout=_CONNECTS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(
                f"no Dask scheduler answers at {address} ({error}); start one with dask scheduler"
            ) from None
        closing.callback(_close, client)
        yield Cluster(client, f"of {client.scheduler.address}", local)


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):  # (a scheduler that is gone cannot be told)
        client.close(timeout=2)


# -- processes of this machine -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _on_this_machine(count: int) -> Iterator[str]:
    """Start a scheduler and workers with one piece at a time each; return the scheduler's file."""
    from conformance.cluster.abilities import resources

    environment = {**_QUIET, **{name: value for name, value in os.environ.items() if name in _QUIET}}
    with tempfile.TemporaryDirectory(prefix="icetcp-cluster-", ignore_cleanup_errors=True) as folder:
        file, log = Path(folder, "scheduler.json"), Path(folder, "log")
        programs: list[Guarded] = []
        try:
            with log.open("wb") as output:
                scheduler = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
                programs.append(Guarded.start([SCHEDULER, *scheduler], output=output, environment=environment))
                has = resources(1)
                _await(file, programs, log)
                worker = worker_arguments(["--scheduler-file", str(file)], 1, has, "", folder)
                for _ in range(count):
                    programs.append(
                        Guarded.start([WORKER, *worker, "--no-nanny"], output=output, environment=environment)
                    )
            yield str(file)
        finally:
            for program in reversed(programs):
                program.end()


def _await(file: Path, programs: list[Guarded], log: Path) -> None:
    deadline = time.monotonic() + _STARTS
    while not file.is_file():
        if any(program.ended(_LOOK) for program in programs) or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise ClusterError(f"the scheduler does not start: {said[-1] if said else 'it says nothing'}")


def worker_arguments(where: list[str], pieces: int, resources: str, name: str, folder: str) -> list[str]:
    """Return the arguments of `dask worker` for a worker that does so many pieces at a time."""
    found = [*where, "--nworkers", "1", "--nthreads", str(pieces), "--memory-limit", "0", "--no-dashboard"]
    found += ["--resources", resources] if resources else []
    found += ["--name", name] if name else []
    return found + (["--local-directory", folder] if folder else [])
