"""What happens to machines, processes and disks costs no piece, and counts none twice. `tox -e cluster` runs this.

Scheduler, workers and clients are processes in network namespaces with addresses of their own.
"""

from __future__ import annotations

import os
import signal

from cluster_machines import begun_on_each, gone, on, pieces  # type: ignore[import-not-found]
from conftest import until  # type: ignore[import-not-found]


def test_a_machine_that_is_cut_off_costs_no_piece_and_ends_its_own(machines) -> None:
    for machine in "ab":
        machines.worker(machine)
    client = machines.client(pieces(machines, "p0", "p1", "p2"))
    first = begun_on_each(machines, client)

    machines.tell(cut="a")
    until(lambda: gone(machines, first["a"]), "the end of the programs on the machine that is cut off")
    machines.release(*({"p0", "p1", "p2"} - {first["a"]}))
    until(
        lambda: [one for one in client.events("begun") if one["piece"] == first["a"] and on(one, "b")],
        "the piece elsewhere",
    )
    until(lambda: len(machines.pids(first["a"])) == 4, "its program")
    machines.release(first["a"])

    report = client.end()
    done = {one["done"]: one for one in client.told if "done" in one}
    assert sorted(client.done()) == ["p0", "p1", "p2"]
    assert [done[name]["text"] for name in sorted(done)] == ["p0 0", "p1 1", "p2 3"]
    assert all(on(one, "b") for one in done.values())
    assert (report["lost"], list(report["repeated"])) == ({}, [first["a"]])
    assert "was lost" in report["repeated"][first["a"]]
    assert sorted(machines.executed()) == sorted(["p0", "p1", "p2", first["a"]])


def test_ctrl_c_ends_what_runs_on_every_machine(machines) -> None:
    for machine in "ab":
        machines.worker(machine)
    client = machines.client(pieces(machines, "p0", "p1", "p2", "p3"))
    begun_on_each(machines, client)

    os.kill(client.pid, signal.SIGINT)
    report = client.end()
    assert gone(machines)  # when the command ends, and not some time later
    assert {"interrupted": True} in client.told
    assert (client.done(), report["left"]) == ([], 0)


def test_a_full_disk_is_told_and_the_pieces_are_done_elsewhere(machines, tmp_path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    machines.tell(room=str(small), size=8 << 20)
    machines.worker("a", scratch=str(small))
    client = machines.client([{"name": f"p{number}", "fill": 16 << 20} for number in range(2)])
    until(lambda: client.events("begun"), "a piece on the worker with the small disk")
    machines.worker("b")

    report = client.end()
    assert sorted(client.done()) == ["p0", "p1"]
    assert all(on(one, "b") for one in client.told if "done" in one)
    assert report["lost"] == {}
    [(address, why)] = report["refused"].items()
    assert "10.77.1.2" in address
    assert "full disk" in why


def test_pieces_go_only_where_is_what_they_need(machines) -> None:
    machines.worker("a", resources="lab=1")
    machines.worker("b", resources="lab=1 browser=1 stack:chromium=1")
    needy = [{"name": f"p{number}", "needs": ["browser", "stack:chromium"]} for number in range(3)]
    nowhere = {"name": "nowhere", "needs": ["stack:unheard-of"]}
    client = machines.client([*needy, nowhere], patience=3)
    report = client.end()
    assert sorted(client.done()) == ["p0", "p1", "p2"]
    assert all(on(one, "b") for one in client.told if "done" in one)
    assert list(report["lost"]) == ["nowhere"]
    assert "no worker has stack:unheard-of" in report["lost"]["nowhere"]


def test_a_piece_that_kills_its_program_is_tried_a_few_times_and_told(machines, tmp_path) -> None:
    for machine in "ab":
        machines.worker(machine)
    share = tmp_path / "share"
    client = machines.client([{"name": "bad", "dies": signal.SIGSEGV}, {"name": "good"}], share=f"file://{share}")
    report = client.end()
    assert client.done() == ["good"]
    assert list(report["lost"]) == ["bad"]
    assert "killed by signal 11" in report["lost"]["bad"]
    assert machines.executed().count("bad") == 3
    assert list(share.iterdir()) == []  # what is fetched from a shared folder does not stay there
