"""Packet filters that the kernel executes (classic BPF): which packets a packet socket gets."""

from __future__ import annotations

import ctypes
import ipaddress
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Sequence

_SOL_SOCKET, _SO_ATTACH_FILTER = 1, 26
_LOAD_HALF, _LOAD_WORD, _EQUAL, _AT_LEAST, _ABOVE, _BACK = 0x28, 0x20, 0x15, 0x35, 0x25, 0x06
_TAKE, _LEAVE = (_BACK, 0, 0, 0x40000), (_BACK, 0, 0, 0)
_KINDS = {4: 0x0800, 6: 0x86DD}  # EtherTypes
_SOURCE, _TARGET = {4: 26, 6: 22}, {4: 30, 6: 38}  # where the addresses begin, behind an Ethernet header
_TYPE = 12
_WAY, _INTERFACE = 0xFFFFF004, 0xFFFFF008  # where a program finds what the kernel knows of a packet (SKF_AD_OFF)
_OUTGOING = 4

Instruction = tuple[int, int, int, int]


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Let a packet socket have only what passes the program. Raises `OSError`."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
    sock.setsockopt(_SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))


def sent_to(addresses: Iterable[str]) -> list[Instruction]:
    """Return a program that lets pass what is sent to one of these addresses."""
    program: list[Instruction] = []
    for address in addresses:
        program += _within(address, address, _TARGET)
    return [*program, _LEAVE]


def once(interface: int, then: Sequence[Instruction] = ()) -> list[Instruction]:
    """Return a program that leaves what comes, unless it comes by this interface: it was there when it was sent.

    What is sent, and what comes by the interface, is given to the program `then`; without one it passes.
    """
    return [
        (_LOAD_WORD, 0, 0, _WAY),
        (_EQUAL, 3, 0, _OUTGOING),
        (_LOAD_WORD, 0, 0, _INTERFACE),
        (_EQUAL, 1, 0, interface),
        _LEAVE,
        *(then or [_TAKE]),
    ]


def of_ranges(ranges: Iterable[tuple[str, str]]) -> list[Instruction]:
    """Return a program that lets pass what comes from or goes to an address in one of these ranges.

    A range is its first and its last address, which differ only in their last 32 bits; each 16 of these lie between
    those of the two.
    """
    program: list[Instruction] = []
    for first, last in ranges:
        program += _within(first, last, _SOURCE) + _within(first, last, _TARGET)
    return [*program, _LEAVE]


def _within(first: str, last: str, begin: dict[int, int]) -> list[Instruction]:
    """Return what takes a packet whose address there is in the range, and else goes on behind it."""
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    words = struct.unpack(f"!{len(low.packed) // 4}I", low.packed)
    at = begin[low.version]
    length = 2 * len(words) + 7
    block: list[Instruction] = [(_LOAD_HALF, 0, 0, _TYPE), (_EQUAL, 0, length - 2, _KINDS[low.version])]
    for number, word in enumerate(words[:-1]):
        block.append((_LOAD_WORD, 0, 0, at + 4 * number))
        block.append((_EQUAL, 0, length - len(block) - 1, word))
    for offset in (-4, -2):
        half = slice(offset, offset + 2 or None)
        block.append((_LOAD_HALF, 0, 0, at + len(low.packed) + offset))
        block.append((_AT_LEAST, 0, length - len(block) - 1, int.from_bytes(low.packed[half], "big")))
        block.append((_ABOVE, length - len(block) - 1, 0, int.from_bytes(high.packed[half], "big")))
    return [*block, _TAKE]
