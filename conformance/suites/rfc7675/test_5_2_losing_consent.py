"""RFC 7675 section 5.2: losing consent."""

from __future__ import annotations

from conformance.suites.consent import (
    consenting,
    expect_consent_check,
    expect_silence_without_consent,
    require_data,
)
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.reopening import expect_reopened
from conformance.wire.layers import RFC4571


@both_sides
@watches(7)
@requirement("RFC7675-5.2-s01", "RFC7675-5.1-01", needs="payload:raw")
def test_nothing_is_sent_after_a_403(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    an authenticated 403 (Forbidden) answers the IUT's check of consent, and the application sends
    then    nothing of it comes over the connection."""
    selected = consenting(upper, peer, side)
    require_data(upper, peer, selected)
    peer.answering = False
    used, request = expect_consent_check(upper, peer, selected)
    used.send(RFC4571() / peer.error(request, 403, "Forbidden"))
    peer.wait(pixit.silence)
    expect_silence_without_consent(upper, peer, used)


@both_sides
@requirement("RFC7675-5.2-01", "RFC6544-11.1-05")
def test_closed_connection_is_opened_again(upper, peer, side):
    """with    ICE completed on a connection that the IUT has opened
    when    it ends without anything being authenticated
    then    the IUT opens another one in its place, for consent has not ended."""
    selected = establish(upper, peer, side, opener="IUT")
    peer.lose(selected, "FIN")
    expect_reopened(upper, peer)
