"""What an adapter did against the contract stays known, with the cases that were using it."""

import contextlib
import os
import signal

import pytest
from iut_tools import gone, strange

from conformance.iut import protocol
from conformance.iut.errors import AdapterDied, AdapterError
from conformance.iut.incidents import Incident, Incidents, Kind
from conformance.iut.pool import Pool
from conformance.iut.stacks import Stack

NOBODY = '{"jsonrpc": "2.0", "id": 999, "result": {}}\n'


@pytest.fixture
def pool_of(tmp_path):
    pools = []

    def make(stack, processes=2):
        pools.append(Pool(stack, processes=processes, log_dir=tmp_path))
        return pools[-1]

    yield make
    for pool in pools:
        pool.kill()


@pytest.mark.parametrize(
    ("method", "parameters", "kind", "text"),
    [
        ("exit", {}, Kind.DIED, "exited with status 3; its last words: the last thing it said"),
        ("exit", {"status": 0}, Kind.DIED, "exited with status 0"),
        ("crash", {}, Kind.DIED, "killed by SIGSEGV"),
        ("hang", {}, Kind.HUNG, "never answered hang"),
        ("hush", {}, Kind.CLOSED, "closed its stdout"),
        ("flood", {}, Kind.FLOODED, "floods session"),
        ("write", {"text": "x" * 1000, "times": 10_000}, Kind.FLOODED, "line of more than"),
        ("write", {"text": NOBODY}, Kind.WRONG_ID, "a response to nothing that was asked"),
        ("write", {"text": "Hello!\n"}, Kind.STRANGE_LINE, "'Hello!'"),
        ("write", {"text": "Hello!\n", "times": 200}, Kind.GARBAGE, "'Hello!'"),
        ("write", {"text": '{"jsonrpc": "2.0", "id": 1, "method": "x"}\n'}, Kind.GARBAGE, "echo its input"),
    ],
)
def test_each_is_told_with_its_case_and_stays_told(pool_of, method, parameters, kind, text):
    pool = pool_of(strange(), processes=1)
    with pool.lease("before") as before:
        before.session().call("echo")
    with pool.lease("culprit") as lease, contextlib.suppress(AdapterError):
        lease.session().call(method, timeout=1.0 if method == "hang" else 10.0, **parameters)
    with pool.lease("after") as after:
        after.session().call("echo")
    incident = lease.incidents[-1]
    assert (incident.kind, incident.cases, incident.after) == (kind, ("culprit",), "")
    assert text in incident.text
    assert incident.process == lease.process.pid
    assert incident.serious == (kind is not Kind.STRANGE_LINE)
    assert pool.incidents == lease.incidents
    assert before.incidents == after.incidents == []


def test_each_case_in_flight_is_named(pool_of):
    pool = pool_of(strange(sessions=2))
    with pool.lease("victim") as victim, pool.lease("culprit") as culprit, pytest.raises(AdapterDied):
        culprit.session().call("exit")
    assert victim.incidents == culprit.incidents
    assert set(victim.incidents[0].cases) == {"victim", "culprit"}


def test_the_end_of_an_idle_process_is_told(pool_of):
    pool = pool_of(strange(), processes=1)
    with pool.lease("first") as lease:
        pid = lease.session().call("pid")["pid"]
    os.kill(pid, signal.SIGABRT)
    assert gone(pid)
    with pool.lease("second") as second:
        second.session().call("echo")
    pool.close()
    (incident,) = pool.incidents
    assert (incident.kind, incident.cases, incident.after) == (Kind.DIED, (), "first")
    assert "SIGABRT" in incident.text
    assert lease.incidents == second.incidents == []


def test_an_adapter_that_stays_is_told(pool_of, monkeypatch):
    monkeypatch.setattr(protocol, "EXIT_WITHIN", 0.3)
    pool = pool_of(strange("stays"), processes=1)
    pool.hello()
    pool.close()
    (incident,) = pool.incidents
    assert (incident.kind, "stayed for 0.3 s" in incident.text) == (Kind.HUNG, True)


def test_an_adapter_that_crashes_at_the_end_of_its_input_is_told(pool_of, tmp_path):
    program = tmp_path / "adapter"
    program.write_text(
        "#!/bin/sh\nread line\necho '{}'\nread line\necho '{}'\nread line\nkill -SEGV $$\n".format(*REPLIES)
    )
    program.chmod(0o755)
    pool = pool_of(Stack("crashing", [str(program)]), processes=1)
    pool.hello()
    pool.close()
    (incident,) = pool.incidents
    assert (incident.kind, "SIGSEGV when its input had ended" in incident.text) == (Kind.DIED, True)


REPLIES = (
    '{"jsonrpc": "2.0", "id": 1, "result": {"name": "x", "version": "1", "pics": {}}}',
    '{"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "no"}}',
)


def test_a_process_that_cannot_be_started_or_greeted_is_told_with_its_case(pool_of, tmp_path):
    program = tmp_path / "adapter"
    program.write_text("#!/bin/sh\nread line\necho '{}'\nread line\necho '{}'\nread line\n".format(*REPLIES))
    program.chmod(0o755)
    pool = pool_of(Stack("vanishing", [str(program)]))
    pool.hello()
    program.unlink()
    with pytest.raises(AdapterDied), pool.lease("case", isolated=True):
        pass
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexit 7\n")
    mute.chmod(0o755)
    mute.rename(program)
    with pytest.raises(AdapterDied), pool.lease("other", isolated=True):
        pass
    first, second = pool.incidents
    assert (first.kind, first.cases, first.process) == (Kind.FAILED, ("case",), 0)
    assert (second.kind, second.cases) == (Kind.DIED, ("other",))
    assert "status 7" in second.text


def test_what_we_end_ourselves_is_no_incident(pool_of):
    pool = pool_of(strange(sessions=2))
    with pool.lease("alone", isolated=True) as alone:
        alone.session().call("echo")
    with pool.lease("one") as one:
        one.session().call("echo")
    pool.kill()
    assert pool.incidents == []


def test_a_question_of_ours_that_the_case_did_not_wait_for_is_no_hang(pool_of):
    pool = pool_of(strange())
    with pool.lease("case") as lease:
        lease.session().begin("x-lag", {})
    assert lease.incidents == []


def test_of_many_alike_the_first_is_kept():
    incidents = Incidents()
    for number in range(1000):
        incidents.add(Incident(Kind.WRONG_ID, f"number {number}", 1, ("case",)))
    incidents.add(Incident(Kind.WRONG_ID, "elsewhere", 1, ("another",)))
    assert [incident.text for incident in incidents.all()] == ["number 0", "elsewhere"]
