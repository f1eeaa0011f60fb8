"""The reference agent as an adapter that dies as soon as a session is to carry a byte stream."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

agent = subprocess.Popen([sys.executable, "-m", "conformance.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def back() -> None:
    """Hand on what the agent says."""
    assert agent.stdout is not None
    for line in agent.stdout:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


threading.Thread(target=back, daemon=True).start()
assert agent.stdin is not None
for line in sys.stdin.buffer:
    if b'"media":"bytes"' in line:
        agent.kill()
        os._exit(3)
    agent.stdin.write(line)
    agent.stdin.flush()
agent.stdin.close()
agent.wait()
