"""RFC 4145 section 4.1: a=setup in offers and answers."""

from __future__ import annotations

import pytest

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import obtain_description
from conformance.suites.sections import default_of
from conformance.suites.values import SETUP_ANSWERS

_PLAIN = pytest.mark.requirement(needs=("profile:plain",))  # DTLS has no use for holdconn
_OFFERED = [pytest.param(setup, marks=_PLAIN if setup == "holdconn" else ()) for setup in sorted(SETUP_ANSWERS)]


@varied("family", "candidates", side="answerer")
@pytest.mark.parametrize("offered", _OFFERED)
@requirement("RFC4145-4.1-s01", "RFC6544-4.5-04", needs="sdp:full sides:answerer")
def test_answer_setup_fits_the_offer(upper, peer, offered):
    """with    our offer saying one of the values of a=setup
    when    the IUT answers it
    then    its a=setup is one that RFC 4145 allows as an answer to ours."""
    media = upper.answer_unless_rejected(peer.offer(setup=offered)).media()
    setup = media.setup or "passive"  # what an answer without it says
    assert setup in SETUP_ANSWERS[offered], f"a=setup:{media.setup} in answer to a=setup:{offered}"


@both_sides
@requirement("RFC4145-4.1-03")
def test_active_default_has_port_9(upper, peer, side):
    """with    a description of the IUT that says a=setup:active
    when    its media line is read
    then    the port is 9."""
    iut = obtain_description(upper, peer, side)
    iut.needs_setup("active")
    assert iut.media().port == 9, f"m= has port {iut.media().port}"


@requirement("RFC4145-4.1-04", needs="sides:offerer")
def test_offered_stream_has_a_port(upper):
    """with    the IUT's offer
    when    its first media line is read
    then    the port is not 0, or a=bundle-only says why."""
    media = upper.offer().media(0)
    assert not media.disabled, "m= has port 0"


@requirement("RFC4145-4.1-05", needs="sides:answerer")
def test_passive_default_accepts(upper, peer):
    """with    our offer with a=setup:active, and the IUT's answer passive
    when    we connect to the address and port of its c= and m= lines
    then    the connection is accepted."""
    answer = upper.answer(peer.offer("active", setup="active"))
    answer.needs_setup("passive")
    address, port = default_of(answer.media())
    peer.expect_accept(peer.candidate("passive", address=address, port=port))
