"""Addresses in text form, before they come to a socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from conformance.verdict import Inconclusive
from conformance.wire.addresses import flaw
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.wire.candidate import Candidate


def family_of(address: str) -> socket.AddressFamily:
    """Return the address family of an address in text form."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def require_address(target: Candidate | Address) -> None:
    """Raise `Inconclusive` where nothing can be sent to what the IUT names: no name ever comes to the resolver.

    The cases that read descriptions judge such candidates.
    """
    endpoint = target if isinstance(target, Address) else target.endpoint
    why = flaw(endpoint.ip, endpoint.port)
    if why:
        raise Inconclusive(f"nothing can be sent to the IUT's address {endpoint}: it {why}")
