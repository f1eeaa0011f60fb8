"""A hostile target: the healthy one, which does something wrong when it has served so many checks, and never again.

    python hostile.py MODE STATE [AT,AT,...]

STATE is a file that all processes of the target share: its size is how many checks they have served.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from fuzz.targets import agent, stun

GO = """panic: runtime error: index out of range [7] with length 3

goroutine 34 [running]:
example.org/ice.(*Agent).handleInbound(0xc000112000, {0xc0000b4000, 0x5c})
\t/src/agent.go:812 +0x1a5
exit status 2
"""
ASAN = """=================================================================
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x55
READ of size 4 at 0x602000000011 thread T0
    #0 0x55e in stun_parse stun.c:118
SUMMARY: AddressSanitizer: heap-buffer-overflow stun.c:118 in stun_parse
"""
PYTHON = 'Traceback (most recent call last):\n  File "agent.py", line 3, in serve\nValueError: seldom\n'
KEPT = []


def say(text):
    sys.stderr.write(text)
    sys.stderr.flush()


def die(text, status=2):
    say(text)
    os._exit(status)


def later(act):
    timer = threading.Timer(0.02, act)
    timer.daemon = True
    timer.start()


def grow():
    """Hold more and more descriptors, but only in this process."""
    close = agent.Session.close

    def closing(session):
        close(session)
        KEPT.append(os.dup(0))

    agent.Session.close = closing


def spin():
    end = time.monotonic() + 8
    while time.monotonic() < end:
        pass


ACTS = {
    "panic": lambda: die(GO),
    "signal": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "late panic": lambda: later(lambda: die(GO)),
    "exception": lambda: say(PYTHON),
    "late exception": lambda: later(lambda: say(PYTHON)),
    "sanitizer": lambda: say(ASAN),
    "grow": grow,
    "hang": lambda: time.sleep(12),
    "spin": lambda: later(spin),
    "garbage": lambda: print("junk\n" * 300, flush=True),
}
AT_END = {  # what it does when its input has ended
    "leak at end": lambda: die(ASAN.replace("heap-buffer-overflow on", "detected memory leaks at"), 23),
    "panic at end": lambda: die(GO),
    "signal at end": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "status at end": lambda: die("the end of my input\n", 1),
}


def main(mode, state, *numbers):
    at = {int(number) for number in (numbers[0] if numbers else "60").split(",")}
    judge = stun.judge

    def counting(*arguments):
        with Path(state).open("ab") as file:
            file.write(b".")
            count = file.tell()
        if count in at:
            ACTS[mode]()
        return judge(*arguments)

    if mode in AT_END:
        agent.main(["--passive"])
        AT_END[mode]()
    stun.judge = counting
    return agent.main(["--passive"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
