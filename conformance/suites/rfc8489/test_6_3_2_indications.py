"""RFC 8489 section 6.3.2: indications."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.messages import as_indication, expect_discarded
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


@both_sides
@requirement("RFC8489-9.1.3-03", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_without_credentials_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives that has PRIORITY, but neither USERNAME nor integrity
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    indication = as_indication(peer.check(iut, username=None, password=None))
    expect_discarded(peer, iut, connection, indication)


@both_sides
@requirement("RFC8489-9.1.3-06", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_of_an_unknown_user_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives with a user name that is not the IUT's
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_discarded(peer, iut, connection, as_indication(peer.check(iut, username="nobody:nowhere")))


@both_sides
@requirement("RFC8489-9.1.3-09", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_with_wrong_integrity_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives whose integrity is made with another password
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_discarded(peer, iut, connection, as_indication(peer.check(iut, password="wrong" * 5)))
