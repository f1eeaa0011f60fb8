"""RFC 6062 section 4.2: refreshing."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.relays import (
    expect_refreshed,
    needs_refresh,
    use_relay,
)


@watches(9)
@requirement("RFC6062-4.2-01", needs="sides:answerer")
def test_refresh_comes_on_the_control_connection(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    the Refresh came on the connection of the Allocate."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    elsewhere = [one for one in needs_refresh(server) if one.connection not in server.used]
    assert not elsewhere, f"Refresh came on {elsewhere[0].connection}"
