"""RFC 6544 section 4.5: TCP candidates in the SDP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.values import SETUP_ANSWERS


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
    connection = peer.await_connection()
    addresses = {c.address for c in iut.candidates(tcptype="active")}
    assert connection.remote_address.ip in addresses, f"connected from {connection.remote_address}, offered {addresses}"


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


@requirement("RFC6544-4.5-07", needs="sides:offerer")
def test_rtp_is_not_offered_over_tls(upper, peer):
    """with    an offer of the IUT for RTP
    when    the protocols of its media lines are read
    then    none is RTP over TLS; UDP/TLS/RTP/SAVP, and SAVPF, are DTLS-SRTP (RFC 5764 section 8)."""
    protos = [media.proto for media in obtain_description(upper, peer, "offerer").sdp.media]
    wrong = [proto for proto in protos if {"TCP", "TLS", "RTP"} <= set(proto.upper().split("/"))]
    assert not wrong, f"the offer has RTP over TLS: {wrong}"
