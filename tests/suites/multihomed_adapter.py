"""The reference agent on a host with a second address, of which nobody can tell it to use one only."""

import json
import subprocess
import sys
import threading

SECOND = "127.0.0.2"

agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def carry_back():
    for line in agent.stdout:
        message = json.loads(line)
        if "pics" in (message.get("result") or {}):
            message["result"]["pics"]["obeys"].remove("addresses")
        print(json.dumps(message), flush=True)


threading.Thread(target=carry_back).start()
for line in sys.stdin:
    call = json.loads(line)
    if call["method"] == "open":
        call["params"]["addresses"].append(SECOND)
    agent.stdin.write(json.dumps(call).encode() + b"\n")
    agent.stdin.flush()
agent.stdin.close()
