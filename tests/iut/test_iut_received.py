"""STUN messages among what an application has received."""

from __future__ import annotations

import pytest

from conformance.iut.received import without_stun

MESSAGE = bytes.fromhex("0001000821 12a442".replace(" ", "")) + b"transaction!" + b"\x80\x22\0\4soft"
LOOKS_ALIKE = b"data" + bytes.fromhex("2112a442") + b"more data that is no message"


@pytest.mark.parametrize(
    ("octets", "data"),
    [
        (b"", b""),
        (b"data", b"data"),
        (MESSAGE, b""),
        (MESSAGE + b"data", b"data"),
        (b"da" + MESSAGE + MESSAGE + b"ta" + MESSAGE, b"data"),
        (MESSAGE[:-1], MESSAGE[:-1]),
        (MESSAGE[5:], MESSAGE[5:]),
        (LOOKS_ALIKE, LOOKS_ALIKE),
        (LOOKS_ALIKE + MESSAGE, LOOKS_ALIKE),
        (bytes.fromhex("2112a442"), bytes.fromhex("2112a442")),
    ],
)
def test_messages_are_taken_out_and_nothing_else(octets, data) -> None:
    assert without_stun(octets) == data
