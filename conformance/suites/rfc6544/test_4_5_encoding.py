"""RFC 6544 section 4.5: TCP candidates in the SDP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.checks import await_success
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.values import SETUP_ANSWERS
from conformance.wire.layers import RFC4571


@varied("family", "components", "candidates")
@requirement("RFC6544-4.5-s01")
def test_transport_token_is_tcp(upper, peer, side):
    """with    a description of the IUT with candidates that have a tcptype
    when    their transport tokens are read
    then    each is TCP, in any letter case."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.media().candidates if c.tcptype is not None and c.transport.upper() != "TCP"]
    assert not wrong, f"the transport of a candidate with tcptype is not TCP: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.5-s02")
def test_every_tcp_candidate_has_a_tcptype(upper, peer, side):
    """with    a description of the IUT with TCP candidates
    when    their extension attributes are read
    then    each has tcptype active, passive or so."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates() if (c.tcptype or "").lower() not in ("active", "passive", "so")]
    assert not wrong, f"no tcptype active, passive or so: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.5-s03")
def test_tcptype_stands_before_other_extensions(upper, peer, side):
    """with    a description of the IUT with TCP candidates
    when    their lines are held against the grammar
    then    tcptype follows the type and related address directly."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates() if c.tcptype is not None and not c.tcptype_in_place]
    assert not wrong, f"tcptype stands behind another extension attribute: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.5-01", needs="offers:active")
def test_active_candidate_has_port_9(upper, peer, side):
    """with    a description of the IUT with an active candidate
    when    its port is read
    then    it is 9."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates(tcptype="active") if c.port != 9]
    assert not wrong, f"an active candidate's port is not 9: {wrong[0]}"


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-4.5-01", "RFC6544-7.1-01", needs="offers:active connects:active")
def test_active_candidate_has_the_address_that_connects(upper, peer, side):
    """with    the IUT offering an active candidate
    when    it connects to our passive candidate
    then    the connection comes from the address of its active candidate."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    channel = peer.await_connection()
    addresses = {c.address for c in iut.candidates(tcptype="active")}
    assert channel.remote_address.ip in addresses, f"connected from {channel.remote_address}, offered {addresses}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.5-03", needs="sdp:full profile:plain")
def test_tcp_default_has_setup_and_connection(upper, peer, side):
    """with    a description of the IUT whose default candidate is TCP, since it has no other
    when    its media section is read
    then    it has a=setup and a=connection, with values of RFC 4145."""
    iut = obtain_description(upper, peer, side)
    media = iut.media()
    iut.needs_tcp_default()
    assert media.setup in SETUP_ANSWERS, f"a=setup:{media.setup}"
    assert media.connection in ("new", "existing"), f"a=connection:{media.connection}"


@varied("family", "candidates", side="answerer")
@pytest.mark.parametrize("offered", sorted(SETUP_ANSWERS))
@requirement("RFC6544-4.5-04", needs="sdp:full sides:answerer profile:plain")
def test_answer_setup_fits_the_offer(upper, peer, offered):
    """with    our offer saying one of the values of a=setup
    when    the IUT answers it
    then    its a=setup is one that RFC 4145 allows as an answer to ours."""
    media = upper.answer_unless_rejected(peer.offer(setup=offered)).media()
    assert media.setup in SETUP_ANSWERS[offered], f"a=setup:{media.setup} in answer to a=setup:{offered}"


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-4.5-s05", needs="connects:active")
def test_unknown_extension_attributes_are_ignored(upper, peer, side):
    """with    our passive candidate carrying an extension attribute unknown to everybody behind its tcptype
    when    the IUT has both descriptions
    then    it connects to the candidate all the same."""
    strange = peer.candidate("passive", extensions=(("x-test-suite", "7"),))
    negotiate(upper, peer, side, peer_candidates=[strange])
    peer.expect_connection()


@varied("family", "segmentation", "candidates")
@pytest.mark.parametrize("token", ["tcp", "TCP", "Tcp"])
@requirement("RFC6544-4.5-s01", needs="connects:active")
def test_transport_token_is_read_in_any_letter_case(upper, peer, side, token):
    """with    our passive candidate's transport written in one of its letter cases
    when    the IUT has both descriptions
    then    it connects to the candidate."""
    negotiate(upper, peer, side, peer_candidates=[peer.candidate("passive", transport=token)])
    peer.expect_connection()


@both_sides
@pytest.mark.parametrize("word", ["PASSIVE", "Passive"])
@requirement("RFC6544-4.5-s02", needs="connects:active")
def test_tcptype_is_read_in_any_letter_case(upper, peer, side, word):
    """with    our passive candidate's tcptype written in capitals, as the grammar allows
    when    the IUT has both descriptions
    then    it connects to the candidate."""
    negotiate(upper, peer, side, peer_candidates=[replace(peer.candidate("passive"), tcptype=word)])
    peer.expect_connection()


@both_sides
@requirement("RFC6544-3-s01", needs="offers:passive")
def test_any_port_of_our_active_candidate_is_ignored(upper, peer, side, pixit):
    """with    our active candidate naming a port that is not 9, and a check from this port answered
    when    we connect from another port and send a check
    then    the IUT answers it."""
    named = peer.listen()
    iut = negotiate(upper, peer, side, peer_candidates=[peer.candidate("active", port=named.port)])
    await_success(peer, iut, peer.connect(iut.candidate(tcptype="passive"), source=named))
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.expect(BindingSuccess, within=pixit.response)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-3-s01", needs="offers:passive")
def test_port_of_our_active_candidate_is_ignored(upper, peer, side, pixit):
    """with    our active candidate naming port 9
    when    we connect from another port and send a check
    then    the IUT answers it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.expect(BindingSuccess, within=pixit.response)
