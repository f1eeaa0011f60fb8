"""When a frame is taken for one whose LENGTH was written twice."""

from __future__ import annotations

import pytest

from conformance.wire.rfc4571 import frame
from pcaps.golden import scene as s
from pcaps.golden.scenarios import selected

BROKEN = "length_equals_the_message"
HELLO = s.DTLS_HELLO


def twice(packet: bytes, length: int | None = None) -> bytes:
    """Return a frame whose packet begins with its own LENGTH, or with another one."""
    size = len(packet) + 2
    return frame((length or size).to_bytes(2, "big") + packet)


@pytest.mark.parametrize(
    ("octets", "broken"),
    [
        (twice(HELLO), True),
        (twice(HELLO, len(HELLO)), False),  # a frame within a frame: whatever it is, no LENGTH that stands twice
        (twice(s.RTP), False),  # data may begin with any octets
        (twice(HELLO[:1] + b"\x03\x03" + HELLO[3:]), False),
        (frame(HELLO), False),
    ],
)
def test_only_a_packet_that_is_known_shows_that_length_stands_twice(judged, octets, broken) -> None:
    def write(scene) -> None:
        link = selected(scene)
        link.send(link.client, octets)
        link.end(link.client)

    found = judged(write)[BROKEN]
    assert bool(found.broken) is broken
