"""RFC 8489 section 9.1.3: how responses are protected."""

from __future__ import annotations

from conformance.peer.events import BindingError, BindingSuccess
from conformance.suites.check_contents import answered_check, conflicting_check
from conformance.suites.marks import both_sides, on_other_connections, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.integrity import Check, short_term_key
from conformance.wire.layers import RFC4571, RawStunAttribute


@both_sides
@requirement("RFC8489-9.1.3-12", "RFC6544-7.2-s01", needs="offers:passive")
def test_response_has_no_user_name(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has no USERNAME."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    assert not response.stun.has(Attribute.USERNAME), f"USERNAME is {response.stun.username}"


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-9.1.3-11", "RFC8489-6.3.1.1-04", "RFC6544-7.2-s01", needs="offers:passive")
def test_error_to_an_authenticated_request_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request with right credentials has been refused for an unknown required attribute
    then    the error response has a right MESSAGE-INTEGRITY under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    connection.send(RFC4571() / peer.check(iut, attributes=[strange]))
    error = connection.await_frame(BindingError(420), within=pixit.response)
    found = error.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-9.1.3-11", "RFC8445-7.3-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_response_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has a right MESSAGE-INTEGRITY under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    found = response.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"


@both_sides
@on_other_connections
@requirement("RFC8489-9.1.3-11", "RFC8445-7.3-03", "RFC6544-7.2-s01")
def test_response_on_another_connection_is_protected(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a check has been answered with success
    then    the response has a right MESSAGE-INTEGRITY under the IUT's password."""
    _, iut, response = answered_check(upper, peer, side, where)
    found = response.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"


@both_sides
@requirement("RFC8489-9.1.3-13", "RFC6544-7.2-s01", needs="offers:passive")
def test_refusal_of_credentials_has_no_integrity(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request has been refused for its wrong password
    then    the error response has no MESSAGE-INTEGRITY and no USERNAME, there being no shared secret."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    error = connection.await_frame(BindingError, within=pixit.response)
    assert not error.stun.has(Attribute.MESSAGE_INTEGRITY), "the refusal has a MESSAGE-INTEGRITY"
    assert not error.stun.has(Attribute.USERNAME), f"USERNAME is {error.stun.username}"


@both_sides
@requirement("RFC8489-9.1.3-11", "RFC8445-7.3-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_role_conflict_error_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check that claims the IUT's own role has been refused
    then    the error 487 has a right MESSAGE-INTEGRITY under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / conflicting_check(peer, iut))
    error = connection.await_frame(BindingError(487), within=pixit.response)
    found = error.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"
