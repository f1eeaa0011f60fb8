"""A network of the run's own, in a child process: real segments are recorded, each once, and fall to their cases."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from conformance.peer import lab

PROGRAM = """
import socket, threading
from pathlib import Path
from conformance.peer import lab
unavailable = lab.enter()
assert unavailable is None, unavailable
from conformance.run.recording import Recording
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from pcaps.reading import read_capture
out = Path({out!r})
(out / "captures").mkdir()
recording = Recording.begin(out, link="sockets")
from conformance.peer.recorder import Recorder
recording.link, recording._recorder = "lab", Recorder(recording._run.packet)
six = recording.ipv6_address()
server = socket.create_server(("127.0.0.1", 0))
server6 = socket.create_server(("::1", 0), family=socket.AF_INET6)

def talk(number, address, to):
    with recording.case(f"case/{{number}}", address):
        client = socket.create_connection(to.getsockname()[:2], source_address=(address, 0))
        conn, _ = to.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in frame(b"\\x80" + bytes([number]) * 9):
            client.send(bytes([octet]))
        client.sendall(frame(bytes([number]) * 60000))
        client.shutdown(socket.SHUT_WR)
        while conn.recv(65536): pass
        conn.close(); client.close()

talks = [(n, f"127.16.7.{{n}}", server) for n in (1, 2, 3)] + [(4, six, server6)]
for args in talks:
    talk(*args)
recording.close()
assert recording.notes == [], recording.notes
for number, address, _ in talks:
    path = next(out.glob(f"captures/case_{{number}}.pcapng"))
    (connection,) = read_capture(path).connections
    assert connection.client.ip == address
    first, second = connection.frames
    assert first.payload == b"\\x80" + bytes([number]) * 9, first
    assert first.segments == 12, first.segments
    assert second.payload == bytes([number]) * 60000
    assert second.segments > 30
    assert not connection.lossy
    assert {{e.what for e in connection.events}} == {{"syn", "syn-ack", "frame", "fin"}}
print("recorded")
"""


def test_each_case_gets_exactly_its_own_connections_with_real_segments(tmp_path) -> None:
    program = PROGRAM.format(out=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("recorded", "")


def test_whether_one_can_enter_is_found_out_without_entering() -> None:
    assert lab.can_enter() is None


def test_entering_with_several_threads_is_refused() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        unavailable = lab.enter()
    finally:
        stop.set()
        thread.join()
    assert unavailable is not None
    assert "several threads" in unavailable.reason


@pytest.mark.parametrize(
    ("errno", "why", "remedy"),
    [(1, "Operation not permitted", "unprivileged_userns_clone"), (28, "limit is reached", "user.max_user_namespaces")],
)
def test_a_kernel_that_forbids_it_is_named_with_the_remedy(monkeypatch, errno, why, remedy) -> None:
    class Library:
        @staticmethod
        def unshare(_flags: int) -> int:
            return -1

    monkeypatch.setattr(lab.ctypes, "CDLL", lambda *_args, **_kwargs: Library)
    monkeypatch.setattr(lab.ctypes, "get_errno", lambda: errno)
    monkeypatch.setattr(lab.threading, "active_count", lambda: 1)
    unavailable = lab.enter()
    assert unavailable is not None
    assert f"refuses user and network namespaces ({'their ' if errno == 28 else ''}{why})" in unavailable.reason
    assert remedy in unavailable.remedy


LOSING = """
import socket, threading, time
from pathlib import Path
from conformance.peer import lab, recorder
assert lab.enter() is None
recorder._BLOCKS, recorder._SLOTS = 2, 2 * recorder._BLOCK // recorder._FRAME  # a ring of 32 packets
from conformance.run.recording import Recording
out = Path({out!r})
(out / "captures").mkdir()
recording = Recording.begin(out, link="sockets")
busy = threading.Event()
def slow(time_ns, octets):
    busy.wait(10)
    recording._run.packet(time_ns, octets)
recording.link, recording._recorder = "lab", recorder.Recorder(slow)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.16.7.1", 0))
with recording.case("case/lossy", "127.16.7.1") as case:
    for _ in range(200):
        sock.sendto(b"x", ("127.0.0.1", 9))
    busy.set()
    while recording._recorder._marks or not recording._recorder.barrier(0.5):
        pass  # until the ring has room again
with recording.case("case/after", "127.16.7.1") as after:
    sock.sendto(b"x", ("127.0.0.1", 9))
recording.close()
print(case.problem, "|", after.problem, "|", recording.notes)
"""


def test_what_the_recorder_could_not_keep_is_counted_and_told(tmp_path) -> None:
    program = LOSING.format(out=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr, done.stderr
    lossy, after, notes = done.stdout.strip().split(" | ")
    assert lossy.endswith("packets are missing in the recording of this time")
    assert int(lossy.split()[0]) > 100
    assert after in ("None", "")
    assert "packets are missing in the recording of the run" in notes
    assert (
        b"\x05\x00\x08\x00" + int(lossy.split()[0]).to_bytes(8, "little")
        in next(tmp_path.glob("captures/*lossy*")).read_bytes()
    ), "the capture says it too"


WIRED = """
import socket, time
from pathlib import Path
from conformance.peer import lab
from conformance.run.recording import Recording
from conformance.wire.rfc4571 import frame
from pcaps.reading import read_capture
out = Path({out!r})
(out / "captures").mkdir()
recording = Recording.begin(out, link="lab")
recording.record()
from conformance.peer.sockets import KernelSockets
sockets = KernelSockets(recording.wire.tester)
for number, family in enumerate(recording.wire.families, 1):
    ours, theirs = lab.kernel_address(family, number), lab.WIRE_IUT[family]
    iut = socket.create_server((theirs, 0), family=socket.AF_INET6 if ":" in theirs else socket.AF_INET)
    with recording.case(f"case/{{number}}", ours) as case:
        begun = time.monotonic()
        door = sockets.listen(ours, 0)
        door.setblocking(True)
        unbound = socket.create_connection(door.getsockname()[:2], 5)
        assert unbound.getsockname()[0] == theirs, "where an unbound socket of the IUT's comes from"
        accepted, _ = door.accept()
        opened = sockets.connect(ours, iut.getsockname()[:2], 5)
        other, name = iut.accept()
        assert name[0] == ours
        for sock in (unbound, accepted, opened, other):
            sock.sendall(frame(b"\\x80" * 5000))
        for sock in (unbound, accepted, opened, other):
            got = 0
            while got < 5002: got += len(sock.recv(65536))
        try:
            socket.create_connection((ours, sockets.refusing_port(ours)), 5)
        except ConnectionRefusedError:
            pass
        silent = sockets.silent_port(ours)
        for target in ((ours, silent.port), (lab.wire_address(family, 77), 4000)):
            try:
                socket.create_connection(target, 0.2)
                raise AssertionError("somebody answered")
            except TimeoutError:
                pass
        datagrams = sockets.make(ours, socket.SOCK_DGRAM)
        datagrams.bind((ours, 0))
        with socket.socket(datagrams.family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"datagram", datagrams.getsockname()[:2])
        assert datagrams.recv(100) == b"datagram"
        witnessed = case.recorded()
        assert any(b"datagram" in octets for _, octets in witnessed) and witnessed[0].octets[0] >> 4 in (4, 6)
        times = [packet.time for packet in witnessed]
        assert begun < times[0] and times == sorted(times) and times[-1] < time.monotonic(), times
        for sock in (unbound, accepted, opened, other, silent): sock.close()
recording.close()
assert recording.notes == [], recording.notes
for number, _ in enumerate(recording.wire.families, 1):
    capture = read_capture(next(out.glob(f"captures/case_{{number}}.pcapng")))
    whole = [c for c in capture.connections if c.frames]
    assert len(whole) == 2, whole
    for connection in whole:
        assert sorted(len(frame.payload) for frame in connection.frames) == [5000, 5000]
        assert not connection.lossy
print("recorded")
"""


def test_the_tester_has_addresses_of_its_kernels_on_the_wire(tmp_path) -> None:
    program = WIRED.format(out=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("recorded", "")


READY = """
import socket
from conformance.peer import lab
assert lab.enter() is None
for number in range(1, 50):
    address = f"fd77::{number:x}"
    lab.add_ipv6(address)
    server = socket.create_server((address, 0), family=socket.AF_INET6)
    socket.create_connection(server.getsockname()[:2], 5).close()
assert lab.own_ipv6_prefix()
server = socket.create_server(("fd6c::77", 0), family=socket.AF_INET6)
socket.create_connection(server.getsockname()[:2], 5).close()
print("ready")
"""


def test_an_ipv6_address_is_ready_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", READY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("ready", "")
