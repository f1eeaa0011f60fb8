"""RFC 8489 section 5: transaction ids."""

from __future__ import annotations

from conformance.suites.check_contents import exchange_checks, repeated_identifiers
from conformance.suites.marks import both_sides, everywhere, requirement


@both_sides
@everywhere
@requirement("RFC8489-5-05", "RFC6544-7.1-s04")
def test_every_check_has_an_identifier_of_its_own(upper, peer, side, where):
    """with    connections that have been checked by both sides, and nominated
    when    the transaction ids of the IUT's checks are compared
    then    no two different requests have the same."""
    exchange_checks(upper, peer, side, where)
    repeated = repeated_identifiers(peer)
    assert not repeated, repeated[0]
