"""The URIs of STUN and TURN servers (RFC 7064, RFC 7065), as `open` names them."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from conformance.agent.config import IceServer
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

_URI = re.compile(
    r"(?P<scheme>stun|turn):(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:?\[\]]+))"
    r"(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>\w+))?"
)
_PORT = 3478


def read(entry: object) -> IceServer:
    """Return the server of an entry of `ice_servers`: url, and for TURN username and credential.

    This agent speaks to servers over TCP only, so a TURN URI must say ?transport=tcp; a STUN URI has nowhere to say it
    (RFC 7064). Names are not looked up. Raises `ValueError`.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is no object with a url")
    url = str(entry.get("url"))
    match = _URI.fullmatch(url)
    if match is None:
        raise ValueError(f"{url!r} is no stun: or turn: URI")
    relays = match["scheme"] == "turn"
    if match["transport"] not in (("tcp",) if relays else (None, "tcp")):
        raise ValueError(f"{url!r}: servers are reached over TCP only")
    port = int(match["port"] or _PORT)
    if not 1 <= port <= 65535:
        raise ValueError(f"{url!r} has no possible port")
    ip = str(ipaddress.ip_address(match["six"] or match["host"]))
    return IceServer(Address(ip, port), relays, _text(entry, "username"), _text(entry, "credential"))


def _text(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value
