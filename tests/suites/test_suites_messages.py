"""What is right of the form of a message, and of the smallest lawful ones."""

from __future__ import annotations

import pytest

from conformance.suites.messages import RESPECTS
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.stun import MessageClass, Method, build

NO_PADDING = RESPECTS["lengths of attributes without their padding"]


def refusal(*attributes) -> bytes:
    return build(Method.BINDING, MessageClass.ERROR, bytes(12), attributes)


@pytest.mark.parametrize("code", [400, 401, 487, 500])
def test_an_error_code_without_a_reason_has_no_padding(code) -> None:
    assert NO_PADDING(refusal(attr.error_code(code))) is True


def test_padding_that_is_counted_is_found() -> None:
    padded = RawAttribute(Attribute.ERROR_CODE, attr.error_code(400, "Bad Request").value + b"\0")
    assert NO_PADDING(refusal(padded)) is False
    assert NO_PADDING(refusal(attr.software("no error code at all"))) is None
