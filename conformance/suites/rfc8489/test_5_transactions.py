"""RFC 8489 section 5: transaction ids."""

from __future__ import annotations

from conformance.suites.check_contents import exchange_checks, repeated_identifiers
from conformance.suites.marks import both_sides, everywhere, requirement
from conformance.suites.messages import alike, responses_to
from conformance.suites.negotiation import negotiate
from conformance.suites.pace import targets
from conformance.wire.layers import RFC4571


@both_sides
@everywhere
@requirement("RFC8489-5-05", "RFC6544-7.1-s04")
def test_every_check_has_an_identifier_of_its_own(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the transaction ids of the IUT's checks are compared
    then    no two different requests have the same."""
    exchange_checks(upper, peer, side, where)
    repeated = repeated_identifiers(peer)
    assert not repeated, repeated[0]


@both_sides
@requirement("RFC8489-5-04", needs="connects:active")
def test_transaction_ids_are_random(upper, peer, side, pixit):
    """with    five passive candidates of ours, and no check answered
    when    the transaction ids of the IUT's checks are compared
    then    they do not have most of their octets in common, as a counter's or a clock's would."""
    peer.answering = False
    negotiate(upper, peer, side, peer_candidates=targets(peer, 5))
    peer.wait_until(lambda: len(peer.checks()) >= 5, pixit.connect)
    common = alike(check.stun.transaction_id for check in peer.checks())
    assert common < 6, f"{common} of 12 octets are the same in each of {len(peer.checks())} transaction ids"


@both_sides
@requirement("RFC8489-5-06", needs="offers:passive")
def test_response_has_the_transaction_id_of_its_request(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check and a request with a wrong password have been answered
    then    the responses have the transaction ids of the two requests."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    right, wrong = peer.check(iut), peer.check(iut, password="wrong" * 5)
    connection.send(RFC4571() / right)
    connection.send(RFC4571() / wrong)
    found = responses_to(peer, connection, 2)
    assert found == {right.transaction_id, wrong.transaction_id}, f"transaction ids of the responses: {found}"
