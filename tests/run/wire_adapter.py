"""The reference agent on a host whose only interface is the wire's: it cannot be told addresses, and knows no loopback.

Its sockets are bound to the interface, as libnice binds its own: what they send leaves there and nowhere else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading

ADDRESSES = ("198.18.0.1", "fd6d::1")  # of which those in the arguments are used
BOUND = """
import runpy, socket
plain = socket.socket.bind
class Bound(socket.socket):
    def bind(self, address):
        if address[0] in {addresses!r}:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"icetcp0")
        plain(self, address)
socket.socket = Bound
runpy.run_module("conformance.agent", run_name="__main__")
"""
chosen = sys.argv[1:] or ADDRESSES
agent = subprocess.Popen(
    [sys.executable, "-c", BOUND.format(addresses=ADDRESSES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)


def back() -> None:
    """Hand on what the agent says, but that it obeys wishes for addresses."""
    assert agent.stdout is not None
    for line in agent.stdout:
        message = json.loads(line)
        pics = (message.get("result") or {}).get("pics")
        if pics is not None:
            pics["obeys"].remove("addresses")
            pics["families"] = [6 if ":" in address else 4 for address in chosen]
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


threading.Thread(target=back, daemon=True).start()
assert agent.stdin is not None
for line in sys.stdin:
    call = json.loads(line)
    if call["method"] == "open":
        call["params"]["addresses"] = list(chosen)
    agent.stdin.write(json.dumps(call).encode() + b"\n")
    agent.stdin.flush()
agent.stdin.close()
agent.wait()
