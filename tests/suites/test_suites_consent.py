"""Where an IUT had to ask for consent."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.suites import consent
from conformance.verdict import Inconclusive
from conformance.wire.layers import binding_request

BEGUN = 1000.0
UPPER = SimpleNamespace(try_to_send=lambda *_, **__: None)


def data(*times: float) -> list[Frame]:
    return [Frame.of(b"\x16\xfe\xfd data", number, BEGUN + seconds) for number, seconds in enumerate(times)]


def check(time: float) -> Frame:
    return Frame.of(
        bytes(binding_request(username="a:b", password="pass" * 6, transaction_id=bytes(12), priority=1)),
        9,
        BEGUN + time,
    )


@pytest.fixture
def unasked(monkeypatch):
    """Let connections to one candidate of ours carry these events; return on which of them consent was due."""
    monkeypatch.setattr(consent.time, "monotonic", lambda: BEGUN)

    def found(*events: list[Frame]) -> list[int]:
        connections = [SimpleNamespace(component=1, events=[]) for _ in events]

        def wait_until(condition, _within) -> bool:
            for connection, came in zip(connections, events, strict=True):
                connection.events[:] = came
            return condition()

        peer = SimpleNamespace(wait_until=wait_until, alike=lambda _connection: connections)
        return [connections.index(one) for one in consent.unasked(UPPER, peer, connections[:1])]

    return found


def test_an_iut_that_sends_must_ask(unasked) -> None:
    assert unasked(data(0.2, 29.0)) == [0]
    assert unasked([*data(0.2), check(5.0), *data(29.0)]) == []


@pytest.mark.parametrize("after", [(), (0.2, 1.0)])
def test_an_iut_that_sends_on_a_connection_no_longer_need_not_ask_there(unasked, after) -> None:
    with pytest.raises(Inconclusive, match="need not ask"):
        unasked(data(*after))


def test_an_iut_that_goes_over_to_another_connection_must_ask_there(unasked) -> None:
    """libwebrtc: its first check nominates on each connection, and it sends on the last of them."""
    former = [*data(0.1), check(0.2), *data(0.3)]
    assert unasked(former, data(0.4, 29.0)) == [1]
    assert unasked(former, [*data(0.4), check(5.0), *data(29.0)]) == []
