"""RFC 8445 section 16.1: the tie-breaker."""

from __future__ import annotations

from conformance.suites.check_contents import exchange_checks, tie_breakers
from conformance.suites.marks import everywhere, requirement


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
