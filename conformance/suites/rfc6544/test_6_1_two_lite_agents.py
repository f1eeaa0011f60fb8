"""RFC 6544 section 6.1: two lite agents."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate


@requirement("RFC6544-6.1-02", needs="offers:passive obeys:addresses")
def test_lite_answerer_accepts_on_all_passive_candidates(upper, peer):
    """with    the lite IUT on two addresses, having answered our offer, which is a lite agent's too
    when    we connect to each of its passive candidates
    then    each connection is accepted."""
    addresses = upper.two_addresses()
    iut = negotiate(upper, peer, "answerer", agent="lite", peer_lite=True, addresses=addresses)
    passive = iut.candidates(tcptype="passive")
    iut.require(len(passive) > 1, "passive candidates on two addresses")
    peer.expect_all_accepted(passive)


@requirement("RFC6544-6.1-03", needs="offers:passive sdp:full")
def test_connection_that_the_new_offer_names_is_kept(upper, peer, pixit):
    """with    a lite IUT having answered our offer, which is a lite agent's too, and a connection to its candidate
    when    our new offer selects this candidate
    then    the IUT answers the offer and keeps the connection."""
    iut = negotiate(upper, peer, "answerer", agent="lite", peer_lite=True, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    upper.accept(peer.selecting_offer(iut.candidate(tcptype="passive")), kind="offer")
    answer = upper.describe()
    assert answer.kind == "answer", f"our new offer led to an {answer.kind} of the IUT's"
    connection.expect_open(within=pixit.silence)


@requirement("RFC6544-6.1-04", needs="offers:passive sdp:full obeys:addresses")
def test_connection_that_the_new_offer_does_not_name_is_closed(upper, peer, pixit):
    """with    a lite IUT on two addresses having answered our offer, a lite agent's too, and a connection to one
    when    our new offer selects the candidate on the other address
    then    the IUT closes the connection."""
    addresses = upper.two_addresses()
    iut = negotiate(upper, peer, "answerer", agent="lite", peer_lite=True, peer_tcptypes="active", addresses=addresses)
    passive = iut.all_of_family(iut.candidates(tcptype="passive", component=1))
    iut.require(len(passive) > 1, "passive candidates on two addresses")
    connection = peer.connect(passive[0])
    upper.accept(peer.selecting_offer(passive[1]), kind="offer")
    upper.describe()
    connection.expect_end(within=pixit.close)
