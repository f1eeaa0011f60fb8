"""PCP messages (RFC 6887): the header that all opcodes share, and the MAP opcode.

All fields are read and written as they are, so that decoding and encoding again gives the same octets. What cannot be a
message raises `PortMappingError`.
"""

from __future__ import annotations

import enum
import ipaddress
import struct
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address
from conformance.wire.errors import PortMappingError
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 2
PORT = 5351  # of the server (RFC 6887 section 19.1), the same as NAT-PMP's
NONCE_SIZE = 12
TCP = 6  # in MAP's field for the protocol: IANA's numbers
MOST = 1100  # octets of a message (section 7)
OPTIONAL = 128  # options from this code on may be ignored (section 7.3)
_RESPONSE = 0x80
_REQUEST_HEADER = struct.Struct("!BBHI16s")
_RESPONSE_HEADER = struct.Struct("!BBBBII12s")
_MAP = struct.Struct("!12sB3sHH16s")
_OPTION = struct.Struct("!BBH")


class Opcode(enum.IntEnum):
    """What is asked for (RFC 6887 sections 11, 12 and 14.1)."""

    ANNOUNCE = 0
    MAP = 1
    PEER = 2


class Result(enum.IntEnum):
    """Result codes (RFC 6887 section 7.4)."""

    SUCCESS = 0
    UNSUPP_VERSION = 1
    NOT_AUTHORIZED = 2
    MALFORMED_REQUEST = 3
    UNSUPP_OPCODE = 4
    UNSUPP_OPTION = 5
    MALFORMED_OPTION = 6
    NETWORK_FAILURE = 7
    NO_RESOURCES = 8
    UNSUPP_PROTOCOL = 9
    USER_EX_QUOTA = 10
    CANNOT_PROVIDE_EXTERNAL = 11
    ADDRESS_MISMATCH = 12
    EXCESSIVE_REMOTE_PEERS = 13


@frozen
class Map:
    """The opcode-specific data of MAP (RFC 6887 section 11.1).

    ``external`` is what the client suggests, or what the server has assigned; 0.0.0.0 and :: stand for any address of
    the family, port 0 for any port. ``reserved`` is to be 0.
    """

    nonce: bytes
    internal_port: int
    external: Address
    protocol: int = TCP
    reserved: bytes = bytes(3)

    def encode(self) -> bytes:
        """Return the octets behind the header."""
        ip, port = packed(self.external.ip), self.external.port
        return _MAP.pack(self.nonce, self.protocol, self.reserved, self.internal_port, port, ip)


@frozen
class Request:
    """A request (RFC 6887 section 7.1); ``data`` is the opcode's own, ``options`` and all that stands behind it."""

    opcode: int
    lifetime: int
    client_ip: str
    data: bytes = b""
    reserved: int = 0

    def encode(self) -> bytes:
        """Return the message."""
        ip = packed(self.client_ip)
        return _REQUEST_HEADER.pack(VERSION, self.opcode, self.reserved, self.lifetime, ip) + self.data


@frozen
class Response:
    """A response (RFC 6887 section 7.2). ``version`` is the server's: with UNSUPP_VERSION it may be another one.

    ``lifetime`` of an error is how long to wait before asking again, ``epoch`` the seconds since the server's table
    began (section 8.5).
    """

    opcode: int
    result: int
    lifetime: int
    epoch: int
    data: bytes = b""
    version: int = VERSION
    reserved: int = 0
    unused: bytes = bytes(12)

    def encode(self) -> bytes:
        """Return the message."""
        fields = (self.version, _RESPONSE | self.opcode, self.reserved, self.result, self.lifetime, self.epoch)
        return _RESPONSE_HEADER.pack(*fields, self.unused) + self.data


def decode_request(octets: bytes) -> Request:
    """Return the request that a server has received. Raises `PortMappingError`."""
    _check(octets, _REQUEST_HEADER.size, "RFC 6887 section 7.1")
    version, opcode, reserved, lifetime, ip = _REQUEST_HEADER.unpack_from(octets)
    if version != VERSION:
        raise PortMappingError(f"version {version} is not {VERSION}", 0, "RFC 6887 section 9")
    if opcode & _RESPONSE:
        raise PortMappingError("the R bit says that it is a response", 1, "RFC 6887 section 8.2")
    return Request(opcode, lifetime, text(ip), octets[_REQUEST_HEADER.size :], reserved)


def decode_response(octets: bytes) -> Response:
    """Return the response that a client has received. Raises `PortMappingError`."""
    _check(octets, _RESPONSE_HEADER.size, "RFC 6887 section 7.2")
    version, opcode, reserved, result, lifetime, epoch, unused = _RESPONSE_HEADER.unpack_from(octets)
    if not opcode & _RESPONSE:
        raise PortMappingError("the R bit says that it is a request", 1, "RFC 6887 section 8.3")
    if version != VERSION and result != Result.UNSUPP_VERSION:
        raise PortMappingError(f"version {version} is not {VERSION}", 0, "RFC 6887 section 9")
    data = octets[_RESPONSE_HEADER.size :]
    return Response(opcode & ~_RESPONSE, result, lifetime, epoch, data, version, reserved, unused)


def decode_map(data: bytes) -> Map:
    """Return what the data of a MAP message say first. Raises `PortMappingError`."""
    if len(data) < _MAP.size:
        raise PortMappingError(f"MAP has {len(data)} octets of {_MAP.size}", len(data), "RFC 6887 section 11.1")
    nonce, protocol, reserved, internal_port, external_port, ip = _MAP.unpack_from(data)
    return Map(nonce, internal_port, Address(text(ip), external_port), protocol, reserved)


def options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of the options behind MAP's own fields (RFC 6887 section 7.3). Raises `PortMappingError`."""
    position = _MAP.size
    while position < len(data):
        if position + _OPTION.size > len(data):
            raise PortMappingError("an option ends in its header", position, "RFC 6887 section 7.3")
        code, _, length = _OPTION.unpack_from(data, position)
        begin = position + _OPTION.size
        position = begin + length + -length % 4
        if position > len(data):
            raise PortMappingError(f"option {code} reaches beyond the message", begin, "RFC 6887 section 7.3")
        yield code, data[begin : begin + length]


def packed(ip: str) -> bytes:
    """Return an address in 128 bits: an IPv4 one as ::ffff:0:0/96 (RFC 6887 section 5)."""
    found = ipaddress.ip_address(ip)
    return found.packed if found.version == 6 else bytes(10) + b"\xff\xff" + found.packed


def text(octets: bytes) -> str:
    """Return the address that 128 bits stand for, an IPv4 one by itself (RFC 6887 section 5)."""
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address)


def _check(octets: bytes, header: int, clause: str) -> None:
    if len(octets) < header:
        raise PortMappingError(f"{len(octets)} octets of a header of {header}", len(octets), clause)
    if len(octets) > MOST or len(octets) % 4:
        raise PortMappingError(
            f"{len(octets)} octets: no multiple of 4 up to {MOST}", len(octets), "RFC 6887 section 7"
        )
