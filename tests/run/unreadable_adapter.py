"""The reference agent as an adapter whose descriptions, or notifications, cannot be read.

python unreadable_adapter.py KIND [NUMBER]: all of them, or that description of the process alone
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

CHANGES = {
    "no-sdp": lambda _sdp: None,
    "junk": lambda _sdp: "\0junk\r\n",
    "zone": lambda sdp: re.sub(r"(?m)^(a=candidate(?: ?\S+){4} \S+)", r"\1%eth0", sdp),
}
NOTES = {
    "component-in-words": {"method": "data", "params": {"component": "one", "data": ""}},
    "stream-in-a-list": {"method": "data", "params": {"stream": [0], "data": ""}},
    "no-component": {"method": "data", "params": {"component": None, "data": ""}},
}
change, note = CHANGES.get(sys.argv[1], lambda sdp: sdp), NOTES.get(sys.argv[1])
alone = int(sys.argv[2]) if len(sys.argv) > 2 else 0
sessions: dict[int, str] = {}
agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def back() -> None:
    """Hand on what the agent says, its descriptions changed."""
    assert agent.stdout is not None
    described = 0
    for line in agent.stdout:
        said = json.loads(line)
        result = said.get("result")
        if isinstance(result, dict) and "sdp" in result:
            described += 1
            result["sdp"] = change(result["sdp"]) if alone in (0, described) else result["sdp"]
            if result["sdp"] is None:
                del result["sdp"]
        sys.stdout.write(json.dumps(said) + "\n")
        if note is not None and said.get("id") in sessions:
            params = {**note["params"], "session": sessions[said["id"]]}
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "method": note["method"], "params": params}) + "\n")
        sys.stdout.flush()


threading.Thread(target=back, daemon=True).start()
assert agent.stdin is not None
for line in sys.stdin.buffer:
    call = json.loads(line)
    if call["method"] in ("describe", "accept"):
        sessions[call["id"]] = call["params"]["session"]
    agent.stdin.write(line)
    agent.stdin.flush()
agent.stdin.close()
agent.wait()
