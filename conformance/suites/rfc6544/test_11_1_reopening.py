"""RFC 6544 section 11.1: a selected connection that is lost, and the one that takes its place."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess, Data
from conformance.suites.establishing import await_selection, establish
from conformance.suites.marks import both_sides, ends, requirement, watches
from conformance.suites.media import await_sent, expect_media, require_media
from conformance.suites.negotiation import negotiate
from conformance.suites.reopening import expect_reopened, needs_check_first, needs_reopened
from conformance.suites.restarts import expect_restart
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.layers import RFC4571

_LONG = 31.0  # seconds: longer than consent lasts (RFC 7675 section 5.1) and two keepalives are apart (RFC 8445 11)


@watches(3.0)
@both_sides
@requirement("RFC6544-11.1-04", "RFC6544-11.1-01")
def test_idle_selected_connection_is_not_closed_early(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    nothing is sent over it for a while
    then    the IUT does not close it."""
    selected = establish(upper, peer, side)
    selected.expect_open(within=pixit.response)


@watches(_LONG)
@both_sides
@requirement("RFC6544-11.1-04", "RFC6544-11.1-01", needs="payload:raw")  # above, a DTLS handshake gives up sooner
def test_idle_selected_connection_stays_for_half_a_minute(upper, peer, side):
    """with    ICE completed on a connection
    when    no application sends anything over it for half a minute, and consent is given
    then    the IUT does not close it."""
    selected = establish(upper, peer, side)
    selected.expect_open(within=_LONG)


@ends
@both_sides
@requirement("RFC6544-11.1-05")
def test_active_side_reopens_the_lost_connection(upper, peer, side, end):
    """with    ICE completed on a connection that the IUT opened
    when    we end it and the IUT's application goes on sending
    then    the IUT opens a connection to the same candidate of ours."""
    selected = establish(upper, peer, side, opener="IUT")
    peer.lose(selected, end)
    expect_reopened(upper, peer)


@both_sides
@requirement("RFC6544-11.1-07")
def test_reopened_connection_is_checked(upper, peer, side, pixit):
    """with    the IUT having reopened the selected connection
    when    we wait for what it sends there
    then    a check with the session's credentials comes."""
    peer.lose(establish(upper, peer, side, opener="IUT"), "RST")
    request = needs_reopened(upper, peer).expect(BindingRequest, within=pixit.response)
    assert peer.is_valid(request), "the check does not carry the session's credentials"


@both_sides
@requirement("RFC6544-11.1-s01", needs="connects:active")
def test_media_waits_for_the_check_on_the_reopened_connection(upper, peer, side, pixit):
    """with    the IUT having reopened the selected connection, and its check there unanswered
    when    its application sends data
    then    none comes before we have answered the check."""
    peer.lose(establish(upper, peer, side, opener="IUT"), "RST")
    peer.answering = False
    reopened = needs_reopened(upper, peer)
    upper.try_to_send(MORE_DATA)
    reopened.expect_nothing(Data, within=pixit.silence)


@both_sides
@requirement("RFC6544-11.1-s01", needs="connects:active")
def test_media_flows_on_the_reopened_connection(upper, peer, side):
    """with    the IUT having reopened the selected connection
    when    its check there has been answered and its application sends data
    then    the data comes over this connection."""
    selected = establish(upper, peer, side, opener="IUT")
    await_sent(upper, peer, selected)
    peer.lose(selected, "RST")
    reopened = peer.revive(upper.description, needs_reopened(upper, peer))
    expect_media(upper, peer, reopened, MORE_DATA)


@both_sides
@requirement("RFC6544-11.1-06")
def test_passive_side_opens_no_connection_itself(upper, peer, side, pixit):
    """with    ICE completed on a connection that we opened
    when    we end it, and the IUT's application goes on sending
    then    the IUT does not connect to where our connection came from."""
    selected = establish(upper, peer, side, opener="tester")
    peer.lose(selected, "RST")
    peer.listen(port=selected.local_address.port)
    peer.wait(pixit.silence)
    upper.try_to_send(DATA)
    peer.expect_no_connection(within=pixit.silence)


@ends
@both_sides
@requirement("RFC6544-11.1-06")
def test_passive_side_accepts_the_reopened_connection(upper, peer, side, end, pixit):
    """with    ICE completed on a connection that we opened
    when    we end it and connect to the same passive candidate again
    then    the IUT accepts the connection and answers our check there."""
    selected = establish(upper, peer, side, opener="tester")
    peer.lose(selected, end)
    peer.wait(pixit.silence)
    reopened = peer.expect_accept(upper.description.candidate(tcptype="passive"))
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.expect(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-11.1-09")
def test_check_on_the_reopened_connection_is_checked_in_return(upper, peer, side, pixit):
    """with    a connection that we have opened in the place of the selected one
    when    we send a check
    then    the IUT sends a check on it in return."""
    peer.lose(establish(upper, peer, side, opener="tester"), "RST")
    peer.wait(pixit.silence)
    reopened = peer.connect(upper.description.candidate(tcptype="passive"))
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.expect(BindingRequest, within=pixit.connect)


@both_sides
@requirement("RFC6544-11.1-s01", needs="offers:passive")
def test_passive_side_sends_media_on_the_reopened_connection(upper, peer, side, pixit):
    """with    a connection that we have opened in the place of the selected one
    when    it has been checked both ways and the IUT's application sends data
    then    the data comes over this connection."""
    selected = establish(upper, peer, side, opener="tester")
    await_sent(upper, peer, selected)
    peer.lose(selected, "RST")
    peer.wait(pixit.silence)
    reopened = peer.connect(upper.description.candidate(tcptype="passive"))
    peer.revive(upper.description, reopened)
    expect_media(upper, peer, reopened, MORE_DATA)


@requirement("RFC6544-11.1-10")
def test_connection_that_cannot_be_reopened_leads_to_a_restart(upper, peer):
    """with    the IUT controlling, and ICE completed on a connection that it opened
    when    we end it and refuse to be connected to again, and the IUT's application sends
    then    the IUT restarts ICE, or tells its application that it would have to."""
    selected = establish(upper, peer, "offerer", opener="IUT")
    peer.stop_listening()
    peer.lose(selected, "RST")
    expect_restart(upper, peer, upper.description)


@both_sides
@requirement("RFC6544-11.1-05")
def test_active_side_reopens_as_often_as_the_connection_is_lost(upper, peer, side):
    """with    the IUT having reopened the selected connection, which carries data again
    when    we end that one as well and the IUT's application goes on sending
    then    the IUT opens a connection again."""
    peer.lose(establish(upper, peer, side, opener="IUT"), "RST")
    reopened = peer.revive(upper.description, needs_reopened(upper, peer))
    require_media(upper, peer, reopened, MORE_DATA)
    peer.lose(reopened, "RST")
    expect_reopened(upper, peer)


@both_sides
@requirement("RFC6544-11.1-05", needs="components:2")
def test_active_side_reopens_the_second_component(upper, peer, side):
    """with    ICE completed on connections that the IUT opened for two components
    when    we end the second one's and the IUT's application goes on sending on it
    then    the IUT opens a connection to the same candidate of ours."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive", components=2)
    connections = [peer.complete(iut, peer.await_connection(listener)) for listener in peer.listeners]
    await_selection(upper, peer, connections[1])
    peer.lose(connections[1], "RST")
    assert expect_reopened(upper, peer, component=2).component == 2, "it connected for the other component"


@both_sides
@requirement("RFC6544-11.1-05", needs="offers:so connects:so")
def test_connection_that_the_so_side_opened_is_reopened(upper, peer, side):
    """with    ICE completed on a connection that the IUT opened from its S-O candidate
    when    we end it and the IUT's application goes on sending
    then    the IUT opens a connection to the same candidate of ours."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="so")
    selected = peer.complete(iut, peer.await_connection())
    await_selection(upper, peer, selected)
    peer.lose(selected, "RST")
    expect_reopened(upper, peer)


@both_sides
@requirement("RFC6544-11.1-08", needs="connects:active")
def test_check_on_a_connection_that_it_reopened_is_answered(upper, peer, side, pixit):
    """with    the IUT having reopened the selected connection
    when    a check of ours arrives on it
    then    the IUT answers it with success."""
    peer.lose(establish(upper, peer, side, opener="IUT"), "RST")
    reopened = needs_reopened(upper, peer)
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.expect(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-11.1-08", needs="offers:passive")
def test_check_on_a_connection_that_we_reopened_is_answered(upper, peer, side, pixit):
    """with    a connection that we have opened in the place of the selected one
    when    a check of ours arrives on it
    then    the IUT answers it with success."""
    peer.lose(establish(upper, peer, side, opener="tester"), "RST")
    peer.wait(pixit.silence)
    reopened = peer.connect(upper.description.candidate(tcptype="passive"))
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.expect(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-11.1-s01", needs="offers:passive")
def test_passive_side_sends_no_media_before_its_check_succeeds(upper, peer, side, pixit):
    """with    a connection that we have opened in the place of the selected one, and checked
    when    the IUT's own check there is unanswered and its application sends data
    then    none comes."""
    peer.lose(establish(upper, peer, side, opener="tester"), "RST")
    peer.wait(pixit.silence)
    peer.answering = False
    reopened = peer.connect(upper.description.candidate(tcptype="passive"))
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.wait_for(BindingRequest, within=pixit.response)
    upper.try_to_send(MORE_DATA)
    reopened.expect_nothing(Data, within=pixit.silence)


@both_sides
@requirement("RFC6544-11.1-s01", needs="connects:active")
def test_refused_check_on_the_reopened_connection_permits_no_media(upper, peer, side, pixit):
    """with    the IUT having reopened the selected connection
    when    its check there has been refused and its application sends data
    then    none comes over this connection."""
    peer.lose(establish(upper, peer, side, opener="IUT"), "RST")
    peer.answering = False
    reopened = needs_reopened(upper, peer)
    request = needs_check_first(peer, reopened)
    reopened.send(RFC4571() / peer.error(request, 400, "Bad Request"))
    upper.try_to_send(MORE_DATA)
    reopened.expect_nothing(Data, within=pixit.silence)
