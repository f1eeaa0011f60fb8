"""The order of addresses when there are both families."""

from __future__ import annotations

import pytest
from agent_simulation import Network

from conformance.agent.families import interleaved
from conformance.wire.sdp import SessionDescription

FOUR = [f"10.0.0.{n}" for n in range(1, 5)]
SIX = [f"fd00::{n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (FOUR[:3], FOUR[:3]),
        (SIX[:3], SIX[:3]),
        ([FOUR[0], SIX[0]], [SIX[0], FOUR[0]]),
        # RFC 8421 section 4: two IPv4 and six IPv6 addresses, an IPv4 address after four IPv6 ones
        ([*FOUR[:2], *SIX], [*SIX[:4], FOUR[0], SIX[4], FOUR[1], SIX[5]]),
        ([*FOUR, SIX[0]], [SIX[0], *FOUR]),
        ([], []),
    ],
)
def test_ipv6_has_a_head_start_and_then_the_families_take_turns(given, wanted):
    assert interleaved(given) == tuple(wanted)


def test_the_order_is_the_local_preference():
    host = Network().host(offerer=True, addresses=[*FOUR[:2], *SIX])
    candidates = SessionDescription.parse(host.describe()).media[0].candidates
    active = sorted((c for c in candidates if c.tcptype == "active"), key=lambda c: -c.priority)
    assert [c.address for c in active] == list(interleaved([*FOUR[:2], *SIX]))
    assert len({c.priority for c in active}) == 8


def test_two_agents_of_both_families_meet_over_ipv6():
    network = Network()
    one = network.host(offerer=True, addresses=[FOUR[0], SIX[0]])
    two = network.host(offerer=False, addresses=[FOUR[1], SIX[1]])
    network.complete(one, two)
    local, remote = one.selected[0, 1]
    assert (local.address, remote.address) == (SIX[0], SIX[1])


@pytest.mark.parametrize("other", [[FOUR[1]], [SIX[1]]])
def test_an_agent_of_both_families_meets_one_of_either(other):
    network = Network()
    one = network.host(offerer=True, addresses=[FOUR[0], SIX[0]])
    two = network.host(offerer=False, addresses=other)
    network.complete(one, two)
    assert one.selected[0, 1][1].address == other[0]
