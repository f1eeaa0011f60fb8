"""Which transport addresses somebody else's text may bring to a socket: none but those to which one can send."""

from __future__ import annotations

import functools
import ipaddress


@functools.lru_cache(maxsize=4096)
def flaw(address: str, port: int) -> str:
    """Return, in words, why nothing can be sent to an address in text form; empty if it can. Nothing is looked up."""
    text, _, zone = address.partition("%")
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return "is not an IP address but a name"
    if zone or text != address:
        return "has a zone, which means nothing to another host"
    kinds = {
        "is the unspecified address": ip.is_unspecified,
        "is a multicast address": ip.is_multicast,
        "is the broadcast address": ip == ipaddress.IPv4Address("255.255.255.255"),
        "is an IPv4-mapped IPv6 address": isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None,
        "is link-local, so that only the sender's own zone would tell where": ip.version == 6 and ip.is_link_local,
        "says port 0": port == 0,
    }
    return next((text for text, holds in kinds.items() if holds), "")
