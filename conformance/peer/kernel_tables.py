"""What the kernel's tables of TCP connections say of the IUT's ends, where it runs on this machine and network.

They show what no capture does: whether the IUT has read what arrived, and which connection attempts it still makes.
"""

from __future__ import annotations

import contextlib
import ipaddress
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.peer import sockdiag
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYN_SENT = "02"
_TABLES = {4: ("/proc/net/tcp", "/proc/net/tcp6"), 6: ("/proc/net/tcp6",)}  # a socket of both families is in the second


@dataclass(frozen=True, slots=True)
class Row:
    """One socket: its two ends as the kernel writes them, and its state."""

    local: str
    remote: str
    state: str


def outstanding_attempts(address: str) -> set[tuple[Address, Address]] | set[tuple[str, str]]:
    """Return the attempts of others to connect to an address that are in SYN-SENT, by their two ends."""
    with contextlib.suppress(sockdiag.Unsupported):
        return {(local, remote) for local, remote in sockdiag.attempts(address) if local.ip != address}
    return _listed_attempts(address)


def _listed_attempts(address: str) -> set[tuple[str, str]]:
    forms = tuple(f"{form}:" for form in _forms(address))
    # A set, since the kernel may show a row twice when sockets come and go between the portions that are read.
    return {
        (row.local, row.remote)
        for row in _rows(address)
        if row.state == _SYN_SENT and row.remote.startswith(forms) and not row.local.startswith(forms)
    }


def unread(owner: Address, other: Address) -> int | None:
    """Return how many octets a connection's owner has not read yet; None if its end is not in this kernel's tables."""
    with contextlib.suppress(sockdiag.Unsupported):
        return sockdiag.unread(owner, other)
    ends = [
        f" {a}:{owner.port:04X} {b}:{other.port:04X} " for a, b in zip(_forms(owner.ip), _forms(other.ip), strict=True)
    ]
    for table in _tables(owner.ip):
        for both in ends:
            _, found, behind = table.partition(both)
            if found:
                return int(behind.split(maxsplit=2)[1].partition(":")[2], 16)
    return None


def _rows(address: str) -> Iterator[Row]:
    for table in _tables(address):
        for line in table.splitlines()[1:]:
            _, local, remote, state = line.split(maxsplit=4)[:4]
            yield Row(local, remote, state)


def _tables(address: str) -> Iterator[str]:
    for table in _TABLES[6 if ":" in address else 4]:
        with contextlib.suppress(OSError):
            yield Path(table).read_text(encoding="ascii")


@lru_cache(maxsize=4096)
def _forms(address: str) -> tuple[str, ...]:
    """Return an address as the tables write it, in 32-bit words in host byte order; IPv4 also mapped into IPv6."""
    parsed = ipaddress.ip_address(address)
    packed = [parsed.packed]
    if parsed.version == 4:
        packed.append(bytes(10) + b"\xff\xff" + parsed.packed)
    return tuple("".join(f"{word:08X}" for word in struct.unpack(f"={len(one) // 4}I", one)) for one in packed)
