"""RFC 8445 section 7.1: attributes that belong into checks."""

from __future__ import annotations

from conformance.peer.events import BindingError, BindingSuccess
from conformance.suites.check_contents import answered_check, checks_attributes
from conformance.suites.marks import both_sides, on_other_connections, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.servers import NAT
from conformance.wire.layers import RFC4571


@varied("family", "components")
@requirement("RFC8445-7.1-s01", needs="offers:passive")
def test_responses_have_no_attributes_of_checks(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check is answered with success, and one with a wrong password with an error
    then    neither has PRIORITY, USE-CANDIDATE, ICE-CONTROLLING or ICE-CONTROLLED."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    success = connection.await_frame(BindingSuccess, within=pixit.response)
    connection.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    error = connection.await_frame(BindingError, within=pixit.response)
    strange = checks_attributes(success.stun) + checks_attributes(error.stun)
    assert not strange, f"a response has {strange[0]}"


@both_sides
@on_other_connections
@requirement("RFC8445-7.1-s01")
def test_response_on_another_connection_has_no_attributes_of_checks(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a check has been answered with success
    then    the response has no attribute of a check."""
    _, _, response = answered_check(upper, peer, side, where)
    assert not checks_attributes(response.stun), f"the response has {checks_attributes(response.stun)[0]}"


@both_sides
@requirement("RFC8445-7.1-s01", needs="tcp_srflx")
def test_requests_to_servers_have_no_attributes_of_checks(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the IUT's requests to it are read
    then    none has an attribute of a check."""
    server = peer.stun_server(mapped=NAT)
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    strange = [name for request in server.requests() for name in checks_attributes(request.message)]
    assert not strange, f"a request to the server has {strange[0]}"
