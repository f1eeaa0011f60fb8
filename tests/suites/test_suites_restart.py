"""How long an IUT may take to tell that a selected connection is lost."""

from __future__ import annotations

import random
import time

import pytest

from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.suites.restarts import expect_restart
from conformance.verdict import Failed


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
