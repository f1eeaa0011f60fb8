"""RFC 6544 section 4.1: which host candidates there are, and the pace of transactions."""

from __future__ import annotations

import pytest

from conformance.suites import pace
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description

_TARGETS = 12


@both_sides
@requirement("RFC6544-4.1-02", needs="obeys:addresses")
def test_host_candidates_on_every_address(upper, peer, side):
    """with    the IUT on two addresses
    when    its host candidates are read
    then    there are some on each address."""
    wanted = upper.two_addresses()
    iut = obtain_description(upper, peer, side, addresses=wanted)
    addresses = {c.address for c in iut.hosts()}
    assert addresses >= set(wanted), f"host candidates on {sorted(addresses)} only"


@pytest.mark.parametrize("transports", ["udp", "udp-tcp"])
@requirement("RFC6544-4.1-01", needs="transports:udp transports:tcp sides:offerer")
def test_tcp_candidates_can_be_switched_off(upper, transports):
    """with    the IUT configured for RTP over UDP only, or over UDP and TCP
    when    its offer is read
    then    it has TCP candidates only if it was configured for TCP."""
    wanted = transports.split("-")
    found = {c.transport.lower() for c in upper.offer(transports=wanted).media().candidates}
    assert ("tcp" in found) is ("tcp" in wanted), f"candidates of {sorted(found)}, configured for {wanted}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.1-03", needs="connects:active")
def test_active_candidate_for_every_component(upper, peer, side):
    """with    an IUT that connects actively
    when    its description is read
    then    it has an active host candidate for each component."""
    iut = obtain_description(upper, peer, side)
    active = {c.component for c in iut.hosts("active")}
    missing = set(range(1, peer.shape.components + 1)) - active
    assert not missing, f"there is no active host candidate for component {min(missing)}"


@both_sides
@requirement("RFC6544-4.1-03", needs="connects:active obeys:addresses families:4 families:6")
def test_active_candidate_on_every_address(upper, peer, side):
    """with    an IUT that connects actively, on an IPv4 and an IPv6 address
    when    its description is read
    then    it has an active host candidate on each."""
    iut = obtain_description(upper, peer, side, addresses=upper.both_families())
    active = {c.address for c in iut.hosts("active")}
    assert active >= set(upper.both_families()), f"active host candidates on {sorted(active)} only"


@varied("family")
@requirement("RFC6544-4.1-s02", needs="connects:active")
def test_connections_are_opened_at_their_checks_turn(upper, peer, side, pixit):
    """with    twelve passive candidates of ours, none of which waits for another, and no check answered
    when    the IUT checks them, one every Ta
    then    no connection comes before its check's turn."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_candidates=pace.targets(peer, _TARGETS))
    seen = pace.watch(peer, iut, _TARGETS, within=pixit.attempts)
    seen.require_paced_checks()
    assert not seen.early(seen.connections), f"connections are opened too early: {seen.early(seen.connections)}"
