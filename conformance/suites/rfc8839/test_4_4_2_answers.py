"""RFC 8839 section 4.4.2: later answers."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import await_success
from conformance.suites.establishing import establish
from conformance.suites.marks import lasts, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.sections import default_of, destinations
from conformance.suites.updates import answered, named, update


@requirement("RFC8839-4.4.2-01", "RFC8839-5.2-02", needs="sdp:full")
def test_answer_has_no_remote_candidates(upper, peer):
    """with    ICE completed, and we control
    when    we make a later offer and the IUT answers it
    then    its answer has no a=remote-candidates."""
    selected = establish(upper, peer, "answerer")
    found = update(upper, peer, "tester", [selected]).media().attribute("remote-candidates")
    assert found is None, f"a=remote-candidates:{found}"


@requirement("RFC8839-4.4.2-04", "RFC8839-4.4.1.2.2-01", needs="offers:passive")
def test_default_of_an_answer_is_what_we_named(upper, peer):
    """with    ICE completed on a connection of ours, and we control
    when    our later offer names the IUT's candidate in a=remote-candidates
    then    the default destination of the IUT's answer is that candidate."""
    selected = establish(upper, peer, "answerer", opener="tester")
    answer = update(upper, peer, "tester", [selected])
    ours = named(peer.described.media[0])[1]
    assert default_of(answer.media()) == ours, f"it is {default_of(answer.media())}, named was {ours}"


@requirement("RFC8839-4.4.2-05", needs="offers:passive")
def test_answer_has_the_candidates_that_we_named(upper, peer):
    """with    ICE completed on a connection of ours, and we control
    when    our later offer names the IUT's candidate in a=remote-candidates
    then    the IUT's answer has this candidate."""
    selected = establish(upper, peer, "answerer", opener="tester")
    answer = update(upper, peer, "tester", [selected])
    ours = named(peer.described.media[0])[1]
    assert ours in destinations(answer.media()), f"{ours} is not among {sorted(destinations(answer.media()))}"


# The pair begins at our default destination, which a WebRTC section over TCP has not: it says port 9 of 0.0.0.0.
@lasts(1)
@requirement("RFC8839-4.4.2-03", needs="offers:passive profile:plain")
def test_answer_waits_for_checks_under_way(upper, peer, pixit):
    """with    a pair that we have nominated, the IUT's own check of it not answered yet
    when    our later offer names it in a=remote-candidates, and after a while we answer the check
    then    the IUT's answer comes after that, and its default destination is the candidate that we named."""
    peer.answering = False
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, connection)
    connection.await_frame(BindingRequest, within=pixit.connect)
    await_success(peer, iut, connection, use_candidate=True)
    peer.wait(pixit.silence)  # the nomination may have put the check into the queue once more (RFC 8445 7.3.1.4)
    upper.accept(peer.settled_offer([connection]), kind="offer")
    is_there = upper.begin_describing()
    assert not peer.wait_until(is_there, pixit.silence), "the answer came before the check was over"
    peer.answer_held()
    ours = named(peer.described.media[0])[1]
    assert default_of(answered(upper).media()) == ours, f"the default is not {ours}"
