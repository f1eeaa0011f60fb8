"""The lower tester, as a peer only, and the reference agent with candidates from a real server."""

from __future__ import annotations

import random

import pytest
from coturn import PASSWORD, USER, coturn

from conformance.iut import stacks
from conformance.iut.pool import Pool
from conformance.iut.upper import Upper
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.suites.negotiation import negotiate
from conformance.suites.servers import gathered
from conformance.wire.rfc4571 import frame


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with coturn(tmp_path_factory.mktemp("coturn")) as port:
        yield port


@pytest.fixture
def testers(tmp_path):
    """Upper and lower tester of a case that is none."""
    pool, pump = Pool(stacks.resolve("reference"), processes=1, log_dir=tmp_path), Pump()
    peer = Peer("127.16.202.1", pump, SilentTap(), Pixit(), random.Random(3))
    with pool.lease("case") as lease:
        upper = Upper(lease.session, pump, pics=pool.hello().pics, addresses=["127.0.0.1"], timeout=15)
        upper.on_description = peer.meet
        yield upper, peer
        upper.close()
    peer.close()
    pool.close()
    pump.close()


@pytest.mark.parametrize("side", ["offerer", "answerer"])
def test_the_tester_connects_to_the_agent_through_the_server(testers, port, side):
    upper, peer = testers
    url = {"url": f"turn:127.0.0.1:{port}?transport=tcp", "username": USER, "credential": PASSWORD}
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[url])
    (relayed,) = gathered(iut, "relay", "passive")
    assert gathered(iut, "relay", "active")[0].address == relayed.address
    peer.wait(0.1)  # for the permission, of which only the server knows
    selected = peer.complete(iut, peer.connect(relayed))
    assert upper.wait_state("completed", within=5)
    assert upper.selected[0]["local"] == str(relayed)
    selected.send(frame(b"\x80" * 3000))
    upper.expect_data(b"\x80" * 3000, within=5)
    upper.send(b"\x81" * 3000)
    selected.expect_data(b"\x81" * 3000, within=5)
