"""What is said to a NAT gateway by PCP (RFC 6887) or NAT-PMP (RFC 6886): requests for mappings, what answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address
from conformance.wire.errors import PortMappingError
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

PCP, NAT_PMP = "pcp", "natpmp"
PROTOCOLS = (PCP, NAT_PMP)
_ANYWHERE = {False: "0.0.0.0", True: "::"}  # noqa: S104 - no suggestion (RFC 6887 section 11.1)


@frozen
class Granted:
    """The gateway has made the mapping, or renewed it; ``lifetime`` in seconds."""

    external: Address
    lifetime: int


@frozen
class Refused:
    """The gateway does not make this mapping."""

    why: str


class OtherVersion:
    """The gateway does not speak this protocol."""


class Continues:
    """What must be known first is known now: the next question can be asked."""


Meaning = Granted | Refused | OtherVersion | Continues


@frozen
class Wish:
    """A mapping as it is asked for: from a port of ours; ``lifetime`` 0 ends it."""

    own: Address
    nonce: bytes
    lifetime: int


class Language(Protocol):
    """One of the two protocols, towards one gateway."""

    interval: float  # seconds until a request is first repeated; then twice as long each time

    def question(self, wish: Wish) -> bytes:
        """Return the next request for a mapping."""
        ...

    def meaning(self, wish: Wish, octets: bytes, believes: Callable[[int], bool]) -> Meaning | None:
        """Return what an answer says; None for what answers something else."""
        ...


class Pcp:
    """RFC 6887 sections 8 and 11."""

    interval = 3.0  # IRT (RFC 6887 section 8.1.1)

    def question(self, wish: Wish) -> bytes:
        """Return a MAP request."""
        anywhere = Address(_ANYWHERE[":" in wish.own.ip], 0)
        data = pcp.Map(wish.nonce, wish.own.port, anywhere).encode()
        return pcp.Request(pcp.Opcode.MAP, wish.lifetime, wish.own.ip, data).encode()

    def meaning(self, wish: Wish, octets: bytes, believes: Callable[[int], bool]) -> Meaning | None:
        """Return what an answer says: one of another version is of a gateway that speaks NAT-PMP alone (section 9)."""
        if octets[:1] == bytes([natpmp.VERSION]):
            return OtherVersion()
        try:
            response = pcp.decode_response(octets)
            if response.result == pcp.Result.UNSUPP_VERSION:
                return OtherVersion()
            mapping = pcp.decode_map(response.data)
        except PortMappingError:
            return None
        asked = (wish.nonce, pcp.TCP, wish.own.port)
        if response.opcode != pcp.Opcode.MAP or (mapping.nonce, mapping.protocol, mapping.internal_port) != asked:
            return None  # RFC 6887 section 11.4
        if not believes(response.result):
            return Refused(f"PCP result {response.result}")
        return Granted(mapping.external, response.lifetime)


class NatPmp:
    """RFC 6886 sections 3.1 to 3.5: the external address is asked for before the first mapping."""

    interval = 0.25  # RFC 6886 section 3.1

    def __init__(self) -> None:
        self._external_ip = ""

    def question(self, wish: Wish) -> bytes:
        """Return a request for the external address, or once that is known for the mapping."""
        if not self._external_ip:
            return natpmp.AddressRequest().encode()
        return natpmp.MapRequest(natpmp.Opcode.MAP_TCP, wish.own.port, lifetime=wish.lifetime).encode()

    def meaning(self, wish: Wish, octets: bytes, believes: Callable[[int], bool]) -> Meaning | None:
        """Return what an answer says."""
        if octets[:1] != bytes([natpmp.VERSION]):
            return OtherVersion()
        try:
            response = natpmp.decode_response(octets)
        except PortMappingError:
            return None
        if isinstance(response, natpmp.Refusal):
            return OtherVersion()
        if not self._external_ip:
            if not isinstance(response, natpmp.AddressResponse):
                return None
            if not believes(response.result):
                return Refused(f"NAT-PMP result {response.result}")
            self._external_ip = response.external_ip
            return Continues()
        if isinstance(response, natpmp.AddressResponse) or response.internal_port != wish.own.port:
            return None
        if response.opcode != natpmp.Opcode.MAP_TCP:
            return None
        if not believes(response.result):
            return Refused(f"NAT-PMP result {response.result}")
        return Granted(Address(self._external_ip, response.external_port), response.lifetime)


def language(protocol: str) -> Language:
    """Return a protocol by its name."""
    return Pcp() if protocol == PCP else NatPmp()
