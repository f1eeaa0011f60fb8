"""RFC 8445 section 6.1.2.4: pairs that are pruned."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.servers import NAT, gathered_if_any


@varied("family", "candidates")
@requirement("RFC8445-6.1.2.4-s01", needs="connects:active offers:active")
def test_address_that_is_stated_twice_is_connected_to_once(upper, peer, side, pixit):
    """with    two candidates of ours at one address and port, of different types and foundations, no check answered
    when    an IUT with one active candidate has connected to it
    then    it does not connect a second time: the pairs are redundant."""
    peer.answering = False
    host = peer.candidate("passive", foundation="host")
    reflexive = {"type": "srflx", "related_address": peer.address, "related_port": host.port, "priority": 1000}
    again = peer.candidate("passive", port=host.port, foundation="srflx", **reflexive)
    negotiate(upper, peer, side, peer_candidates=[host, again]).needs_one_base()
    peer.await_connection()
    peer.expect_no_connection(within=pixit.silence)


@both_sides
@requirement("RFC8445-6.1.2.4-01", needs="connects:active offers:active")
def test_reflexive_candidates_make_no_further_checks(upper, peer, side, pixit):
    """with    the IUT having an active candidate and, from a STUN server, a server reflexive one of the same base
    when    it has connected to our passive candidate, and its check is not answered
    then    it does not connect a second time: the reflexive candidate is replaced by its base."""
    peer.answering = False
    server = peer.stun_server(mapped=NAT)
    iut = negotiate(upper, peer, side, peer_tcptypes="passive", ice_servers=[server.entry])
    gathered_if_any(iut, "srflx", "active")
    iut.needs_one_base()
    peer.await_connection()
    peer.expect_no_connection(within=pixit.silence)
