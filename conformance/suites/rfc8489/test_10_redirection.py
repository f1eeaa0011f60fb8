"""RFC 8489 section 10: redirection by 300 (Try Alternate)."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    allocates,
    gather,
    let_gather,
    needs_redirection,
    redirecting,
    usual_allocates,
    values,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@both_sides
@requirement("RFC8489-10-s01", "RFC8656-7.4-02")
def test_redirected_request_goes_to_the_alternate_server(upper, peer, side):
    """with    a TURN server that sends the IUT to another one by 300
    when    the IUT follows
    then    it asks the other server for an allocation, over TCP."""
    server, other = redirecting(peer)
    gather(upper, peer, side, server, allocated=False)
    needs_redirection(other)
    assert other.requests(Method.ALLOCATE), "the IUT asks the alternate server for something else"


@both_sides
@requirement("RFC8489-10-05")
def test_alternate_server_gets_the_same_credentials(upper, peer, side):
    """with    a TURN server that sends the IUT to another one by 300
    when    the IUT follows
    then    it names the same user there."""
    server, other = redirecting(peer)
    gather(upper, peer, side, server, allocated=False)
    needs_redirection(other)
    names = values(allocates(other), Attribute.USERNAME)
    assert names == {server.username.encode()}, f"USERNAME: {names}"


@both_sides
@requirement("RFC8489-10-09")
def test_redirection_loop_is_left(upper, peer, side):
    """with    two TURN servers that send the IUT from each to the other
    when    the IUT follows
    then    it does not come back to one that it has asked just before."""
    usual = usual_allocates(upper, peer, side)
    server, other = redirecting(peer)
    other.manner.refusals[Method.ALLOCATE], other.manner.alternate = [300], server.address
    other.manner.always = {300}
    let_gather(upper, peer, side, server, within=peer.pixit.response)
    needs_redirection(other)
    peer.wait(peer.pixit.silence)
    count = sum(one.code == 300 for one in other.requests(Method.ALLOCATE))  # not those with the first server's nonce
    assert count <= usual, f"the IUT asked the other server {count} times, where it usually asks {usual} times"
