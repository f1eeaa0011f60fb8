"""RFC 6544 section 4.5: a=setup says who begins the DTLS handshake, not who connects; SRTP is used over TCP, too."""

from __future__ import annotations

from conformance.peer.events import Data
from conformance.peer.secure import AnyDtls, Hello, client_hello, expect_server
from conformance.suites.establishing import await_selection, establish_dtls
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_dtls
from conformance.suites.values import rtp


@requirement("RFC6544-4.5-s04", needs="connects:active sides:offerer")
def test_dtls_server_opens_connections(upper, peer):
    """with    our answer saying setup:active, and holding a passive candidate only
    when    the IUT has it
    then    it opens a connection, although it is to await the handshake."""
    negotiate_dtls(upper, peer, "offerer", iut_is="passive", peer_tcptypes="passive")
    peer.expect_connection()


@both_sides
@requirement("RFC6544-4.5-s04", needs="offers:passive")
def test_dtls_client_begins_on_a_connection_it_accepted(upper, peer, side, pixit):
    """with    a=setup making the IUT DTLS's client
    when    ICE has completed on a connection that we opened
    then    the IUT begins the handshake."""
    iut = negotiate_dtls(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    selected = peer.complete(iut, connection)
    await_selection(upper, peer, selected)
    selected.expect(Hello, within=pixit.complete)


@requirement("RFC6544-4.5-s04", needs="connects:active sides:offerer")
def test_dtls_server_awaits_the_handshake_on_a_connection_it_opened(upper, peer, pixit, rng):
    """with    a=setup making the IUT DTLS's server
    when    ICE has completed on a connection that the IUT opened
    then    it leaves the handshake's beginning to us, and answers our ClientHello."""
    iut = negotiate_dtls(upper, peer, "offerer", iut_is="passive", peer_tcptypes="passive")
    selected = peer.complete(iut, peer.await_connection())
    await_selection(upper, peer, selected)
    selected.expect_nothing(AnyDtls, within=pixit.silence)
    expect_server(peer, selected, client_hello(rng.randbytes(32)), within=pixit.response)


@both_sides
@requirement("RFC6544-4.5-06")
def test_srtp_is_used_over_tcp(upper, peer, side, pixit):
    """with    a media section of DTLS-SRTP, and ICE completed on a connection
    when    the IUT's application sends an RTP packet
    then    it does not come in the clear: the handshake that makes the keys of SRTP is under way there."""
    selected = establish_dtls(upper, peer, side)
    upper.description.needs_srtp()
    packet = rtp(1, b"for the peer alone")
    upper.try_to_send(packet)
    selected.expect_nothing(Data(packet), within=pixit.silence)
    selected.await_frame(AnyDtls, within=pixit.complete)
