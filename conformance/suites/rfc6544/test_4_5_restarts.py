"""RFC 6544 section 4.5: descriptions that restart ICE are written like the first ones."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import SETUP_ANSWERS


@both_sides
@requirement("RFC6544-4.5-s02", needs="restart")
def test_candidates_of_a_restart_have_a_tcptype(upper, peer, side):
    """with    ICE completed
    when    it is restarted, and the IUT describes itself anew
    then    each of its TCP candidates has tcptype active, passive or so."""
    establish(upper, peer, side)
    iut = restart(upper, peer, RESTARTS_BY[side])
    wrong = [c for c in iut.candidates() if (c.tcptype or "").lower() not in ("active", "passive", "so")]
    assert not wrong, f"no tcptype active, passive or so: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.5-01", needs="restart offers:active")
def test_active_candidates_of_a_restart_have_port_9(upper, peer, side):
    """with    ICE completed
    when    it is restarted, and the IUT describes itself anew
    then    the port of its active candidates is 9."""
    establish(upper, peer, side)
    iut = restart(upper, peer, RESTARTS_BY[side])
    wrong = [c for c in iut.candidates(tcptype="active") if c.port != 9]
    assert not wrong, f"an active candidate's port is not 9: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.5-03", needs="restart sdp:full profile:plain")
def test_tcp_default_of_a_restart_has_setup_and_connection(upper, peer, side):
    """with    ICE completed
    when    it is restarted, and the IUT describes itself anew with a default of TCP
    then    the section has a=setup and a=connection, with values of RFC 4145."""
    establish(upper, peer, side)
    iut = restart(upper, peer, RESTARTS_BY[side])
    iut.needs_tcp_default()
    media = iut.media()
    assert media.setup in SETUP_ANSWERS, f"a=setup:{media.setup}"
    assert media.connection in ("new", "existing"), f"a=connection:{media.connection}"
