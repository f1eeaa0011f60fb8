"""RFC 8445 section 8.3.1: what a full agent still does when ICE has completed."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.checks import needs_open
from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC8445-8.3.1-01", needs="offers:passive obeys:addresses")
def test_late_check_at_another_candidate_is_answered(upper, peer, side, pixit):
    """with    the IUT on two addresses, and ICE completed on a connection to the one
    when    a check comes at once to the passive candidate on the other, which still accepts connections
    then    it is answered with success, unless the IUT closes the connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", addresses=upper.two_addresses())
    passive = iut.candidates(tcptype="passive", type="host", component=1)
    iut.require(len({candidate.address for candidate in passive}) > 1, "passive candidates on both addresses")
    await_selection(upper, peer, peer.complete(iut, peer.connect(passive[0])))
    late = peer.connect_if_possible(passive[1])
    late.send(RFC4571() / peer.check(iut))
    answered = late.wait_for(BindingSuccess, within=pixit.response)
    needs_open(late, "RFC 6544 section 8 lets it")
    assert answered, "the check is not answered"
