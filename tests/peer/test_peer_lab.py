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
from conformance.recording import Recording
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from pcaps.decode import read_connections
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
    (connection,) = read_connections(path)
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


@pytest.mark.parametrize("errno", [1, 28])
def test_a_kernel_that_forbids_it_is_named_with_the_remedy(monkeypatch, errno) -> None:
    class Library:
        @staticmethod
        def unshare(_flags: int) -> int:
            return -1

    monkeypatch.setattr(lab.ctypes, "CDLL", lambda *_args, **_kwargs: Library)
    monkeypatch.setattr(lab.ctypes, "get_errno", lambda: errno)
    monkeypatch.setattr(lab.threading, "active_count", lambda: 1)
    unavailable = lab.enter()
    assert unavailable is not None
    assert "refuses user and network namespaces" in unavailable.reason
    assert "sysctl" in unavailable.remedy
