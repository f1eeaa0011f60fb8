"""Many cases, few processes: places, logs, blame, and an end in time."""

import json
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from iut_tools import WITHIN, News, closing, gone, strange

from conformance.iut import protocol
from conformance.iut.errors import AdapterDied, AdapterError, AdapterGarbage, AdapterHung
from conformance.iut.lease import log_name
from conformance.iut.pool import Pool
from conformance.iut.stacks import Stack, resolve


@pytest.fixture
def pool_of(tmp_path):
    pools = []

    def make(stack, processes=2):
        pools.append(Pool(stack, processes=processes, log_dir=tmp_path))
        return pools[-1]

    yield make
    for pool in pools:
        pool.kill()


# -- hello -------------------------------------------------------------------------------------------------------


def test_hello_is_asked_once(pool_of):
    pool = pool_of(strange(sessions=3))
    hello = pool.hello()
    assert (hello.name, hello.version, hello.pics) == ("strange", "1", {"sessions": 3})
    assert pool.hello() is hello
    assert pool.sessions == 3


def test_a_prepared_process_serves_the_first_case(pool_of, tmp_path):
    hello = pool_of(strange(sessions=3)).hello()
    pool = Pool(strange(sessions=3), processes=1, log_dir=tmp_path, hello=hello)
    try:
        pool.prepare()
        [prepared] = pool._shared
        with pool.lease("first") as lease, pool.lease("second") as other:
            assert lease.process is other.process is prepared
    finally:
        pool.kill()


def test_a_process_that_cannot_be_prepared_is_left_to_the_first_case(pool_of, tmp_path):
    hello = pool_of(strange(sessions=3)).hello()
    pool = Pool(strange("exit"), processes=1, log_dir=tmp_path, hello=hello)
    try:
        pool.prepare()
        with pytest.raises(AdapterDied, match="no licence found"), pool.lease("first"):
            pass
    finally:
        pool.kill()


@pytest.mark.parametrize(
    ("mode", "error", "text"),
    [
        ("exit", AdapterDied, "exited with status 1; its last words: no licence found"),
        ("banner", AdapterGarbage, "no JSON on its stdout: 'Welcome!'; logs belong on stderr"),
        ("yes", AdapterError, "says yes to everything: it took the invented method no-such-method-"),
        ("wrong-code", AdapterError, "refuses an unknown method with -1; the contract asks -32601"),
        ("version-7", AdapterError, "speaks protocol 7, this tester 1"),
        ("refuses-version", AdapterError, "refuses hello of protocol 1: only protocol 7 here"),
        ("no-pics", AdapterGarbage, "hello is not what the contract asks for: Expected `object`, got `null`"),
        ("no-sessions", AdapterGarbage, "pics sessions is no number from 1"),
    ],
)
def test_adapter_that_cannot_be_used(pool_of, mode, error, text):
    with pytest.raises(error) as caught:
        pool_of(strange(mode)).hello()
    assert text in str(caught.value)


def test_hello_that_never_comes(pool_of, monkeypatch):
    monkeypatch.setattr("conformance.iut.protocol.HELLO_WITHIN", 0.3)
    with pytest.raises(AdapterHung, match=r"did not answer hello within 0.3 s"):
        pool_of(strange("mute")).hello()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("false", "exited with status 1"),
        ("true", "exited with status 0"),
        ("cat", "it seems to echo its input"),
        ("yes", "no JSON on its stdout: 'y'"),
        ("head -c 9000000 /dev/zero", "a line of more than 1048576 octets"),
        ("sh -c 'exec >&-; exec sleep 60'", "closed its stdout and goes on running"),
        ("sh -c 'kill -TERM $$'", "was killed by SIGTERM"),
    ],
)
def test_commands_that_are_no_adapter(pool_of, command, text):
    begun = time.monotonic()
    with pytest.raises(AdapterError) as caught:
        pool_of(resolve(f"exec:{command}")).hello()
    assert text in str(caught.value)
    assert time.monotonic() - begun < protocol.HELLO_WITHIN


# -- places ------------------------------------------------------------------------------------------------------


def test_one_process_serves_as_many_cases_as_it_says(pool_of):
    pool = pool_of(strange(sessions=2))
    with pool.lease("a") as a, pool.lease("b") as b, pool.lease("c") as c:
        pids = [lease.session().call("pid")["pid"] for lease in (a, b, c)]
    assert pids[0] == pids[1] != pids[2]


def test_waiting_cases_get_the_first_free_place(pool_of):
    pool = pool_of(strange(), processes=2)
    pool.hello()
    begun, release = threading.Barrier(3), threading.Event()

    def first(case):
        with pool.lease(case) as lease:
            pid = lease.session().call("pid")["pid"]
            begun.wait(WITHIN)
            release.wait(WITHIN)
            return pid

    def later(case):
        with pool.lease(case) as lease:
            return lease.session().call("pid")["pid"]

    with ThreadPoolExecutor(8) as threads:
        firsts = [threads.submit(first, f"first{number}") for number in range(2)]
        begun.wait(WITHIN)
        laters = [threads.submit(later, f"later{number}") for number in range(6)]
        release.set()
        assert {future.result(WITHIN) for future in laters} <= {future.result(WITHIN) for future in firsts}


def test_no_more_processes_than_waiting_cases_need(pool_of):
    pool = pool_of(strange(sessions=8), processes=8)
    pool.hello()
    together = threading.Barrier(12)

    def run(number):
        with pool.lease(f"case{number}") as lease:
            pid = lease.session().call("pid")["pid"]
            together.wait(WITHIN)
            return pid

    with ThreadPoolExecutor(12) as threads:
        assert len(set(threads.map(run, range(12)))) == 2


def test_no_place_in_time(pool_of):
    pool = pool_of(strange(), processes=1)
    refused = pytest.raises(AdapterHung, match="no adapter process became free in time")
    with pool.lease("holder"), refused, pool.lease("waiter", timeout=0.05):
        pass


def test_isolated_case_has_a_process_of_its_own_that_ends_with_it(pool_of):
    pool = pool_of(strange(sessions=8), processes=1)
    with pool.lease("shared") as shared:
        common = shared.session().call("pid")["pid"]
        with pool.lease("alone", isolated=True) as alone:
            own = alone.session().call("pid")["pid"]
            with pool.lease("other") as other:
                assert other.session().call("pid")["pid"] == common
        assert own != common
        assert gone(own)


def test_many_cases_at_once(pool_of):
    pool = pool_of(strange(sessions=4), processes=3)

    def run(number):
        with pool.lease(f"case{number}") as lease:
            session = lease.session()
            for text in ("one", "two", "three"):
                assert session.call("echo", text=text) == {"text": text}
            return [note.params["data"] for note in session.notifications]

    with ThreadPoolExecutor(24) as threads:
        assert all(texts == ["one", "two", "three"] for texts in threads.map(run, range(120)))


# -- death and blame ---------------------------------------------------------------------------------------------


def test_dead_process_is_replaced(pool_of):
    pool = pool_of(strange(), processes=1)
    with pool.lease("killer") as lease:
        first = lease.session()
        with pytest.raises(AdapterDied, match="status 3"):
            first.call("exit")
    assert not lease.shared_death
    with pool.lease("next") as lease:
        assert lease.session().call("echo", text="fine")


def test_process_that_dies_while_idle_is_replaced(pool_of):
    pool = pool_of(strange(), processes=1)
    with pool.lease("first") as lease:
        pid = lease.session().call("pid")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    with pool.lease("second") as lease:
        assert lease.session().call("echo", text="fine")


def test_death_names_the_cases_in_flight_and_blames_nobody(pool_of, tmp_path):
    pool = pool_of(strange(sessions=2))
    with pool.lease("culprit") as culprit, pool.lease("victim") as victim:
        waiting = victim.session()
        news = News(waiting)
        pending = waiting.begin("hang", {})
        with pytest.raises(AdapterDied, match=r"cases in flight: (culprit, victim|victim, culprit)"):
            culprit.session().call("exit")
        assert news.until(lambda: pending.done)
        with pytest.raises(AdapterDied, match="cases in flight"):
            pending.result()
    assert culprit.shared_death
    assert victim.shared_death
    assert "died" in (tmp_path / "victim.log").read_text()
    with pool.lease("culprit", isolated=True) as alone, pytest.raises(AdapterDied, match=r"status 3"):
        alone.session().call("exit")
    assert not alone.shared_death


def test_case_without_an_answer_retires_its_process(pool_of, tmp_path):
    pool = pool_of(strange(sessions=2), processes=1)
    with pool.lease("hangs") as lease:
        session = lease.session()
        pid = session.call("pid")["pid"]
        session.begin("hang", {})
    assert not lease.shared_death
    assert "never answered: hang" in (tmp_path / "hangs.log").read_text()
    with pool.lease("next") as lease:
        assert lease.session().call("pid")["pid"] != pid
    assert gone(pid)


def test_hang_beside_others_is_shared(pool_of):
    pool = pool_of(strange(sessions=2), processes=1)
    with pool.lease("one"), pool.lease("two") as two:
        two.session().begin("hang", {})
    assert two.shared_death


# -- logs --------------------------------------------------------------------------------------------------------


def test_log_holds_traffic_and_stderr_of_its_case_alone(pool_of, tmp_path):
    pool = pool_of(strange(), processes=1)
    for case in ("first[a/b]", "second"):
        with pool.lease(case) as lease:
            session = lease.session()
            session.call("say", text=f"stderr of {case}")
            session.call("echo", text=f"traffic of {case}")
    first = (tmp_path / "first_a_b_.log").read_text()
    assert lease.log_name == f"{tmp_path.name}/second.log"
    assert "stderr  stderr of first[a/b]" in first
    assert "second" not in first
    lines = [line.split(maxsplit=2) for line in first.splitlines()]
    assert [channel for _, channel, _ in lines].count("->") == 2
    times = [float(moment) for moment, _, _ in lines]
    assert times == sorted(times)
    assert json.loads(next(text for _, channel, text in lines if channel == "->"))["method"] == "say"


def test_log_says_who_else_used_the_process(pool_of, tmp_path):
    pool = pool_of(strange(sessions=2))
    with pool.lease("one") as one:
        one.session()
        with pool.lease("two"):
            pass
    for case, other in (("one", "two"), ("two", "one")):
        assert (
            f"1 other cases used the process, stderr may be theirs: {other}" in (tmp_path / f"{case}.log").read_text()
        )


def test_two_sessions_of_a_case_log_stderr_once(pool_of, tmp_path):
    pool = pool_of(strange(sessions=2))
    with pool.lease("case") as lease:
        lease.session()
        lease.session("named").call("say", text="once")
    text = (tmp_path / "case.log").read_text()
    assert text.count("stderr  once") == 1
    assert '"session":"named"' in text


def test_log_has_an_end(pool_of, tmp_path, monkeypatch):
    monkeypatch.setattr("conformance.iut.lease._LARGEST", 10_000)
    with pool_of(strange()).lease("case") as lease:
        session = lease.session()
        for _ in range(30):
            session.call("echo", text="x" * 1000)
    log = (tmp_path / "case.log").read_text()
    assert log.endswith("the log is full\n")
    assert len(log) < 20_000


def test_log_that_cannot_be_written_disturbs_nothing(pool_of, tmp_path):
    pool = pool_of(strange())
    pool.hello()
    shutil.rmtree(tmp_path)
    with pool.lease("case") as lease:
        assert lease.session().call("echo", text="fine") == {"text": "fine"}
    tmp_path.mkdir()


def test_log_names_are_safe_and_differ():
    long = "x" * 300
    names = {log_name(case) for case in ("a/b[c]", long, long + "y")}
    assert len(names) == 3
    assert all(len(name) < 255 and "/" not in name for name in names)


# -- the end -----------------------------------------------------------------------------------------------------


def test_close_lets_adapters_go_by_themselves(pool_of):
    pool = pool_of(strange())
    with pool.lease("case") as lease:
        pid = lease.session().call("pid")["pid"]
    pool.close()
    assert gone(pid)
    with pytest.raises(AdapterError, match="the run is ending"), pool.lease("late"):
        pass


def test_close_kills_after_the_contracts_time(pool_of, monkeypatch):
    usual = protocol.EXIT_WITHIN
    monkeypatch.setattr("conformance.iut.protocol.EXIT_WITHIN", 0.2)
    pool = pool_of(strange("stays"), processes=3)
    with pool.lease("one") as one, pool.lease("two") as two:
        pids = [lease.session().call("pid")["pid"] for lease in (one, two)]
    begun = time.monotonic()
    pool.close()
    assert time.monotonic() - begun < usual
    assert all(gone(pid) for pid in pids)


def test_kill_is_immediate_and_wakes_everybody(pool_of):
    pool = pool_of(strange(), processes=1)
    pool.hello()
    errors, holding = [], threading.Event()

    def hold():
        with pool.lease("holder") as lease:
            session = lease.session()
            pending = session.begin("stop", {})
            holding.set()
            assert News(session).until(lambda: pending.done)
            errors.append(session.died)

    def wait():
        holding.wait(WITHIN)
        try:
            with pool.lease("waiter"):
                pass
        except AdapterError as error:
            errors.append(error)

    threads = [threading.Thread(target=target) for target in (hold, wait)]
    for thread in threads:
        thread.start()
    holding.wait(WITHIN)
    pool.kill()
    for thread in threads:
        thread.join(WITHIN)
    assert len(errors) == 2
    assert all(errors)


def test_kill_while_a_process_is_greeted(pool_of):
    pool = pool_of(strange("mute"))
    raised = []

    def greet():
        try:
            pool.hello()
        except AdapterError as error:
            raised.append(str(error))

    thread = threading.Thread(target=greet)
    thread.start()
    while not pool._all:  # until it has been started
        time.sleep(0)
    pool.kill()
    thread.join(20)
    assert raised == ["the adapter was killed by SIGKILL"]


def test_environment_of_the_stack(pool_of):
    code = "import os, sys; sys.exit(os.environ['GREETING'])"
    stack = Stack("env", [sys.executable, "-c", code], environment={"GREETING": "from the stack"})
    with closing(pool_of(stack)) as pool, pytest.raises(AdapterDied, match="from the stack"):
        pool.hello()
