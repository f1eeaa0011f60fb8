"""The reference agent as an adapter whose descriptions cannot be read: `python unreadable_adapter.py KIND`."""

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
change = CHANGES[sys.argv[1]]
agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def back() -> None:
    """Hand on what the agent says, its descriptions changed."""
    assert agent.stdout is not None
    for line in agent.stdout:
        said = json.loads(line)
        result = said.get("result")
        if isinstance(result, dict) and "sdp" in result:
            result["sdp"] = change(result["sdp"])
            if result["sdp"] is None:
                del result["sdp"]
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


threading.Thread(target=back, daemon=True).start()
assert agent.stdin is not None
for line in sys.stdin.buffer:
    agent.stdin.write(line)
    agent.stdin.flush()
agent.stdin.close()
agent.wait()
