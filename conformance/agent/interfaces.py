"""Which addresses this host has, asked of the kernel over rtnetlink (no package does it faster at start-up)."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

from conformance.wire.frozen import frozen

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, interface
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr
_GETADDR, _NEWADDR, _DONE, _ERROR = 22, 20, 3, 2
_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_TEMPORARY, _DEPRECATED, _TENTATIVE, _DADFAILED = 0x01, 0x20, 0x40, 0x08
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")


@frozen
class InterfaceAddress:
    """An address of an interface."""

    ip: str
    prefix: int
    interface: int
    temporary: bool = False

    @property
    def network(self) -> tuple[int, str]:
        """Interface and prefix."""
        return self.interface, str(ipaddress.ip_interface(f"{self.ip}/{self.prefix}").network)


def host_addresses() -> list[str]:
    """Return the addresses to gather host candidates on, best first; loopback if there is no other.

    RFC 8445 section 5.1.1.1 rules out loopback, IPv4-compatible, IPv4-mapped and site-local addresses, and where there
    are temporary addresses the permanent ones of the same prefix. IPv6 link-local ones are left out as well: without a
    zone they say nothing in a description. How the families are mixed is `families`' business.
    """
    found = [address for address in _dump() if _is_usable(address.ip)]
    private = {address.network for address in found if address.temporary}
    kept = [address.ip for address in found if address.temporary or address.network not in private]
    return kept or ["127.0.0.1"]


def can_bind(ip: str) -> bool:
    """Whether an address is this host's; of a loopback address: whether there is the family."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def _is_usable(ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped is None and address not in _SITE_LOCAL and int(address) >> 32 != 0
    return True


def _dump() -> list[InterfaceAddress]:
    """Return all addresses that the kernel knows and that are ready for use; none where it cannot be asked."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
            netlink.bind((0, 0))
            body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
            netlink.send(_HEADER.pack(_HEADER.size + len(body), _GETADDR, _REQUEST_DUMP, 1, 0) + body)
            found: list[InterfaceAddress] = []
            while _take(netlink.recv(65536), found):
                pass
    except OSError:
        return []
    return found


def _take(octets: bytes, found: list[InterfaceAddress]) -> bool:
    """Add the addresses of one datagram; return whether more datagrams come."""
    position = 0
    while position + _HEADER.size <= len(octets):
        length, kind, *_ = _HEADER.unpack_from(octets, position)
        if kind in (_DONE, _ERROR) or length < _HEADER.size:
            return False
        if kind == _NEWADDR:
            address = _address(octets[position + _HEADER.size : position + length])
            if address is not None:
                found.append(address)
        position += (length + 3) & ~3
    return True


def _address(body: bytes) -> InterfaceAddress | None:
    family, prefix, flags, _, interface = _ADDRESS.unpack_from(body)
    attributes = _attributes(body[_ADDRESS.size :])
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if family not in (socket.AF_INET, socket.AF_INET6) or packed is None:
        return None
    if _IFA_FLAGS in attributes:
        flags = int.from_bytes(attributes[_IFA_FLAGS], sys.byteorder)
    if flags & (_DEPRECATED | _TENTATIVE | _DADFAILED):
        return None
    # The same bit means "secondary" for IPv4.
    temporary = family == socket.AF_INET6 and bool(flags & _TEMPORARY)
    return InterfaceAddress(socket.inet_ntop(family, packed), prefix, interface, temporary)


def _attributes(octets: bytes) -> dict[int, bytes]:
    found = {}
    position = 0
    while position + _ATTRIBUTE.size <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, position)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = octets[position + _ATTRIBUTE.size : position + length]
        position += (length + 3) & ~3
    return found
