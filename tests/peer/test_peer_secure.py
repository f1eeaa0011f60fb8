"""What counts as a DTLS server's answer."""

from __future__ import annotations

import pytest

from conformance.peer.events import Frame
from conformance.peer.secure import ServerFlight, client_hello, verify_request
from conformance.wire.dtls import ContentType, Record


def answered_by(payload: bytes) -> bool:
    return ServerFlight().fulfilled_by(Frame.of(payload, 1, 0.0))


def test_a_server_may_ask_for_a_cookie_but_says_no_client_hello() -> None:
    assert answered_by(verify_request(b"cookie"))
    assert not answered_by(client_hello(bytes(32)))


@pytest.mark.parametrize(("description", "counts"), [(40, True), (70, True), (71, True), (109, True), (10, False)])
def test_a_server_may_refuse_what_we_offer_but_not_take_it_for_something_unexpected(description, counts) -> None:
    assert answered_by(Record(ContentType.ALERT, bytes([2, description])).encode()) is counts


def test_what_is_no_record_is_no_answer() -> None:
    assert not answered_by(bytes([21, 254, 253]))
    assert not answered_by(b"")
