"""Addresses at which nobody answers: what a connection attempt meets, and how many are outstanding."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from pathlib import Path

_SYN_SENT = "02"


class SilentPort:
    """A port that neither accepts nor refuses: its accept queue is full, so the kernel drops further SYNs."""

    def __init__(self, address: str) -> None:
        self._server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self._server.bind((address, 0))
        self._server.listen(0)
        self.port: int = self._server.getsockname()[1]
        self._fillers: list[socket.socket] = []
        self._fill(address)

    def _fill(self, address: str) -> None:
        """Connect until a connection no longer comes about at once."""
        for _ in range(8):
            filler = socket.socket(self._server.family, socket.SOCK_STREAM)
            filler.bind((address, 0))  # from here, so that nobody takes it for an attempt of the IUT
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect((address, self.port))
            filler.settimeout(0.05)
            try:
                filler.getpeername()
            except OSError:  # not connected: the queue is full
                filler.close()
                return

    def close(self) -> None:
        """Release the sockets."""
        for filler in self._fillers:
            filler.close()
        self._server.close()


def is_shared(address: str) -> bool:
    """Whether the IUT uses an address as well as the tester: outside the lab there is one IPv6 address for all."""
    return address == "::1"


def refusing_port(address: str) -> int:
    """Return a port at which nobody listens; the kernel answers a SYN with RST."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def outstanding_attempts(address: str) -> int:
    """Return how many attempts of others to connect to an address are in SYN-SENT, by the kernel's own table."""
    table = "/proc/net/tcp6" if ":" in address else "/proc/net/tcp"
    wanted = _proc_form(address)
    rows = (line.split() for line in Path(table).read_text(encoding="ascii").splitlines()[1:])
    # A set, since the kernel may show a row twice when sockets come and go between the portions that are read.
    ends = {(row[1], row[2]) for row in rows if row[3] == _SYN_SENT}
    return sum(remote.startswith(f"{wanted}:") and not local.startswith(f"{wanted}:") for local, remote in ends)


def _proc_form(address: str) -> str:
    """Return an address as /proc/net/tcp writes it: 32-bit words in host byte order."""
    packed = ipaddress.ip_address(address).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words)
