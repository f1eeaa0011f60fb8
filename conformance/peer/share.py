"""The part of the tester's addresses that one tester process has: no other one uses them, or records them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from conformance.peer import lab

_LOOPBACK = int(ipaddress.IPv4Address("127.16.0.0"))  # to 127.31.255.255
_IPV6 = int(ipaddress.IPv6Address("fd6c::"))
_SIZE = 1 << 16  # addresses that differ in their last 16 bits, of which each share has a part
_WIRE_SIZE = 0xFE00
_MOST = {_LOOPBACK: 16, _IPV6: 1 << 16}  # so many of such groups


@dataclass(frozen=True, slots=True)
class Share:
    """The ``index``-th of ``of`` parts, from 0. The first address of each is the recorder's, the others are cases'."""

    index: int = 0
    of: int = 1

    def loopback(self, number: int) -> str:
        """Return the IPv4 address of loopback with this number, from 1."""
        return str(ipaddress.IPv4Address(_LOOPBACK + self._offset(number, _SIZE, _MOST[_LOOPBACK])))

    def ipv6(self, number: int) -> str:
        """Return the address of the network's own IPv6 prefix with this number, from 1."""
        return str(ipaddress.IPv6Address(_IPV6 + self._offset(number, _SIZE, _MOST[_IPV6])))

    def on_wire(self, number: int) -> int:
        """Return the number of an address on the wire: see `lab.wire_address` and `lab.kernel_address`."""
        return self._offset(number, _WIRE_SIZE, 1)

    @property
    def ranges(self) -> list[tuple[str, str]]:
        """The first and the last address of what is its own: each 16 bits of an address lie between theirs."""
        part = _SIZE // self.of
        found = [
            (make(0), make(part * most - 1))
            for make, most in ((self.loopback, _MOST[_LOOPBACK]), (self.ipv6, _MOST[_IPV6]))
        ]
        last = _WIRE_SIZE // self.of - 1
        for address in (lab.wire_address, lab.kernel_address):
            found += [(address(f, self.on_wire(0)), address(f, self.on_wire(last))) for f in ("IPv4", "IPv6")]
        return found

    def _offset(self, number: int, size: int, most: int) -> int:
        part = size // self.of
        group, within = divmod(number, part)
        if group >= most:
            raise OverflowError(f"one run has no more than {size * most} addresses of this kind")
        return group * _SIZE + self.index * part + within


WHOLE = Share()
