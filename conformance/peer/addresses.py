"""What the socket module calls things."""

from __future__ import annotations

import socket


def family_of(address: str) -> socket.AddressFamily:
    """Return the address family of an address in text form."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET
