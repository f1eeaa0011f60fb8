"""RFC 8839 section 4.2.1.5: the option ice2."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC8839-4.2.1.5-01", "RFC8839-4.2.5-01", "RFC8445-10-01")
def test_ice2_is_said(upper, peer, side):
    """with    an IUT that follows RFC 8445
    when    the options of its description are read
    then    ice2 is among them."""
    options = obtain_description(upper, peer, side).media().ice_options
    assert "ice2" in options, f"a=ice-options:{' '.join(options)}"
