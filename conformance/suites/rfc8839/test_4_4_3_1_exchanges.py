"""RFC 8839 section 4.4.3.1: what a full agent does after a later exchange."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, Payload
from conformance.suites.checks import expect_answers, expect_check
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.negotiation import negotiate, negotiate_streams
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.sections import accept_or_refuse, accept_unless_refused, without_ice
from conformance.suites.updates import add_second, answered, complete_and_remove_second, remove_second, update
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement("RFC8839-4.4.3.1-01", needs="offers:passive")
def test_restart_that_is_answered_restarts_ice(upper, peer):
    """with    ICE completed, and a restart by the IUT that we have answered
    when    we check a passive candidate of its new offer
    then    the check is answered, and the IUT checks with the new credentials."""
    establish(upper, peer, "offerer", opener="tester")
    iut = restart(upper, peer, "IUT")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    expect_answers(peer, [(iut, connection)])
    expect_check(peer, iut, connection)


@lasts(1)
@requirement("RFC8839-4.4.3.1-05")
@both_sides
def test_completed_ice_stays_completed(upper, peer, side, pixit):
    """with    ICE completed
    when    there is a later exchange without a restart
    then    the IUT sends no further nomination or first check, and reports no state of before."""
    selected = establish(upper, peer, side)
    told = len(upper.states)
    selected.begin_anew(selected=True)
    update(upper, peer, RESTARTS_BY[side], [selected])
    peer.expect_no_connection(within=pixit.silence)
    undone = {"new", "checking", "disconnected", "failed", "closed"} & set(upper.states_since(told))
    assert not undone, f"it reports {sorted(undone)}"


@requirement("RFC8839-4.4.3.1-06", needs="payload:raw")
def test_later_answer_without_ice_is_taken(upper, peer):
    """with    ICE completed, and a later offer of the IUT's
    when    our answer has nothing of ICE
    then    the IUT takes the answer, and its session goes on: it can describe itself."""
    selected = establish(upper, peer, "offerer")
    offer = upper.updated_offer()
    taken = accept_or_refuse(upper, peer, without_ice(peer.settled_answer(offer.sdp, [selected])))
    assert taken, "it refuses the answer"
    assert upper.describe().sdp.media, "it has no media section any more"


@requirement("RFC8839-4.4.3.1-07")
def test_offer_after_an_answer_without_ice_restarts(upper, peer):
    """with    ICE completed, a later offer of the IUT's, and our answer to it that has nothing of ICE
    when    the IUT, if it takes it, makes its next offer
    then    its credentials are new."""
    selected = establish(upper, peer, "offerer")
    offer = upper.updated_offer()
    accept_unless_refused(upper, without_ice(peer.settled_answer(offer.sdp, [selected])))
    later = upper.describe()
    assert later.ufrag != offer.ufrag, "ice-ufrag is the one of before"
    assert later.pwd != offer.pwd, "ice-pwd is the one of before"


@requirement("RFC8839-4.4.3.1-s01", needs="connects:active sides:answerer")
def test_pairs_keep_their_states(upper, peer, pixit):
    """with    a connection of the IUT's, whose check we have not answered
    when    our later offer repeats what we said, and the IUT has answered it
    then    it opens no second connection for the pair, and its check is not sent again."""
    peer.answering = False
    ours = [peer.candidate("passive")]
    negotiate(upper, peer, "answerer", peer_candidates=ours)
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    upper.accept(peer.updated_offer(candidates=ours), kind="offer")
    answered(upper)
    peer.expect_no_connection(beside=connection)
    connection.expect_nothing(BindingRequest, within=0)


@lasts(1)
@requirement("RFC8839-4.4.3.1-02", needs="sides:answerer updates streams:2 offers:passive payload:raw")
def test_nothing_is_sent_for_a_removed_stream(upper, peer, pixit):
    """with    ICE completed for two streams, and the second removed by our later offer
    when    the IUT's application sends data of it
    then    nothing comes over its connection."""
    _, (_, second) = complete_and_remove_second(upper, peer)
    upper.try_to_send(DATA, stream=1)
    second.expect_nothing(Payload, within=pixit.silence)


@lasts(2)
@requirement("RFC8839-4.4.3.1-03", "RFC8839-4.4.3.1-02", needs="updates streams:2 connects:active")
def test_checks_of_a_removed_stream_end(upper, peer, pixit):
    """with    the IUT controlling two streams, our answer to its check of the second held back
    when    a later offer of ours has removed the second stream, and our answer comes
    then    the IUT nominates nothing there, and sends no other check."""
    peer.answering = False
    streams = negotiate_streams(upper, peer, "offerer", peer_tcptypes="passive")
    first = peer.await_connection(peer.listeners[0])
    first.await_frame(BindingRequest, within=pixit.response)
    peer.answer_held(on=first)  # what may be frozen until then is the second's pair (RFC 8445 section 6.1.2.6)
    second = peer.await_connection(peer.listeners[1])
    second.await_frame(BindingRequest, within=pixit.response)
    mids = [stream.media().mid for stream in streams]
    ours = [peer.candidate("passive", port=first.local_address.port)]
    remove_second(upper, peer, peer.updated_offer(candidates=ours, mid=mids[0]), mids[1])
    second.begin_anew()  # what came until its answer may have been sent before it knew
    peer.answer_held()
    second.expect_nothing(BindingRequest, within=pixit.complete / 4)


@requirement("RFC8839-4.4.3.1-04", "RFC8839-4.4.1.1.3-s01", needs="sides:answerer offers:passive")
def test_added_stream_is_checked(upper, peer):
    """with    ICE completed, and a stream added by our later offer
    when    we check a passive candidate of the IUT's for it
    then    the check is answered, and the IUT sends one of its own."""
    iut, _ = add_second(upper, peer)
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_answers(peer, [(iut, connection)])
    expect_check(peer, iut, connection)
