"""Tester processes: what a case is and comes to depends on none of them, and the end of one ends nothing else."""

from __future__ import annotations

import ipaddress
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from processes import left_of

from conformance.peer.share import Share
from conformance.run import testers
from conformance.run.gather import gather
from conformance.run.interrupts import descendants
from conformance.run.testers import how_many
from conformance.verdict import Level, Result
from pcaps.reading import read_capture
from reports.record import read

pytestmark = pytest.mark.timeout(180)
SECTION = "RFC4571-2"
CASES = """
import os, signal
from pytest import mark
from conformance.suites.marks import requirement
from conformance.verdict import Failed

@mark.parametrize("number", range(8))
@requirement("RFC4571-2-01")
def test_number_drawn(rng, number):
    '''then  the tester draws a number.'''
    raise Failed(f"drawn: {rng.random()}")

@mark.parametrize("number", range(8))
@requirement("RFC4571-2-01")
def test_nothing(pixit, number):
    '''then  nothing happens.'''

@mark.parametrize("number", range(2))
@requirement("RFC4571-2-01")
def test_killed(pixit, number):
    '''then  the tester's process is killed.'''
    os.kill(os.getpid(), signal.SIGKILL)

@mark.parametrize("number", range(40))
@requirement("RFC4571-2-01")
def test_waiting(peer, number):
    '''then  the tester waits for long.'''
    open("began", "a").close()
    peer.wait_until(lambda: False, 60)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "conformance", "run", "--out", "out", *arguments]


def private(folder: Path, *names: str) -> list[str]:
    (folder / "test_4_mine.py").write_text(CASES)
    return ["--cases-from", "test_4_mine.py", "--link", "sockets", *(f"--case={SECTION}/{name}" for name in names)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, timeout=150, check=False)


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    results = read(folder / "out" / "record.jsonl")[1]
    return {result.case: (result.verdict.value, result.reason) for result in results}


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    """The same section, executed by one process and by two."""
    found = []
    for count in ("1", "2"):
        folder = tmp_path_factory.mktemp(f"by-{count}")
        done = run(folder, "--section", SECTION, "--variants", "usual", "--testers", count, "-j", "16")
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(folder)
    return found


def test_verdicts_and_ids_are_the_same_with_one_and_two(section) -> None:
    one, two = (read(folder / "out" / "record.jsonl") for folder in section)
    asked = [
        sorted((r.case, r.verdict, r.level, r.requirements, r.seed, r.reason, r.note) for r in results)
        for _, results in (one, two)
    ]
    assert asked[0] == asked[1]
    assert len(asked[0]) > 40
    assert one[0].judged.keys() == two[0].judged.keys()
    assert [one[0].link, two[0].notes] == [two[0].link, one[0].notes]


def test_each_process_has_adapters_addresses_and_captures_of_its_own(section) -> None:
    out = section[1] / "out"
    testers_of: dict[str, set[str]] = {}
    for result in read(out / "record.jsonl")[1]:
        if not result.log:
            continue
        adapter = (out / result.log).read_text().splitlines()[0].rpartition("process ")[2]
        ends = {ip for c in read_capture(out / result.capture).connections for ip in (c.client.ip, c.server.ip)}
        testers_of.setdefault(adapter, set()).update(ends - {"127.0.0.1", "::1", "198.18.0.1", "fd6d::1"})
    served = sorted(testers_of.values(), key=len)[-2:]
    assert all(len(addresses) > 5 for addresses in served), testers_of
    assert not served[0] & served[1]


def test_what_a_case_draws_does_not_depend_on_the_process(tmp_path) -> None:
    drawn = []
    for count in ("1", "2"):
        done = run(tmp_path, *private(tmp_path, "number_drawn"), "--testers", count, "-j", "4", "--seed", "7")
        assert done.returncode == 1, done.stdout + done.stderr
        drawn.append({case: reason for case, (_, reason) in verdicts(tmp_path).items()})
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0].values())) == 8


def test_the_end_of_a_process_is_an_error_of_its_cases_alone(tmp_path) -> None:
    arguments = private(tmp_path, "killed[0]", "nothing", "number_drawn")
    done = run(tmp_path, *arguments, "--testers", "2", "-j", "2")
    found = verdicts(tmp_path)
    why = "the tester process that had this case was killed by SIGKILL"
    assert found.pop(f"{SECTION}/killed[0]") == ("error", why), done.stdout + done.stderr
    assert sorted(verdict for verdict, _ in found.values()) == ["fail"] * 8 + ["pass"] * 8
    assert "killed by SIGKILL" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_waits_is_an_error_when_no_process_is_left(tmp_path) -> None:
    arguments = private(tmp_path, "killed", "nothing")
    done = run(tmp_path, *arguments, "--testers", "2", "-j", "2")
    assert done.returncode == 3, done.stdout + done.stderr
    found = verdicts(tmp_path)
    assert len(found) == 10
    assert {verdict for case, (verdict, _) in found.items() if "killed" in case} == {"error"}
    assert {verdict for verdict, _ in found.values()} <= {"error", "pass"}


def test_the_first_variant_that_does_not_pass_ends_them(tmp_path) -> None:
    arguments = private(tmp_path, "number_drawn[3]", "waiting")
    done = run(tmp_path, *arguments, "--testers", "2", "-j", "8", "-x")
    assert done.returncode == 1, done.stdout + done.stderr
    assert list(verdicts(tmp_path)) == [f"{SECTION}/number_drawn[3]"]


@pytest.mark.parametrize("group", [False, True])
def test_ctrl_c_ends_all_processes_and_leaves_the_reports(tmp_path, group) -> None:
    """From a terminal it comes to all processes of the group, by `kill` to the run's own."""
    process = begun(tmp_path)
    children = descendants(process.pid)
    assert len(children) > 4
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (3, "icetcp: interrupted\n"), out
    assert not left_of(children)
    last = json.loads((tmp_path / "out" / "record.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["interrupted"]) == ("end", True)
    assert (tmp_path / "out" / "junit.xml").is_file()


def test_when_the_run_is_killed_its_processes_and_adapters_end(tmp_path) -> None:
    process = begun(tmp_path)
    children = descendants(process.pid)
    process.kill()
    process.communicate(timeout=60)
    assert not left_of(children, within=10.0)


def begun(folder: Path) -> subprocess.Popen[str]:
    """Start a run of cases that wait, and return when both of its tester processes execute some."""
    process = subprocess.Popen(
        command(*private(folder, "waiting"), "--testers", "2", "-j", "40"),
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (folder / "began").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def test_an_exception_that_cannot_be_sent_comes_as_its_text() -> None:
    class Local(Exception):
        pass

    outcome = testers.pickle.loads(testers._packed(testers._Outcome(3, Local("of a function"))))
    assert outcome.number == 3
    assert "Local: of a function" in str(outcome.result)


def test_cases_wait_while_too_many_captures_are_unread() -> None:
    unread = [testers._MOST_UNREAD + 1]
    cases = [SimpleNamespace(id=f"case {number}", length=0.0) for number in range(9)]
    fake = SimpleNamespace(
        run=lambda case: Result(case=case.id, title="", section="", requirements=(), level=Level.MUST),
        pool=SimpleNamespace(close=lambda: None, prepare=lambda: None, incidents=[]),
        suspicion=SimpleNamespace(culprits=frozenset()),
    )
    recording = SimpleNamespace(notes=[], record=lambda _share: None, close=lambda: None)
    running = testers.Testers(1, 4, lambda _share: (fake, recording), cases)
    running.blank, running.on_capture, running.unread = fake.run, lambda _: None, lambda: unread[0]
    try:
        done = running.start(cases)
        first = [done.get(timeout=20)[0] for _ in range(4)]
        assert (len(running._held), len(running._waiting)) == (4, 5)
        running.go_on()
        assert len(running._held) == 4
        running._waiting._begun[99] = time.monotonic() + 60  # beside a long case there is time to read more
        running.go_on()
        assert len(running._waiting) < 5
        running._waiting.end(99)
        unread[0] = 0
        running.go_on()
        ended = [*first, *(done.get(timeout=20)[0] for _ in range(5))]
        assert sorted(case.id for case in ended) == [case.id for case in cases]
    finally:
        running.close()
        running.kill()


def test_long_cases_take_no_place_of_the_others() -> None:
    cases = [SimpleNamespace(id=f"case {number}", length=5.0 * (number == 0)) for number in range(6)]
    others, over = threading.Semaphore(0), len(cases) - 1

    def run(case: Any) -> Result:
        """Let the long case last until all others are over."""
        if case.length:
            assert all(others.acquire(timeout=20) for _ in range(over))
        else:
            others.release()
        return Result(case=case.id, title="", section="", requirements=(), level=Level.MUST)

    engine = SimpleNamespace(
        run=run,
        pool=SimpleNamespace(close=lambda: None, prepare=lambda: None, incidents=[]),
        suspicion=SimpleNamespace(culprits=frozenset()),
    )
    recording = SimpleNamespace(notes=[], record=lambda _share: None, close=lambda: None)
    running = testers.Testers(1, 1, lambda _share: (engine, recording), cases, beside=1)
    running.blank, running.on_capture = run, lambda _: None
    try:
        done = running.start(cases)
        ended = [done.get(timeout=30) for _ in cases]
        assert [result for _, result in ended if isinstance(result, BaseException)] == []
        assert ended[-1][0] is cases[0]
    finally:
        running.close()
        running.kill()


def test_a_tester_process_may_open_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def run(case: Any) -> Result:
        title = str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        return Result(case=case.id, title=title, section="", requirements=(), level=Level.MUST)

    engine = SimpleNamespace(
        run=run,
        pool=SimpleNamespace(close=lambda: None, prepare=lambda: None, incidents=[]),
        suspicion=SimpleNamespace(culprits=frozenset()),
    )
    cases = [SimpleNamespace(id="case", length=0.0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1024), hard))
    try:
        running = testers.Testers(
            1, 1, lambda _: (engine, SimpleNamespace(notes=[], record=lambda _share: None, close=lambda: None)), cases
        )
        running.blank, running.on_capture = run, lambda _: None
        try:
            _, result = running.start(cases).get(timeout=20)
            assert isinstance(result, Result)
            assert int(result.title) == min(hard, 8192)
        finally:
            running.close()
            running.kill()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_processes_that_get_no_case_are_ended() -> None:
    """They wait for cases that are still to be made; where that fails, nothing is left of them."""
    pool = SimpleNamespace(prepare=lambda: None, close=lambda: None, incidents=[])
    waiting = testers.Testers(
        2, 4, lambda _share: (SimpleNamespace(pool=pool), SimpleNamespace(notes=[], record=lambda _share: None))
    )
    processes = {tester.process for tester in waiting._testers}
    assert processes <= set(descendants(os.getpid()))
    waiting.kill()
    waiting.kill()
    assert not processes & set(descendants(os.getpid()))


def test_cases_that_come_later_are_sent(tmp_path) -> None:
    """A case is given whole to a process that was forked before it was made."""
    engine = SimpleNamespace(
        run=lambda case: Result(case=case.id, title=case.title, section="", requirements=(), level=Level.MUST),
        pool=SimpleNamespace(close=lambda: None, prepare=lambda: None, incidents=[]),
        suspicion=SimpleNamespace(culprits=frozenset()),
    )
    running = testers.Testers(
        1, 2, lambda _share: (engine, SimpleNamespace(notes=[], record=lambda _share: None, close=lambda: None))
    )
    try:
        every = gather(None)[:5]
        done = running.start(every)
        found = [done.get(timeout=20) for _ in every]
        assert sorted(case.id for case, _ in found) == sorted(case.id for case in every)
        assert all(result.title == case.title for case, result in found)
    finally:
        running.close()
        running.kill()


@pytest.mark.parametrize(
    ("cores", "wanted", "cases", "jobs", "adapters", "count"),
    [
        (1, 0, 3000, 64, 8, 1),
        (2, 0, 3000, 64, 8, 2),
        (2, 0, 99, 64, 8, 1),  # each process starts adapters: not for some cases
        (2, 0, 3000, 8, 8, 1),
        (16, 0, 3000, 64, 8, 8),
        (16, 0, 3000, 64, 1, 1),  # of this stack only one process may run
        (1, 2, 4, 4, 8, 2),
        (4, 9, 4, 64, 8, 4),
    ],
)
def test_so_many_processes_as_have_work(monkeypatch, cores, wanted, cases, jobs, adapters, count) -> None:
    monkeypatch.setattr(testers.os, "sched_getaffinity", lambda _: set(range(cores)))
    assert how_many(wanted, cases, jobs, adapters) == count
    assert how_many(wanted, cases, jobs, adapters, bears=16) == (count if wanted else 1)


@pytest.mark.parametrize("of", [2, 3, 64])
def test_shares_of_the_addresses_do_not_overlap(of) -> None:
    shares = [Share(index, of) for index in range(of)]
    for kind in zip(*(share.ranges for share in shares), strict=True):
        numbers = [tuple(int(ipaddress.ip_address(end)) & 0xFFFF for end in ends) for ends in kind]
        assert all(first < last for first, last in numbers)
        assert all(one[1] < other[0] for one, other in itertools.pairwise(numbers))


def test_addresses_run_out_with_an_error() -> None:
    share = Share(1, 2)
    assert share.loopback((1 << 19) - 1) == share.ranges[0][1] == "127.31.255.255"
    assert share.loopback((1 << 15) + 1) == "127.17.128.1"
    with pytest.raises(OverflowError, match="no more than 1048576 addresses"):
        share.loopback(1 << 19)
