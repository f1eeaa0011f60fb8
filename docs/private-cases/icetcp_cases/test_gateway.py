"""Cases of ACME's radio gateway."""

import acme_requirements  # noqa: F401 - it adds the requirements

from conformance.suites.checks import await_success
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate


@both_sides
@requirement("ACME-4.2-01", needs="offers:passive")
def test_response_fits_into_a_block(upper, peer, side):
    """with    a connection that the IUT has accepted
    when    a check arrives
    then    its success response has at most 128 octets."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    response = await_success(peer, iut, connection)
    assert len(response.octets) <= 128, f"the response has {len(response.octets)} octets"


@both_sides
@requirement("ACME-4.3-01")
def test_description_has_few_candidates(upper, peer, side):
    """with    nothing but the wish to communicate
    when    the IUT describes itself
    then    it has at most 20 candidates for its first component."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    count = len(iut.candidates(component=1))
    assert count <= 20, f"the description has {count} candidates"
