"""The reference agent, which does otherwise in sessions that begin while its process has others.

crowded_adapter.py CROWDED ALONE [MOST]   each is "lawful", "refuse" (to describe), "abort", or faults with commas between;
MOST: so many sessions of a process are not crowded, one after the other
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

CROWDED, ALONE = sys.argv[1:3]
MOST = int(sys.argv[3]) if sys.argv[3:] else sys.maxsize
served = 0
agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, text=True)
does: dict[str, str] = {}  # by session
for line in sys.stdin:
    call = json.loads(line)
    session = call.get("params", {}).get("session", "")
    if call["method"] == "open":
        does[session] = CROWDED if does or served >= MOST else ALONE
        served += 1
        if does[session] not in ("lawful", "refuse", "abort"):
            call["params"]["x-faults"] = does[session].split(",")
    if call["method"] == "close":
        does.pop(session, None)
    if call["method"] == "describe" and does[session] == "refuse":
        error = {"code": -32000, "message": "busy"}
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": error}) + "\n")
        sys.stdout.flush()
        continue
    if call["method"] == "describe" and does[session] == "abort":
        agent.kill()
        os.abort()
    agent.stdin.write(json.dumps(call) + "\n")
    agent.stdin.flush()
agent.stdin.close()
sys.exit(agent.wait())
