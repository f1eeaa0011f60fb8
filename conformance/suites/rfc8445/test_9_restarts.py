"""RFC 8445 section 9: what a restart changes, what it forgets, and what goes on."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingRequest
from conformance.suites.checks import claims_role
from conformance.suites.establishing import await_selection, establish
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import STREAMS
from conformance.suites.places import selected_at
from conformance.suites.restarts import RESTARTS_BY, await_connection_of_restart, restart
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement("RFC8445-9-02", needs="sides:offerer sdp:full")
def test_update_without_a_restart_keeps_mode_and_destinations(upper, peer):
    """with    ICE completed
    when    the IUT makes an updated offer that does not restart ICE
    then    its mode, full or lite, is that of before, and so is each address that it states."""
    selected = establish(upper, peer, "offerer")
    before = upper.description
    known = {c.endpoint for c in before.media().candidates} | {selected.remote_address}
    update = upper.updated_offer()
    assert update.lite is before.lite, "it says another mode, lite or full, than before"
    new = [c for c in update.media().candidates if c.endpoint not in known]
    assert not new, f"a candidate that was not there before: {new[0]}"


@both_sides
@requirement("RFC8445-9-03", needs="offers:passive")
def test_every_restart_has_credentials_of_its_own(upper, peer, side):
    """with    ICE completed, restarted, and completed again
    when    ICE is restarted a second time
    then    the three descriptions of the IUT have three fragments and three passwords."""
    establish(upper, peer, side, opener="tester")
    first = upper.description
    second = restart(upper, peer, RESTARTS_BY[side])
    selected = peer.complete(second, peer.connect(second.candidate(tcptype="passive")))
    await_selection(upper, peer, selected)
    every = [first, second, restart(upper, peer, RESTARTS_BY[side])]
    ufrags, pwds = [iut.ufrag for iut in every], [iut.pwd for iut in every]
    assert len(set(ufrags)) == 3, f"a fragment comes again: {', '.join(ufrags)}"
    assert len(set(pwds)) == 3, "a password comes again"


@both_sides
@requirement("RFC8445-9-s01", "RFC8445-7.3-02", needs="offers:passive")
def test_credentials_of_before_a_restart_are_refused(upper, peer, side, pixit):
    """with    ICE restarted, and completed again on another connection
    when    a check comes there with the user names and the password of before
    then    it is refused."""
    establish(upper, peer, side, opener="tester")
    before, ours = upper.description, peer.ufrag
    iut = restart(upper, peer, RESTARTS_BY[side])
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    await_selection(upper, peer, selected)
    request = peer.check(before, username=f"{before.ufrag}:{ours}", password=before.pwd)
    selected.send(RFC4571() / request)
    response = selected.await_frame(AnyResponse(bytes(request)[8:20]), within=pixit.response)
    assert response.stun.is_error, "a check with the credentials of before is answered with success"


@both_sides
@requirement("RFC8445-9-s01", "RFC6544-11.1-10", needs="offers:passive restart reports:state payload:raw")
def test_restart_after_a_lost_connection_completes(upper, peer, side, pixit):
    """with    the selected connection lost, and ICE restarted
    when    it has completed on another connection
    then    the IUT reports that it is connected, and its application's data comes over that one."""
    peer.lose(establish(upper, peer, side, opener="tester"), "RST")
    peer.wait(pixit.silence)
    known = len(upper.states_since(0))
    iut = restart(upper, peer, RESTARTS_BY[side])
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    connected = {"connected", "completed"}
    peer.wait_until(lambda: bool(connected & {*upper.states_since(known)}), pixit.response)
    assert connected & {*upper.states_since(known)}, f"it has reported {upper.states_since(known) or 'nothing'} since"
    expect_coming(upper, peer, selected, DATA, "data does not come over the new connection")


@both_sides
@requirement("RFC8445-9-s02", "RFC6544-9.2-01", needs="payload:raw")
def test_data_goes_on_while_ice_restarts(upper, peer, side):
    """with    ICE completed on a connection, and restarted
    when    the IUT's application sends before there is a new pair
    then    its data comes over the connection."""
    selected = establish(upper, peer, side)
    restart(upper, peer, RESTARTS_BY[side])
    expect_coming(upper, peer, selected, DATA, "the data did not come over the connection of before")


_BY_THE_IUT = [
    pytest.param("offerer", "controlling"),
    pytest.param("answerer", "controlled", marks=pytest.mark.requirement(needs=("ice2",))),
]


@pytest.mark.parametrize(("side", "role"), _BY_THE_IUT)
@requirement("RFC8445-9-04", "RFC8445-6.1.1-04", needs="connects:active")
def test_role_stays_when_the_iut_restarts(upper, peer, side, role, pixit):
    """with    ICE completed, and restarted by the IUT
    when    the IUT connects and checks
    then    its check claims the role of before."""
    establish(upper, peer, side)
    iut = restart(upper, peer, "IUT", "passive")
    request = await_connection_of_restart(peer, iut).await_frame(BindingRequest, within=pixit.response)
    assert claims_role(request, role), f"its check does not claim to be {role}"


@both_sides
@requirement("RFC8445-9-03", needs="offers:passive restart streams:2")
def test_restart_changes_the_credentials_of_every_stream(upper, peer, side):
    """with    ICE completed for two streams
    when    ICE is restarted for both
    then    the fragment and the password of each are others than before."""
    before = [stream for stream, _ in selected_at(upper, peer, side, "stream")]
    later = restart(upper, peer, RESTARTS_BY[side], streams=STREAMS)
    kept = [former.ufrag for number, former in enumerate(before) if later.stream(number).ufrag == former.ufrag]
    kept += [former.pwd for number, former in enumerate(before) if later.stream(number).pwd == former.pwd]
    assert not kept, f"this is as before: {kept}"
