"""RFC 6544 section 8: nomination, and which connections survive it."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import await_successes
from conformance.suites.driving import check_each, refused_check
from conformance.suites.establishing import await_selection, complete_all, connect_twice, establish, two_connections
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.places import ask_each, connected_at
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.wire.layers import RFC4571


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-8-01", needs="connects:active sides:offerer")
def test_first_check_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling
    when    its first check on a connection arrives
    then    it is without USE-CANDIDATE."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert not request.stun.use_candidate, "the first check on the connection carries USE-CANDIDATE"


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-8-01", needs="connects:active sides:offerer")
def test_nomination_waits_for_a_success(upper, peer, pixit):
    """with    the IUT controlling, and its first check unanswered
    when    some time passes
    then    it does not nominate; it does once a check has succeeded."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, request))
    peer.expect_nomination(connection)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-8-02")
def test_connections_that_were_not_selected_are_closed(upper, peer, side, pixit):
    """with    two validated connections of one component
    when    one of them has been selected
    then    the IUT closes the other."""
    peer.answering = False  # or a controlling IUT may complete on the first before there is a second
    iut, connections = two_connections(upper, peer, side)
    await_successes(peer, iut, connections)
    peer.answer_held()
    selected = peer.complete_any(iut)
    await_selection(upper, peer, selected)
    peer.expect_others_closed(selected, within=pixit.close)


@varied("components", side="offerer")
@requirement("RFC6544-8-01", needs="offers:passive sides:offerer")
def test_first_check_on_an_accepted_connection_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling, and a connection to the passive candidate of its last component
    when    our check has been answered, and the IUT's own is not
    then    no check of the IUT's carries USE-CANDIDATE."""
    peer.answering = False
    iut = negotiate(upper, peer, "offerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive", component=peer.shape.components))
    connection.send(RFC4571() / peer.check(iut, component=connection.component))
    connection.wait_for(BindingRequest, within=pixit.connect)
    connection.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)


@requirement("RFC6544-8-01", needs="connects:active sides:offerer components:2")
def test_first_check_of_each_component_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling, and connections that it has opened for two components
    when    its first check arrives on each
    then    it is without USE-CANDIDATE."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive", components=2)
    connections = [peer.await_connection(), peer.await_connection()]
    first = [connection.await_frame(BindingRequest, within=pixit.response) for connection in connections]
    assert not any(check.stun.use_candidate for check in first), "a first check carries USE-CANDIDATE"


@requirement("RFC6544-8-01", needs="connects:so offers:so sides:offerer")
def test_first_check_from_an_so_candidate_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling, and a connection that it has opened from its S-O candidate
    when    its check there is unanswered
    then    no check of the IUT's carries USE-CANDIDATE."""
    peer.answering = False
    negotiate(upper, peer, "offerer", tcptypes="active passive so", peer_tcptypes="so")
    connection = peer.await_connection()
    connection.wait_for(BindingRequest, within=pixit.response)
    connection.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)


@requirement("RFC6544-8-01", needs="offers:passive restart sides:offerer")
def test_first_check_after_a_restart_does_not_nominate(upper, peer, pixit):
    """with    the controlling IUT having restarted ICE, which had completed on a connection
    when    its check on a new connection is unanswered
    then    no check of the IUT's carries USE-CANDIDATE there."""
    establish(upper, peer, "offerer", opener="tester")
    peer.answering = False
    iut = restart(upper, peer, "IUT")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.wait_for(BindingRequest, within=pixit.connect)
    connection.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)


@both_sides
@requirement("RFC6544-8-02", needs="connects:active")
def test_connection_it_opened_is_closed_when_another_is_selected(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, and one that we have opened to its passive candidate
    when    one of them has been selected
    then    the IUT closes the other."""
    peer.answering = False
    ours = [peer.candidate("passive"), peer.candidate("active")]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    opened = peer.await_connection()
    accepted = peer.connect(iut.candidate(tcptype="passive"))
    check_each(peer, iut, [opened, accepted])
    peer.answer_held()
    selected = peer.complete_any(iut)
    await_selection(upper, peer, selected)
    peer.expect_others_closed(selected, within=pixit.close)


@both_sides
@requirement("RFC6544-8-02", needs="offers:passive")
def test_connection_without_a_check_is_closed(upper, peer, side, pixit):
    """with    two connections to the IUT's passive candidate, on one of which a check was refused for its password
    when    the other has been selected
    then    the IUT closes the one without a valid check."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    refused_check(peer, iut, peer.connect(iut.candidate(tcptype="passive")))
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    await_selection(upper, peer, selected)
    peer.expect_others_closed(selected, within=pixit.close)


@both_sides
@requirement("RFC6544-8-02", needs="offers:passive components:2")
def test_spare_connection_of_the_second_component_is_closed(upper, peer, side, pixit):
    """with    two components, and a spare connection to the passive candidate of the second, its check refused
    when    ICE has completed on the other connections
    then    the IUT closes the spare one."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", components=2)
    passive = [iut.candidate(tcptype="passive", component=number) for number in (1, 2)]
    spare = refused_check(peer, iut, peer.connect(passive[1]))
    complete_all(upper, peer, iut, [peer.connect(candidate) for candidate in passive])
    spare.expect_end(within=pixit.close)


@requirement("RFC6544-8-02", needs="sides:answerer")
def test_nothing_is_closed_before_the_nomination(upper, peer, pixit):
    """with    the IUT controlled, and two validated connections of one component
    when    none has been nominated
    then    the IUT closes neither, for ICE has not completed."""
    iut, connections = two_connections(upper, peer, "answerer")
    check_each(peer, iut, connections, BindingRequest)
    connections[0].expect_open(within=pixit.silence)
    connections[1].expect_open(within=0)


@both_sides
@requirement("RFC6544-8-02", needs="offers:passive restart")
def test_connections_that_a_restart_did_not_select_are_closed(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection, and two new connections validated
    when    one of the new ones has been selected
    then    the IUT closes the other new one."""
    former = establish(upper, peer, side, opener="tester")
    peer.answering = False
    iut = restart(upper, peer, RESTARTS_BY[side])
    check_each(peer, iut, connect_twice(peer, iut))
    peer.set_aside(former)
    peer.answer_held()
    selected = peer.complete_any(iut)
    await_selection(upper, peer, selected)
    peer.expect_others_closed(selected, within=pixit.close)


@both_sides
@requirement("RFC6544-8-02", needs="offers:passive offers:so")
def test_spare_so_connection_is_closed(upper, peer, side, pixit):
    """with    validated connections to the IUT's S-O candidate and to its passive candidate
    when    the latter has been selected
    then    the IUT closes the former."""
    peer.answering = False
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    check_each(peer, iut, [peer.connect(iut.candidate(tcptype=tcptype)) for tcptype in ("so", "passive")])
    peer.answer_held()
    selected = peer.complete_any(iut)
    await_selection(upper, peer, selected)
    peer.expect_others_closed(selected, within=pixit.close)


@requirement("RFC6544-8-01", needs="offers:passive streams:2 sides:offerer")
def test_first_check_of_each_stream_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling, and a connection to each of its two streams
    when    our checks have been answered, and the IUT's own are not
    then    no check of the IUT's carries USE-CANDIDATE."""
    peer.answering = False
    (_, first), (_, second) = asked = connected_at(upper, peer, "offerer", "stream")
    ask_each(peer, asked, until=BindingRequest)
    second.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)
    first.expect_nothing(BindingRequest(use_candidate=True), within=0)
