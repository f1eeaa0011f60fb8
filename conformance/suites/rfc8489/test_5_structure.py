"""RFC 8489 section 5: the header of every message."""

from __future__ import annotations

from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import converse, flaws


@both_sides
@by_openers
@requirement("RFC8489-5-01")
def test_first_two_bits_are_zero(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each begins with two bits that are zero."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "two bits that are zero first")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-5-03")
def test_magic_cookie(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each has the magic cookie."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "the magic cookie")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-5-07")
def test_message_length(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the length of each is that of what follows its header."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "the number of octets behind the header as its length")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-5-s01", "RFC8489-6.3.1.1-s01")
def test_message_type(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each has the type of a Binding request, indication, success or error response."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "the type of a Binding request, indication or response")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-5-s02")
def test_message_length_is_a_multiple_of_4(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the length of each is a multiple of 4."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "a length that is a multiple of 4")
    assert not wrong, wrong[0]
