"""RFC 6544 section 3: STUN and (D)TLS side by side."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.peer.secure import AnyDtls, Hello
from conformance.suites.establishing import establish_dtls
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_dtls
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-3-s02", needs="payload:dtls")
def test_check_in_mid_session_is_answered_beside_dtls(upper, peer, side, pixit):
    """with    ICE completed, and the IUT's DTLS handshake begun
    when    a check arrives in a frame of its own
    then    it is answered in a frame of its own, with nothing of DTLS around it."""
    selected = establish_dtls(upper, peer, side)
    selected.await_frame(Hello, within=pixit.complete)
    request = peer.check(peer.iut)
    selected.send(RFC4571() / request)
    selected.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@both_sides
@requirement("RFC6544-3-s03", needs="payload:dtls offers:passive")
def test_no_handshake_before_checks(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate on which no check has been sent
    when    some time passes
    then    the IUT begins no DTLS handshake on it."""
    iut = negotiate_dtls(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.expect_nothing(AnyDtls, within=pixit.silence)
