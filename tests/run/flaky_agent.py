"""The reference agent, every second session of which has a fault: what it does wrong depends on no case.

python flaky_agent.py FAULT
"""

from __future__ import annotations

import json
import subprocess
import sys

agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, text=True)
opened = 0
for line in sys.stdin:
    request = json.loads(line)
    if request.get("method") == "open":
        opened += 1
        if opened % 2:
            request["params"]["x-faults"] = [sys.argv[1]]
    agent.stdin.write(json.dumps(request) + "\n")
    agent.stdin.flush()
agent.stdin.close()
sys.exit(agent.wait())
