"""A network of the run's own: user and network namespaces, entered without root where the kernel allows it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from conformance.peer import netlink
from conformance.peer.namespace import CLONE_NEWNET, Namespace

_CLONE_NEWUSER = 0x10000000
_HARDWARE = b"\x02\0\0\0\0\1"  # of both ends of the wire; locally administered
_IPV6_PREFIX = "fd6c::/64"
_REMEDY = (
    "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu 24.04 "
    "kernel.apparmor_restrict_unprivileged_userns=0; in Docker --security-opt seccomp=unconfined), or run as root"
)

_MORE = "raise the limits: sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why there can be no network of one's own here, and what would mend it."""

    reason: str
    remedy: str = _REMEDY


def enter() -> Unavailable | None:
    """Move this process, and what it starts from now on, into a network of its own; None: done.

    Must be called while the process has one thread. The loopback interface is up afterwards, carries real segments
    (no offloads, an Ethernet's MTU), and all of 127/8 and fd6c::/64 lies on it.
    """
    if threading.active_count() > 1:
        return Unavailable("the process has several threads already", "call it earlier, or use --link sockets")
    uid, gid = os.geteuid(), os.getegid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_CLONE_NEWUSER | CLONE_NEWNET):
        error = ctypes.get_errno()
        if uid != 0 or library.unshare(CLONE_NEWNET):
            if error == errno.ENOSPC:  # the system's words for it, "No space left on device", would mislead
                return Unavailable("the kernel refuses user and network namespaces (their limit is reached)", _MORE)
            return Unavailable(f"the kernel refuses user and network namespaces ({os.strerror(error)})")
    else:
        try:
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
        except OSError as error:  # the namespaces are entered, though without a mapping: loopback may still work
            return Unavailable(f"the kernel refuses to map this user ({error.strerror})")
    return _bring_up()


def _bring_up() -> Unavailable | None:
    try:
        netlink.bring_up("lo")
    except OSError as error:
        return Unavailable(f"the loopback interface of the new network cannot be set up ({error.strerror})")
    return None


@dataclass(frozen=True, slots=True)
class Wire:
    """An Ethernet of the run's own: at one end the IUT's network, at the other the tester's.

    The tester's kernel has the addresses of some networks there (`kernel_address`), and no kernel has those at which
    the tester makes its own segments (`wire_address`): what comes for these is dropped without an answer.
    """

    tester: Namespace
    families: tuple[str, ...]
    iut: str = "icetcp0"
    ours: str = "icetcp1"
    hardware: bytes = _HARDWARE


WIRE_IUT = {"IPv4": "198.18.0.1", "IPv6": "fd6d::1"}
# The networks on the wire: the IUT's, where the tester's segments are too, and those of the tester's kernel.
_OF_IUT = {"IPv4": "198.18.0.0/16", "IPv6": "fd6d::/64"}
_OF_KERNEL = {"IPv4": "198.19.0.0/16", "IPv6": "fd6e::/64"}


def lay_wire() -> Wire | Unavailable:
    """Lay the wire between the run's own network and one more, the tester's. The IUT has `WIRE_IUT` on it."""
    try:
        tester = Namespace()
        families = []
        netlink.add_veth("icetcp0", "icetcp1", peer_netns=tester.descriptor, hardware=_HARDWARE)
        netlink.bring_up("icetcp0")
        with tester.inside():
            netlink.bring_up("lo")
            netlink.bring_up("icetcp1")
        _address(tester, "IPv4")
        families.append("IPv4")
        with contextlib.suppress(OSError):  # a kernel without IPv6
            _address(tester, "IPv6")
            families.append("IPv6")
        return Wire(tester, tuple(families))
    except OSError as error:
        return Unavailable(f"no pair of virtual Ethernet interfaces ({error.strerror})", "load the kernel module veth")


def _address(tester: Namespace, family: str) -> None:
    netlink.add_address("icetcp0", WIRE_IUT[family])
    for network in (_OF_IUT[family], _OF_KERNEL[family]):
        netlink.add_route("icetcp0", network)
    with tester.inside():
        if family == "IPv6":
            Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1", encoding="ascii")
        netlink.add_local_route("icetcp1", _OF_KERNEL[family])
        netlink.add_route("icetcp1", WIRE_IUT[family] + ("/32" if family == "IPv4" else "/128"))
        netlink.add_blackhole(_OF_IUT[family])


def wire_address(family: str, number: int) -> str:
    """Return the address of this number (from 1) at which the tester makes its own segments."""
    return str(ipaddress.ip_address(WIRE_IUT[family]) + 0x100 + number)


def kernel_address(family: str, number: int) -> str:
    """Return the address of this number (from 1) of the tester's kernel on the wire."""
    return str(ipaddress.ip_network(_OF_KERNEL[family])[0x100 + number])


def own_ipv6_prefix() -> bool:
    """Make every address of fd6c::/64 this network's, by a route alone; False where the kernel does not allow it.

    No interface gets the addresses: stacks that gather or count those (libnice takes 64 at most) do not notice.
    """
    try:
        Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1", encoding="ascii")
        netlink.add_local_route("lo", _IPV6_PREFIX)
    except OSError:
        return False
    return True


def add_ipv6(address: str) -> None:
    """Put an IPv6 address on the loopback interface of the run's own network, ready for use. Raises `OSError`."""
    netlink.add_address("lo", address)


def can_enter() -> Unavailable | None:
    """Find out, in a child process, whether `enter` would do. None: it would."""
    program = "from conformance.peer.lab import enter; u = enter(); print(u.reason if u else '')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        return Unavailable("a child process failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1])
    reason = done.stdout.strip()
    return Unavailable(reason) if reason else None
