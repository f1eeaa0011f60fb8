"""Adapters behind a port, behind ssh and behind a person: how they are named, started, and what is said when it fails."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading

import pytest
from iut_tools import STRANGE, closing

from conformance.iut import stacks
from conformance.iut.errors import AdapterDied, RpcError
from conformance.iut.pool import Pool
from conformance.iut.process import AdapterProcess
from conformance.iut.remote import manual
from conformance.iut.stacks import StackError

AGENT = [sys.executable, "-m", "conformance.agent"]


@pytest.fixture
def ssh(monkeypatch, tmp_path):
    """An ssh that notes its arguments, has a configuration, and runs the command here."""
    tools = tmp_path / "tools"
    tools.mkdir()
    noted = tmp_path / "noted"
    (tools / "ssh").write_text(
        f"""#!/bin/sh
        case "$1" in -G) echo "hostname 192.0.2.44"; exit;; esac
        printf '%s\\n' "$@" > {noted}
        while [ "$1" != -- ]; do shift; done
        [ "$2" = locked ] && echo "$2: Permission denied (publickey)." >&2 && exit 255
        shift 2
        exec sh -c "$*"
        """
    )
    (tools / "ssh").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return noted


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "host", "port"),
    [
        ("tcp:192.0.2.7:7000", "192.0.2.7", "7000"),
        ("tcp:bench.example:1", "bench.example", "1"),
        ("tcp:[2001:db8::7]:65535", "2001:db8::7", "65535"),
    ],
)
def test_a_port_is_named_by_host_and_number(spec, host, port):
    stack = stacks.resolve(spec)
    assert stack.command[-2:] == [host, port]
    assert stack.host == host
    assert stack.folder is None


@pytest.mark.parametrize(
    "rest", ["", "bench", "bench:", ":7000", "bench:0", "bench:65536", "2001:db8::7:7000", "a b:7"]
)
def test_what_is_not_a_port_is_refused(rest):
    with pytest.raises(StackError, match="is not tcp:HOST:PORT, as in"):
        stacks.resolve(f"tcp:{rest}")


def test_ssh_gets_the_command_as_one_word_and_may_not_ask(ssh):
    stack = stacks.resolve("ssh:me@bench:2222 ./adapter --name 'a b'")
    assert stack.command[1:] == [
        *("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-p", "2222", "--", "me@bench"),
        "./adapter --name 'a b'",
    ]
    assert stack.host == "192.0.2.44"  # as the configuration of ssh says


@pytest.mark.parametrize("rest", ["", "bench", "bench  ", " ", "-oProxyCommand=x ./adapter", "a@b@c ./adapter"])
def test_what_is_not_a_host_and_a_command_is_refused(ssh, rest):
    with pytest.raises(StackError, match="is not ssh:HOST COMMAND, as in"):
        stacks.resolve(f"ssh:{rest}")


def test_a_machine_without_ssh_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="ssh was not found; install it"):
        stacks.resolve("ssh:bench ./adapter")


def test_pics_of_a_device_that_are_not_there():
    with pytest.raises(StackError, match=r"manual:nowhere\.json: there is no file nowhere\.json; it holds the pics"):
        stacks.resolve("manual:nowhere.json")


# -- a port ------------------------------------------------------------------------------------------------------


@pytest.fixture
def port():
    """A port of this machine; each connection to it is an adapter's process."""
    started = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    started.append(subprocess.Popen(AGENT, stdin=connection, stdout=connection))

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    assert [program.wait(10) for program in started] == [0] * len(started)  # each has seen the end of its input


def test_an_adapter_behind_a_port_is_one_process_for_each_connection(port, tmp_path):
    pool = Pool(stacks.resolve(f"tcp:127.0.0.1:{port}"), processes=2, log_dir=tmp_path)
    with closing(pool):
        assert pool.hello().name == "icetcp reference agent"
        with pool.lease("one") as shared, pool.lease("two", isolated=True) as own:
            assert shared.process is not own.process
            session = own.session()
            session.call("open", side="offerer", addresses=["127.0.0.1"])
            assert "a=candidate:" in session.call("describe", trickle=False)["sdp"]
        pool.close()
        assert pool.incidents == []  # the end of the tester's output ends the connection, as the contract asks


def test_a_port_at_which_nothing_listens_is_named_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    pool = Pool(stacks.resolve(f"tcp:127.0.0.1:{port}"), processes=1, log_dir=tmp_path)
    with (
        closing(pool),
        pytest.raises(AdapterDied, match=f"port {port}: Connection refused; nothing listens there; start"),
    ):
        pool.hello()


def test_the_end_of_a_connection_is_told_as_the_adapters_end(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)

        threading.Thread(target=hang_up, daemon=True).start()
        pool = Pool(stacks.resolve(f"tcp:127.0.0.1:{listener.getsockname()[1]}"), processes=1, log_dir=tmp_path)
        with closing(pool), pytest.raises(AdapterDied, match=r"ended the connection|broke: Connection reset"):
            pool.hello()


# -- ssh ---------------------------------------------------------------------------------------------------------


def test_an_adapter_behind_ssh_is_driven_like_one_here(ssh, tmp_path):
    stack = stacks.resolve(f"ssh:bench env SESSIONS=3 {sys.executable} {STRANGE}")
    pool = Pool(stack, processes=1, log_dir=tmp_path)
    with closing(pool):
        assert pool.hello().pics["sessions"] == 3
        assert ssh.read_text().splitlines()[-2:] == ["bench", f"env SESSIONS=3 {sys.executable} {STRANGE}"]


def test_what_ssh_says_when_it_fails_is_told(ssh, tmp_path):
    pool = Pool(stacks.resolve("ssh:locked ./adapter"), processes=1, log_dir=tmp_path)
    with closing(pool), pytest.raises(AdapterDied, match=r"exited with status 255; its last words: locked: Permission"):
        pool.hello()


# -- a person ----------------------------------------------------------------------------------------------------

OFFER = ["v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "t=0 0", "m=audio 9 TCP/RTP/AVP 0", "a=ice-ufrag:abcd"]
WHOLE = "".join(f"{line}\r\n" for line in OFFER)


@pytest.fixture
def person(tmp_path):
    """A manual adapter whose terminal is a pty; gives its session, a function that types and one that reads to a text."""
    master, slave = os.openpty()
    pics = tmp_path / "pics.json"
    pics.write_text('{"families": [4, 6], "sides": ["offerer"]}')
    command = [sys.executable, "-m", "conformance.iut.remote.manual", "--pics", str(pics)]
    terminal = os.ttyname(slave)
    process = AdapterProcess([*command, "--from", terminal, "--to", terminal], stacks.own_environment())
    shown = bytearray()

    def type_(text):
        os.write(master, text.encode())

    def until(text):
        while text.encode() not in shown:
            shown.extend(os.read(master, 4096))
        seen = bytes(shown).decode()
        shown.clear()
        return seen

    with closing(process):
        hello = process.call("hello", 10, protocol=1)
        assert hello["pics"]["families"] == [4, 6]
        assert hello["pics"]["answers"] == manual.PICS["answers"]  # of a person, not of a program
        session = process.session("s", lambda _channel, _text: None)
        session.call("open", side="offerer", components=1, media="rtp", tcptypes=["active"], **{"x-case": "A/b"})
        until("Case A/b")
        yield session, type_, until
    os.close(master)
    os.close(slave)


def test_a_person_carries_an_offer_and_the_answer(person):
    session, type_, until = person
    described = session.begin("describe", {"trickle": False})
    until("Paste the device's offer")
    with pytest.raises(RpcError, match="no such method"):  # while it waits for the person, it serves the tester
        session.call("x-lag")
    type_("".join(f"{line}\n" for line in OFFER) + ".\n")
    assert session._process.wait(described, 10) == {"type": "offer", "sdp": WHOLE}
    accepted = session.begin("accept", {"type": "answer", "sdp": "v=0\r\na=ice-pwd:secret\r\n"})
    assert "a=ice-pwd:secret" in until("Press Enter")
    assert not accepted.done
    type_("\n")
    assert session._process.wait(accepted, 10) == {}
    session.call("close")
    until("The case is over")


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ("skip", -32602, "skipped"),
        ("refused: no codec", -32010, "no codec"),
        ("REFUSED", -32010, "the device refused it"),
    ],
)
def test_a_person_says_that_a_step_cannot_be_done(person, typed, code, words):
    session, type_, until = person
    accepted = session.begin("accept", {"type": "answer", "sdp": "v=0\r\n"})
    until("Press Enter")
    type_(f"{typed}\n")
    with pytest.raises(RpcError, match=words) as caught:
        session._process.wait(accepted, 10)
    assert caught.value.code == code


def test_a_description_from_a_file_is_taken_as_it_is(person, tmp_path):
    session, type_, until = person
    strange = "v=0\n\na=x \r\n"
    (tmp_path / "offer").write_bytes(strange.encode())
    described = session.begin("describe", {"trickle": False})
    until("Paste")
    type_(f"@{tmp_path / 'offer'}\n")
    assert session._process.wait(described, 10) == {"type": "offer", "sdp": strange}


def test_a_description_of_a_browser_is_json(person):
    session, type_, until = person
    described = session.begin("describe", {"trickle": False})
    until("Paste")
    type_(json.dumps({"type": "offer", "sdp": WHOLE}) + "\n.\n")
    assert session._process.wait(described, 10) == {"type": "offer", "sdp": WHOLE}


def test_a_terminal_that_ends_is_told():
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "conformance.iut.remote.manual", "--from", f"/proc/{os.getpid()}/fd/{reading}"]
    process = AdapterProcess([*command, "--to", os.devnull], stacks.own_environment())
    with closing(process):
        process.call("hello", 10, protocol=1)
        session = process.session("s", lambda _channel, _text: None)
        session.call("open", side="offerer")
        os.close(writing)
        with pytest.raises(RpcError, match="the terminal's input has ended"):
            session.call("describe", trickle=False)
    os.close(reading)


def test_pics_that_are_not_an_object_are_refused(tmp_path):
    (tmp_path / "pics.json").write_text("[]")
    pool = Pool(stacks.resolve(f"manual:{tmp_path / 'pics.json'}"), processes=1, log_dir=tmp_path)
    with closing(pool), pytest.raises(AdapterDied, match=r"pics\.json cannot be used: it does not hold an object"):
        pool.hello()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["interop", "reference", "tcp:192.0.2.7:7000"], "stacks meet in a network of the run's own"),
        (["fuzz", "--iut", "manual", "--cases", "1"], "the fuzzer needs an IUT that it starts"),
        (["fuzz", "--iut", "tcp:bench"], "is not tcp:HOST:PORT"),
    ],
)
def test_what_needs_a_stack_on_this_machine_says_so(arguments, words):
    command = [sys.executable, "-m", "conformance", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
