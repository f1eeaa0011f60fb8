"""RFC 6544 section 9.2: restarts in which S-O candidates stand at both ends of the selected connection."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.peer.secure import Hello, OtherHello
from conformance.suites.marks import both_sides, crosswise, requirement
from conformance.suites.media import (
    await_sent,
    expect_coming,
)
from conformance.suites.simultaneous_open import complete_dtls_on, complete_on, openers, restart_on
from conformance.suites.values import DATA


@openers("RFC6544-9.2-03")
@crosswise
@requirement("RFC6544-9.2-03")
def test_existing_connection_is_checked_in_a_restart(upper, peer, side, opener, pixit):
    """with    ICE completed on a connection
    when    it restarts with S-O candidates of the IUT's and of ours at the connection's two ends
    then    the IUT sends a check of the restart on this connection."""
    selected = complete_on(upper, peer, side, opener)
    restart_on(upper, peer, side, selected)
    selected.expect(BindingRequest(to=peer.ufrag), within=pixit.connect)


@openers("RFC6544-9.2-03")
@crosswise
@requirement("RFC6544-9.2-03")
def test_no_connection_is_opened_beside_the_existing_one(upper, peer, side, opener, pixit):
    """with    ICE restarted with S-O candidates of both sides at the selected connection's two ends
    when    the IUT's checks are due
    then    it opens no other connection to our candidate, save from further S-O candidates of its own."""
    selected = complete_on(upper, peer, side, opener)
    iut = restart_on(upper, peer, side, selected)
    others = {c.endpoint for c in iut.candidates(tcptype="so")} - {selected.remote_address}
    peer.expect_no_connection(within=pixit.retransmission, but_from=others)


@openers("RFC6544-9.2-03")
@crosswise
@requirement("RFC6544-9.2-03")
def test_media_after_a_restart_on_the_existing_connection(upper, peer, side, opener, pixit):
    """with    ICE restarted with S-O candidates of both sides at the selected connection's two ends
    when    the restart has completed on this connection, and the IUT's application sends data
    then    the connection is not closed as a former one, and the data comes over it."""
    selected = complete_on(upper, peer, side, opener)
    await_sent(upper, peer, selected)
    peer.stop_listening()  # the IUT's further S-O candidates, if it has any, come to nothing
    peer.complete(restart_on(upper, peer, side, selected), selected)
    selected.expect_open(within=pixit.silence)
    expect_coming(upper, peer, selected, DATA, "the data did not come over this connection")


@both_sides
@requirement("RFC6544-9.2-03", needs="payload:dtls offers:passive")
def test_no_handshake_is_begun_anew_on_the_existing_connection(upper, peer, side, pixit):
    """with    ICE completed on a connection on which the IUT has begun its DTLS handshake
    when    a restart with S-O candidates at the connection's two ends completes on it
    then    the IUT begins no new handshake."""
    selected = complete_dtls_on(upper, peer, side)
    hello = selected.await_frame(Hello, within=pixit.complete)
    peer.complete(restart_on(upper, peer, side, selected), selected)
    selected.expect_nothing(OtherHello(hello), within=pixit.silence)
