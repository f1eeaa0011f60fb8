"""Links, addresses and routes of the run's own network, asked of the kernel over rtnetlink: no program is needed."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import time

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_NEWLINK, _NEWADDR, _NEWROUTE, _ERROR = 16, 20, 24, 2
_REQUEST_ACK_CREATE_EXCL = 0x1 | 0x4 | 0x400 | 0x200
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_F_NODAD = 1, 2, 8, 0x02
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_TABLE_MAIN, _TABLE_LOCAL, _PROTO_STATIC = 254, 255, 4
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_UNICAST, _LOCAL, _BLACKHOLE = 1, 2, 6
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCETHTOOL, _SIOCSIFMTU = 0x8913, 0x8914, 0x8946, 0x8922
_IFF_UP, _IFF_RUNNING, _IFF_NOARP = 0x1, 0x40, 0x80
_LOOK = 0.01  # seconds between two looks at an interface
_GROUP_IPV6_ROUTE = 0x400  # RTMGRP_IPV6_ROUTE
_READY_WITHIN = 5.0  # seconds
_OFFLOADS = (0x0000001F, 0x00000024, 0x0000002C, 0x00000017)  # ETHTOOL_S: TSO, GSO, GRO, TX checksums


def add_veth(name: str, peer: str, *, peer_netns: int | None = None, hardware: bytes | None = None) -> None:
    """Make a pair of connected Ethernet interfaces; `peer_netns` (a descriptor) is the network of the second one.

    `hardware`: the Ethernet address of both. Without address resolution a kernel sends to its own, which must then be
    the other end's as well.
    """
    address = b"" if hardware is None else _attribute(_IFLA_ADDRESS, hardware)
    inner = address + _attribute(_IFLA_IFNAME, peer.encode() + b"\0")
    if peer_netns is not None:
        inner += _attribute(_IFLA_NET_NS_FD, struct.pack("=i", peer_netns))
    other = _attribute(_VETH_INFO_PEER, bytes(16) + inner)
    info = _attribute(_IFLA_INFO_KIND, b"veth\0") + _attribute(_IFLA_INFO_DATA, other)
    attributes = address + _attribute(_IFLA_IFNAME, name.encode() + b"\0") + _attribute(_IFLA_LINKINFO, info)
    _request(_NEWLINK, bytes(16) + attributes)


def bring_up(name: str, *, mtu: int = 1500) -> None:
    """Switch an interface on, without address resolution, with real segments and checksums (no offloads).

    Loopback resolves no addresses anyway, and gets an Ethernet's MTU like the others.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS:
            _switch_off(control, name, command)
        fcntl.ioctl(control, _SIOCSIFMTU, struct.pack("16si20x", name.encode(), mtu))
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH22x", name.encode(), 0))
        flags = struct.unpack_from("H", answer, 16)[0] | _IFF_NOARP
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags | _IFF_UP))


def await_running(name: str) -> None:
    """Wait until an interface has its carrier: the kernel notices some time after both ends were switched on.

    Stacks pass over an interface that is up and does not run yet. Raises `OSError` if it never does.
    """
    deadline = time.monotonic() + _READY_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        while time.monotonic() < deadline:
            answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH22x", name.encode(), 0))
            if struct.unpack_from("H", answer, 16)[0] & _IFF_RUNNING:
                return
            time.sleep(_LOOK)  # a notification tells of changes alone, and this one may have come before
    raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))


def _switch_off(control: socket.socket, name: str, command: int) -> None:
    """Switch an offload off, where the interface can do without it."""
    request = ctypes.create_string_buffer(struct.pack("II", command, 0))
    try:
        fcntl.ioctl(control, _SIOCETHTOOL, struct.pack("16sP16x", name.encode(), ctypes.addressof(request)))
    except OSError:
        return


def add_address(name: str, address: str) -> None:
    """Give an interface an address of its own (no prefix), and wait until it can be used. No duplicate is looked for.

    The kernel makes the route to an IPv6 address a little after it has answered the request.
    """
    packed = ipaddress.ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    head = struct.pack("=BBBBI", family, len(packed) * 8, 0, 0, socket.if_nametoindex(name))
    attributes = _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
    if family == socket.AF_INET:
        _request(_NEWADDR, head + attributes)
        return
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
        events.bind((0, _GROUP_IPV6_ROUTE))
        events.settimeout(_READY_WITHIN)
        _request(_NEWADDR, head + attributes + _attribute(_IFA_FLAGS, struct.pack("=I", _IFA_F_NODAD)))
        while not _is_route_to(events.recv(8192), packed):
            pass


def _is_route_to(message: bytes, address: bytes) -> bool:
    """Whether the kernel tells of a new route that makes an address this host's own (nlmsghdr, rtmsg, attributes)."""
    kind, route = struct.unpack_from("=H", message, 4)[0], message[_HEADER.size + 7]
    return bool(kind == _NEWROUTE and route == _LOCAL and address in message)


def add_route(name: str, network: str, *, gateway: str = "") -> None:
    """Send what goes to a network out of an interface."""
    scope = _SCOPE_LINK if ":" not in network and not gateway else _SCOPE_UNIVERSE
    _add_route(name, network, gateway, (_TABLE_MAIN, _PROTO_STATIC, scope, _UNICAST))


def add_local_route(name: str, network: str) -> None:
    """Make every address of a network this host's own, though no interface has them."""
    _add_route(name, network, "", (_TABLE_LOCAL, _PROTO_STATIC, _SCOPE_HOST, _LOCAL))


def add_blackhole(network: str) -> None:
    """Drop what goes to a network, without a word to its sender, even where this host forwards."""
    _add_route("", network, "", (_TABLE_MAIN, _PROTO_STATIC, _SCOPE_UNIVERSE, _BLACKHOLE))


def _add_route(name: str, network: str, gateway: str, kind: tuple[int, int, int, int]) -> None:
    to = ipaddress.ip_network(network)
    packed = to.network_address.packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    attributes = _attribute(_RTA_DST, packed)
    if name:
        attributes += _attribute(_RTA_OIF, struct.pack("=I", socket.if_nametoindex(name)))
    if gateway:
        attributes += _attribute(_RTA_GATEWAY, ipaddress.ip_address(gateway).packed)
    _request(_NEWROUTE, struct.pack("=BBBBBBBBI", family, to.prefixlen, 0, 0, *kind, 0) + attributes)


def hardware_address(name: str) -> bytes:
    """Return an interface's Ethernet address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, 0x8927, struct.pack("16s24x", name.encode()))  # SIOCGIFHWADDR
    return answer[18:24]


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _request(kind: int, body: bytes) -> None:
    """Ask the kernel for one thing and wait for its answer. Raises `OSError`."""
    message = _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_ACK_CREATE_EXCL, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.sendto(message, (0, 0))
        answer = kernel.recv(65536)
    code = struct.unpack_from("=i", answer, _HEADER.size)[0]
    if code:
        raise OSError(-code, os.strerror(-code))
