"""`icetcp doctor`: what it finds, says, and mends, on machines imagined by a folder of stub programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from conformance.commands import cli, environment
from conformance.iut.stacks import debian
from conformance.peer import lab

OPTIONAL = environment.Finding(
    name="tshark",
    ok=False,
    detail="not installed",
    costs="one witness less",
    mend="apt-get it",
    packages=("tshark", "gcc"),
)
ESSENTIAL = environment.Finding(name="Python", ok=False, detail="2.7", essential=True, costs="nothing works")
GOOD = environment.Finding(name="compiler", ok=True, detail="/usr/bin/cc")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Make a shell program in the only folder of the search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, body: str) -> None:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    return make


@pytest.fixture
def as_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def icetcp(monkeypatch, tmp_path, capsys):
    """Run `icetcp doctor` with imagined findings; return status and output."""

    def run(*arguments: str, findings=(GOOD,)) -> tuple[int, str, str]:
        remaining = iter(findings if isinstance(findings[0], tuple) else [findings, findings])
        monkeypatch.setattr(environment, "examine", lambda: list(next(remaining)))
        with pytest.raises(SystemExit) as ended:
            cli.main(["doctor", *arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def mended(packages=("tshark",)) -> tuple[bool, list[str]]:
    said: list[str] = []
    return debian.install(packages, said.append), said


# -- output and exit status ------------------------------------------------------------------------------------


def test_what_is_lacking_is_said_with_its_price_and_remedy(icetcp, as_root):
    status, out, _ = icetcp(findings=(GOOD, OPTIONAL))
    assert out.splitlines() == [
        "ok       compiler         /usr/bin/cc",
        "lacking  tshark           not installed",
        "         without it: one witness less",
        "         to mend it: apt-get it",
        "",
        "`icetcp doctor --mend` installs what is missing, or, by hand:",
        "    apt-get update && apt-get install -y --no-install-recommends tshark gcc",
    ]
    assert status == 0


def test_an_essential_lack_is_status_3(icetcp):
    status, out, _ = icetcp(findings=(ESSENTIAL, GOOD))
    assert status == 3
    assert out.startswith("missing  Python")


def test_findings_as_json(icetcp):
    status, out, _ = icetcp("--json", findings=(GOOD, OPTIONAL))
    states = {entry["name"]: entry["state"] for entry in json.loads(out)}
    assert (status, states) == (0, {"compiler": "ok", "tshark": "lacking"})


def test_mending_installs_looks_again_and_tells(icetcp, programs, as_root, tmp_path):
    log = tmp_path / "log"
    programs("apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {log}')
    programs("env", 'export "$1"; shift; exec "$@"')
    status, out, _ = icetcp("--mend", findings=((GOOD, OPTIONAL), (GOOD,)))
    assert status == 0
    assert log.read_text().splitlines() == [
        "noninteractive -q -o DPkg::Lock::Timeout=300 update",
        "noninteractive -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends tshark gcc",
    ]
    assert out.splitlines()[-1] == "ok       compiler         /usr/bin/cc"


def test_mending_what_needs_no_mending_runs_nothing(icetcp, programs):
    programs("apt-get", "exit 1")
    assert icetcp("--mend", findings=(GOOD,)) == (0, "ok       compiler         /usr/bin/cc\n", "")


def test_a_failed_mending_of_something_optional_is_no_failure(icetcp, programs, as_user):
    status, out, _ = icetcp("--mend", findings=(GOOD, OPTIONAL))
    assert status == 0
    assert out.startswith("this is not a Debian system")


# -- mending -----------------------------------------------------------------------------------------------------


def test_without_root_and_sudo_the_command_is_named(programs, as_user):
    programs("apt-get", "exit 0")
    assert mended() == (
        False,
        [
            "not root, and no sudo without a password; as root, run: sudo apt-get update && "
            "sudo apt-get install -y --no-install-recommends tshark"
        ],
    )


def test_sudo_without_a_password_is_used(programs, as_user, tmp_path):
    log = tmp_path / "log"
    programs("apt-get", "exit 0")
    programs("sudo", f'echo "$*" >> {log}')
    done, said = mended()
    assert done
    assert said[1] == (
        "+ sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y "
        "--no-install-recommends tshark"
    )
    assert log.read_text().splitlines()[0] == "-n true"


def test_without_fresh_lists_the_old_ones_are_tried(programs, as_root):
    programs("env", 'shift; exec "$@"')
    programs("apt-get", '[ "$4" = install ] || { echo "no network" >&2; exit 100; }')
    done, said = mended()
    assert done
    assert "    no network" in said


def test_a_failed_installation_is_said_with_its_cause(programs, as_root):
    programs("env", 'shift; exec "$@"')
    programs("apt-get", 'echo "E: no space" >&2; exit 100')
    done, said = mended()
    assert not done
    assert said[-2:] == [
        "    E: no space",
        "that failed; once the cause above is mended, run: apt-get update && "
        "apt-get install -y --no-install-recommends tshark",
    ]


# -- the checks --------------------------------------------------------------------------------------------------


def test_a_check_that_breaks_is_a_finding():
    def kernel_age() -> environment.Finding:
        raise RuntimeError("what\nnow")

    (finding,) = environment.examine([kernel_age])
    assert (finding.name, finding.ok) == ("kernel age", False)
    assert finding.detail == "could not be examined: RuntimeError: what now"


@pytest.mark.parametrize(
    ("body", "ok", "detail"),
    [
        ("exit 1", False, "of unknown version, but it does not read a capture"),
        ('[ "$1" = --version ] && echo "TShark 9.9.1 (Git)"', False, "9.9.1, but it does not read a capture"),
        ('[ "$1" = --version ] && echo "TShark 9.9.1" || echo 9', True, "9.9.1"),
    ],
)
def test_tshark_must_read_a_capture(programs, body, ok, detail):
    programs("tshark", body)
    finding = environment.tshark()
    assert (finding.ok, finding.detail) == (ok, detail)
    assert ok or finding.packages == ("tshark",)


def test_nothing_on_the_search_path(programs):
    findings = [environment.tshark(), environment.compiler(), environment.buildable_stacks(), environment.turn_server()]
    assert [finding.state for finding in findings] == ["lacking"] * 4
    assert set(environment.packages_to_install(findings)) >= {
        "tshark",
        "gcc",
        "libc6-dev",
        "pkg-config",
        "libnice-dev",
        "coturn",
    }


def test_a_compiler_that_does_not_compile_is_lacking(programs):
    programs("cc", "exit 1")
    assert "does not compile" in environment.compiler().detail


def test_packages_are_held_against_what_the_distribution_requires(monkeypatch):
    monkeypatch.setattr(
        environment.metadata, "requires", lambda _: ["click>=8", "rich>=999", "nothing-like-this", "x; extra=='y'"]
    )
    finding = environment.python_packages()
    assert finding.state == "missing"
    assert finding.detail.startswith("not as required: rich ")
    assert "nothing-like-this" in finding.detail
    assert "click" not in finding.detail
    assert "'rich>=999'" in finding.mend


def test_this_python_is_a_supported_one():
    assert environment.python_version().ok


def test_no_network_of_its_own_names_the_reason(monkeypatch):
    monkeypatch.setattr(lab, "can_enter", lambda: lab.Unavailable("the kernel refuses", "ask it nicely"))
    finding = environment.namespaces()
    assert (finding.state, finding.detail) == ("lacking", "the kernel refuses")
    assert finding.mend


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("00000000000000000000000000000001 01 80 10 80       lo\n", True),
        ("", False),
        ("fe80" + "0" * 28 + " 02\n", False),
    ],
)
def test_ipv6_loopback_is_read_from_the_kernels_table(monkeypatch, text, ok):
    monkeypatch.setattr(environment, "_read", lambda _: text)
    assert environment.ipv6_loopback().ok is ok


def test_a_cache_below_a_file_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    assert not environment.cache().ok
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    assert environment.cache().ok
    assert not (tmp_path / "new").exists()


def test_the_doctor_comes_to_an_end_here(tmp_path):
    """Whatever this machine has: every check gives a finding, none breaks."""
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    findings = json.loads(done.stdout)
    assert done.returncode == 0
    assert [f["name"] for f in findings if f["detail"].startswith("could not be examined")] == []
    assert len(findings) == len(environment.CHECKS)
