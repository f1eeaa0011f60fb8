"""STUN attributes as this agent uses them: what it says in SOFTWARE, and which types it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.attributes import Attribute, comprehension_required

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.wire.attributes import RawAttribute

SOFTWARE = "icetcp reference agent"

# Comprehension-required types that this agent knows: RFC 8489's and RFC 8445's. TURN's belong to another server.
KNOWN = frozenset(
    {
        Attribute.MAPPED_ADDRESS,
        Attribute.USERNAME,
        Attribute.MESSAGE_INTEGRITY,
        Attribute.ERROR_CODE,
        Attribute.UNKNOWN_ATTRIBUTES,
        Attribute.REALM,
        Attribute.NONCE,
        Attribute.MESSAGE_INTEGRITY_SHA256,
        Attribute.PASSWORD_ALGORITHM,
        Attribute.USERHASH,
        Attribute.XOR_MAPPED_ADDRESS,
        Attribute.PRIORITY,
        Attribute.USE_CANDIDATE,
    }
)


def unknown_required(attributes: Iterable[RawAttribute]) -> list[int]:
    """Return the types that must be understood and are not (RFC 8489 section 6.3.1)."""
    return [a.type for a in attributes if comprehension_required(a.type) and a.type not in KNOWN]
