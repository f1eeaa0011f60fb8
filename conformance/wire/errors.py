"""What can be wrong with octets or text: each error says what, where, and against which clause."""

from __future__ import annotations


class WireError(ValueError):
    """Something on the wire is not well formed.

    ``what`` is wrong, ``where`` ("octet 24", "line 7, column 12"; empty where no place can be named), ``clause`` it
    offends ("RFC 8489 section 14").
    """

    def __init__(self, what: str, where: str = "", clause: str = "") -> None:
        self.what = what
        self.where = where
        self.clause = clause
        place = f" at {where}" if where else ""
        source = f" ({clause})" if clause else ""
        super().__init__(f"{what}{place}{source}")


class _OctetError(WireError):
    """An error at an octet offset (None: nowhere in particular)."""

    def __init__(self, what: str, offset: int | None = None, clause: str = "") -> None:
        super().__init__(what, "" if offset is None else f"octet {offset}", clause)
        self.offset = offset


class StunError(_OctetError):
    """Octets that are no STUN message, or an attribute whose value is malformed: then ``attribute`` is its type."""

    def __init__(self, what: str, offset: int | None = None, clause: str = "", attribute: int | None = None) -> None:
        super().__init__(what, offset, clause)
        self.attribute = attribute


class FramingError(_OctetError):
    """A stream that is no sequence of RFC 4571 frames, or a payload that fits in none."""


class PortMappingError(_OctetError):
    """Octets that are no NAT-PMP or PCP message."""


class SdpError(WireError):
    """Text that is no session description or candidate-attribute. Lines and columns count from 1."""

    def __init__(self, what: str, line: int = 1, column: int = 1, clause: str = "") -> None:
        super().__init__(what, f"line {line}, column {column}", clause)
        self.line = line
        self.column = column
