"""The reference agent as one that only opens connections; the arguments are the agent's."""

import json
import subprocess
import sys
import threading

agent = subprocess.Popen(
    [sys.executable, "-m", "conformance.agent", *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)


def carry_back():
    for line in agent.stdout:
        message = json.loads(line)
        if "pics" in (message.get("result") or {}):
            message["result"]["pics"] |= {"offers": ["active"], "connects": ["active"]}
        print(json.dumps(message), flush=True)


threading.Thread(target=carry_back).start()
for line in sys.stdin:
    call = json.loads(line)
    if call["method"] == "open":
        call["params"]["tcptypes"] = ["active"]
    agent.stdin.write(json.dumps(call).encode() + b"\n")
    agent.stdin.flush()
agent.stdin.close()
