"""RFC 6544 sections 7.1 and 7.2: everything on a connection stands in RFC 4571 frames, for as long as it lives."""

from __future__ import annotations

from conformance.suites.check_contents import usual_or_at
from conformance.suites.driving import live
from conformance.suites.establishing import establish, open_connections
from conformance.suites.framing import await_answer_octets, misframed
from conformance.suites.marks import both_sides, on_other_connections, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.reopening import needs_reopened
from conformance.suites.restarts import await_connection_of_restart, restart
from conformance.wire.layers import RFC4571


@varied("components")
@requirement("RFC6544-7.2-03", needs="offers:passive")
def test_everything_on_accepted_connections_is_framed(upper, peer, side):
    """with    connections to the IUT's passive candidates, one for each component
    when    checks have been refused and accepted, a pair nominated and data sent
    then    nothing came without a frame."""
    iut, connections = open_connections(upper, peer, side, "tester")
    live(upper, peer, iut, connections)
    bare = misframed(connections).bare
    assert not bare, bare[0]


@varied("components")
@requirement("RFC6544-7.1-03", "RFC6544-7.2-03", needs="connects:active")
def test_everything_on_opened_connections_is_framed(upper, peer, side):
    """with    connections that the IUT has opened, one for each component
    when    checks have been refused and accepted, a pair nominated and data sent
    then    nothing came without a frame."""
    iut, connections = open_connections(upper, peer, side, "IUT")
    live(upper, peer, iut, connections)
    bare = misframed(connections).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.2-03", needs="sides:answerer offers:passive")
def test_everything_on_a_further_connection_is_framed(upper, peer):
    """with    two connections to the IUT's passive candidate
    when    the second one is the one that is checked, nominated and used
    then    nothing came without a frame."""
    iut, connections = open_connections(upper, peer, "answerer", "tester")
    second = peer.connect(iut.candidate(tcptype="passive"))
    live(upper, peer, iut, [second])
    bare = misframed([*connections, second]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.2-03", needs="sides:answerer offers:passive restart")
def test_everything_after_a_restart_is_framed(upper, peer):
    """with    ICE restarted after it had completed on a connection
    when    a new connection to the IUT's passive candidate is checked, nominated and used
    then    nothing came without a frame on either."""
    former = establish(upper, peer, "answerer", opener="tester")
    iut = restart(upper, peer, "tester")
    second = peer.connect(iut.candidate(tcptype="passive"))
    live(upper, peer, iut, [second])
    bare = misframed([former, second]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.1-03", "RFC6544-7.2-03", needs="sides:answerer connects:active restart")
def test_everything_on_connections_opened_after_a_restart_is_framed(upper, peer):
    """with    ICE restarted after it had completed on a connection
    when    a connection that the IUT then opens is checked, nominated and used
    then    nothing came without a frame on either."""
    former = establish(upper, peer, "answerer", opener="IUT")
    iut = restart(upper, peer, "tester", "passive")
    second = await_connection_of_restart(peer, iut)
    live(upper, peer, iut, [second])
    bare = misframed([former, second]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.1-03", "RFC6544-7.2-03", needs="sides:answerer connects:active")
def test_everything_on_a_reopened_connection_is_framed(upper, peer):
    """with    the IUT having reopened the selected connection
    when    it is checked both ways and used
    then    nothing came without a frame."""
    peer.lose(establish(upper, peer, "answerer", opener="IUT"), "RST")
    reopened = needs_reopened(upper, peer)
    live(upper, peer, upper.description, [reopened], anew=False)
    bare = misframed([reopened]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.2-03", needs="sides:answerer offers:passive")
def test_everything_on_a_connection_reopened_by_us_is_framed(upper, peer, pixit):
    """with    a connection that we have opened in the place of the selected one
    when    it is checked both ways and used
    then    nothing came without a frame."""
    peer.lose(establish(upper, peer, "answerer", opener="tester"), "RST")
    peer.wait(pixit.silence)
    reopened = peer.connect(upper.description.candidate(tcptype="passive"))
    live(upper, peer, upper.description, [reopened], anew=False)
    bare = misframed([reopened]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.2-03", needs="offers:passive sides:offerer")
def test_response_before_the_answer_is_framed(upper, peer, pixit):
    """with    the IUT's offer out, and a check sent before our answer
    when    the IUT has got our answer, and everything else has been said
    then    nothing came without a frame."""
    offer = upper.offer()
    connection = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    connection.send(RFC4571() / peer.check(offer))
    peer.wait(pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    live(upper, peer, offer, [connection])
    bare = misframed([connection]).bare
    assert not bare, bare[0]


@requirement("RFC6544-7.2-03", needs="sides:answerer offers:so")
def test_everything_on_an_so_connection_is_framed(upper, peer):
    """with    a connection to the IUT's S-O candidate
    when    checks have been refused and accepted, a pair nominated and data sent
    then    nothing came without a frame."""
    iut = negotiate(upper, peer, "answerer", tcptypes="active passive so", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="so"))
    live(upper, peer, iut, [connection])
    bare = misframed([connection]).bare
    assert not bare, bare[0]


@both_sides
@on_other_connections
@requirement("RFC6544-7.2-03")
def test_response_on_another_connection_is_framed(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a check of ours has been answered there
    then    nothing came without a frame."""
    iut, connection = usual_or_at(upper, peer, side, where)
    request = peer.check(iut, component=connection.component)
    connection.send(RFC4571() / request)
    await_answer_octets(peer, connection, request.transaction_id)
    bare = misframed([connection]).bare
    assert not bare, bare[0]
