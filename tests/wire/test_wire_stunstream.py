"""Messages without frames: they do not depend on where the stream was cut, and end where something else begins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire.attributes import software
from conformance.wire.errors import FramingError
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build
from conformance.wire.stunstream import MessageStream, begins_like_stun


def message(text: str = "") -> bytes:
    return build(Method.BINDING, MessageClass.REQUEST, bytes(12), [software(text)] if text else [])


messages = st.lists(st.text(max_size=40).map(message), max_size=6)


@settings(deadline=None)
@given(messages, st.data())
def test_messages_do_not_depend_on_the_cuts(sent, data) -> None:
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter, got = MessageStream(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += splitter.feed(stream[begin:end])
    assert got == sent
    assert splitter.pending == 0
    splitter.finish()


def test_octet_by_octet() -> None:
    splitter = MessageStream()
    stream = message("one") + message("two")
    assert [m for octet in stream for m in splitter.feed(bytes([octet]))] == [message("one"), message("two")]


def test_what_follows_a_message_can_be_something_else() -> None:
    splitter = MessageStream()
    octets = splitter.feed(message("last") + frame(message("framed")))
    assert next(octets) == message("last")
    assert splitter.release() == frame(message("framed"))
    assert list(octets) == []
    assert splitter.pending == 0


@pytest.mark.parametrize("octets", [frame(message()), b"\x80" + message()[1:], b"HTTP/1.1 400 Bad Request\r\n"])
def test_octets_that_begin_no_message_come_as_they_are(octets) -> None:
    assert not begins_like_stun(octets)
    splitter = MessageStream()
    assert list(splitter.feed(message() + octets)) == [message(), octets]


def test_too_few_octets_to_tell() -> None:
    assert not begins_like_stun(message()[:7])
    assert begins_like_stun(message()[:8])
    splitter = MessageStream()
    assert list(splitter.feed(b"HTTP/1.")) == []
    assert splitter.pending == 7


def test_an_end_inside_a_message() -> None:
    splitter = MessageStream()
    assert list(splitter.feed(message() + message()[:9])) == [message()]
    with pytest.raises(FramingError, match="after 9 octets") as caught:
        splitter.finish()
    assert caught.value.offset == len(message())
