"""`python network_program.py MACHINE...`: machines with addresses of their own, as network namespaces, on one network.

Commands are lines of JSON on standard input, answers lines on standard output: {"start": MACHINE, "argv", "environment",
"output"} starts a process there and answers with its id; {"cut": MACHINE} takes its link down; {"room": PATH, "size"}
mounts a small disk. The machine "home" is the gateway, 10.77.0.1. All ends with standard input.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from conformance.peer import lab, netlink
from conformance.peer.namespace import Namespace
from conformance.run.interrupts import end_descendants

HOME = "10.77.0.1"
_CLONE_NEWNS, _MS_REC_PRIVATE = 0x20000, (1 << 14) | (1 << 18)
_HARDWARE = b"\x02\0\0\0\0\1"  # of both ends of each link: nobody asks for it (netlink.bring_up switches ARP off)
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _UP = 0x8913, 0x8914, 1


def address(number: int) -> str:
    return f"10.77.{number}.2"


class Machines:
    def __init__(self, names: list[str]) -> None:
        refused = lab.enter()
        if refused is not None:
            raise SystemExit(f"no namespaces here: {refused.reason}; {refused.remedy}")
        self._library = ctypes.CDLL(None, use_errno=True)
        self._check(self._library.unshare(_CLONE_NEWNS))
        self._check(self._library.mount(None, b"/", None, _MS_REC_PRIVATE, None))
        netlink.add_address("lo", HOME)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        self._networks: dict[str, Namespace] = {}
        for number, name in enumerate(names, start=1):
            network = self._networks[name] = Namespace()
            near, far = f"near-{name}", f"far-{name}"
            netlink.add_veth(near, far, peer_netns=network.descriptor, hardware=_HARDWARE)
            netlink.bring_up(near)
            netlink.add_address(near, f"10.77.{number}.1")
            netlink.add_route(near, f"10.77.{number}.0/24")
            with network.inside():
                netlink.bring_up("lo")
                netlink.bring_up(far)
                netlink.add_address(far, address(number))
                netlink.add_route(far, f"10.77.{number}.0/24")
                netlink.add_route(far, "10.77.0.0/16", gateway=f"10.77.{number}.1")

    def _check(self, result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def start(self, machine: str, argv: list[str], environment: dict[str, str], output: str) -> int:
        with open(output, "ab") as file:  # noqa: PTH123

            def begin() -> int:
                return subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                    env={**os.environ, **environment}, start_new_session=True,
                    preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL),
                ).pid  # fmt: skip

            if machine == "home":
                return begin()
            with self._networks[machine].inside():
                return begin()

    def cut(self, machine: str) -> int:
        name = f"near-{machine}".encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            flags = struct.unpack("16sh", fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sh", name, 0))[:18])[1]
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", name, flags & ~_UP))
        return 0

    def room(self, path: str, size: int) -> int:
        self._check(self._library.mount(b"tmpfs", path.encode(), b"tmpfs", 0, f"size={size}".encode()))
        return 0


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is gone
    machines = Machines(sys.argv[1:])
    print("ready", flush=True)
    try:
        serve(machines)
    finally:
        end_descendants()


def serve(machines: Machines) -> None:
    for line in sys.stdin:
        told = json.loads(line)
        if "start" in told:
            answer = machines.start(told["start"], told["argv"], told["environment"], told["output"])
        elif "cut" in told:
            answer = machines.cut(told["cut"])
        else:
            answer = machines.room(told["room"], told["size"])
        print(answer, flush=True)


if __name__ == "__main__":
    main()
