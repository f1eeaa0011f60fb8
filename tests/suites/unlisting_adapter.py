"""The reference agent as one that has active candidates, whatever it is asked.

It leaves them out of its descriptions, unless its first argument is --listed; the others are the agent's.
"""

import json
import subprocess
import sys
import threading

listed = sys.argv[1:2] == ["--listed"]
agent = subprocess.Popen(
    [sys.executable, "-m", "conformance.agent", *sys.argv[1 + listed :]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)


def carry_back():
    for line in agent.stdout:
        message = json.loads(line)
        result = message.get("result") or {}
        if "sdp" in result and not listed:
            lines = result["sdp"].splitlines(keepends=True)
            result["sdp"] = "".join(line for line in lines if "tcptype active" not in line)
        print(json.dumps(message), flush=True)


threading.Thread(target=carry_back).start()
for line in sys.stdin:
    call = json.loads(line)
    if call["method"] == "open":
        call["params"]["tcptypes"] = ["active", "passive"]
    agent.stdin.write(json.dumps(call).encode() + b"\n")
    agent.stdin.flush()
agent.stdin.close()
