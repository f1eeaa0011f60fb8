"""RFC 8445 section 7.2.4: what a check is, and where it goes from."""

from __future__ import annotations

from conformance.suites.check_contents import exchange_checks, wrong_checks
from conformance.suites.checks import expect_connections_from
from conformance.suites.marks import both_sides, everywhere, requirement
from conformance.suites.negotiation import negotiate


@both_sides
@everywhere
@requirement("RFC8445-7.2.4-01")
def test_checks_have_nothing_of_rfc3489(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    each check of the IUT's is read
    then    it has no attribute that RFC 3489 alone defines."""
    iut = exchange_checks(upper, peer, side, where)
    wrong = wrong_checks(peer, iut, "without attributes of RFC 3489")
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8445-7.2.4-s01", "RFC6544-7.1-01", needs="connects:active offers:active obeys:addresses")
def test_checks_come_from_every_interface(upper, peer, side):
    """with    the IUT on two addresses, and a passive candidate of ours, no check answered
    when    it checks the pairs
    then    a connection with a check comes from each of its addresses."""
    peer.answering = False
    wanted = upper.two_addresses()
    negotiate(upper, peer, side, peer_tcptypes="passive", addresses=wanted)
    peer.await_connection()
    expect_connections_from(peer, wanted)
