"""RFC 8489 section 14.8: error codes and what comes with them."""

from __future__ import annotations

from conformance.peer.events import BindingError
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.layers import RFC4571, RawStunAttribute


@both_sides
@requirement("RFC8489-14.8-10", "RFC8489-6.3.1.1-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_every_unknown_required_attribute_is_named(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with three unknown comprehension-required attributes
    then    the IUT answers with error 420 and names them all."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    types = [UNKNOWN_REQUIRED - n for n in range(3)]
    strange = [RawStunAttribute(type=kind, value=bytes(kind & 3)) for kind in types]
    connection.send(RFC4571() / peer.check(iut, attributes=strange))
    error = connection.await_frame(BindingError(420), within=pixit.response)
    assert set(error.stun.unknown_attributes or ()) == set(types), f"it names {error.stun.unknown_attributes}"
