"""`icetcp run`: options, exit status, output, interrupts and trouble of every kind, with a fake plugin."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import is_running

DRIVER = Path(__file__).with_name("cli_driver.py")

MIXED = [
    {},
    {
        "verdict": "fail",
        "reason": "no answer",
        "expected": "a success\nresponse",
        "actual": "silence",
        "repeat": "icetcp run",
    },
    {"verdict": "fail", "level": "should", "reason": "wrong priority"},
    {"verdict": "inconc", "reason": "no offer"},
    {"verdict": "error", "reason": "two views"},
    {"verdict": "n/a", "reason": "the IUT's pics lack offers passive"},
    {"verdict": "n/a", "reason": "the IUT's pics lack offers passive"},
]

FULL_DISK = (
    "icetcp: No space left on device: reports/run/record.jsonl; free some space, or choose another place with --out\n"
)


def lines_of(text: str) -> list[str]:
    return [re.sub(r"in \d+\.\d s", "in N s", line) for line in text.splitlines()]


def test_plain_output_from_first_to_last_line(fake):
    done = fake("run", script={"results": MIXED, "cases": 5, "note": "no namespaces:\nkernel sockets"})
    assert lines_of(done.stdout) == [
        "note: no namespaces: kernel sockets",
        "icetcp 0.1.0: imagined 1.2, 5 cases, 7 variants, link sockets, seed 0",
        "pass    RFC6544-7.2/case_0  0.12s",
        "fail    RFC6544-7.2/case_1  0.12s",
        "fail    RFC6544-7.2/case_2  0.12s",
        "inconc  RFC6544-7.2/case_3  0.12s",
        "error   RFC6544-7.2/case_4  0.12s",
        "n/a     RFC6544-7.2/case_5  0.12s",
        "n/a     RFC6544-7.2/case_6  0.12s",
        "",
        "failed:",
        "  RFC6544-7.2/case_1",
        "    RFC6544-7.2-01 (MUST): no answer",
        "    expected: a success response",
        "    actual:   silence",
        "    repeat:   icetcp run",
        "  RFC6544-7.2/case_2",
        "    RFC6544-7.2-01 (SHOULD): wrong priority",
        "",
        "inconclusive: the case could not reach what it judges:",
        "  RFC6544-7.2/case_3",
        "    RFC6544-7.2-01 (MUST): no offer",
        "",
        "errors of the test system:",
        "  RFC6544-7.2/case_4",
        "    RFC6544-7.2-01 (MUST): two views",
        "",
        "not applicable:",
        "     2  the IUT's pics lack offers passive",
        "        in 2 cases; to judge them it needs an IUT that declares offers passive in its pics",
        "",
        "requirements: 10 in the catalogue, 4 pending",
        "7 variants of 7 cases in N s: 1 pass, 2 fail (1 of them below MUST), 1 inconc, 1 error, 2 n/a",
        "does not conform",
        "written:",
        "  reports/run/junit.xml",
    ]
    assert (done.returncode, done.stderr) == (1, "")


def test_many_cases_with_one_reason_are_said_once_unless_they_failed(fake):
    """What was not judged often has one cause; a failure is always shown whole."""
    lost = [{"verdict": "inconc", "reason": "no offer", "case": f"RFC6544-8/lost_{n}"} for n in range(5)]
    failed = [{"verdict": "fail", "reason": "silence", "case": f"RFC6544-8/failed_{n}"} for n in range(5)]
    summary = fake("run", script={"results": [*lost, *failed]}).stdout.partition("failed:")[2]
    assert summary.count("silence") == 5
    assert summary.count("no offer") == 1
    assert "    so too:   RFC6544-8/lost_1, RFC6544-8/lost_2 and 2 more" in summary.splitlines()


@pytest.mark.parametrize(
    ("results", "arguments", "status", "judgement"),
    [
        ([{}], (), 0, "conforms: every requirement that was judged is met"),
        (
            [{}, {"verdict": "fail", "level": "should"}],
            (),
            0,
            "conforms: every MUST that was judged is met",
        ),
        ([{}, {"verdict": "fail", "level": "should"}], ("--fail-on", "should"), 1, "does not conform"),
        ([{}, {"verdict": "fail", "level": "stated"}], (), 1, "does not conform"),
        ([{}, {"verdict": "inconc"}], (), 3, "not judged: some cases came to no verdict on the IUT"),
        ([{"verdict": "n/a"}], (), 3, "not judged: some cases came to no verdict on the IUT"),
    ],
)
def test_exit_status_follows_the_verdicts(fake, results, arguments, status, judgement):
    done = fake("run", *arguments, script={"results": results})
    assert (done.returncode, done.stderr) == (status, "")
    assert judgement in done.stdout.splitlines()


def test_options_reach_the_plugin(fake, tmp_path):
    seen = tmp_path / "seen.json"
    fake(
        *("run", "--iut", "exec:./adapter -v", "-k", "RFC6544-7.2/imagined or -odd", "--section", "7.2"),
        *("--section", "RFC4571-2", "--level", "must", "-j", "3", "--out", "there", "--fail-on", "should"),
        *("--seed", "7", "--timeout", "1.5", "--link", "sockets", "-x"),
        *("--repeat", "2", "--attachments", "project", "--report", "sarif", "--report", "tap"),
        script={"results": [{}], "options": str(seen)},
    )
    assert json.loads(seen.read_text()) == {
        "iut": "exec:./adapter -v",
        "keyword": "imagined or -odd",
        "section": ["7.2", "RFC4571-2"],
        "level": ["must"],
        "jobs": ["3"],
        "out": ["there"],
        "fail-on": ["should"],
        "seed": ["7"],
        "timeout": ["1.5"],
        "link": ["sockets"],
        "variants": ["all"],
        "attachments": ["project"],
        "report": ["sarif", "tap"],
        "repeat": ["2"],
        "maxfail": 1,
        "plugins": [],
    }


def test_nothing_of_the_users_pytest_takes_part(apart, tmp_path):
    """Configuration, conftest, plugins and options of the folder are poison; nothing is left behind in it."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('the conftest was loaded')\n")
    (tmp_path / "foreign_plugin.py").write_text("")
    before = {path.name for path in tmp_path.iterdir()}
    done = apart(
        "run",
        script={"results": [{}], "options": str(tmp_path / "suites" / "seen.json")},
        PYTEST_ADDOPTS="--no-such-option",
        PYTEST_PLUGINS="foreign_plugin",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == before
    assert json.loads((tmp_path / "suites" / "seen.json").read_text())["plugins"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--no-such"), "No such option '--no-such'"),
        (("run", "--level", "maybe"), "'maybe' is not one of"),
        (("run", "-j", "0"), "0 is not in the range"),
        (("run", "-j", "many"), "'many' is not a valid integer"),
        (("run", "--seed", "-1"), "-1 is not in the range"),
        (("run", "--timeout", "0"), "0.0 is not in the range"),
        (("run", "--timeout", "nan"), "that is not a number of seconds"),
        (("run", "--fail-on", "may"), "'may' is not one of"),
        (("run", "extra"), "unexpected extra argument"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("show",), "Missing argument"),
    ],
)
def test_bad_options_are_one_line_and_status_2(fake, arguments, words):
    done = fake(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        ({"usage": "no stack is called 'x'"}, 2, "icetcp: no stack is called 'x'\n"),
        ({"exit": "icetcp: cannot test x: it died"}, 3, "icetcp: cannot test x: it died\n"),
        (
            {"results": [{}], "errno": errno.ENOSPC},
            3,
            FULL_DISK,
        ),
        (
            {"results": [{}], "unwritten": "icetcp: cannot write junit.xml"},
            3,
            "icetcp: cannot write junit.xml\n",
        ),
    ],
)
def test_trouble_is_one_line(fake, script, status, message):
    done = fake("run", script=script)
    assert (done.returncode, done.stderr) == (status, message)


def test_a_wrong_expression_is_a_usage_error(fake):
    done = fake("run", "-k", "and and")
    assert done.returncode == 2
    assert "Wrong expression" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_case_selected_is_a_usage_error(fake):
    done = fake("run", "-k", "zebra", "--section", "7.2", script={"usage": "the loop must not be reached"})
    message = "icetcp: no case matches --section 7.2 with -k 'zebra'; see icetcp list\n"
    assert (done.returncode, done.stderr) == (2, message)


@pytest.mark.parametrize("broken", ["import nothing_like_this\n", "def test_broken(:\n"])
def test_a_broken_file_of_cases_is_our_error(fake, environment, broken):
    Path(environment["FAKE_SUITES"], "test_8_broken.py").write_text(broken)
    done = fake("run")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bug_leaves_one_line_and_a_saved_traceback(apart, tmp_path):
    done = apart("run", script={"results": [{}], "bug": "impossible\nthing"}, TMPDIR=str(tmp_path))
    assert done.returncode == 3
    assert "1 pass" in done.stdout
    saved = re.fullmatch(r"icetcp: internal error: .*thing \(traceback: (\S+)\)\n", done.stderr)
    assert saved is not None
    assert 'raise RuntimeError(script["bug"])' in Path(saved[1]).read_text()


def start(environment: dict[str, str], folder: Path, script: dict, **more) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(DRIVER), "run"],
        env={**environment, "FAKE_ICETCP": json.dumps(script)},
        cwd=folder,
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )


def wait_for(file: Path) -> int:
    """Return the process id that the fake plugin writes once it hangs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
        time.sleep(0.02)
    raise AssertionError("the run did not start")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_what_hangs_with_the_summary(environment, tmp_path, number):
    hung = tmp_path / "hung"
    script = {"results": [{}, {"verdict": "fail", "reason": "bad"}], "total": 5, "hang": str(hung)}
    process = start(environment, tmp_path, script)
    child = wait_for(hung)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)  # what hangs hangs for ever
    assert (process.returncode, err) == (3, "icetcp: interrupted\n")
    assert "interrupted: the cases above had finished" in out
    assert "2 of 5 variants of 2 cases in " in out
    assert "reports/run/junit.xml" in out
    assert not is_running(child)


def test_a_second_interrupt_ends_at_once(environment, tmp_path):
    hung = tmp_path / "hung"
    process = start(environment, tmp_path, {"results": [{}], "hang": str(hung), "deaf": True})
    child = wait_for(hung)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (3, "")
    assert not is_running(child)


def test_a_reader_that_goes_away_does_not_end_the_run(environment, tmp_path):
    process = start(environment, tmp_path, {"results": [{}] * 3})
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def on_a_terminal(environment: dict[str, str], folder: Path, script: dict) -> tuple[str, int]:
    """Return what a terminal receives, and the exit status."""
    controller, terminal = pty.openpty()
    variables = {**environment, "TERM": "xterm"}
    process = start(variables, folder, script, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # Linux says so when the other end is closed
        while octets := os.read(controller, 65536):
            seen += octets
    os.close(controller)
    return seen.decode(), process.wait(timeout=60)


def test_a_terminal_gets_progress_and_the_cursor_back(environment, tmp_path):
    seen, status = on_a_terminal(environment, tmp_path, {"results": MIXED, "note": "[bold]as it stands[/bold]"})
    assert status == 1
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert "7 of 7" in plain
    assert "fail    RFC6544-7.2/case_1  no answer" in plain
    assert "note: [bold]as it stands[/bold]" in plain
    assert "pass    RFC6544-7.2/case_0" not in plain
    assert "\x1b[31m" in seen or "\x1b[1;31m" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")


def test_a_terminal_gets_its_cursor_back_after_an_interrupt(environment, tmp_path):
    hung = tmp_path / "hung"
    controller, terminal = pty.openpty()
    variables = {**environment, "TERM": "xterm"}
    script = {"results": [{}], "hang": str(hung)}
    process = start(variables, tmp_path, script, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    wait_for(hung)
    process.send_signal(signal.SIGINT)
    seen = b""
    with contextlib.suppress(OSError):
        while octets := os.read(controller, 65536):
            seen += octets
    os.close(controller)
    assert process.wait(timeout=60) == 3
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
    assert b"Traceback" not in seen


def test_quiet_prints_what_did_not_pass_the_counts_and_the_verdict(fake):
    done = fake("run", "--quiet", script={"results": MIXED, "cases": 5, "note": "kernel sockets"})
    lines = lines_of(done.stdout)
    assert "failed:" in lines
    assert "does not conform" in lines
    assert not any(line.startswith(("pass ", "note:", "written:", "icetcp 0.1.0", "not applicable:")) for line in lines)
    assert fake("run", "--quiet", script={"results": [{}], "cases": 1}).stdout.splitlines()[-1].startswith("conforms")


def test_on_github_annotations_come_after_the_summary(fake, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = fake("run", script={"results": MIXED, "cases": 5})
    lines = done.stdout.splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert commands
    assert lines[-len(commands) :] == commands
    assert any(line.startswith("::error title=icetcp%3A ") for line in commands)


@pytest.mark.parametrize("options", [(), ("--quiet",)])
def test_what_is_flaky_is_told_with_its_rate(fake, options):
    words = "of 2 repetitions 1 pass, 1 fail"
    results = [
        {"case": "RFC6544-8/x", "flaky": words},
        {"case": "RFC6544-8/x#2", "verdict": "fail", "reason": "late", "flaky": words},
    ]
    lines = fake("run", *options, script={"results": results, "cases": 1}).stdout.splitlines()
    assert f"  RFC6544-8/x  {words}" in lines[lines.index("flaky:") :]
