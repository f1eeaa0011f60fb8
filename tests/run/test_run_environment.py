"""Runs where less is allowed: as an ordinary user, and where no namespaces may be entered; and runs that are killed."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.peer import lab
from conformance.verdict import Verdict
from reports.record import read

ROOT = Path(__file__).parents[2]
SOME = ("--quick", "--section", "9.2", "--section", "7.1")
NOBODY = 65534
needs_namespaces = pytest.mark.skipif(lab.can_enter() is not None, reason="the kernel allows no network of one's own")


def icetcp(out: Path, *arguments: str, before: tuple[str, ...] = (), **more) -> subprocess.CompletedProcess[str]:
    command = [*before, more.pop("python", sys.executable), "-m", "conformance", "run", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, **more)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the filter knows no other machine")
def test_where_namespaces_are_forbidden_only_what_needs_them_is_not_applicable(tmp_path) -> None:
    before = (sys.executable, str(Path(__file__).with_name("without_namespaces.py")))
    done = icetcp(tmp_path, *SOME, before=before)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("refuses user and network namespaces") == 2, "once at the beginning, once with its sum"
    info, results = read(tmp_path / "record.jsonl")
    assert info.link == "sockets"
    others = [result for result in results if result.verdict is not Verdict.PASS]
    reasons = ("segments of our own need a network of the run's own", "pics lack", "port 9 needs privileges")
    assert all(
        result.verdict is Verdict.NOT_APPLICABLE and any(r in result.reason for r in reasons) for result in others
    )
    assert len(others) < len(results) / 2
    refused = icetcp(tmp_path, "--link", "lab", "-k", "port_9", before=before)
    assert refused.returncode == 3
    assert "sysctl" in refused.stdout + refused.stderr


def shown_to_everybody(out: Path, folders: dict[str, Path]) -> tuple[str, ...]:
    """Return what runs a command as an ordinary user who finds root's folders, however closed, under these names in `out`."""
    lines = ["set -e"]
    for name, folder in folders.items():
        (out / name).mkdir()
        lines.append(f"mount --bind {shlex.quote(str(folder))} {shlex.quote(str(out / name))}")
    lines.append(f'exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "$@"')
    return ("unshare", "--mount", "sh", "-c", "\n".join(lines), "sh")


@needs_namespaces
def test_an_ordinary_user_has_the_lab() -> None:
    out = Path("/var/tmp") / f"icetcp-{os.getpid()}"  # pytest's folders are closed to others, as tox's are
    out.mkdir(mode=0o700)
    folders = [ROOT, *(Path(p) for p in sys.path if p.endswith("site-packages"))]
    python, before, libraries = Path(sys.executable), (), {}
    try:
        if os.geteuid() == 0:
            named = {f"code{number}": folder for number, folder in enumerate(folders)}
            before = shown_to_everybody(out, {**named, "python": Path(sys.base_prefix)})
            python = out / "python" / python.resolve().relative_to(Path(sys.base_prefix).resolve())
            libraries = {"LD_LIBRARY_PATH": str(out / "python" / "lib")}  # of a Python that was built with a shared one
            folders = [out / name for name in named]
            os.chown(out, NOBODY, NOBODY)
        path = os.pathsep.join(map(str, folders))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(out), **libraries}
        done = icetcp(out / "run", "--link", "lab", *SOME, python=str(python), before=before, env=environment, cwd=out)
        assert done.returncode == 0, done.stdout + done.stderr
        info, results = read(out / "run" / "record.jsonl")
        assert (out / "run" / "record.jsonl").stat().st_uid == (os.geteuid() or NOBODY)
        assert info.link == "lab"
        assert not [r for r in results if r.verdict is Verdict.NOT_APPLICABLE and "network" in r.reason]
    finally:
        shutil.rmtree(out)


def processes_in(network: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "ns" / "net").readlink()) == network:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def waited_for(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@needs_namespaces
def test_a_killed_run_leaves_nothing_behind(tmp_path) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--link", "lab", "--out", str(tmp_path), "--section", "7.2"]
    mine = str(Path("/proc/self/ns/net").readlink())
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        record = tmp_path / "record.jsonl"
        assert waited_for(lambda: record.exists() and record.read_text().count("\n") > 10, 90), "no case has ended"
        network = str(Path(f"/proc/{run.pid}/ns/net").readlink())
        assert network != mine
        assert len(processes_in(network)) > 1, "the IUT is in this network too"
        run.send_signal(signal.SIGKILL)
    assert waited_for(lambda: not processes_in(network), 60), processes_in(network)
    assert not [name for _, name in socket.if_nameindex() if name.startswith("icetcp")]
