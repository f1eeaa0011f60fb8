"""Runs a command on a machine that has a neighbour: python other_machine.py COMMAND...

Both are network namespaces, joined by a wire; no packet leaves them. The neighbour has the addresses below and no other
but its loopback. An adapter listens on its port PORT; each connection is a process of ADAPTER. Commands run over there by
`nsenter --net=$NEIGHBOUR`; SERVER, if it is set, is one more command that is started there. Exit status 77: the kernel does not allow it.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading

from conformance.peer import lab, netlink
from conformance.peer.namespace import Namespace

HERE = {"IPv4": "192.0.2.1", "IPv6": "2001:db8::1"}
THERE = {"IPv4": "192.0.2.2", "IPv6": "2001:db8::2"}
PORT = 7000
NOT_ALLOWED = 77


def lay() -> Namespace:
    neighbour = Namespace()
    netlink.add_veth("here", "there", peer_netns=neighbour.descriptor, hardware=b"\2\0\0\0\0\7")
    _set_up("here", HERE, THERE)
    with neighbour.inside():
        netlink.bring_up("lo")
        _set_up("there", THERE, HERE)
    return neighbour


def _set_up(interface: str, own: dict[str, str], other: dict[str, str]) -> None:
    netlink.bring_up(interface)
    for family, address in own.items():
        netlink.add_address(interface, address)
        netlink.add_route(interface, f"{other[family]}/{'32' if family == 'IPv4' else '128'}")


def serve(neighbour: Namespace, adapter: list[str], ready: threading.Event) -> None:
    with neighbour.inside():
        listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
        ready.set()
        while True:
            connection, _ = listener.accept()
            with connection:
                subprocess.Popen(adapter, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL)


def start_server(neighbour: Namespace, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a server over there, and return when it has said its first line; it ends with its stdin."""
    with neighbour.inside():
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    program.stdout.readline()
    return program


def main() -> int:
    unavailable = lab.enter()
    if unavailable is not None:
        print(unavailable.reason, file=sys.stderr)
        return NOT_ALLOWED
    neighbour = lay()
    ready = threading.Event()
    adapter = shlex.split(os.environ["ADAPTER"])
    threading.Thread(target=serve, args=(neighbour, adapter, ready), daemon=True).start()
    ready.wait()
    server = os.environ.get("SERVER")
    kept = [start_server(neighbour, shlex.split(server))] if server else []
    os.environ["NEIGHBOUR"] = f"/proc/{os.getpid()}/fd/{neighbour.descriptor}"
    status = subprocess.run(sys.argv[1:], check=False).returncode
    for program in kept:
        program.communicate()
    return status


if __name__ == "__main__":
    sys.exit(main())
