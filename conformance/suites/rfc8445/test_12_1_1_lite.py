"""RFC 8445 section 12.1.1: when a lite agent sends data."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess, Data
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement("RFC8445-12.1.1-01", "RFC6544-7.2-s01", needs="agent:lite offers:passive sides:answerer payload:raw")
def test_lite_agent_uses_no_pair_before_our_nomination(upper, peer, pixit):
    """with    a lite IUT, and a check of ours answered that does not nominate
    when    the IUT's application wants to send data
    then    none comes over the connection."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", agent="lite")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.wait_for(BindingSuccess, within=pixit.response)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)
