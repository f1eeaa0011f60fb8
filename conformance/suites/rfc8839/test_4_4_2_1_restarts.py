"""RFC 8839 section 4.4.2.1: answers to offers that restart ICE."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.restarts import restart


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
