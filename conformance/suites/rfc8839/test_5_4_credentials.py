"""RFC 8839 section 5.4: ice-ufrag and ice-pwd."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import user_name_of
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, crosswise, requirement
from conformance.suites.negotiation import (
    credentials_of_sessions,
    expect_description,
    expect_well_formed,
    negotiate,
    negotiate_streams,
    obtain_description,
)
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import varying


@both_sides
@requirement("RFC8839-5.4-01", needs="streams:2")
def test_every_stream_has_credentials(upper, peer, side):
    """with    descriptions of two streams exchanged
    when    the credentials of each of the IUT's streams are read
    then    it has ice-ufrag and ice-pwd, of its own or of the session."""
    streams = [stream.media() for stream in negotiate_streams(upper, peer, side)]
    bare = [n for n, media in enumerate(streams, start=1) if media.ufrag is None or media.pwd is None]
    assert not bare, f"media section {bare[0]} has no credentials"


@both_sides
@requirement("RFC8839-5.4-02", needs="streams:2")
def test_streams_with_the_same_fragment_have_the_same_password(upper, peer, side):
    """with    descriptions of two streams exchanged
    when    the credentials of the IUT's streams are compared
    then    those with the same ice-ufrag have the same ice-pwd."""
    found = {(stream.ufrag, stream.pwd) for stream in negotiate_streams(upper, peer, side)}
    assert len(found) == len({ufrag for ufrag, _ in found}), "one ice-ufrag with two passwords"


@both_sides
@requirement("RFC8839-5.4-s02")
def test_credentials_have_the_form_of_the_grammar(upper, peer, side):
    """with    a description of the IUT
    when    its credentials are read
    then    ice-ufrag has 4 and ice-pwd 22 characters at least, both 256 at most, of letters, digits, + and /."""
    expect_description(upper, peer, side, "RFC 8839 section 5.4")


@both_sides
@requirement("RFC8839-5.4-s02", needs="restart")
def test_credentials_of_a_restart_have_the_form_of_the_grammar(upper, peer, side):
    """with    ICE completed
    when    it is restarted, and the IUT describes itself anew
    then    ice-ufrag has 4 and ice-pwd 22 characters at least, both 256 at most, of letters, digits, + and /."""
    establish(upper, peer, side)
    expect_well_formed(lambda: restart(upper, peer, RESTARTS_BY[side]), "RFC 8839 section 5.4")


@both_sides
@requirement("RFC8839-5.4-05", needs="ice2")
def test_fragment_has_32_characters_at_most(upper, peer, side):
    """with    a description of an IUT that follows RFC 8839
    when    its ice-ufrag is read
    then    it has no more than 32 characters."""
    ufrag = obtain_description(upper, peer, side).ufrag
    assert len(ufrag) <= 32, f"ice-ufrag has {len(ufrag)} characters"


_SAMPLE = 5


@both_sides
@requirement("RFC8839-5.4-03", "RFC8445-5.3-06")
def test_credentials_are_chosen_at_random(upper, peer, side):
    """with    descriptions of five sessions of the IUT
    when    their credentials are compared, character by character
    then    at least four characters of the fragments and twenty of the passwords vary, and none comes twice."""
    ufrags, pwds = credentials_of_sessions(upper, peer, side, _SAMPLE)
    assert len({*ufrags, *pwds}) == 2 * _SAMPLE, f"the same twice among {ufrags}"
    assert varying(ufrags) >= 4, f"{varying(ufrags)} characters of {ufrags} vary"
    assert varying(pwds) >= 20, f"{varying(pwds)} characters of the passwords vary"


@crosswise
@requirement("RFC8839-5.4-05", needs="connects:active")
def test_long_fragment_is_taken(upper, peer, side, pixit):
    """with    our ice-ufrag and ice-pwd of 256 characters
    when    the IUT has both descriptions
    then    it connects to our passive candidate and checks with the whole fragment."""
    peer.take_credentials("fragment" * 32, "password" * 32)
    negotiate(upper, peer, side, peer_tcptypes="passive")
    check = peer.expect_connection().expect(BindingRequest, within=pixit.response)
    assert peer.ufrag in user_name_of(check).split(":"), f"USERNAME is {check.stun.username}"


@crosswise
@requirement("RFC8839-5.4-s01", needs="connects:active")
def test_credentials_of_the_section_count(upper, peer, side, pixit):
    """with    our description with credentials at the session level and others in its media section
    when    the IUT checks our passive candidate
    then    it does so with those of the section."""
    others = ["ice-ufrag:others", f"ice-pwd:{'others' * 4}"]
    negotiate(upper, peer, side, peer_tcptypes="passive", says={"session_attributes": others})
    check = peer.expect_connection().expect(BindingRequest, within=pixit.response)
    assert peer.ufrag in user_name_of(check).split(":"), f"USERNAME is {check.stun.username}"
