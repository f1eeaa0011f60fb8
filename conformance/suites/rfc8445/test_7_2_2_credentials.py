"""RFC 8445 section 7.2.2: the credentials of checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.check_contents import exchange_checks, wrong_checks
from conformance.suites.marks import both_sides, everywhere, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.integrity import Check, short_term_key


@varied("family", "segmentation", "candidates")
@requirement("RFC8445-7.2.2-s01", "RFC6544-7.1-s04", needs="connects:active")
def test_user_name_of_a_check(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    its user name is our fragment, a colon and its own."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert request.stun.username == f"{peer.ufrag}:{iut.ufrag}"


@varied("family", "segmentation", "candidates")
@requirement("RFC8445-7.2.2-01", "RFC8445-7.2.2-s02", "RFC8489-9.1.2-02", "RFC6544-7.1-s04", needs="connects:active")
def test_check_is_protected(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    it has a right MESSAGE-INTEGRITY under our password."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    found = request.integrity(short_term_key(peer.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"


@both_sides
@everywhere
@requirement("RFC8445-7.2.2-s01", "RFC6544-7.1-s04")
def test_user_name_of_every_check(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the user name of each check of the IUT's is read
    then    it is our fragment, a colon and its own."""
    iut = exchange_checks(upper, peer, side, where)
    wrong = wrong_checks(peer, iut, "our user name fragment, a colon and its own")
    assert not wrong, wrong[0]


@both_sides
@everywhere
@requirement("RFC8445-7.2.2-01", "RFC8445-7.2.2-s02", "RFC6544-7.1-s04")
def test_every_check_is_protected(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the integrity of each check of the IUT's is computed
    then    it has a right MESSAGE-INTEGRITY under our password."""
    iut = exchange_checks(upper, peer, side, where)
    wrong = wrong_checks(peer, iut, "a right MESSAGE-INTEGRITY")
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8445-7.2.2-s02", needs="connects:active")
def test_password_of_a_check_is_ours(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    its MESSAGE-INTEGRITY, if it has one, is made with our password."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    found = request.integrity(short_term_key(peer.pwd))
    assert found is not Check.INVALID, "MESSAGE-INTEGRITY is made with another password"
