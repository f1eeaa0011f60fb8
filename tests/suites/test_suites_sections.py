"""Which components a description's default destination and its a=rtcp belong to."""

from __future__ import annotations

import pytest

from conformance.suites.sections import expect_default_of_the_first_component
from conformance.verdict import Failed, JudgedElsewhere
from conformance.wire.sdp import SessionDescription

OURS = "127.0.0.1"


def media(*components: tuple[int, int], port: int = 5000):
    candidates = [
        f"a=candidate:f {component} TCP {1000 - number} {OURS} {at} typ host tcptype passive"
        for number, (component, at) in enumerate(components)
    ]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"m=audio {port} RTP/AVP 0", f"c=IN IP4 {OURS}"]
    return SessionDescription.parse("\r\n".join([*lines, *candidates, ""])).media[0]


def test_the_default_is_that_of_the_first_component() -> None:
    expect_default_of_the_first_component(media((1, 5000), (2, 5001)))
    with pytest.raises(Failed, match="one of component 2"):
        expect_default_of_the_first_component(media((1, 5002), (2, 5000)))
    with pytest.raises(JudgedElsewhere, match="no candidate"):
        expect_default_of_the_first_component(media((1, 5002), (2, 5001)))


def test_components_that_share_a_port_are_not_judged_by_their_default() -> None:
    expect_default_of_the_first_component(media((1, 5000), (2, 5000)))
