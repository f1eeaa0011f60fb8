"""RFC 8445 section 7.3.1.2: the mapped address of a request."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC8445-7.3.1.2-s01", "RFC8489-6.3.1.1-s03", needs="tcp_relay")
def test_mapped_address_of_a_relayed_request_is_the_peers(upper, peer, side, pixit):
    """with    a connection to the IUT's relayed candidate, through the TURN server
    when    a check of ours has been answered with success
    then    the mapped address is the one at which the server saw us."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    connection = server.connect(iut.candidates(tcptype="passive", type="relay")[0])
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    wanted = server.peers[connection]
    assert response.xor_mapped_address == wanted, f"it says {response.xor_mapped_address}, the server saw {wanted}"
