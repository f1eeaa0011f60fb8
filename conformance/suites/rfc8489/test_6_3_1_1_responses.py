"""RFC 8489 section 6.3.1.1: what a response holds."""

from __future__ import annotations

from conformance.peer.events import BindingError, BindingSuccess
from conformance.suites.check_contents import answered_check
from conformance.suites.checks import needs_xored
from conformance.suites.marks import both_sides, by_openers, on_other_connections, requirement, varied
from conformance.suites.messages import answers, converse, identifiers, sent
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571, RawStunAttribute


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-6.3.1.1-s03", "RFC8489-6.3.1.1-s02", "RFC6544-7.2-s01", needs="offers:passive")
def test_response_reports_where_the_request_came_from(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives
    then    it is answered with success, and XOR-MAPPED-ADDRESS is our end of the connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    needs_xored(response, connection.local_address)
    assert response.xor_mapped_address == connection.local_address, f"it says {response.xor_mapped_address}"


@both_sides
@on_other_connections
@requirement("RFC8489-6.3.1.1-s03", "RFC8489-6.3.1.1-s02", "RFC6544-7.2-s01")
def test_response_on_another_connection_reports_where_the_request_came_from(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a check has been answered with success
    then    XOR-MAPPED-ADDRESS is our end of the connection; through a relay, where its server saw us."""
    connection, _, response = answered_check(upper, peer, side, where)
    seen = next((server.peers[connection] for server in peer.servers if connection in server.peers), None)
    wanted = seen or connection.local_address
    needs_xored(response, wanted)
    assert response.xor_mapped_address == wanted, f"it says {response.xor_mapped_address}, we came from {wanted}"


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-6.3.1.1-03", "RFC8489-14.8-10", "RFC6544-7.2-s01", needs="offers:passive")
def test_error_420_names_the_attribute(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request has been refused for an unknown comprehension-required attribute
    then    UNKNOWN-ATTRIBUTES names the attribute."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    connection.send(RFC4571() / peer.check(iut, attributes=[strange]))
    error = connection.await_frame(BindingError(420), within=pixit.response)
    assert error.stun.unknown_attributes == (UNKNOWN_REQUIRED,), f"UNKNOWN-ATTRIBUTES: {error.stun.unknown_attributes}"


@both_sides
@by_openers
@requirement("RFC8489-6.3.1.1-01")
def test_error_response_has_an_error_code(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    its error responses are read
    then    each has ERROR-CODE."""
    converse(upper, peer, side, opener)
    errors = [response for response in answers(peer) if response.stun.is_error]
    without = [response for response in errors if not response.stun.has(Attribute.ERROR_CODE)]
    assert not without, f"{without[0]}"


@both_sides
@by_openers
@requirement("RFC8489-6.3.1.1-s01", "RFC8489-5-s01")
def test_response_has_the_method_of_its_request(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    what it sends with the transaction ids of our requests is read
    then    its method is Binding and its class is success or error."""
    converse(upper, peer, side, opener)
    kinds = {one[:2] for one in sent(peer) if one[8:20] in identifiers(peer)}
    assert kinds <= {b"\1\1", b"\1\x11"}, f"types of its responses: {sorted(kind.hex() for kind in kinds)}"


@both_sides
@requirement("RFC8489-6.3.1.1-s02", needs="offers:passive")
def test_success_has_a_mapped_address(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has XOR-MAPPED-ADDRESS."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    assert response.stun.has(Attribute.XOR_MAPPED_ADDRESS), "there is no XOR-MAPPED-ADDRESS"
