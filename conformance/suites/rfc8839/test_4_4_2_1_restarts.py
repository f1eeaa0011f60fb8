"""RFC 8839 section 4.4.2.1: answers to offers that restart ICE."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.restarts import restart
from conformance.suites.sections import accept_or_refuse
from conformance.suites.updates import terms, update, with_more_options


@requirement("RFC8839-4.4.2.1-01", "RFC8445-9-03", needs="offers:passive sides:answerer")
def test_answer_to_a_restart_has_another_fragment(upper, peer):
    """with    ICE completed on a connection
    when    we restart ICE
    then    the IUT's answer has another ice-ufrag than before."""
    establish(upper, peer, "answerer", opener="tester")
    before = peer.iut.ufrag
    assert restart(upper, peer, "tester").ufrag != before, "ice-ufrag is the one of before"


@requirement("RFC8839-4.4.2.1-01", "RFC8445-9-03", needs="offers:passive sides:answerer")
def test_answer_to_a_restart_has_another_password(upper, peer):
    """with    ICE completed on a connection
    when    we restart ICE
    then    the IUT's answer has another ice-pwd than before."""
    establish(upper, peer, "answerer", opener="tester")
    before = peer.iut.pwd
    assert restart(upper, peer, "tester").pwd != before, "ice-pwd is the one of before"


@requirement("RFC8839-4.4.2.1-03")
def test_options_stay_in_later_answers(upper, peer):
    """with    ICE completed, and we control
    when    we make a later offer that does not restart ICE, and the IUT answers it
    then    ice-options, ice-pacing and ice-lite of its answer are those of its first one."""
    selected = establish(upper, peer, "answerer")
    before = terms(peer.iut)
    later = terms(update(upper, peer, "tester", [selected]))
    assert later == before, f"they are {later}, before {before}"


@requirement("RFC8839-4.4.2.1-04")
def test_changed_options_are_refused(upper, peer):
    """with    ICE completed, and we control
    when    a later offer of ours has another ICE option than before and does not restart ICE
    then    the IUT refuses the offer."""
    selected = establish(upper, peer, "answerer")
    taken = accept_or_refuse(upper, peer, with_more_options(peer.settled_offer([selected])), "offer")
    assert not taken, "it was taken"
