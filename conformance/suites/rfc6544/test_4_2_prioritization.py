"""RFC 6544 section 4.2: the priorities of TCP candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import descriptions_of_sessions, obtain_description
from conformance.suites.values import best_of_equals, both_transports, duplicates, preferences
from conformance.verdict import Level

_SESSIONS = 3


@varied("family", "components", "candidates")
@requirement("RFC6544-4.2-07", at=Level.SHOULD)  # a formula of its own is lawful (RFC 5245 section 4.1.2)
def test_direction_preference_keeps_to_its_three_bits(upper, peer, side):
    """with    a description of the IUT with TCP candidates
    when    their priorities are taken apart
    then    no local preference has run over into the type preference, which would then exceed 126."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates() if not 0 <= c.type_preference <= 126]
    assert not wrong, f"the priority's upper octet is above 126: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.2-09", needs="offers:active")
def test_active_host_direction_preference_is_6(upper, peer, side):
    """with    a description of the IUT with an active host candidate
    when    the direction preference is read from its priority
    then    it is 6."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates(tcptype="active", type="host") if c.direction_preference != 6]
    assert not wrong, f"direction preference of an active host candidate is not 6: {wrong[0]}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.2-09", needs="offers:passive")
def test_passive_host_direction_preference_is_4(upper, peer, side):
    """with    a description of the IUT with a passive host candidate
    when    the direction preference is read from its priority
    then    it is 4."""
    iut = obtain_description(upper, peer, side)
    wrong = [c for c in iut.candidates(tcptype="passive", type="host") if c.direction_preference != 4]
    assert not wrong, f"direction preference of a passive host candidate is not 4: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.2-11")
def test_other_preference_is_unique_on_several_addresses(upper, peer, side):
    """with    the IUT on two addresses or more, in three sessions: some stacks do not gather the same in each
    when    its candidates of one component, type preference and direction preference are compared
    then    no two of them have the same other-pref."""
    sessions = descriptions_of_sessions(upper, peer, side, _SESSIONS, addresses=upper.two_addresses())
    sessions[0].needs_several_addresses()
    twice = [found for iut in sessions for found in duplicates([preferences(c) for c in iut.candidates()])]
    assert not twice, f"(component, type, direction, other) preferences occur twice: {twice}"


@varied("family", "components", "candidates")
@requirement("RFC6544-4.2-12", needs="obeys:addresses")
def test_other_preference_on_a_single_address_is_8191(upper, peer, side):
    """with    the IUT on one address
    when    the other-pref is read from its candidates' priorities
    then    it is 8191, of candidates that only other-pref can tell apart that of the best one."""
    iut = obtain_description(upper, peer, side)
    iut.require(len({c.address for c in iut.candidates()}) == 1, "candidates on one address")
    wrong = [c for c in best_of_equals(iut.candidates()) if c.other_preference != 8191]
    assert not wrong, f"other-pref is not 8191: {wrong[0]}"


@requirement("RFC6544-4.2-02", needs="sides:offerer")
def test_type_preferences_show_the_preferred_transport(upper):
    """with    the IUT offering UDP and TCP for RTP, of which one is to be preferred
    when    the type preferences of its host candidates are compared
    then    those of UDP and of TCP are different."""
    udp, tcp = both_transports(upper.offer(transports=["udp", "tcp"]))
    shared = {c.type_preference for c in udp} & {c.type_preference for c in tcp}
    assert not shared, f"UDP and TCP candidates have the same type preference {shared}"


@requirement("RFC6544-4.2-05", needs="sides:offerer")
def test_udp_ranks_above_tcp_for_rtp(upper):
    """with    the IUT offering UDP and TCP for RTP
    when    the priorities of its host candidates are compared
    then    every UDP candidate's is above every TCP candidate's."""
    udp, tcp = both_transports(upper.offer(transports=["udp", "tcp"]))
    lowest, highest = min(udp, key=lambda c: c.priority), max(tcp, key=lambda c: c.priority)
    assert lowest.priority > highest.priority, f"{lowest} is not above {highest}"


@both_sides
@requirement("RFC6544-4.2-06", needs="offers:active offers:passive obeys:addresses")
def test_directions_differ_in_the_upper_bits_alone(upper, peer, side):
    """with    the IUT on one address, with active and passive candidates
    when    the lower 13 bits of their local preferences are compared, of each tcptype the highest
    then    they are the same: the direction is in the upper three, the address' preference below."""
    iut = obtain_description(upper, peer, side)
    iut.require(len({c.address for c in iut.candidates()}) == 1, "candidates on one address")
    ranked = sorted(iut.candidates(component=1, type="host"), key=lambda c: c.other_preference)
    others = {c.tcptype: c.other_preference for c in ranked}
    assert len(set(others.values())) == 1, f"other-pref differs by direction: {others}"
