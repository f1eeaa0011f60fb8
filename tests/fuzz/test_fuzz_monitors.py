"""What stderr and /proc tell."""

import os
import subprocess
import sys
import threading

import pytest

from fuzz.judging import monitors

ASAN = """==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x55
READ of size 4 at 0x602000000011 thread T0
    #0 0x55e in stun_parse stun.c:118
    #1 0x55f in on_frame agent.c:9
SUMMARY: AddressSanitizer: heap-buffer-overflow stun.c:118 in stun_parse""".splitlines()
SEGV = """AddressSanitizer:DEADLYSIGNAL
=================================================================
==7==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x5 bp 0x7 sp 0x7 T0)
    #0 0x55c in on_frame agent.c:9
AddressSanitizer can not provide additional info.
SUMMARY: AddressSanitizer: SEGV agent.c:9 in on_frame""".splitlines()
FREED = """==7==ERROR: AddressSanitizer: attempting double-free on 0x602000000010 in thread T0:
    #0 0x7f1 in __interceptor_free asan_malloc_linux.cpp:52
    #1 0x55c in release agent.c:12""".splitlines()
FAULT = """/app/stun.js:4
  throw new StunFault('bad')
  ^

StunFault: bad
    at parse (/app/stun.js:4:9)
    at Socket.emit (node:events:517:28)""".splitlines()
THROWN = """/app/stun.js:4
  throw 'plain'
  ^
plain
(Use `node --trace-uncaught ...` to show where the exception was thrown)""".splitlines()
REJECTED = [
    "[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch "
    'block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "text".] {'
]
LOGGED = """Nov 24, 2026 11:34:39 PM org.ice4j.Agent run
SEVERE: failed
java.lang.IllegalStateException: bad
\tat org.ice4j.Agent.run(Agent.java:12)
Caused by: java.lang.NullPointerException: inner
\t... 2 more""".splitlines()
GO = """panic: runtime error: index out of range [8] with length 4

goroutine 7 [running]:
github.com/pion/stun.(*Message).Decode(0xc0001)
\t/x/message.go:118 +0x1d""".splitlines()
NODE = """/app/stun.js:10
RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 17. Received 20
    at Buffer.readUInt16BE (node:internal/buffer:300:5)
    at parse (/app/stun.js:10:9)""".splitlines()
RUST = ["thread 'main' panicked at src/stun.rs:42:13:", "range end index 24 out of range"]
JAVA = [
    'Exception in thread "main" java.lang.ArrayIndexOutOfBoundsException: 8',
    "\tat org.ice4j.Message.decode(Message.java:9)",
]
PYTHON = """Traceback (most recent call last):
  File "/x/agent.py", line 9, in run
    decode(octets)
  File "/x/stun.py", line 18, in decode
    struct.unpack("!I", value)
struct.error: unpack requires a buffer of 4 bytes
""".splitlines()


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (ASAN, "sanitizer AddressSanitizer: heap-buffer-overflow in stun_parse < on_frame"),
        (SEGV, "sanitizer AddressSanitizer: SEGV in on_frame"),
        (FREED, "sanitizer AddressSanitizer: attempting double-free in release"),
        (FAULT, "Node StunFault: bad in parse < Socket.emit"),
        (THROWN, "Node thrown: plain"),
        (REJECTED, 'Node rejected: "text"'),
        (LOGGED, "Java java.lang.IllegalStateException in org.ice4j.Agent.run"),
        (
            ["terminate called after throwing an instance of 'std::out_of_range'", "  what():  vector::_M_range_check"],
            "C++ terminate called after throwing an instance of 'std::out_of_range'",
        ),
        (
            ["# Fatal error in: ../../p2p/base/port.cc, line 12", "# Check failed: size <= max (20 vs. 4)"],
            "check Check failed: size <= max (N vs. N)",
        ),
        (GO, "Go panic: runtime error: index out of range [N] with length N in github.com/pion/stun.(*Message).Decode"),
        (
            NODE,
            'Node RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= N and <= N. '
            "Received N in Buffer.readUInt16BE < parse",
        ),
        (RUST, "Rust src/stun.rs:N:N:"),
        (JAVA, "Java java.lang.ArrayIndexOutOfBoundsException in org.ice4j.Message.decode"),
        (PYTHON, "Python struct.error in stun.py:decode < agent.py:run"),
        (["*** stack smashing detected ***: terminated"], "glibc *** stack smashing detected ***"),
        (["(p:1): GLib-CRITICAL **: 10:11:12.123: bad"], "GLib GLib-CRITICAL **: N:N:N.N: bad"),
        (["stun.c:9: decode: Assertion `n > 3' failed"], "assertion stun.c:N: decode: Assertion `n > N' failed"),
    ],
)
def test_complaints_are_told_apart_without_what_varies(lines, cause):
    found = monitors.complaints(["something before", *lines, "something after"])
    assert [one.cause for one in found] == [cause]


def test_ordinary_logs_are_no_complaints():
    lines = ["f1: pair failed: closed by the peer", "error: no response", "INFO at 10", "  at ease", "panicking slowly"]
    lines += [
        "Binding request from 10.0.0.1:9",
        "Error handling is on",
        "java.lang.Exception was expected",
        "  at 10:11:12",
    ]
    assert monitors.complaints(lines) == []


def test_deaths_have_a_signal_or_status_and_the_last_complaint():
    assert monitors.death("the adapter was killed by SIGSEGV", []).cause == "SIGSEGV"
    assert monitors.death("the adapter exited with status 3; its last words: x", []).cause == "status 3"
    assert monitors.death("the adapter exited with status 1", PYTHON).cause.startswith("status 1: Python struct.error")


def test_usage_counts_descriptors_and_threads_of_the_family():
    before = monitors.usage(os.getpid())
    read, write = os.pipe()
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    after = monitors.usage(os.getpid())
    go.set()
    thread.join()
    os.close(read)
    os.close(write)
    assert after.descriptors - before.descriptors == 2
    assert after.threads - before.threads == 1
    assert monitors.usage(2**22 + 1) is None


def test_a_busy_process_is_told_from_a_waiting_one():
    for program, busy in (("while True: pass", True), ("import sys; sys.stdin.read()", False)):
        with subprocess.Popen(
            [sys.executable, "-c", f"print(1, flush=True)\n{program}"], stdin=-1, stdout=-1
        ) as process:
            process.stdout.readline()
            share = monitors.busy(process.pid, 0.3)
            process.kill()
        assert share > 0.8 if busy else share < 0.2
