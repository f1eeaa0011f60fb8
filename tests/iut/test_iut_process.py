"""One adapter process: whatever it does, the caller gets a clear error soon, and nothing of it survives."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from iut_tools import STRANGE, WITHIN, News, closing, gone

from conformance.iut import process as process_module
from conformance.iut.errors import AdapterDied, AdapterError, AdapterGarbage, AdapterHung, RpcError
from conformance.iut.process import AdapterProcess


@pytest.fixture
def log():
    return []


@pytest.fixture
def process():
    with closing(AdapterProcess([sys.executable, STRANGE])) as running:
        running.call("hello", WITHIN, protocol=1)
        yield running


@pytest.fixture
def session(process, log):
    def write(channel, text):
        log.append((channel, text))

    process.attach(write)
    return process.session("s1", write)


# -- calls and notifications -------------------------------------------------------------------------------------


def test_call_and_notification(session, log):
    assert session.call("echo", text="hello") == {"text": "hello"}
    note = session.notifications.popleft()
    assert (note.method, note.params) == ("data", {"session": "s1", "data": "hello"})
    assert time.monotonic() - WITHIN < note.time <= time.monotonic()
    assert [channel for channel, _ in log] == ["->", "<-", "<-"]
    assert '"method":"echo"' in log[0][1]


def test_begin_does_not_wait_and_activity_tells(session):
    news = News(session)
    pending = session.begin("after", {})
    assert not pending.done
    with pytest.raises(AdapterHung, match="has not answered after yet"):
        pending.result()
    session.begin("echo", {})
    assert news.until(lambda: pending.done)
    assert pending.result() == {}


def test_error_object(session):
    with pytest.raises(RpcError, match="no trickle here") as caught:
        session.call("trickle")
    assert caught.value.code == -32601


def test_sessions_are_kept_apart(process):
    one, two = (process.session(name, lambda _channel, _text: None) for name in ("one", "two"))
    first = one.begin("after", {})
    assert two.call("echo", text="2") == {"text": "2"}
    assert News(one).until(lambda: first.done)
    assert not one.notifications
    assert [note.params["data"] for note in two.notifications] == ["2"]


def test_session_that_is_forgotten_gets_nothing(process, session):
    session.begin("hang", {})
    assert process.forget(session) == ["hang"]
    other = process.session("other", lambda _channel, _text: None)
    other.call("write", text='{"jsonrpc": "2.0", "method": "data", "params": {"session": "s1"}}\n')
    other.call("echo")
    assert not session.notifications
    assert process.stray == 0  # counted anew since the last answer


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ({"result": 1}, "no object: 1"),
        ({"result": None}, "no object: None"),
        ({}, "missing"),
    ],
)
def test_result_that_is_no_object(session, message, what):
    with pytest.raises(AdapterGarbage, match=f"the result of result is {what}"):
        session.call("result", message=message)
    assert session.call("echo")  # only that call is lost


# -- ends --------------------------------------------------------------------------------------------------------


def test_exit_in_a_call(session):
    with pytest.raises(AdapterDied, match="exited with status 3; its last words: the last thing it said"):
        session.call("exit")
    assert session.died is not None


def test_signal_is_named(session):
    with pytest.raises(AdapterDied, match="killed by SIGSEGV"):
        session.call("crash")


def test_every_call_in_flight_gets_the_error(process):
    sessions = [process.session(str(number), lambda _channel, _text: None) for number in range(3)]
    pending = [session.begin("hang", {}) for session in sessions]
    news = News(sessions[0])
    sessions[2].begin("exit", {"status": 5})
    assert news.until(lambda: sessions[0].died)
    for call in pending:
        with pytest.raises(AdapterDied, match="status 5"):
            call.result()
    with pytest.raises(AdapterDied, match="status 5"):
        sessions[1].begin("echo", {})
    assert process.session("later", lambda _channel, _text: None).died is not None


def test_users_are_named(process, session):
    process.users = [f"case{number}" for number in range(7)]
    with pytest.raises(AdapterDied, match="cases in flight: case0, case1, case2, case3, case4 and 2 more"):
        session.call("exit")
    assert process.victims == {f"case{number}" for number in range(7)}


def test_stdout_closed_and_still_running(session):
    begun = time.monotonic()
    with pytest.raises(AdapterHung, match="closed its stdout and goes on"):
        session.call("hush")
    assert time.monotonic() - begun < WITHIN


@pytest.mark.parametrize("method", ["orphan", "escape"])
def test_grandchild_neither_hides_the_death_nor_survives(session, method):
    grandchild = session.call(method)["pid"]
    begun = time.monotonic()
    with pytest.raises(AdapterDied, match="status 3"):
        session.call("exit")
    assert time.monotonic() - begun < WITHIN
    assert gone(grandchild)


@pytest.mark.parametrize("method", ["orphan", "escape"])
def test_kill_takes_the_grandchild(process, session, method):
    grandchild = session.call(method)["pid"]
    process.kill()
    assert gone(grandchild)


@pytest.mark.parametrize("method", ["orphan", "escape"])
def test_nothing_survives_our_own_sigkill(method):
    script = f"""
        import sys
        from conformance.iut.process import AdapterProcess
        process = AdapterProcess([sys.executable, {STRANGE!r}])
        session = process.session("s", print)
        print(process.pid, session.call({method!r})["pid"], flush=True)
        sys.stdin.read()
    """
    tester = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with tester:
        pids = None
        while pids is None:
            words = tester.stdout.readline().split()
            pids = [int(word) for word in words] if len(words) == 2 and all(map(str.isdigit, words)) else None
        tester.send_signal(signal.SIGKILL)
        tester.wait()
        assert all(gone(pid, within=30) for pid in pids)


def test_a_grandchild_that_is_just_being_given_its_program_is_ended_too(process, session, tmp_path, monkeypatch):
    """While execve works, a process shows no environment. Its parent may already know that execve succeeds."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as grandchild:
        folder = tmp_path / str(grandchild.pid)
        folder.mkdir()
        os.mkfifo(folder / "environ")
        (folder / "cmdline").touch()
        (folder / "exe").symlink_to("/bin/sleep")
        monkeypatch.setattr("conformance.iut.child._PROC", tmp_path)
        looks = [b"", b"", f"A=1\0ICETCP_ADAPTER={process._child._cookie}\0".encode()]
        monkeypatch.setattr("conformance.iut.child._SILENT_WITHIN", 0.3)

        def write() -> None:
            for look in looks:
                (folder / "environ").write_bytes(look)
                time.sleep(0.2)  # together longer than an adapter may go on behind the end of its stdout

        writer = threading.Thread(target=write)
        writer.start()
        try:
            with pytest.raises(AdapterDied, match="status 3"):
                session.call("exit")
            writer.join(WITHIN)
            assert grandchild.wait(WITHIN) == -signal.SIGKILL
        finally:
            grandchild.kill()


def test_close_waits_for_the_adapter_to_go(process):
    assert process.close()


def test_close_kills_what_ignores_the_end_of_its_input(monkeypatch):
    monkeypatch.setattr("conformance.iut.protocol.EXIT_WITHIN", 0.2)
    process = AdapterProcess([sys.executable, STRANGE, "stays"])
    process.call("hello", WITHIN, protocol=1)
    assert not process.close()
    assert gone(process.pid)


# -- hanging -----------------------------------------------------------------------------------------------------


def test_no_answer(process, session):
    with pytest.raises(AdapterHung, match=r"did not answer hang within 0.1 s"):
        session.call("hang", timeout=0.1)
    assert process.retired


def test_input_is_not_read(monkeypatch, process, session):
    monkeypatch.setattr(process_module, "_WRITE_WITHIN", 0.3)
    waiting = session.begin("stop", {})
    begun = time.monotonic()
    with pytest.raises(AdapterHung, match="does not read its input"):
        for _ in range(100):
            session.begin("echo", {"text": "x" * 50_000})
    assert time.monotonic() - begun < WITHIN
    with pytest.raises(AdapterHung, match="does not read its input"):
        waiting.result()
    assert gone(process.pid)


def test_many_writers_to_one_that_does_not_read(monkeypatch, process):
    monkeypatch.setattr(process_module, "_WRITE_WITHIN", 0.3)
    session = process.session("s", lambda _channel, _text: None)
    session.begin("stop", {})
    errors = []

    def call():
        try:
            session.call("echo", text="x" * 200_000)
        except AdapterError as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(8)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
    assert len(errors) == 8
    assert time.monotonic() - begun < WITHIN


# -- garbage and floods ------------------------------------------------------------------------------------------

GARBAGE = {
    "no JSON": "oops\n",
    "no UTF-8": "\xff\xfe\n",
    "no object": "[]\n",
    "other protocol": '{"jsonrpc": "1.0", "id": 1, "result": {}}\n',
    "no answer to anything": '{"jsonrpc": "2.0", "id": 999, "result": {}}\n',
    "id of a kind that we never use": '{"jsonrpc": "2.0", "id": "x", "result": {}}\n',
    "params missing": '{"jsonrpc": "2.0", "method": "state"}\n',
    "deep": "[" * 100_000 + "\n",
}


@pytest.mark.parametrize("line", GARBAGE.values(), ids=GARBAGE)
def test_a_strange_line_is_logged_with_an_excerpt(session, log, line):
    session.call("write", text=line)
    notes = [text for channel, text in log if channel == "note"]
    assert len(notes) == 1
    assert notes[0].startswith("ignored, ")
    assert len(notes[0]) < 250


def test_blank_lines_are_nothing(session, log):
    session.call("write", text="\n  \r\n")
    assert not [text for channel, text in log if channel == "note"]


def test_too_many_strange_lines(session):
    with pytest.raises(AdapterGarbage, match=r"wrote no JSON on its stdout: 'oops'; logs belong on stderr"):
        session.call("write", text="oops\n", times=101)


def test_echo_is_recognised(session):
    with pytest.raises(AdapterGarbage, match="it seems to echo its input"):
        session.call("write", text='{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {}}\n')


def test_line_without_end(process, session):
    with pytest.raises(AdapterGarbage, match="a line of more than 1048576 octets"):
        session.call("write", text="x" * 1000, times=2000)
    assert gone(process.pid)


def test_long_line_within_the_limit(session):
    text = "x" * 900_000
    assert session.call("echo", text=text)["text"] == text


def test_flood_of_a_session_is_bounded(process, session):
    with pytest.raises(AdapterGarbage, match="floods session s1: 16 MiB unread"):
        session.call("flood", timeout=30)
    assert sum(len(note.params["data"]) for note in session.notifications) < 17 << 20
    assert gone(process.pid)


def test_flood_of_no_session(process, session):
    with pytest.raises(AdapterGarbage, match="floods us for sessions that are not open"):
        session.call("stray", timeout=30)
    assert gone(process.pid)


def test_stderr_goes_to_the_log_line_by_line(session, log):
    session.call("say", text="one\ntwo")
    session.call("say", text="y" * 10_000)
    assert session.call("echo")
    texts = [text for channel, text in log if channel == "stderr"]
    assert texts[:2] == ["one", "two"]
    assert all(len(text) <= 2 * 65536 for text in texts)
    assert "".join(texts[2:]) == "y" * 10_000


def test_stderr_flood_stops_nothing(session):
    session.call("say", text="z" * 100 + "\n", times=20_000)
    assert session.call("echo", text="still here") == {"text": "still here"}


# -- starting ----------------------------------------------------------------------------------------------------


def test_command_that_cannot_start(tmp_path):
    script = tmp_path / "no-interpreter"
    script.write_text("#!/nonexistent/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(AdapterDied, match="cannot be started: No such file or directory"):
        AdapterProcess([str(script)])


def test_end_before_the_first_call():
    running = closing(AdapterProcess([sys.executable, STRANGE, "grandchild-at-start"]))
    with running as process, pytest.raises(AdapterDied, match="exited with status 4"):
        process.call("hello", WITHIN, protocol=1)
