"""What comes first on a connection that the IUT has reopened."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.peer.pixit import Pixit
from conformance.suites.reopening import needs_check_first
from conformance.verdict import JudgedElsewhere
from conformance.wire.layers import binding_request

CHECK = Frame.of(
    bytes(binding_request(username="a:b", password="p" * 22, priority=1, transaction_id=bytes(12))), 1, 1.0
)
RECORD = Frame.of(b"\x16\xfe\xfd a record of DTLS", 1, 1.0)


def first_of(*events: Frame) -> Frame:
    reopened = SimpleNamespace(events=list(events), is_open=True, await_frame=lambda *_, **__: CHECK)
    peer = SimpleNamespace(wait_until=lambda condition, _within: condition(), pixit=Pixit())
    return needs_check_first(peer, reopened)


def test_media_before_the_check_are_judged_elsewhere() -> None:
    """Firefox: a record of DTLS within 1 ms, and a check behind it in some sessions only."""
    for events in ((RECORD,), (RECORD, CHECK)):
        with pytest.raises(JudgedElsewhere, match="before a check"):
            first_of(*events)


def test_a_check_comes_first_whatever_follows() -> None:
    assert first_of(CHECK, RECORD) is CHECK
