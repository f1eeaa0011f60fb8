"""The reference agent, which writes one attribute as no RFC has it: `python malformed_adapter.py KIND`.

Only the values are malformed: types, lengths and padding are right, so that every message can be decoded.
"""

from __future__ import annotations

import sys

from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, RawAttribute

_error_code, _xor_address = attr.error_code, attr.xor_address


def error_class_misplaced(code: int, reason: str = "") -> RawAttribute:
    value = _error_code(code, reason).value
    return RawAttribute(Attribute.ERROR_CODE, value[2:3] + b"\0\0" + value[3:])


def mapped(value: bytes):
    def write(kind: Attribute, address: attr.Address, transaction: bytes) -> RawAttribute:
        if kind is not Attribute.XOR_MAPPED_ADDRESS:
            return _xor_address(kind, address, transaction)
        return RawAttribute(kind, value)

    return write


def short(kind: Attribute, octets: int):
    return lambda *_: RawAttribute(kind, bytes(octets - 1) + b"\1")


KINDS = {
    "error-class-misplaced": {"error_code": error_class_misplaced},
    "error-code-short": {"error_code": lambda *_: RawAttribute(Attribute.ERROR_CODE, b"\0\0")},
    "user-name-not-utf-8": {"username": lambda name: RawAttribute(Attribute.USERNAME, name.encode() + b"\xff")},
    "unknown-attributes-odd": {"unknown_attributes": lambda _: RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, b"\x7f")},
    "priority-short": {"priority": short(Attribute.PRIORITY, 2)},
    "role-short": {
        "ice_controlling": short(Attribute.ICE_CONTROLLING, 4),
        "ice_controlled": short(Attribute.ICE_CONTROLLED, 4),
    },
    "role-long": {
        "ice_controlling": lambda number: RawAttribute(Attribute.ICE_CONTROLLING, number.to_bytes(8) + b"\0"),
        "ice_controlled": lambda number: RawAttribute(Attribute.ICE_CONTROLLED, number.to_bytes(8) + b"\0"),
    },
    "mapped-address-short": {"xor_address": mapped(b"\0\1\0\1")},
    "mapped-address-of-no-family": {"xor_address": mapped(b"\0\7\0\1abcd")},
}

if __name__ == "__main__":
    for name, function in KINDS[sys.argv.pop(1)].items():
        setattr(attr, name, function)
    from conformance.agent.__main__ import main

    sys.exit(main())
