"""The reference agent as an adapter: the contract over standard input and output."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import queue
import socket
import subprocess
import sys
import threading
import time

import pytest

from conformance.agent.faults import FAULTS
from conformance.wire.sdp import SessionDescription

LOOPBACK = ["127.0.0.1"]


class Adapter:
    """A process that speaks the contract."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "conformance.agent", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.notes, self._answers, self._number = [], queue.Queue(), 0
        self._news = threading.Condition()
        self.log = bytearray()
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_log)]
        for thread in self._threads:
            thread.start()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            assert message.pop("jsonrpc") == "2.0"
            if "method" in message:
                with self._news:
                    self.notes.append((message["method"], message["params"]))
                    self._news.notify_all()
            else:
                self._answers.put(message)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.extend(line)

    def write(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def answer(self):
        return self._answers.get(timeout=30)

    def request(self, method, **params):
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.write(json.dumps(message).encode() + b"\n")
        answer = self.answer()
        assert answer.pop("id") == self._number
        return answer

    def call(self, method, **params):
        answer = self.request(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method, **params):
        answer = self.request(method, **params)
        assert "result" not in answer, answer
        assert answer["error"]["message"]
        return answer["error"]["code"]

    def wait_for(self, method, **wanted):
        def found():
            return next((p for m, p in self.notes if m == method and wanted.items() <= p.items()), None)

        with self._news:
            assert self._news.wait_for(found, timeout=30), (wanted, self.notes)
            return found()

    def data(self, session, component, size):
        """Wait for so many octets of data and return them."""

        def got():
            mine = (p for m, p in self.notes if m == "data" and (p["session"], p["component"]) == (session, component))
            return b"".join(base64.b64decode(p["data"]) for p in mine)

        with self._news:
            assert self._news.wait_for(lambda: len(got()) >= size, timeout=30)
            return got()

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(timeout=30)
        for thread in self._threads:
            thread.join(timeout=30)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@pytest.fixture(scope="module")
def shared():
    """One adapter for many sessions, as the suite uses it."""
    adapter = Adapter()
    yield adapter
    assert adapter.end() == 0, adapter.log.decode()


@pytest.fixture
def name(request):
    return request.node.name


def offer_of(adapter, session, **more):
    adapter.call("open", session=session, side="offerer", **{"addresses": LOOPBACK, **more})
    return adapter.call("describe", session=session, trickle=False)


def test_hello(shared):
    answer = shared.call("hello", protocol=1)
    pics = answer["pics"]
    assert answer["name"]
    assert answer["version"] == importlib.metadata.version("icetcp")
    assert pics["agent"] == ["full", "lite"]
    assert pics["sides"] == ["offerer", "answerer"]
    assert pics["offers"] == pics["connects"] == ["active", "passive", "so"]
    assert pics["sessions"] >= 256
    assert shared.error("hello", protocol=2) == -32602


@pytest.mark.parametrize(("ip", "media", "components"), [("127.0.0.1", "rtp", 2), ("::1", "bytes", 1)])
def test_two_agents_complete_and_exchange_data(shared, ip, media, components):
    other = Adapter()
    one, two = f"one-{media}", f"two-{media}"
    wishes = {"media": media, "components": components, "addresses": [ip]}
    offer = offer_of(shared, one, **wishes)
    assert offer["type"] == "offer"
    other.call("open", session=two, side="answerer", tcptypes=["active", "passive"], transports=["tcp"], **wishes)
    other.call("accept", session=two, type="offer", sdp=offer["sdp"])
    answer = other.call("describe", session=two)
    assert answer["type"] == "answer"
    shared.call("accept", session=one, type="answer", sdp=answer["sdp"])
    for adapter, session in ((shared, one), (other, two)):
        for state in ("new", "checking", "connected", "completed"):
            adapter.wait_for("state", session=session, state=state)
        for component in range(1, components + 1):
            pair = adapter.wait_for("selected", session=session, component=component)
            assert pair["local"].startswith("candidate:")
            assert "tcptype" in pair["remote"]
    payload = bytes(range(128, 256)) * 300
    for component in range(1, components + 1):
        text = base64.b64encode(payload[component:]).decode()
        shared.call("send", session=one, component=component, data=text)
        other.call("send", session=two, component=component, data=text)
        assert shared.data(one, component, len(payload) - component) == payload[component:]
        assert other.data(two, component, len(payload) - component) == payload[component:]
    shared.call("close", session=one)
    shared.wait_for("state", session=one, state="closed")
    other.wait_for("state", session=two, state="disconnected")
    started = time.monotonic()
    assert other.end() == 0, other.log.decode()
    assert time.monotonic() - started < 5


def test_several_streams(shared, name):
    one, two = f"{name}-a", f"{name}-b"
    offer = offer_of(shared, one, streams=2, media="rtp")
    assert offer["sdp"].count("m=audio") == 2
    shared.call("open", session=two, side="answerer", addresses=LOOPBACK)
    shared.call("accept", session=two, type="offer", sdp=offer["sdp"])
    shared.call("accept", session=one, type="answer", sdp=shared.call("describe", session=two)["sdp"])
    for session in (one, two):
        shared.wait_for("state", session=session, state="completed")
    shared.call("send", session=one, stream=1, data="gEFB")
    shared.wait_for("data", session=two, stream=1, component=1, data="gEFB")
    shared.wait_for("selected", session=two, stream=1, component=1)
    assert shared.error("send", session=one, stream=2, data="gEFB") == -32602
    assert shared.error("send", session=one, stream="1", data="gEFB") == -32602
    for session in (one, two):
        shared.call("close", session=session)


def test_candidates_are_notified_after_the_description(shared, name):
    one, two = f"{name}-a", f"{name}-b"
    told = {one: [], two: []}
    shared.call("open", session=one, side="offerer", addresses=LOOPBACK)
    shared.call("open", session=two, side="answerer", addresses=LOOPBACK)
    offer = shared.call("describe", session=one, trickle=True)["sdp"]
    shared.call("accept", session=two, type="offer", sdp=offer)
    answer = shared.call("describe", session=two, trickle=True)["sdp"]
    shared.call("accept", session=one, type="answer", sdp=answer)
    assert "a=candidate" not in offer + answer
    for mine, other in ((one, two), (two, one)):
        shared.wait_for("candidate", session=mine, candidate="")
        told[mine] = [p["candidate"] for m, p in shared.notes if m == "candidate" and p["session"] == mine]
        for candidate in told[mine]:
            shared.call("trickle", session=other, candidate=candidate, mid="0")
    assert len(told[one]) == 4  # of three tcptypes, and the end
    assert shared.error("trickle", session=one, candidate="candidate:nonsense", mid="0") == -32010
    assert shared.error("trickle", session=one, candidate="", mid="other") == -32010
    for session in (one, two):
        shared.wait_for("state", session=session, state="completed")
        shared.call("close", session=session)


def test_many_sessions_in_one_process(shared):
    pairs = [(f"many-{n}-a", f"many-{n}-b") for n in range(40)]
    for a, b in pairs:
        offer = offer_of(shared, a)
        shared.call("open", session=b, side="answerer", addresses=LOOPBACK)
        shared.call("accept", session=b, type="offer", sdp=offer["sdp"])
        shared.call("accept", session=a, type="answer", sdp=shared.call("describe", session=b)["sdp"])
    for session in (session for pair in pairs for session in pair):
        shared.wait_for("state", session=session, state="completed")
    for session in (session for pair in pairs for session in pair):
        shared.call("close", session=session)


OPEN = {"side": "offerer", "addresses": LOOPBACK}


def test_32601(shared, name):
    assert shared.error("x-no-such-method", session=name) == -32601


@pytest.mark.parametrize(
    "change",
    [
        {"side": "both"},
        {"agent": "aggressive"},
        {"components": 0},
        {"components": True},
        {"components": 17},
        {"streams": 0},
        {"streams": 9},
        {"streams": "2"},
        {"components": 3, "media": "rtp"},
        {"media": "video"},
        {"ice_servers": [{"url": "turn:192.0.2.1:3478?transport=udp", "username": "u", "credential": "c"}]},
        {"ice_servers": [{"url": "turn:192.0.2.1:3478"}]},
        {"ice_servers": [{"url": "stun:stun.example.org"}]},
        {"ice_servers": [{"url": "stun:192.0.2.1:70000"}]},
        {"ice_servers": [{"url": "https://192.0.2.1"}]},
        {"ice_servers": [{"url": "turn:192.0.2.1?transport=tcp", "username": 7}]},
        {"ice_servers": ["stun:192.0.2.1"]},
        {"ice_servers": {"url": "stun:192.0.2.1"}},
        {"gateways": {"address": "192.0.2.1"}},
        {"gateways": ["192.0.2.1"]},
        {"gateways": [{"port": 5351}]},
        {"gateways": [{"address": "gateway.example"}]},
        {"gateways": [{"address": "192.0.2.1", "port": 0}]},
        {"gateways": [{"address": "192.0.2.1", "port": "5351"}]},
        {"gateways": [{"address": "192.0.2.1", "port": True}]},
        {"transports": ["udp"], "media": "bytes"},
        {"tcptypes": ["sideways"]},
        {"tcptypes": "active"},
        {"addresses": ["nowhere"]},
        {"addresses": ["127.0.0.1", "192.0.2.77"]},
        {"x-faults": ["no-such-fault"]},
        {"session": ""},
    ],
)
def test_32602_on_open(shared, name, change):
    assert shared.error("open", **{"session": name, **OPEN, **change}) == -32602


def test_32602_elsewhere(shared, name):
    offer = offer_of(shared, name)
    assert shared.error("open", session=name, **OPEN) == -32602
    assert shared.error("describe", session=name, trickle="now") == -32602
    assert shared.error("trickle", session=name, mid="0") == -32602
    assert shared.error("trickle", session=name, candidate="", mid=0) == -32602
    assert shared.error("trickle", session=name, candidate="", mid="0") == -32000
    assert shared.error("describe", session="nobody") == -32602
    assert shared.error("accept", session=name, type="answer") == -32602
    assert shared.error("send", session=name, component="1", data="") == -32602
    assert shared.error("send", session=name, component=9, data="AA==") == -32602
    assert shared.error("send", session=name, component=1, data="not base64!") == -32602
    shared.call("open", session=f"{name}-b", side="answerer", addresses=LOOPBACK)
    shared.call("accept", session=f"{name}-b", type="offer", sdp=offer["sdp"])
    assert shared.error("accept", session=f"{name}-b", type="offer", sdp=offer["sdp"]) == -32000
    shared.call("close", session=name)
    assert shared.error("close", session=name) == -32602


def test_32010(shared, name):
    shared.call("open", session=name, side="answerer", addresses=LOOPBACK)
    for sdp in (
        "",
        "v=0\r\n",
        "v=1\r\n",
        "v=0\r\nm=audio 9 TCP/RTP/AVP 0\r\n",
        "v=0\r\nm=audio 9 TCP 0\r\na=candidate:?\r\n",
    ):
        assert shared.error("accept", session=name, type="offer", sdp=sdp) == -32010
    shared.call("close", session=name)


def test_32000_out_of_turn(shared, name):
    shared.call("open", session=name, side="answerer", addresses=LOOPBACK)
    assert shared.error("describe", session=name) == -32000
    assert shared.error("accept", session=name, type="answer", sdp="v=0\r\n") == -32000
    shared.call("close", session=name)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "hello"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "hello"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": []}', -32602),
        (b"[" * 100_000, -32700),
    ],
)
def test_what_is_no_request(shared, line, code):
    shared.write(line + b"\n\n")
    assert shared.answer()["error"]["code"] == code
    assert shared.call("hello", protocol=1)


def test_calls_without_id_are_carried_out_but_not_answered(shared, name):
    offer_of(shared, name)
    shared.write(json.dumps({"jsonrpc": "2.0", "method": "close", "params": {"session": name}}).encode() + b"\n")
    shared.wait_for("state", session=name, state="closed")


def test_wishes_are_obeyed(shared, name):
    sdp = offer_of(shared, name, addresses=["127.0.0.2", "127.0.0.3"], tcptypes=["passive", "so"])["sdp"]
    candidates = SessionDescription.parse(sdp).media[0].candidates
    assert {c.address for c in candidates} == {"127.0.0.2", "127.0.0.3"}
    assert {c.tcptype for c in candidates} == {"passive", "so"}
    for candidate in candidates:
        socket.create_connection((candidate.address, candidate.port), timeout=5).close()
    shared.call("close", session=name)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((candidates[0].address, candidates[0].port), timeout=5)


def test_default_addresses_can_be_bound(shared, name):
    shared.call("open", session=name, side="offerer")
    sdp = shared.call("describe", session=name)["sdp"]
    assert {c.tcptype for c in SessionDescription.parse(sdp).media[0].candidates} == {"active", "passive", "so"}
    shared.call("close", session=name)


def test_faults_by_option_and_by_session(shared, name):
    faulty = Adapter("--fault", "setup-missing", "--fault", "tcptype-missing")
    text = offer_of(faulty, name)["sdp"]
    assert faulty.end() == 0
    assert "a=setup" not in text
    assert "tcptype" not in text
    sdp = offer_of(shared, name, **{"x-faults": ["connection-missing"]})["sdp"]
    assert "a=setup" in sdp
    assert "a=connection" not in sdp
    shared.call("close", session=name)
    assert "a=connection" in offer_of(shared, name)["sdp"], "a fault outlived its session"
    shared.call("close", session=name)


def run(*arguments):
    command = [sys.executable, "-m", "conformance.agent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90)


def test_list_faults():
    lines = run("--list-faults").stdout.splitlines()
    assert [line.split("\t") for line in lines] == [[f.name, f.requirement, f.summary] for f in FAULTS]


def test_unknown_fault_is_a_usage_error():
    result = run("--fault", "nonsense")
    assert result.returncode == 2
    assert "no such fault: nonsense" in result.stderr


def test_end_of_input_ends_the_process():
    assert run().returncode == 0


def test_input_may_be_a_file(tmp_path):
    calls = tmp_path / "calls"
    calls.write_text('{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}}\n')
    with calls.open() as stdin:
        command = [sys.executable, "-m", "conformance.agent"]
        result = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=90)
    assert result.returncode == 0
    assert json.loads(result.stdout)["result"]["pics"]


def test_start_imports_nothing_heavy():
    script = "import sys, conformance.agent.__main__; print(*{m.partition('.')[0] for m in sys.modules})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=90)
    modules = set(result.stdout.split())
    assert "asyncio" in modules
    assert not {"scapy", "msgspec", "click", "lxml", "pytest"} & modules
