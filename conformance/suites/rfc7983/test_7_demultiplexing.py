"""RFC 7983 section 7: STUN, DTLS and media on one connection."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.peer.secure import Hello, client_hello, expect_server, verify_request
from conformance.suites.establishing import establish_dtls
from conformance.suites.marks import both_sides, requirement
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame

_COOKIE = b"bring this back"


@both_sides
@requirement("RFC7983-7-s02", "RFC7983-7-s01", "RFC7983-7-s03", "RFC6544-10.2-s03", needs="payload:dtls")
def test_client_tells_stun_dtls_and_media_apart(upper, peer, side, pixit):
    """with    the IUT's ClientHello received
    when    an RTP packet, a check and DTLS's HelloVerifyRequest arrive in one segment
    then    the check is answered, and the ClientHello comes again with the cookie."""
    selected = establish_dtls(upper, peer, side)
    selected.await_frame(Hello, within=pixit.complete)
    check = bytes(RFC4571() / peer.check(peer.iut))
    selected.send(frame(DATA) + check + frame(verify_request(_COOKIE)))
    selected.expect(BindingSuccess, within=pixit.response)
    selected.expect(Hello(_COOKIE), within=pixit.response)


@requirement("RFC7983-7-s02", "RFC7983-7-s01", "RFC7983-7-s03", "RFC6544-10.2-s03", needs="payload:dtls sides:offerer")
def test_server_tells_stun_dtls_and_media_apart(upper, peer, pixit, rng):
    """with    ICE completed, and the IUT as DTLS's server by a=setup
    when    an RTP packet, a check and our ClientHello arrive in one segment
    then    the check is answered, and so is the ClientHello."""
    selected = establish_dtls(upper, peer, "offerer", iut_is="passive")
    hello = client_hello(rng.randbytes(32))
    selected.send(frame(DATA) + bytes(RFC4571() / peer.check(peer.iut)) + frame(hello))
    selected.expect(BindingSuccess, within=pixit.response)
    expect_server(peer, selected, hello, within=pixit.response)


@both_sides
@requirement("RFC7983-7-01", needs="payload:dtls")
def test_frames_of_no_range_are_dropped(upper, peer, side, pixit):
    """with    the IUT's ClientHello received
    when    frames arrive whose first octets are in no range, and then DTLS's HelloVerifyRequest
    then    the ClientHello comes again with the cookie."""
    selected = establish_dtls(upper, peer, side)
    selected.await_frame(Hello, within=pixit.complete)
    strange = b"".join(frame(bytes([first]) * 32) for first in (100, 127, 192, 255))
    selected.send(strange + frame(verify_request(_COOKIE)))
    selected.expect(Hello(_COOKIE), within=pixit.response)
