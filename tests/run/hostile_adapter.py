"""The reference agent as an adapter that breaks the contract in its process's Nth session.

hostile_adapter.py MODE N [FLAG]      FLAG: a file; only the process that creates it misbehaves
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

MODE, NUMBER = sys.argv[1], int(sys.argv[2])
FLAG = Path(sys.argv[3]) if len(sys.argv) > 3 else None
agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
writing = threading.Lock()


def write(octets: bytes) -> None:
    with writing:
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()


def back() -> None:
    """Hand on what the agent says."""
    for line in agent.stdout:
        write(line)


def chosen() -> bool:
    if FLAG is None:
        return True
    try:
        FLAG.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def misbehave(call: dict) -> bool:
    """Do what MODE says; return whether the agent is to have the call all the same."""
    if MODE in ("die-idle", "stay") or MODE.endswith("-at-end") or not chosen():
        return True
    session = call["params"]["session"]
    if MODE == "abort":
        print("assertion failed: sessions < limit", file=sys.stderr, flush=True)
        agent.kill()
        os.abort()
    if MODE == "exit":
        agent.kill()
        os._exit(0)
    if MODE == "flood":
        note = {"jsonrpc": "2.0", "method": "data", "params": {"session": session, "data": "A" * 4000}}
        line = json.dumps(note).encode() + b"\n"
        while True:
            write(line * 100)
    if MODE == "wrong-id":
        write(b'{"jsonrpc": "2.0", "id": 987654, "result": {}}\n')
    if MODE == "garbage":
        write(b"not a message of the contract\n" * 200)
    if MODE == "strange-line":
        write(b"Hello, I am a library that prints\n")
    if MODE == "noise":
        sys.stderr.buffer.write(b"Traceback, panic: \xff\x00\n" * 300 + b"no end of line")
        sys.stderr.buffer.flush()
    if MODE == "close-stdout":
        with writing:
            os.close(1)
            time.sleep(60)
    return MODE != "hang"


threading.Thread(target=back, daemon=True).start()
opened = closed = 0
for line in sys.stdin.buffer:
    call = json.loads(line)
    opened += call["method"] == "open"
    closed += call["method"] == "close"
    if call["method"] == "open" and opened == NUMBER and not misbehave(call):
        continue
    agent.stdin.write(line)
    agent.stdin.flush()
    if MODE == "die-idle" and call["method"] == "close" and closed == NUMBER and chosen():
        time.sleep(0.3)
        os._exit(7)
agent.stdin.close()
agent.wait()
if MODE == "stay":
    time.sleep(60)
if MODE == "traceback-at-end":
    raise RuntimeError("double free")
if MODE == "leak-at-end":
    print("==1==ERROR: LeakSanitizer: detected memory leaks", file=sys.stderr, flush=True)
    os._exit(23)
if MODE == "shell-at-end":
    os._exit(128 + 11)
if MODE == "status-at-end":
    print("end of input", file=sys.stderr, flush=True)
    os._exit(1)
