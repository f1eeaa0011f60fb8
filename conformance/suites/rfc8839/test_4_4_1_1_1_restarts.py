"""RFC 8839 section 4.4.1.1.1: offers that restart ICE."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.restarts import restart


@requirement("RFC8839-4.4.1.1.1-03", "RFC8445-9-03", needs="offers:passive sides:offerer")
def test_restart_offer_has_another_fragment(upper, peer):
    """with    ICE completed on a connection
    when    the IUT restarts ICE
    then    its offer has another ice-ufrag than before."""
    establish(upper, peer, "offerer", opener="tester")
    before = peer.iut.ufrag
    assert restart(upper, peer, "IUT").ufrag != before, "ice-ufrag is the one of before"


@requirement("RFC8839-4.4.1.1.1-03", "RFC8445-9-03", needs="offers:passive sides:offerer")
def test_restart_offer_has_another_password(upper, peer):
    """with    ICE completed on a connection
    when    the IUT restarts ICE
    then    its offer has another ice-pwd than before."""
    establish(upper, peer, "offerer", opener="tester")
    before = peer.iut.pwd
    assert restart(upper, peer, "IUT").pwd != before, "ice-pwd is the one of before"
