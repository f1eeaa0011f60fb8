"""An IUT whose addresses are its own: on another machine, or a device. The tester is at this machine's address.

There is no network of the run's own then. All cases of a family share the tester's one address.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.iut.errors import StackError
from conformance.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.iut.stacks import Stack

_VERSIONS = {4: "IPv4", 6: "IPv6"}
_KINDS = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
_DISCARD = 9
UNREACHED = "no {family} address of the IUT is known that this machine has a route to"
_UNKNOWN = "where is it? Say so with --iut-address ADDRESS (once for each address family)"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """By family ("IPv4", "IPv6"): the IUT's addresses as far as they are known, and the tester's towards them.

    ``given``: the user has named the tester's addresses.
    """

    iut: Mapping[str, Sequence[str]]
    tester: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack, iut: Sequence[str] = (), tester: Sequence[str] = ()) -> Elsewhere | None:
        """Return where a stack is; None: on this machine, as a rule of the run's own network.

        `iut` and `tester` are addresses that the user gave. Raises `StackError` if its addresses are not known, or
        cannot be reached from here.
        """
        given = _by_family(tester, "--tester-address")
        if iut:
            return cls._towards(_by_family(iut, "--iut-address", several=True), given)
        if stack.host is None:
            if tester:
                raise StackError(
                    "--tester-address is for an IUT that is elsewhere; name its addresses by --iut-address"
                )
            return None
        if not stack.host:
            raise StackError(f"{stack.name}: {_UNKNOWN}")
        found = _looked_up(stack.host)
        if all(ipaddress.ip_address(address).is_loopback for address in found):
            return None  # behind a port of this machine: it is met on loopback, like a stack that we start
        return cls._towards(_by_family(found, stack.name), given)

    @classmethod
    def _towards(cls, iut: Mapping[str, Sequence[str]], given: Mapping[str, Sequence[str]]) -> Elsewhere:
        tester = {family: addresses[0] for family, addresses in given.items()}
        routed = {family: tester.get(family) or route(addresses[0]) for family, addresses in iut.items()}
        reached = {family: address for family, address in routed.items() if address}
        if not reached:
            named = ", ".join(address for addresses in iut.values() for address in addresses)
            raise StackError(f"this machine has no route to the IUT's address {named}")
        return cls({family: iut[family] for family in reached}, reached, tester)

    def corrected(self, hosts: Iterable[str]) -> Elsewhere:
        """Return what the host candidates of an offer tell: the IUT may be at other addresses than was thought."""
        iut, tester = dict(self.iut), dict(self.tester)
        for family, addresses in _by_family(_usable(hosts), "", several=True).items():
            mine = self.given.get(family) or route(addresses[0])
            if mine and not set(addresses) & set(iut.get(family, ())):
                iut[family], tester[family] = addresses, mine
        return Elsewhere(iut, tester, self.given)

    def address(self, family: str) -> str:
        """Return the tester's address; n/a where there is none."""
        if family not in self.tester:
            raise NotApplicable(UNREACHED.format(family=family))
        return self.tester[family]


def route(address: str) -> str:
    """Return the address from which this machine sends to another; empty where it has no route."""
    kind = _KINDS[_VERSIONS[ipaddress.ip_address(address).version]]
    try:
        with socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect((address, _DISCARD))  # of a datagram socket: nothing is sent
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _looked_up(host: str) -> list[str]:
    """Return the addresses of a host that the user has named. Raises `StackError`."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise StackError(f"{host} has no address here ({error.strerror}); {_UNKNOWN}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _usable(hosts: Iterable[str]) -> list[str]:
    """Return the addresses of candidates to which another machine can send."""
    usable = []
    for text in dict.fromkeys(hosts):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast):
            usable.append(text)
    return usable


def _by_family(addresses: Iterable[str], option: str, *, several: bool = False) -> dict[str, list[str]]:
    """Sort addresses by family; of each the first, unless `several` are wanted. Raises `StackError`."""
    found: dict[str, list[str]] = {}
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise StackError(f"{option} {text}: that is not an IP address") from None
        same = found.setdefault(_VERSIONS[address.version], [])
        if several or not same:
            same.append(str(address))
    return found
