"""RFC 8445 section 7.1.1: PRIORITY in checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.check_contents import exchange_checks, priorities_on, wrong_checks
from conformance.suites.marks import both_sides, everywhere, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.places import ask_each, connected_at, places


@varied("family", "candidates")
@requirement("RFC8445-7.1.1-01", "RFC6544-7.1-s04", needs="connects:active")
def test_check_carries_priority(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    it has PRIORITY."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert request.stun.priority is not None, "no PRIORITY attribute"


@both_sides
@everywhere
@requirement("RFC8445-7.1.1-01", "RFC6544-7.1-s04")
def test_priority_of_every_check(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the PRIORITY of each check of the IUT's is read
    then    it is that of a peer-reflexive candidate: from 1 to 2^31 - 1, and none of its host candidates' own."""
    iut = exchange_checks(upper, peer, side, where)
    wrong = wrong_checks(peer, iut, "the PRIORITY of a peer-reflexive candidate")
    assert not wrong, wrong[0]


@both_sides
@everywhere
@requirement("RFC8445-7.1.1-01", "RFC6544-4.2-01")
def test_priority_of_every_check_follows_the_formula(upper, peer, side, where):
    """with    an IUT that uses the formula, and connections that have been checked by both sides, and nominated
    when    the PRIORITY of each check of the IUT's is taken apart
    then    its component and its preference among addresses are those of a candidate of the IUT's."""
    iut = exchange_checks(upper, peer, side, where)
    iut.needs_formula()
    wrong = wrong_checks(peer, iut, "a PRIORITY by the formula")
    assert not wrong, wrong[0]


@both_sides
@places("component")
@requirement("RFC8445-7.1.1-01", "RFC6544-4.2-01")
def test_priority_of_a_check_is_of_its_component(upper, peer, side, where):
    """with    an IUT that uses the formula, and connections to two components
    when    its checks in return for ours have come
    then    PRIORITY of each says the component of its connection."""
    asked = connected_at(upper, peer, side, where)
    asked[0][0].needs_formula()
    ask_each(peer, asked, until=BindingRequest)
    wrong = [f"{c}: {p}" for _, c in asked for p in priorities_on(c) if p & 0xFF != 256 - c.component]
    assert not wrong, f"PRIORITY of another component on {wrong[0]}"


@both_sides
@everywhere
@requirement("RFC8445-7.1.1-01", "RFC6544-7.1-s04")
def test_priority_is_the_same_in_all_checks_of_a_pair(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the PRIORITY of the IUT's checks on each connection is read
    then    it is the same in all: the candidate that it would make does not change."""
    exchange_checks(upper, peer, side, where)
    changing = [str(connection) for connection in peer.connections if len(priorities_on(connection)) > 1]
    assert not changing, f"PRIORITY changes from check to check on {changing[0]}"
