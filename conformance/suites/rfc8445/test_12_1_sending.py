"""RFC 8445 section 12.1: over which pair data is sent."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess, Data
from conformance.suites.checks import await_success, needs_failure, needs_open
from conformance.suites.driving import drive
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import restart
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC8445-12.1-02", "RFC6544-10.1-01", needs="connects:active offers:passive payload:raw")
def test_data_stays_on_the_pair_that_the_iut_opened(upper, peer, side, pixit):
    """with    ICE completed on a connection that the IUT has opened
    when    a check is answered on one that we open afterwards, and the IUT's application sends
    then    its data comes over the selected connection, and none over the other."""
    selected = establish(upper, peer, side, opener="IUT")
    iut = upper.description
    late = peer.connect_if_possible(iut.candidate(tcptype="passive"))
    late.send(RFC4571() / peer.check(iut))
    late.wait_for(BindingSuccess, within=pixit.response)
    needs_open(late, "it was not selected")
    expect_coming(upper, peer, selected, DATA, "the data did not come over the selected connection")
    assert DATA not in late.octets, "the data came over the connection that was not selected"


@watches(46.0)
@requirement(
    "RFC8445-12.1-04", needs="offers:passive connects:active sides:answerer components:2 payload:raw reports:state"
)
def test_no_data_when_a_component_has_failed(upper, peer, pixit):
    """with    two components, the first one's pair nominated, and connections to our candidate of the second refused
    when    the IUT has reported that ICE has failed, and its application sends on the first
    then    no data comes."""
    ours = [peer.candidate("active"), peer.candidate("passive", component=2, port=peer.refusing_port())]
    iut = negotiate(upper, peer, "answerer", components=2, peer_candidates=ours)
    connection = peer.connect(iut.candidate(tcptype="passive"))
    drive(peer, iut, [connection])
    needs_failure(upper, within=pixit.hopeless)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@requirement("RFC8445-12.1-s02", "RFC6544-9.2-01", needs="offers:passive sides:answerer payload:raw restart")
def test_data_stays_on_the_former_pair_until_the_nomination(upper, peer, pixit):
    """with    ICE completed on a connection, restarted by us, and checks of both sides answered on a new one
    when    we have not nominated it, and the IUT's application sends
    then    its data comes over the former connection, and none over the new one."""
    selected = establish(upper, peer, "answerer", opener="tester")
    iut = restart(upper, peer, "tester")
    new = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, new)
    peer.wait_until(lambda: new.checked, pixit.connect)
    peer.settle(new)
    expect_coming(upper, peer, selected, DATA, "the data did not come over the former connection")
    assert DATA not in new.octets, "the data came over the new connection, which is not nominated"
