"""RFC 8445 section 5.3: what a description promises."""

from __future__ import annotations

from conformance.suites.checks import expect_successes
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import expect_description, negotiate
from conformance.suites.restarts import restart
from conformance.suites.values import duplicates, random_bits

_SAMPLES = 4
_BY_CHANCE = 6  # bits: in a sample a place or two may be the same, and no letter above f may come


@requirement("RFC8445-5.3-06", "RFC8839-5.4-03", needs="restart sides:offerer")
def test_credentials_are_random(upper, peer):
    """with    descriptions exchanged, and ICE restarted by the IUT several times
    when    its user name fragments and passwords are compared
    then    none comes again, and they vary as much as 24 random bits and 128 do."""
    seen = [negotiate(upper, peer, "offerer", peer_tcptypes="active")]
    seen += [restart(upper, peer, "IUT") for _ in range(_SAMPLES)]
    fragments, passwords = [one.ufrag for one in seen], [one.pwd for one in seen]
    assert not duplicates(fragments), f"the fragment {duplicates(fragments)[0]} comes again"
    assert not duplicates(passwords), f"the password {duplicates(passwords)[0]} comes again"
    bits = random_bits(fragments)
    assert bits >= 24 - _BY_CHANCE, f"the fragments {fragments} hold {bits:.0f} random bits at most"
    bits = random_bits(passwords)
    assert bits >= 128 - _BY_CHANCE, f"the passwords {passwords} hold {bits:.0f} random bits at most"


@varied("family", "components", side="offerer")
@requirement("RFC8445-5.3-07", "RFC6544-7.2-01", needs="offers:passive sides:offerer")
def test_offerer_is_ready_once_its_offer_is_out(upper, peer):
    """with    the IUT's offer out, and no answer yet
    when    we connect to each of its passive candidates and send a check, and later another one
    then    each connection is accepted, and each check answered with success."""
    offer = upper.offer(components=peer.shape.components)
    peer.controlling = False
    connections = peer.expect_all_accepted(offer.hosts("passive"))
    expect_successes(peer, offer, connections * 2)


@both_sides
@requirement("RFC8445-5.3-s01")
def test_foundations_have_at_most_32_characters(upper, peer, side):
    """with    a description of the IUT
    when    the foundations of its candidates are read
    then    none has more than 32 characters."""
    expect_description(upper, peer, side, "RFC 8839 section 5.1", about="foundation")
