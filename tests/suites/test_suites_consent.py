"""Whether an IUT had to ask for consent."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.suites import consent
from conformance.verdict import Inconclusive


@pytest.mark.parametrize(("after", "judged"), [((), False), ((0.2, 1.0), False), ((0.2, 29.0), True)])
def test_an_iut_that_sends_on_a_connection_no_longer_need_not_ask_there(monkeypatch, after, judged) -> None:
    monkeypatch.setattr(consent.time, "monotonic", lambda: 1000.0)
    left = SimpleNamespace(component=1, events=[])
    data = [Frame.of(b"\x16\xfe\xfd data", number, 1000.0 + seconds) for number, seconds in enumerate(after)]

    def wait_until(_condition, _within) -> bool:
        left.events[:] = data
        return False

    upper = SimpleNamespace(try_to_send=lambda *_, **__: None)
    peer = SimpleNamespace(wait_until=wait_until)
    if judged:
        assert consent.unasked(upper, peer, [left]) == [left]
    else:
        with pytest.raises(Inconclusive, match="need not ask"):
            consent.unasked(upper, peer, [left])
