"""`icetcp run` as it is: the plugin, the engine and the reference agent, started as a user starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from processes import left_of

from conformance.run.session import descendants
from pcaps.reading import read_capture

COMMAND = [sys.executable, "-m", "conformance", "run"]


@pytest.fixture
def environment(tmp_path):
    """The environment of this project's tests, without what pytest put there and with an empty cache."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**keep, "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def icetcp(environment, tmp_path):
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_few_cases_against_the_reference_agent(icetcp, tmp_path):
    done = icetcp("--section", "7.2", "-k", "connection", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    passed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("pass ")]
    assert passed
    assert "conforms: every requirement that was judged is met" in done.stdout
    records = [json.loads(line) for line in (tmp_path / "out" / "record.jsonl").read_text().splitlines()]
    every = [record for record in records if record["kind"] == "verdict"]
    verdicts = [record for record in every if "/judge_" not in record["variant"]]  # rules of the judge say pass too
    assert sorted(record["variant"] for record in verdicts) == sorted(passed)
    assert all(record["case"] == record["variant"].partition("[")[0] for record in verdicts)
    cases = len({record["case"] for record in verdicts})
    assert [(record["cases"], record["variants"]) for record in (records[0], records[-1])] == [(cases, len(passed))] * 2
    assert f", {cases} cases, {len(passed)} variants, link " in done.stdout
    assert f"{len(passed)} variants of {cases} cases in " in done.stdout
    assert len(ET.parse(tmp_path / "out" / "junit.xml").findall(".//testcase")) == len(every)
    listed = done.stdout.partition("written:\n")[2].split()
    assert all((tmp_path / path).exists() for path in listed)
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "cache"}  # Scapy makes itself a cache folder


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--iut", "libnice"), 2, "icetcp stacks build libnice"),
        (("--iut", "exec:cat"), 3, "cannot test cat: "),
        (("--iut", "exec:yes"), 3, "; what an adapter answers, and how to try it by hand: conformance/iut/README.md"),
        (("--out", "/dev/null/reports"), 2, "choose another with --out"),
    ],
)
def test_trouble_is_one_line_with_the_remedy(icetcp, tmp_path, arguments, status, words):
    done = icetcp(*arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not list(tmp_path.glob("**/junit.xml"))


def test_a_mistyped_command_costs_nobody_an_earlier_runs_reports(icetcp, tmp_path):
    report = tmp_path / "out" / "junit.xml"
    report.parent.mkdir()
    report.write_text("of last night")
    done = icetcp("--iut", "exec:no-such-adapter", "--out", "out")
    assert (done.returncode, report.read_text()) == (2, "of last night")


def test_a_folder_with_files_of_somebody_else_is_refused(icetcp, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mine.log").write_text("precious")
    done = icetcp("-k", "length_equals_the_request", "--quick", "--out", ".")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "logs holds files that are not an earlier run's; choose another folder with --out" in done.stderr
    assert (tmp_path / "logs" / "mine.log").read_text() == "precious"
    (tmp_path / "logs" / "mine.log").rename(tmp_path / "mine.log")
    for _ in range(2):  # its own earlier files are no hindrance
        assert icetcp("-k", "length_equals_the_request", "--quick", "--out", ".").returncode == 0
    assert (tmp_path / "mine.log").exists()


@pytest.mark.parametrize("room", ["16k", "96k", "600k"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(environment, tmp_path, room):
    """In namespaces of its own, where it may mount a small disk."""
    (tmp_path / "full").mkdir()
    script = f'mount -t tmpfs -o size={room} none full && "$@"; echo $? > status; cp -r full seen'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh"]
    done = subprocess.run(
        [*inside, *COMMAND, "--quick", "--out", "full"], env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    if done.stderr.startswith("unshare:"):
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert (tmp_path / "status").read_text() == "3\n"
    assert "No space left on device" in done.stderr
    assert "free some space" in done.stderr
    assert done.stderr.count("\n") == 1
    record = tmp_path / "seen" / "record.jsonl"  # the smallest disk has no room for its first line
    for line in record.read_text().splitlines() if record.exists() else []:
        json.loads(line)
    assert not (tmp_path / "seen" / "junit.xml").exists()
    for capture in (tmp_path / "seen" / "captures").iterdir():
        read_capture(capture)


def test_what_the_end_of_a_run_lacked_is_said(icetcp, tmp_path):
    (tmp_path / "bin").mkdir()
    done = icetcp("-k", "length_equals_the_request", "--quick", "--out", "out", PATH=str(tmp_path / "bin"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "note: tshark is not installed, so nothing cross-checks our decoder; apt-get install tshark" in done.stdout
    end = json.loads((tmp_path / "out" / "record.jsonl").read_text().splitlines()[-1])
    assert end["notes"] == ["tshark is not installed, so nothing cross-checks our decoder; apt-get install tshark"]


def test_what_is_imported_before_the_first_verdict(environment, tmp_path):
    """The first verdict is to come within 2 s: what only the end of a run needs is loaded there."""
    program = (
        "import os, sys\n"
        "from conformance.commands import display, cli\n"
        "late = ['scapy.all', 'pyshark', 'lxml', 'junit_xml', 'conformance.judge', 'hypothesis', 'rich', 'fuzz']\n"
        "def show(self, result, done):\n"
        "    os.write(1, repr([name for name in late if name in sys.modules]).encode())\n"
        "    os._exit(0)\n"
        "display.Plain.show = show\n"
        "cli.main(['run', '-j', '1', '--quick', '-k', 'length_equals_the_request', '--out', 'out'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_that_is_gone_is_named(environment, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}" && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", command, "sh", *COMMAND],
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))},
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "the current folder cannot be used" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_a_run_and_what_has_finished_is_reported(environment, tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND, "-j", "2"], env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen = 0
    while seen < 3:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        seen += line.startswith("pass ")
    children = descendants(process.pid)
    process.send_signal(number)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - begun
    assert (process.returncode, err) == (3, "icetcp: interrupted\n")
    assert took < 15, f"{took:.1f} s from the signal to the end"  # no case that waits was waited for
    assert children
    assert not left_of(children)
    assert "interrupted: the cases above had finished" in out
    assert len(ET.parse(tmp_path / "reports" / "run-reference" / "junit.xml").findall(".//testcase")) >= 3


def test_the_command_of_an_iut_may_hold_braces(icetcp, tmp_path):
    wrapper = tmp_path / "adapter.py"
    lines = ["import runpy, sys", "del sys.argv[1:]", "runpy.run_module('conformance.agent', run_name='__main__')"]
    wrapper.write_text("\n".join(lines))
    command = f"exec:{sys.executable} {wrapper} '{{\"reports\": []}}'"
    done = icetcp("-k", "response_is_framed", "--quick", "--iut", command, "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in (tmp_path / "out" / "record.jsonl").read_text().splitlines()]
    assert all('{"reports": []}' in r["repeat"] for r in records if r["kind"] == "verdict")


def test_ctrl_c_while_the_captures_are_read_keeps_the_reports(environment, tmp_path):
    """A tshark that never ends holds the run up in its last stage."""
    tshark = tmp_path / "bin" / "tshark"
    tshark.parent.mkdir()
    tshark.write_text(
        '#!/bin/sh\ncase "$*" in *-r*|*-T*) echo $$ > "$0.pid"; exec sleep 600;; esac\nexec /usr/bin/tshark "$@"\n'
    )
    tshark.chmod(0o755)
    process = subprocess.Popen(
        [*COMMAND, "--quick", "-k", "length_equals", "--out", "out"],
        env={**environment, "PATH": f"{tshark.parent}:{environment['PATH']}"},
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while not (tmp_path / "bin" / "tshark.pid").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (3, "icetcp: interrupted\n")
    assert "2 variants of 2 cases in" in out
    tested = [case.get("name") for case in ET.parse(tmp_path / "out" / "junit.xml").findall(".//testcase")]
    assert len([name for name in tested if not name.startswith("judge_")]) == 2
    number = (tmp_path / "bin" / "tshark.pid").read_text().strip()
    assert not left_of([number])


def test_ctrl_c_while_the_command_is_loaded_ends_it_without_a_word(environment, tmp_path):
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "run"], env={**environment, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
