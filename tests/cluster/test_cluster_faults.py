"""A process that is killed, and a machine with another icetcp, cost no piece, and no piece counts twice.

Scheduler, workers and clients are processes in network namespaces with addresses of their own. What takes longer is in
`cluster_whole.py`, which `tox -e cluster` runs.
"""

from __future__ import annotations

import os
import shutil
import signal

from cluster_machines import begun_on_each, gone, pieces  # type: ignore[import-not-found]
from conftest import ENVIRONMENT, HERE, until  # type: ignore[import-not-found]

ROOT = HERE.parents[1]


def test_a_worker_that_is_killed_costs_no_piece_and_leaves_no_process(machines) -> None:
    workers = {machine: machines.worker(machine) for machine in "ab"}
    client = machines.client(pieces(machines, "p0", "p1", "p2"))
    first = begun_on_each(machines, client)

    os.kill(workers["a"], signal.SIGKILL)
    until(lambda: gone(machines, first["a"]), "the end of its programs")
    machines.release("p0", "p1", "p2")

    report = client.end()
    assert sorted(client.done()) == ["p0", "p1", "p2"]
    assert (report["lost"], list(report["repeated"])) == ({}, [first["a"]])


def test_a_killed_client_leaves_no_process_and_resume_does_the_rest(machines) -> None:
    for machine in "ab":
        machines.worker(machine)
    free = [{"name": f"free{number}", "number": number} for number in range(3)]
    held = pieces(machines, "p0", "p1", "p2")
    client = machines.client([*free, *held])
    begun_on_each(machines, client)
    until(lambda: len(client.done()) == 3, "the pieces that do not wait")

    os.kill(client.pid, signal.SIGKILL)
    until(lambda: gone(machines), "the end of its pieces on each machine")
    machines.release("p0", "p1", "p2")
    again = machines.client([*free, *held], resume=True)

    report = again.end()
    assert (report["before"], report["lost"]) == (3, {})
    assert sorted(again.done()) == ["free0", "free1", "free2", "p0", "p1", "p2"]
    assert all(machines.executed().count(one["name"]) == 1 for one in free)


def test_a_worker_with_another_icetcp_refuses_and_both_versions_are_named(machines, tmp_path) -> None:
    from conformance.cluster.identity import icetcp

    other = tmp_path / "other"
    for room in ("conformance", "pcaps", "fuzz", "reports"):
        shutil.copytree(ROOT / room, other / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "conformance" / "verdict.py").open("a") as file:
        file.write("# another\n")
    machines.worker("a", PYTHONPATH=f"{other}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}")
    client = machines.client([{"name": "p0"}], patience=3)
    report = client.end()
    [why] = report["lost"].values()
    assert why.count("icetcp 0.") == 2
    assert f"the work is for icetcp {icetcp()}" in why
    assert machines.executed() == []
