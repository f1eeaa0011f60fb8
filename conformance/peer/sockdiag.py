"""Asks the kernel about some TCP connections (sock_diag); /proc/net/tcp would list all connections of the run."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.wire import ip
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _NLMSG_ERROR = 4, 20, 1, 2
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_REQUEST = struct.Struct("=BBBxI")  # the head of struct inet_diag_req_v2
_ENDS = struct.Struct("!HH16s16s")  # struct inet_diag_sockid without its interface and cookie
_NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_ANSWER = struct.Struct("=BBxx48xII")  # of struct inet_diag_msg: family, state, expiry, octets not read
_LISTEN = 10
_ALL_STATES = 0xFFFFFFFF


_NLM_F_DUMP, _NLMSG_DONE = 0x300, 3
_TCPDIAG_GETSOCK = 18  # the older question, which is about both families at once
_OLD_REQUEST = struct.Struct("=BBBB48xII")  # struct inet_diag_req: family, two prefixes, extensions, states, data base
_SYN_SENT = 2
_FROM_TO = struct.Struct("!HH16s16s")  # of struct inet_diag_msg, behind its first word
_MAPPED = bytes(10) + b"\xff\xff"


class Unsupported(Exception):
    """The kernel does not answer such questions."""


def unread(owner: Address, other: Address) -> int | None:
    """Return how many octets a connection's owner has not read yet; None if its end is not in this network.

    Raises `Unsupported`.
    """
    found = _ask(owner, other)
    if found is None and not _knows_tcp():
        raise Unsupported("the kernel has no tcp_diag")
    if found is None or found[0] == _LISTEN:  # a listening socket stands for connections that are not there
        return None
    return found[1]


def attempts(address: str) -> set[tuple[Address, Address]]:
    """Return the attempts to connect to an address, by their two ends. Raises `Unsupported`."""
    if not _knows_tcp():
        raise Unsupported("the kernel has no tcp_diag")
    target = ip.packed(address)
    # A socket of both families is listed as one of IPv6, and its ends as IPv4-mapped addresses.
    wanted: dict[int, bytes] = {socket.AF_INET6: target if len(target) == 16 else _MAPPED + target}
    if len(target) == 4:
        wanted[socket.AF_INET] = target.ljust(16, b"\0")
    return set(_dumped(wanted))


def _dumped(wanted: Mapping[int, bytes]) -> Iterator[tuple[Address, Address]]:
    """Return the ends of the connections in SYN-SENT to an address of ours, given as each family has it.

    The kernel goes through its whole table for an answer, so both families are asked about together.
    """
    body = _OLD_REQUEST.pack(socket.AF_UNSPEC, 0, 0, 0, 1 << _SYN_SENT, 0)
    head = _HEADER.pack(_HEADER.size + len(body), _TCPDIAG_GETSOCK, _NLM_F_REQUEST | _NLM_F_DUMP, 0, 0)
    with _kernel() as kernel:
        kernel.send(head + body)
        while True:
            answer = kernel.recv(1 << 16)
            while answer:
                length, kind, *_ = _HEADER.unpack_from(answer)
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    raise Unsupported("no list of connections")
                family = answer[_HEADER.size]
                from_port, to_port, source, to = _FROM_TO.unpack_from(answer, _HEADER.size + 4)
                if to == wanted.get(family):
                    yield Address(_text(source, family), from_port), Address(_text(to, family), to_port)
                answer = answer[(length + 3) & ~3 :]


@contextlib.contextmanager
def _kernel() -> Iterator[socket.socket]:
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            yield kernel
    except OSError as error:
        raise Unsupported(error.strerror) from None


def _text(octets: bytes, family: int) -> str:
    """Return an address, an IPv4-mapped one as IPv4."""
    if family == socket.AF_INET or octets.startswith(_MAPPED):
        return ip.text(octets[:4] if family == socket.AF_INET else octets[12:])
    return ip.text(octets)


def _ask(owner: Address, other: Address) -> tuple[int, int] | None:
    """Return the state of a socket and the octets that wait in it."""
    with _kernel() as kernel:
        kernel.send(_question(owner, other))
        answer = kernel.recv(4096)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind == _NLMSG_ERROR:
        (code,) = struct.unpack_from("=i", answer, _HEADER.size)
        if code == -errno.ENOENT:
            return None
        raise Unsupported(errno.errorcode.get(-code, str(code)))
    _, state, _, waiting = _ANSWER.unpack_from(answer, _HEADER.size)
    return state, waiting


@lru_cache(maxsize=1024)  # a tester that waits for the IUT to read asks the same many times
def _question(owner: Address, other: Address) -> bytes:
    """Return the request for one connection."""
    family = socket.AF_INET6 if ":" in owner.ip else socket.AF_INET
    ends = _ENDS.pack(owner.port, other.port, _padded(owner.ip), _padded(other.ip))
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES) + ends + _NO_COOKIE
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + body


@lru_cache(maxsize=1)
def _knows_tcp() -> bool:
    """Whether the kernel finds TCP sockets at all: without tcp_diag it answers as if there were none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = Address(*server.getsockname())
        return _ask(here, here) is not None


def _padded(address: str) -> bytes:
    return ip.packed(address).ljust(16, b"\0")
