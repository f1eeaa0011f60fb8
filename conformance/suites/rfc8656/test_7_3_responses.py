"""RFC 8656 section 7.3: responses."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.relays import (
    complete_on_relay,
    expect_refreshed,
)


@watches(9)
@requirement("RFC8656-7.3-s01", needs="sides:answerer")
def test_lifetime_of_the_response_counts(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    8 seconds have passed
    then    the IUT has sent Refresh before, whatever lifetime it would have liked."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
