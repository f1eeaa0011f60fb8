"""RFC 8445 section 7.3.1.4: triggered checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import (
    expect_check,
)
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@varied("components")
@requirement("RFC8445-7.3.1.4-s02", "RFC6544-7.2-s01", needs="offers:passive")
def test_checks_on_further_connections_trigger_checks(upper, peer, side):
    """with    connections to the passive candidate of the IUT's last component
    when    each has brought a check
    then    the IUT sends a check of its own on each of them."""
    peer.answering = False  # or a controlling IUT may complete on the first
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    passive = iut.candidate(tcptype="passive", component=peer.shape.components)
    first, second = peer.connect(passive), peer.connect(passive)
    first.send(RFC4571() / peer.check(iut, component=first.component))
    expect_check(peer, iut, first)
    second.send(RFC4571() / peer.check(iut, component=second.component))
    expect_check(peer, iut, second)


@both_sides
@requirement("RFC8445-7.3.1.4-s02", "RFC8445-7.3.1.3-s01", "RFC6544-7.2-s01", needs="offers:so")
def test_check_on_an_so_connection_triggers_a_check(upper, peer, side, pixit):
    """with    a connection to the IUT's S-O candidate from an address that our description does not hold
    when    our check has been answered
    then    the IUT sends a check of its own on this connection."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    connection = peer.connect_if_possible(iut.candidate(tcptype="so"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.expect(BindingRequest, within=pixit.connect)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8445-7.3.1.4-s02", "RFC8445-7.3.1.4-s03", "RFC6544-7.2-s01", needs="offers:passive")
def test_check_triggers_a_check_on_the_same_connection(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate from our active one
    when    our check has been answered
    then    the IUT sends a check of its own on this connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    expect_check(peer, iut, connection)
