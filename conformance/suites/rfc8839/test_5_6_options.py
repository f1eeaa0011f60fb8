"""RFC 8839 section 5.6: a=ice-options."""

from __future__ import annotations

import re

from conformance.suites.marks import both_sides, crosswise, requirement
from conformance.suites.negotiation import negotiate, obtain_description

_OPTION = re.compile(r"[A-Za-z0-9+/_-]+\Z")  # registered ones have hyphens and underscores, too


@both_sides
@requirement("RFC8839-5.6-s01")
def test_ice_options_are_words(upper, peer, side):
    """with    a description of the IUT
    when    its ice-options are read
    then    each consists of letters, digits, +, /, - and _."""
    options = obtain_description(upper, peer, side).media().ice_options
    wrong = [option for option in options if not _OPTION.match(option)]
    assert not wrong, f"the option {wrong[0]!r}"


@crosswise
@requirement("RFC8839-5.6-s02", needs="connects:active")
def test_unknown_options_are_ignored(upper, peer, side):
    """with    options in our description that nobody knows
    when    the IUT has both descriptions
    then    it connects to our passive candidate."""
    negotiate(
        upper, peer, side, peer_tcptypes="passive", says={"session_attributes": ["ice-options:ice2 x+unknown none"]}
    )
    peer.expect_connection()
