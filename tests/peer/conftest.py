"""What the tests of the lower tester share."""

from __future__ import annotations

import random
import socket

import pytest
from peer_scripts import PIXIT

from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap


@pytest.fixture
def pump():
    pump = Pump()
    yield pump
    pump.close()


@pytest.fixture
def peer(pump):
    peer = Peer("127.16.200.1", pump, SilentTap(), PIXIT, random.Random(1))
    yield peer
    peer.close()


@pytest.fixture
def pair(peer):
    """A connection, and the socket at its other end."""
    listener = peer.listen()
    other = socket.create_connection((peer.address, listener.port), timeout=5, source_address=("127.0.0.1", 0))
    connection = peer.expect_connection()
    yield connection, other
    other.close()


@pytest.fixture
def second(peer, pair):
    """A connection from another address of the IUT's."""
    listener = peer.listeners[0]
    with socket.create_connection((peer.address, listener.port), 5, source_address=("127.0.0.2", 0)) as other:
        yield peer.expect_connection(), other
