"""Frames: they do not depend on where the stream was cut, and cost no more for it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire.errors import FramingError
from conformance.wire.rfc4571 import MAX_FRAME, Deframer, frame

payloads = st.lists(st.one_of(st.just(b""), st.binary(max_size=20), st.integers(250, 600).map(bytes)), max_size=8)


def test_length_is_in_network_byte_order() -> None:
    assert frame(b"") == b"\0\0"
    assert frame(bytes(258))[:2] == b"\1\2"
    assert len(frame(bytes(MAX_FRAME))) == MAX_FRAME + 2


def test_a_payload_that_fits_in_no_frame() -> None:
    with pytest.raises(FramingError, match="65536 octets do not fit"):
        frame(bytes(MAX_FRAME + 1))


@settings(deadline=None)
@given(payloads, st.data())
def test_frames_do_not_depend_on_the_cuts(sent, data) -> None:
    stream = b"".join(map(frame, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    deframer, got = Deframer(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += deframer.feed(stream[begin:end])
    assert got == sent
    assert deframer.at_boundary
    deframer.finish()


@settings(deadline=None)
@given(payloads)
def test_octet_by_octet(sent) -> None:
    deframer = Deframer()
    got = [payload for octet in b"".join(map(frame, sent)) for payload in deframer.feed(bytes([octet]))]
    assert got == sent


@pytest.mark.parametrize(
    ("octets", "pending", "what"),
    [(b"\0", 1, "after 1 octets"), (b"\0\5abc", 5, "after 5 of 7 octets")],
)
def test_an_end_inside_a_frame(octets, pending, what) -> None:
    deframer = Deframer()
    assert deframer.feed(frame(b"x") + octets) == [b"x"]
    assert deframer.pending == pending
    assert not deframer.at_boundary
    with pytest.raises(FramingError, match=what) as caught:
        deframer.finish()
    assert caught.value.offset == 3


class CountingArray(bytearray):
    """Counts the octets that are read one by one; a quadratic reader would look at old octets again and again."""

    looks = 0

    def __getitem__(self, key):
        CountingArray.looks += 1
        return super().__getitem__(key)


def test_the_cost_of_a_dripped_stream_is_linear(monkeypatch) -> None:
    looks = {}
    for size in (5000, 10000):
        deframer = Deframer()
        deframer._buffer = CountingArray()
        CountingArray.looks = 0
        for octet in frame(bytes(size)):
            deframer.feed(bytes([octet]))
        looks[size] = CountingArray.looks
    assert looks[10000] <= looks[5000] + 2
