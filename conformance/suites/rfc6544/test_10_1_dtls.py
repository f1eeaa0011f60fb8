"""RFC 6544 section 10.1: (D)TLS begins where media would."""

from __future__ import annotations

from conformance.peer.secure import Hello
from conformance.suites.establishing import establish_dtls
from conformance.suites.framing import let_handshake_begin, misframed
from conformance.suites.marks import both_sides, requirement


@both_sides
@requirement("RFC6544-10.1-s02", "RFC6544-10.1-02", needs="payload:dtls")
def test_handshake_begins_in_a_frame(upper, peer, side, pixit):
    """with    the IUT as DTLS's client by a=setup
    when    ICE has completed on a connection
    then    a ClientHello comes over this connection, in a frame of its own."""
    selected = establish_dtls(upper, peer, side)
    let_handshake_begin(peer, selected)
    wrong = misframed([selected]).any
    assert not wrong, f"the handshake is not in RFC 4571 frames: {wrong[0]}"
    selected.expect(Hello, within=pixit.complete)
