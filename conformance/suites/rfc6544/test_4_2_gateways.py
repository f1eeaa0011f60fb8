"""RFC 6544 section 4.2: the priorities of NAT-assisted TCP candidates."""

from __future__ import annotations

import pytest

from conformance.suites.gateways import EITHER, assisted, assisted_if_any
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import duplicates, preferences

_WANTED = {"so": 6, "active": 4, "passive": 2}


@both_sides
@requirement("RFC6544-4.2-01", needs=f"nat_assisted {EITHER}")
def test_nat_assisted_type_preference_is_105(upper, peer, side):
    """with    a NAT gateway that makes mappings, and a description of the IUT with only TCP candidates
    when    the type preference is read from the priorities of its candidates at the NAT's external address
    then    it is 105."""
    gateway = peer.gateway()
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    iut.needs_tcp_alone()  # where there is UDP too, it may be lowered or raised
    found = assisted(iut, gateway)
    iut.require(bool(found), "NAT-assisted candidates")
    wrong = [c for c in found if c.type_preference != 105]
    assert not wrong, f"type preference of a NAT-assisted candidate is not 105: {wrong[0]}"


@both_sides
@pytest.mark.parametrize("tcptype", list(_WANTED))
@requirement("RFC6544-4.2-10", needs=f"nat_assisted {EITHER}")
def test_nat_assisted_direction_preference(upper, peer, side, tcptype):
    """with    a NAT gateway that makes mappings
    when    the direction preference is read from the IUT's NAT-assisted candidates of one tcptype
    then    it is 6 for S-O, 4 for active and 2 for passive ones."""
    gateway = peer.gateway()
    iut = obtain_description(upper, peer, side, tcptypes="active passive so", gateways=[gateway.entry])
    wanted = _WANTED[tcptype]
    wrong = [c for c in assisted_if_any(iut, gateway, tcptype) if c.direction_preference != wanted]
    assert not wrong, f"direction preference of a {tcptype} NAT-assisted candidate is not {wanted}: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.2-11", needs=f"nat_assisted {EITHER}")
def test_other_preference_is_unique_with_several_mappings(upper, peer, side):
    """with    the IUT on two addresses or more, and a NAT gateway that makes mappings to each
    when    its candidates of one component, type preference and direction preference are compared
    then    no two of them have the same other-pref."""
    gateway = peer.gateway()
    iut = obtain_description(upper, peer, side, addresses=upper.two_addresses(), gateways=[gateway.entry])
    iut.needs_several_addresses()
    iut.require(len(assisted(iut, gateway)) > 1, "several NAT-assisted candidates")
    kinds = [preferences(c) for c in iut.candidates()]
    assert not duplicates(kinds), f"(component, type, direction, other) preferences occur twice: {duplicates(kinds)}"
