"""NAT-PMP messages (RFC 6886): what a host asks its NAT gateway for, and what the gateway answers.

All fields are read and written as they are, so that decoding and encoding again gives the same octets. What cannot be a
message raises `PortMappingError`.
"""

from __future__ import annotations

import enum
import ipaddress
import struct

from conformance.wire.errors import PortMappingError
from conformance.wire.frozen import frozen

VERSION = 0
PORT = 5351  # of the gateway (RFC 6886 section 3)
LIFETIME = 7200  # seconds: what clients are recommended to ask for (section 3.3)
_RESPONSE = 0x80  # added to the opcode of the request
_HEADER = struct.Struct("!BB")
_MAP_REQUEST = struct.Struct("!BBHHHI")
_REFUSAL = struct.Struct("!BBHI")
_ADDRESS_RESPONSE = struct.Struct("!BBHI4s")
_MAP_RESPONSE = struct.Struct("!BBHIHHI")


class Opcode(enum.IntEnum):
    """What is asked for (RFC 6886 sections 3.2 and 3.3)."""

    ADDRESS = 0
    MAP_UDP = 1
    MAP_TCP = 2


class Result(enum.IntEnum):
    """Result codes (RFC 6886 section 3.5)."""

    SUCCESS = 0
    UNSUPPORTED_VERSION = 1
    NOT_AUTHORIZED = 2
    NETWORK_FAILURE = 3
    OUT_OF_RESOURCES = 4
    UNSUPPORTED_OPCODE = 5


@frozen
class AddressRequest:
    """Asks for the external IPv4 address (RFC 6886 section 3.2)."""

    def encode(self) -> bytes:
        """Return the message."""
        return _HEADER.pack(VERSION, Opcode.ADDRESS)


@frozen
class MapRequest:
    """Asks for a mapping to an internal port (RFC 6886 section 3.3), or with a lifetime of 0 for its end (3.4).

    ``external_port`` is a suggestion; 0: any. ``reserved`` is to be 0.
    """

    opcode: int
    internal_port: int
    external_port: int = 0
    lifetime: int = LIFETIME
    reserved: int = 0

    def encode(self) -> bytes:
        """Return the message."""
        return _MAP_REQUEST.pack(
            VERSION, self.opcode, self.reserved, self.internal_port, self.external_port, self.lifetime
        )


@frozen
class AddressResponse:
    """The external address (RFC 6886 section 3.2). ``epoch``: seconds since the gateway's table began (3.6)."""

    result: int
    epoch: int
    external_ip: str

    def encode(self) -> bytes:
        """Return the message."""
        packed = ipaddress.IPv4Address(self.external_ip).packed
        return _ADDRESS_RESPONSE.pack(VERSION, _RESPONSE | Opcode.ADDRESS, self.result, self.epoch, packed)


@frozen
class MapResponse:
    """The mapping that was made (RFC 6886 section 3.3); of a refusal external port and lifetime are 0 (3.5)."""

    opcode: int
    result: int
    epoch: int
    internal_port: int
    external_port: int
    lifetime: int

    def encode(self) -> bytes:
        """Return the message."""
        return _MAP_RESPONSE.pack(
            VERSION,
            _RESPONSE | self.opcode,
            self.result,
            self.epoch,
            self.internal_port,
            self.external_port,
            self.lifetime,
        )


@frozen
class Refusal:
    """A response of the first fields only, with which a gateway refuses another version (RFC 6886 section 3.5)."""

    opcode: int
    result: int
    epoch: int

    def encode(self) -> bytes:
        """Return the message."""
        return _REFUSAL.pack(VERSION, _RESPONSE | self.opcode, self.result, self.epoch)


Request = AddressRequest | MapRequest
Response = AddressResponse | MapResponse | Refusal


def decode_request(octets: bytes) -> Request:
    """Return the request that a gateway has received. Raises `PortMappingError`."""
    opcode = _opcode(octets)
    if opcode == Opcode.ADDRESS:
        _sized(octets, _HEADER.size, "RFC 6886 section 3.2")
        return AddressRequest()
    if opcode not in (Opcode.MAP_UDP, Opcode.MAP_TCP):
        raise PortMappingError(f"opcode {opcode} is no request", 1, "RFC 6886 section 3.5")
    _sized(octets, _MAP_REQUEST.size, "RFC 6886 section 3.3")
    _, _, reserved, internal_port, external_port, lifetime = _MAP_REQUEST.unpack(octets)
    return MapRequest(opcode, internal_port, external_port, lifetime, reserved)


def decode_response(octets: bytes) -> Response:
    """Return the response that a client has received. Raises `PortMappingError`."""
    opcode = _opcode(octets)
    if not opcode & _RESPONSE:
        raise PortMappingError(f"opcode {opcode} is no response", 1, "RFC 6886 section 3.5")
    opcode &= ~_RESPONSE
    if len(octets) == _REFUSAL.size:
        return Refusal(opcode, *_REFUSAL.unpack(octets)[2:])
    if opcode == Opcode.ADDRESS:
        _sized(octets, _ADDRESS_RESPONSE.size, "RFC 6886 section 3.2")
        _, _, result, epoch, packed = _ADDRESS_RESPONSE.unpack(octets)
        return AddressResponse(result, epoch, str(ipaddress.IPv4Address(packed)))
    if opcode not in (Opcode.MAP_UDP, Opcode.MAP_TCP):
        raise PortMappingError(f"opcode {opcode | _RESPONSE} answers no request", 1, "RFC 6886 section 3.5")
    _sized(octets, _MAP_RESPONSE.size, "RFC 6886 section 3.3")
    return MapResponse(opcode, *_MAP_RESPONSE.unpack(octets)[2:])


def _opcode(octets: bytes) -> int:
    if len(octets) < _HEADER.size:
        raise PortMappingError(f"{len(octets)} octets are no NAT-PMP message", 0, "RFC 6886 section 3.5")
    if octets[0] != VERSION:
        raise PortMappingError(f"version {octets[0]} is not {VERSION}", 0, "RFC 6886 section 3.5")
    return octets[1]


def _sized(octets: bytes, size: int, clause: str) -> None:
    if len(octets) != size:
        raise PortMappingError(f"{len(octets)} octets, not {size}", min(len(octets), size), clause)
