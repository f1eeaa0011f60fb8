"""The lower tester as the IUT's NAT gateway: it makes mappings by NAT-PMP (RFC 6886) and PCP (RFC 6887).

There is no NAT on the wire. What comes to a mapping's external address comes from the tester itself, so it connects to
the internal one, as the NAT would have translated it.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.verdict import Failed
from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address
from conformance.wire.errors import PortMappingError

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.peer.connecting import Connecting
    from conformance.peer.connection import Connection
    from conformance.peer.pump import Pump
    from conformance.peer.traffic import Tap
    from conformance.wire.candidate import Candidate

PCP, NAT_PMP = "pcp", "natpmp"
EXTERNAL = "203.0.113.9"  # RFC 5737
_LARGEST = 65535
_LOWEST, _PORTS = 20000, 40000  # of the ports that are lent
_SHIFT = 7919


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request of the IUT's; ``internal``: of a mapping that it asks for. ``result`` is that of the answer."""

    protocol: str
    octets: bytes
    source: Address
    time: float
    internal: Address | None = None
    lifetime: int = 0
    result: int = 0


class Gateway:
    """A NAT that can be asked for mappings by the protocols that it `speaks`.

    ``refuses``: it makes no mapping. ``answering`` off: it is silent. `asked` holds every request, in order.
    """

    def __init__(
        self, peer: Connecting, pump: Pump, tap: Tap, *, speaks: Collection[str], external: str = EXTERNAL
    ) -> None:
        self.speaks = frozenset(speaks)
        self.external = external
        self.refuses = False
        self.answering = True
        self.asked: list[Asked] = []
        self.mappings: dict[Address, Address] = {}  # TCP: from internal to external, as they are now
        self.granted: dict[Address, Address] = {}  # from external to internal: every mapping ever made
        self._lent: dict[Address, Address] = {}  # from internal to external: what this NAT makes of its addresses
        self._peer = peer
        self._pump = pump
        self._tap = tap
        self._since = time.monotonic()
        self.socket = self._bind()
        self.address = Address(peer.address, self.socket.getsockname()[1])
        pump.add(self)

    def _bind(self) -> socket.socket:
        """Take the well-known port, or any other where the address is not the case's own."""
        sock = self._peer.sockets.make(self._peer.address, socket.SOCK_DGRAM)
        try:
            sock.bind((self._peer.address, natpmp.PORT))
        except OSError:
            sock.bind((self._peer.address, 0))
        sock.setblocking(False)
        return sock

    @property
    def entry(self) -> dict[str, str | int]:
        """What `gateways` of `open` says of it."""
        return {"address": self.address.ip, "port": self.address.port}

    @property
    def externals(self) -> set[Address]:
        """Where every mapping that was ever made can be reached from outside."""
        return set(self.granted)

    def translate(self, internal: Address) -> Address:
        """Return the address that this NAT lends an internal one, with a mapping that was asked for or without."""
        if internal not in self._lent:
            taken = {external.port for external in self._lent.values()}
            port = (internal.port + _SHIFT) % _PORTS
            while _LOWEST + port in taken:
                port = (port + 1) % _PORTS
            self._lent[internal] = Address(self.external, _LOWEST + port)
        return self._lent[internal]

    # -- what scripts ask ----------------------------------------------------------------------------------------

    def expect_accept(self, candidate: Candidate) -> Connection:
        """Connect to a NAT-assisted candidate from outside: it must lead to where the IUT accepts connections."""
        internal = self.granted.get(candidate.endpoint)
        if internal is None or internal not in self.mappings:
            raise Failed(
                f"no mapping leads from {candidate.endpoint} to the IUT",
                expected="the address and port of a mapping that the gateway has made",
                actual=f"{candidate.endpoint}; mappings are {', '.join(map(str, self.externals)) or 'none'}",
            )
        return self._peer.expect_accept(replace(candidate, address=internal.ip, port=internal.port))

    # -- answers -------------------------------------------------------------------------------------------------

    def on_readable(self) -> None:
        """Take a request in and answer it."""
        try:
            octets, name = self.socket.recvfrom(_LARGEST)
        except OSError:  # gone again, or the news that an answer found nobody
            return
        source = Address(name[0], name[1])
        self._tap.datagram(source, self.address, octets, time.time_ns())
        version = octets[:1]
        if version == bytes([natpmp.VERSION]):
            asked, answer = self._natpmp(octets, source)
        elif version == bytes([pcp.VERSION]):
            asked, answer = self._pcp(octets, source)
        else:
            asked, answer = Asked("unknown", octets, source, time.monotonic()), b""
        self.asked.append(asked)
        if answer and self.answering:
            self._tap.datagram(self.address, source, answer, time.time_ns())
            with contextlib.suppress(OSError):  # the IUT's socket is gone, which it may be
                self.socket.sendto(answer, (source.ip, source.port))

    def close(self) -> None:
        """Release the socket."""
        self._pump.remove(self)
        self.socket.close()

    @property
    def _epoch(self) -> int:
        return int(time.monotonic() - self._since)

    @property
    def _grants(self) -> bool:
        return self.answering and not self.refuses

    def _map(self, internal: Address, lifetime: int) -> Address:
        """Make, renew or (lifetime 0) end a mapping of TCP."""
        external = self.translate(internal)
        if lifetime:
            self.mappings[internal] = external
            self.granted[external] = internal
        else:
            self.mappings.pop(internal, None)
        return external

    def _natpmp(self, octets: bytes, source: Address) -> tuple[Asked, bytes]:
        now = time.monotonic()
        if NAT_PMP not in self.speaks:  # a PCP server refuses with a version of its own (RFC 6887 section 9)
            result = int(pcp.Result.UNSUPP_VERSION)
            opcode = octets[1] & 0x7F if len(octets) > 1 else 0
            refusal = pcp.Response(opcode, result, 0, self._epoch).encode()
            return Asked(NAT_PMP, octets, source, now, result=result), refusal
        try:
            request = natpmp.decode_request(octets)
        except PortMappingError:
            return Asked(NAT_PMP, octets, source, now), b""
        result = int(natpmp.Result.SUCCESS if self._grants else natpmp.Result.NOT_AUTHORIZED)
        if isinstance(request, natpmp.AddressRequest):
            answer = natpmp.AddressResponse(int(natpmp.Result.SUCCESS), self._epoch, self.external)
            return Asked(NAT_PMP, octets, source, now), answer.encode()
        internal = Address(source.ip, request.internal_port)
        external, lifetime = 0, 0
        if self._grants:
            of_tcp = request.opcode == natpmp.Opcode.MAP_TCP
            lifetime = request.lifetime
            external = (self._map(internal, lifetime) if of_tcp else self.translate(internal)).port
        asked = Asked(NAT_PMP, octets, source, now, internal, request.lifetime, result)
        port = external if lifetime else 0
        return asked, natpmp.MapResponse(
            request.opcode, result, self._epoch, request.internal_port, port, lifetime
        ).encode()

    def _pcp(self, octets: bytes, source: Address) -> tuple[Asked, bytes]:
        now = time.monotonic()
        if PCP not in self.speaks:  # RFC 6886 section 3.5
            opcode = octets[1] & 0x7F if len(octets) > 1 else 0
            result = int(natpmp.Result.UNSUPPORTED_VERSION)
            return Asked(PCP, octets, source, now, result=result), natpmp.Refusal(opcode, result, self._epoch).encode()
        try:
            request = pcp.decode_request(octets)
        except PortMappingError:
            return Asked(PCP, octets, source, now), b""
        result, data, internal, lifetime = self._answer(request, source)
        asked = Asked(PCP, octets, source, now, internal, request.lifetime, int(result))
        return asked, pcp.Response(request.opcode, int(result), lifetime, self._epoch, data).encode()

    def _answer(self, request: pcp.Request, source: Address) -> tuple[pcp.Result, bytes, Address | None, int]:
        """Return result, data, internal address and lifetime of the answer to a PCP request (RFC 6887 section 11.3)."""
        if request.opcode != pcp.Opcode.MAP:
            known = request.opcode == pcp.Opcode.ANNOUNCE
            return (pcp.Result.SUCCESS if known else pcp.Result.UNSUPP_OPCODE), request.data, None, 0
        try:
            wanted = pcp.decode_map(request.data)
            mandatory = [code for code, _ in pcp.options(request.data) if code < pcp.OPTIONAL]
        except PortMappingError:
            return pcp.Result.MALFORMED_REQUEST, request.data, None, 0
        internal = Address(source.ip, wanted.internal_port)
        if request.client_ip != source.ip:
            return pcp.Result.ADDRESS_MISMATCH, request.data, internal, 0
        if mandatory:
            return pcp.Result.UNSUPP_OPTION, request.data, internal, 0
        if not self._grants:
            return pcp.Result.NOT_AUTHORIZED, request.data, internal, 0
        of_tcp = wanted.protocol == pcp.TCP
        external = self._map(internal, request.lifetime) if of_tcp else self.translate(internal)
        made = pcp.Map(wanted.nonce, wanted.internal_port, external, wanted.protocol)
        return pcp.Result.SUCCESS, made.encode(), internal, request.lifetime
