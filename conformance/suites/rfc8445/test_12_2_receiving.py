"""RFC 8445 section 12.2: where data is received."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.driving import check_each
from conformance.suites.establishing import two_connections
from conformance.suites.marks import requirement
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.rfc4571 import frame


@requirement("RFC8445-12.2-01", "RFC6544-10.2-01", needs="sides:answerer payload:raw reports:data")
def test_data_is_taken_before_the_nomination(upper, peer, pixit):
    """with    the IUT controlled, and checks of both sides answered on two connections
    when    data comes over the one and then over the other, and we have nominated neither
    then    the IUT's application receives both."""
    iut, connections = two_connections(upper, peer, "answerer")
    check_each(peer, iut, connections, BindingRequest)
    connections[0].send(frame(DATA))
    upper.expect_data(DATA, within=pixit.response)
    connections[1].send(frame(MORE_DATA))
    upper.expect_data(DATA + MORE_DATA, within=pixit.response)
