"""What happens to machines, processes and disks costs no piece, and counts none twice. `tox -e cluster` runs this.

Scheduler, workers and clients are processes in network namespaces with addresses of their own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from cluster_machines import begun_on_each, gone, on, pieces  # type: ignore[import-not-found]
from conftest import runs, until  # type: ignore[import-not-found]

from conformance.run.interrupts import descendants


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


def test_a_scheduler_that_is_killed_is_told_and_leaves_no_process(machines) -> None:
    machines.worker("a")
    client = machines.client([{"name": "free"}, *pieces(machines, "p0")])
    until(lambda: machines.pids("p0"), "the program of a piece")

    os.kill(machines.scheduler_pid, signal.SIGKILL)
    report = client.end()
    assert "does not answer any more" in report["error"]
    assert "--resume" in report["error"]
    until(lambda: gone(machines), "the end of the programs")
    assert client.done() == ["free"]  # and --resume knows it


@pytest.mark.timeout(300)
def test_a_finding_of_one_shard_is_known_to_all_and_has_one_bucket(tmp_path) -> None:
    out = tmp_path / "out"
    target = f"exec:{sys.executable} -m fuzz.targets --bugs attribute-past-end"
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "fuzz", "--iut", target, "--workers", "2", "--time", "40s", "--cluster", "local:2", "--out", str(out)],
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    findings = json.loads((out / "summary.json").read_text())["findings"]
    assert findings
    assert len({(one["kind"], one["cause"]) for one in findings}) == len(findings)
    finding = findings[0]
    assert (out / "findings" / finding["bucket"] / "replay.py").is_file()
    logs = [
        [json.loads(line) for line in (out / f"log-{shard}.jsonl").read_text().splitlines() if line.startswith("{")]
        for shard in range(2)
    ]
    for log in logs:
        assert finding["bucket"] in {event["bucket"] for event in log if event["event"] in ("finding", "known")}
    # What was new to one shard is in the corpus of the other.
    assert any(event["event"] == "shared" for log in logs for event in log)


@pytest.mark.timeout(300)
def test_ctrl_c_ends_a_campaign_in_order_and_leaves_no_process(tmp_path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "conformance",
        "fuzz",
        "--workers",
        "2",
        "--time",
        "1h",
        "--cluster",
        "local:2",
        "--out",
        str(out),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        until(
            lambda: sum(path.stat().st_size > 2000 for path in out.glob("log-*.jsonl")) == 2, "both shards at work", 120
        )
        everyone = descendants(process.pid)
        assert len(everyone) > 8
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    assert "interrupted" in said
    assert json.loads((out / "summary.json").read_text())["cases"] > 0
    assert not any(map(runs, everyone))


@pytest.mark.timeout(300)
def test_a_matrix_and_a_table_of_a_cluster_are_those_of_one_machine(tmp_path) -> None:
    found = {}
    for name, where in (("here", []), ("there", ["--cluster", "local:2"])):
        for command, arguments in (("matrix", ["--section", "4.2"]), ("interop", [])):
            stacks = ["reference", f"mine=exec:{sys.executable} -m conformance.agent"]
            out = tmp_path / f"{command}-{name}"
            done = subprocess.run(
                [sys.executable, "-m", "conformance", command, *stacks, "--quick", *arguments, *where, "--out", str(out)],
                capture_output=True, text=True, timeout=200, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            found[command, name] = sorted(line for line in done.stdout.splitlines() if str(tmp_path) not in line)
            again = subprocess.run(
                [sys.executable, "-m", "conformance", command, *stacks, "--quick", *arguments, "--out", str(out)],
                capture_output=True, text=True, timeout=200, check=False,
            )  # fmt: skip
            assert again.returncode == 0
            if command == "matrix":
                assert again.stderr.count("as it was run before") == 2  # also of what a cluster has made
    assert found["matrix", "here"] == found["matrix", "there"]
    assert found["interop", "here"] == found["interop", "there"]
