"""Restarts: the connections that an IUT opens for one, and how long it may take to tell that one is lost."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.suites.restarts import await_connection_of_restart, expect_restart
from conformance.verdict import Failed, Inconclusive
from conformance.wire.layers import binding_request


class Upper:
    """An IUT that tries to connect again, and says that it has failed once its consent has expired."""

    ufrag = "same"
    reports_state = True

    def __init__(self, consent):
        self._end = time.monotonic() + consent

    def try_to_send(self, _octets):
        pass

    def states_since(self, _position):
        return ["failed"] if time.monotonic() > self._end else []

    def describe(self):
        return self


@pytest.fixture
def peer():
    pump = Pump()
    peer = Peer("127.16.202.1", pump, SilentTap(), Pixit(connect=0.2, consent=1.0), random.Random(1))
    yield peer
    peer.close()
    pump.close()


def test_the_loss_may_be_told_when_consent_has_expired(peer):
    upper = Upper(consent=0.6)
    expect_restart(upper, peer, upper)


def test_it_must_be_told_then(peer):
    upper = Upper(consent=60)
    with pytest.raises(Failed, match="neither restarts ICE nor tells"):
        expect_restart(upper, peer, upper)


def opened(*names: str, outgoing: bool = False):
    """Return a connection on which checks with these user names have come."""
    checks = [binding_request(username=name, password="p" * 22, priority=1, transaction_id=bytes(12)) for name in names]
    events = [Frame.of(bytes(check), number, float(number)) for number, check in enumerate(checks)]
    return SimpleNamespace(outgoing=outgoing, events=events)


def restarted(*connections):
    """Return the one of these connections that is the restart's."""
    peer = SimpleNamespace(
        ufrag="new",
        connections=connections,
        wait_until=lambda condition, _within: condition(),
        pixit=Pixit(),
        await_connection=lambda: connections[-1],
    )
    return await_connection_of_restart(peer, SimpleNamespace(fragments=frozenset(), ufrag="theirs"))


def test_the_connection_of_a_restart_has_checks_with_its_credentials():
    """libwebrtc: before it has read our answer it opens a connection for its former fragment, where ours get 401."""
    ours = opened("new:theirs")
    assert restarted(opened("old:former"), opened("new:former"), opened(), ours, opened("new:theirs")) is ours
    assert restarted(opened("new:theirs", outgoing=True), ours) is ours


def test_without_a_check_for_the_restart_there_is_no_connection_of_it():
    with pytest.raises(Inconclusive, match="no connection came with a check of the restart's credentials"):
        restarted(opened("old:former"), opened())
