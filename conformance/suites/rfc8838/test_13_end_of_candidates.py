"""RFC 8838 section 13: the IUT's end of candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.negotiation import negotiate_trickled
from conformance.suites.servers import NAT
from conformance.suites.trickling import completed, needs_an_end, told_in_full, told_since


@requirement("RFC8838-13-02", needs="sides:answerer")
def test_controlled_agent_says_the_end_of_candidates(upper, peer):
    """with    the IUT controlled
    when    it has told its candidates
    then    it says that these are all."""
    assert told_in_full(upper, peer, "answerer").complete, "it does not say so"


@requirement("RFC8838-13-04", needs="sides:offerer")
def test_controlling_agent_says_the_end_of_candidates(upper, peer):
    """with    the IUT controlling
    when    it has told its candidates
    then    it says that these are all."""
    assert told_in_full(upper, peer, "offerer").complete, "it does not say so"


@both_sides
@requirement("RFC8838-13-06", "RFC8838-13-08", needs="offers:passive")
def test_nothing_comes_behind_the_end_of_candidates(upper, peer, side, pixit):
    """with    the IUT's end of candidates told
    when    ICE completes
    then    no candidate has been told behind the end."""
    completed(upper, peer, needs_an_end(told_in_full(upper, peer, side)))
    peer.wait(pixit.silence)
    assert not told_since(upper), f"it tells {told_since(upper)[0]}"


@lasts(2.5)
@requirement("RFC8838-13-10", needs="sides:answerer offers:passive tcp_srflx")
def test_nothing_is_told_after_the_nomination(upper, peer, pixit):
    """with    a STUN server that answers late, and ICE completed with the IUT's host candidates before that
    when    the server answers, which gives the IUT reflexive candidates
    then    it tells none of them."""
    server = peer.stun_server(mapped=NAT)
    server.answering = False
    negotiate_trickled(upper, peer, "answerer", ice_servers=[server.entry])
    completed(upper, peer, upper.await_candidates())
    server.answer_held()
    peer.wait(pixit.silence)
    assert not told_since(upper), f"it tells {told_since(upper)[0]}"
