"""RFC 8445 section 16.1: the attributes of checks."""

from __future__ import annotations

from conformance.suites.check_contents import exchange_checks, tie_breakers, values_of
from conformance.suites.marks import both_sides, everywhere, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.attributes import Attribute


@everywhere
@requirement("RFC8445-16.1-03", "RFC6544-7.1-s04", needs="sides:offerer")
def test_tie_breaker_of_the_controlling_agent_stays(upper, peer, where):
    """with    the IUT controlling, and connections that have been checked by both sides, and nominated
    when    the tie-breakers of the IUT's checks are compared
    then    they are the same."""
    exchange_checks(upper, peer, "offerer", where)
    assert len(tie_breakers(peer)) <= 1, f"it says {sorted(tie_breakers(peer))}"


@everywhere
@requirement("RFC8445-16.1-01", "RFC6544-7.1-s04", needs="sides:answerer")
def test_tie_breaker_of_the_controlled_agent_stays(upper, peer, where):
    """with    the IUT controlled, and connections that have been checked by both sides, and nominated by us
    when    the tie-breakers of the IUT's checks are compared
    then    they are the same."""
    exchange_checks(upper, peer, "answerer", where)
    assert len(tie_breakers(peer)) <= 1, f"it says {sorted(tie_breakers(peer))}"


@requirement("RFC8445-16.1-s01", needs="connects:active sides:offerer")
def test_use_candidate_has_no_value(upper, peer):
    """with    the controlling IUT's checks answered on a connection that it has opened
    when    it nominates
    then    USE-CANDIDATE is empty."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    peer.await_nomination(peer.await_connection())
    values = values_of(peer, Attribute.USE_CANDIDATE)
    assert not any(values), f"USE-CANDIDATE has the value {max(values).hex(' ')}"


@both_sides
@everywhere
@requirement("RFC8445-16.1-s02")
def test_priority_has_32_bits(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the PRIORITY of each check of the IUT's is read
    then    it has 4 octets."""
    exchange_checks(upper, peer, side, where)
    sizes = {len(value) for value in values_of(peer, Attribute.PRIORITY)}
    assert sizes <= {4}, f"PRIORITY has {max(sizes)} octets"


@both_sides
@everywhere
@requirement("RFC8445-16.1-s03")
def test_tie_breaker_has_64_random_bits(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the tie-breaker of each check of the IUT's is read
    then    it has 8 octets, and neither half of them is zero."""
    exchange_checks(upper, peer, side, where)
    values = values_of(peer, Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED)
    assert {len(value) for value in values} <= {8}, f"a tie-breaker has {len(min(values, key=len))} octets"
    assert all(any(value[:4]) and any(value[4:]) for value in values), f"a tie-breaker is {values[0].hex(' ')}"
