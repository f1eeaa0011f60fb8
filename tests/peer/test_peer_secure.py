"""What counts as a DTLS server's answer."""

from __future__ import annotations

import pytest

from conformance.peer.events import Frame
from conformance.peer.secure import ServerFlight, UnexpectedMessage, client_hello, verify_request
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


@pytest.mark.parametrize(("description", "counts"), [(10, True), (40, False), (0, False)])
def test_a_client_that_does_not_want_a_record_has_received_it(description, counts) -> None:
    alert = Record(ContentType.ALERT, bytes([2, description])).encode()
    assert UnexpectedMessage().fulfilled_by(Frame.of(alert, 1, 0.0)) is counts
    assert not UnexpectedMessage().fulfilled_by(Frame.of(client_hello(bytes(32)), 1, 0.0))
