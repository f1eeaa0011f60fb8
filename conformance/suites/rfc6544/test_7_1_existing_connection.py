"""RFC 6544 section 7.1: checks of a restart on the existing connection."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, Payload
from conformance.suites.framing import require_framed
from conformance.suites.marks import crosswise, requirement
from conformance.suites.simultaneous_open import complete_on, openers, restart_on


@openers("RFC6544-7.1-03")
@crosswise
@requirement("RFC6544-7.1-03", needs="restart offers:so payload:raw")
def test_check_on_the_existing_connection_is_framed(upper, peer, side, opener, pixit):
    """with    ICE restarted with S-O candidates of both sides at the selected connection's two ends
    when    the first octets of the restart arrive on this connection
    then    they are a frame that holds exactly one Binding request."""
    selected = complete_on(upper, peer, side, opener)
    require_framed(selected)
    restart_on(upper, peer, side, selected)
    first = selected.await_frame(Payload, within=pixit.connect)
    assert BindingRequest().fulfilled_by(first), f"the first frame is {first}"
