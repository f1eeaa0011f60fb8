"""The reference agent as an adapter that writes other addresses or ports into its candidates, or puts them elsewhere.

offering_adapter.py ADDRESS PORT     "-": as the agent has it; ADDRESS "session": candidates at the session level
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading

address, port = sys.argv[1:3]
agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def candidate(line: str) -> str:
    """Return a candidate's line with the address and port told."""
    words = line.split(" ")
    if address not in ("-", "session"):
        words[4] = address
    if port != "-":
        words[5] = port
    return " ".join(words)


def described(sdp: str) -> str:
    """Return a description as this agent has it."""
    lines = [candidate(line) if line.startswith("a=candidate:") else line for line in sdp.split("\r\n")]
    if address == "session":
        first = next(n for n, line in enumerate(lines) if line.startswith("m="))
        moved = [line for line in lines if line.startswith("a=candidate:")]
        rest = [line for line in lines[first:] if line not in moved]
        lines = [*lines[:first], *moved, *rest]
    return "\r\n".join(lines)


def back() -> None:
    """Hand on what the agent says."""
    assert agent.stdout is not None
    for line in agent.stdout:
        message = json.loads(line)
        result = message.get("result")
        if isinstance(result, dict) and "sdp" in result:
            result["sdp"] = described(result["sdp"])
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


threading.Thread(target=back, daemon=True).start()
assert agent.stdin is not None
for line in sys.stdin.buffer:
    agent.stdin.write(line)
    agent.stdin.flush()
agent.stdin.close()
agent.wait()
