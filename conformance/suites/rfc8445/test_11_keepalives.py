"""RFC 8445 section 11: keepalives on selected pairs."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.establishing import establish
from conformance.suites.keepalives import (
    expect_keepalive,
    expect_no_check_in_return,
    indications,
    needs_quiet,
    too_close,
)
from conformance.suites.marks import both_sides, requirement, watches
from conformance.wire.attributes import Attribute
from conformance.wire.integrity import Check
from conformance.wire.layers import RFC4571

_CREDENTIALS = (Attribute.USERNAME, Attribute.MESSAGE_INTEGRITY, Attribute.MESSAGE_INTEGRITY_SHA256)


@watches(6.0)
@both_sides
@requirement("RFC8445-11-04")
def test_idle_pair_is_kept_alive(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    neither side has data to send for a minute
    then    the IUT sends something there: a check of consent, another STUN message, data, or a keepalive of TCP."""
    selected = establish(upper, peer, side)
    expect_keepalive(peer, selected, within=pixit.idle)


@watches(16.0)
@requirement("RFC8445-11-06", needs="sides:offerer")
def test_keepalives_are_not_sooner_than_tr(upper, peer, pixit):
    """with    ICE completed on a connection
    when    Binding indications come over it as keepalives
    then    they are 15 seconds apart at least."""
    selected = establish(upper, peer, "offerer")
    peer.wait(pixit.keepalives)
    close = too_close(peer, selected)
    assert not close, f"Binding indications come {close[0]}"


@watches(16.0)
@requirement("RFC8445-11-11", needs="sides:answerer")
def test_keepalives_are_not_authenticated(upper, peer, pixit):
    """with    ICE completed on a connection
    when    a Binding indication comes over it as a keepalive
    then    it has neither USERNAME nor MESSAGE-INTEGRITY."""
    selected = establish(upper, peer, "answerer")
    peer.wait(pixit.keepalives)
    wrong = [kind.name for frame in indications(peer, selected) for kind in _CREDENTIALS if frame.stun.has(kind)]
    assert not wrong, f"a Binding indication has {wrong[0]}"


@watches(16.0)
@requirement("RFC8445-11-12", needs="sides:offerer")
def test_keepalives_have_fingerprint_alone(upper, peer, pixit):
    """with    ICE completed on a connection
    when    a Binding indication comes over it as a keepalive
    then    FINGERPRINT is its only attribute, credentials apart."""
    selected = establish(upper, peer, "offerer")
    peer.wait(pixit.keepalives)
    found = indications(peer, selected)
    wrong = [frame for frame in found if frame.fingerprint is not Check.VALID]
    assert not wrong, f"FINGERPRINT of a Binding indication is {wrong[0].fingerprint}"
    allowed = {Attribute.FINGERPRINT, *_CREDENTIALS}  # that there are no credentials is 11-11
    more = {attribute.type for frame in found for attribute in frame.stun.attributes} - allowed
    assert not more, f"a Binding indication has the attribute 0x{min(more, default=0):04x}"


@both_sides
@requirement("RFC8445-11-13", "RFC6544-11.1-08")
def test_check_on_the_selected_pair_changes_nothing(upper, peer, side, pixit):
    """with    ICE completed on a connection, over which the IUT sends no request by itself for a while
    when    a check of ours comes there
    then    it is answered with success, and the IUT sends no check in return."""
    selected = establish(upper, peer, side)
    selected.begin_anew(selected=True)
    needs_quiet(peer, selected, within=pixit.silence)
    request = peer.check(upper.description)
    selected.send(RFC4571() / request)
    selected.expect(BindingSuccess(request.transaction_id), within=pixit.response)
    expect_no_check_in_return(peer, upper.description, selected, within=pixit.silence)
