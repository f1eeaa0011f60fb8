"""Real kernels at both ends of the path: two sockets meet in a simultaneous open, two agents connect."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import left_of

from conformance.commands import cli
from conformance.nattable.path import network
from conformance.peer import lab

ROUNDS = 20
MEET = f"""
import asyncio, socket
from conformance.nattable.path import network
from conformance.nattable.path.holding import Timing
from conformance.nattable.path.impairments import Impairment
from conformance.nattable.path.middle import Way
from conformance.nattable.path.nat import Behaviour, Dependence
from conformance.nattable.path.packets import read
from conformance.wire.tcp import ACK, SYN

laid = network.make()
assert isinstance(laid, network.Network), laid
behaviour = Behaviour(Dependence.INDEPENDENT, Dependence.ADDRESS_AND_PORT)
came = []
transmit = laid.middle._emit

def emit(end, octets):
    came.append((end, read(octets).flags))
    transmit(end, octets)

laid.middle._emit = emit

def bound(end, ip, port=0):
    with laid.inside(end):
        made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.setblocking(False)
    made.bind((ip, port))
    return made

async def meet(number, server):
    loop = asyncio.get_running_loop()
    way = Way({{e: (f"10.{{n}}.0.{{number}}", f"198.1{{n + 7}}.0.{{number}}") for n, e in ((1, "A"), (2, "B"))}},
        {{"A": behaviour, "B": behaviour}}, timing=Timing.CROSSING, impairment=Impairment(delay=0.002))
    laid.add(way)
    known, told, sockets = [], {{}}, {{}}
    for end in "AB":
        asking = bound(end, way.ends[end].inner)
        await loop.sock_connect(asking, (network.SERVER_ADDRESS, 3478))
        accepted, told[end] = await loop.sock_accept(server)
        sockets[end] = bound(end, *asking.getsockname())
        known += [asking, accepted]
    came.clear()
    await asyncio.gather(loop.sock_connect(sockets["A"], told["B"]), loop.sock_connect(sockets["B"], told["A"]))
    await loop.sock_sendall(sockets["A"], b"met")
    assert await loop.sock_recv(sockets["B"], 10) == b"met"
    both = {{(end, flags) for end in "AB" for flags in (SYN, SYN | ACK)}}
    for used in (*known, *sockets.values()):
        used.close()
    return both <= set(came)

async def main():
    laid.serve()
    with socket.create_server((network.SERVER_ADDRESS, 3478)) as server:
        server.setblocking(False)
        met = [await asyncio.wait_for(meet(number, server), 60) for number in range(1, {ROUNDS + 1})]
    laid.close()
    print(sum(met))

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _own_networks():
    unavailable = lab.can_enter()
    if unavailable is not None:
        pytest.skip(unavailable.reason)


def nat_table(*arguments):
    command = [sys.executable, "-W", "error", "-m", "conformance", "nat-table", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_two_kernels_meet_in_a_simultaneous_open_through_two_strict_nats():
    done = subprocess.run([sys.executable, "-c", MEET], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(ROUNDS), "")


def test_agents_connect_as_expected_through_one_of_each():
    done = nat_table("--quick", "--json")
    rows = json.loads(done.stdout)
    assert [row["row"] for row in rows if not row["ok"]] == []
    assert (done.returncode, done.stderr) == (0, "NAT table: 23 rows\n")
    assert sum(row["met"] for row in rows) >= sum(row["meets"] for row in rows) >= 4
    kinds = {row["seen"] for row in rows}
    assert kinds == {"host-so", "host-passive", "srflx-so", "srflx-passive", "prflx-so", "relay"}


def test_captures_at_both_ends_conform(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    done = nat_table("--quick", "-k", "EIM/ADF drop", "--out", "rows")
    assert done.returncode == 0, done.stderr
    folders = sorted(path for path in Path("rows").iterdir() if path.is_dir())
    assert len(folders) == done.stdout.count("\n")
    assert "EIM-ADF-drop-APDM-APDF-rst" in {folder.name for folder in folders}
    for folder in folders:
        for capture in (folder / "offerer.pcapng", folder / "answerer.pcapng"):
            with pytest.raises(SystemExit) as ended:
                cli.main(["judge", str(capture), "--offer", f"{folder}/offer.sdp", "--answer", f"{folder}/answer.sdp"])
            lines = capsys.readouterr().out.splitlines()
            # A mapped address that is not the one of the capture may be the NAT's: that alone stays open.
            opened = {line.split()[1] for line in lines if line.startswith("inconc")}
            assert opened <= {"RFC8489-6.3.1.1-s03"}
            assert not [line for line in lines if line.startswith("fail")]
            assert ended.value.code == (3 if opened else 0)


def test_agents_connect_over_a_bad_network():
    done = nat_table(
        "--quick", "-k", "EIM/", "--loss", "3", "--reorder", "5", "--delay", "20", "--jitter", "10", "--mtu", "576"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(line.startswith("ok\t") for line in done.stdout.splitlines())


def test_an_agent_that_is_at_fault_is_told_with_what_it_said():
    done = nat_table("--quick", "-k", "EIM/EIF drop", "--fault", "so-connects-from-other-port")
    assert done.returncode == 1
    wrong, *right = done.stdout.splitlines()
    assert wrong.startswith("WRONG\tEIM/EIF drop\tEIM/EIF drop\t\tsrflx-so\tprflx-so\t")
    assert all(line.startswith("ok\t") for line in right)  # rows without S-O
    assert "expected srflx-so, seen prflx-so; the kernels did not meet in a simultaneous open" in done.stderr
    assert "A0: " in done.stderr
    assert f"{len(right)} of {len(right) + 1} rows as expected" in done.stderr


def test_interrupt_leaves_nothing_behind():
    command = [sys.executable, "-m", "conformance", "nat-table"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        agents = wait_for_children(running.pid)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=15)
    finally:
        running.kill()
    assert running.returncode == 3
    assert "not executed" in errors
    assert errors.endswith("icetcp: interrupted\n")
    assert not left_of(agents, within=15)


def wait_for_children(process):
    """Return the children of a process when there are the two agents and their two watchdogs."""
    file = Path(f"/proc/{process}/task/{process}/children")
    assert eventually(lambda: len(file.read_text().split()) == 4)
    return file.read_text().split()


def eventually(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_without_namespaces_it_says_so_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(network, "make", lambda: lab.Unavailable("the kernel refuses", "allow it"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["nat-table", "--quick"])
    assert ended.value.code == 3
    assert capsys.readouterr().err == "icetcp: there can be no NATs here: the kernel refuses; allow it\n"


def test_captures_that_cannot_be_written_are_told_of(tmp_path):
    (tmp_path / "file").touch()
    done = nat_table("--quick", "-k", "no NAT", "--out", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith("icetcp: cannot write to the output folder")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["-k", "nonsense"], ["--mtu", "100"], ["--loss", "99"], ["--fault", "none"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["nat-table", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
