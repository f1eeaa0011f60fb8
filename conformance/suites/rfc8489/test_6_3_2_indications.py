"""RFC 8489 section 6.3.2: indications."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.messages import expect_discarded
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.layers import RFC4571, RawStunAttribute, binding_indication


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-6.3.2-s02", "RFC6544-7.2-s01", needs="offers:passive")
def test_indication_is_not_answered(upper, peer, side, pixit):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))  # an IUT may expect a check first of a connection
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.send(RFC4571() / binding_indication(transaction_id=b"indication!!"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    answers = connection.messages(transaction_id=b"indication!!")
    assert not answers, f"the indication was answered by {answers[0]}"


@both_sides
@requirement("RFC8489-6.3.2-s01", needs="offers:passive")
def test_indication_with_an_unknown_required_attribute_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives with an unknown comprehension-required attribute
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    expect_discarded(peer, iut, connection, binding_indication(transaction_id=b"strange-one!"), strange)
