"""What of a connection's octets is taken to be out of frames, and how it is told apart."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.suites.framing import PACKETS, misframed
from conformance.wire.layers import binding_indication
from conformance.wire.rfc4571 import frame

STUN = bytes(binding_indication(transaction_id=b"transaction:"))
DATA = PACKETS[2]


def found(octets: bytes) -> tuple[int, int, int, int]:
    """Return how many messages and packets are bare, LENGTHs wrong, and octets between frames."""
    seen = misframed([SimpleNamespace(octets=octets)])
    return len(seen.bare), len(seen.bare_data), len(seen.length), len(seen.between)


@pytest.mark.parametrize("octets", [b"", *PACKETS, STUN, b"what nobody knows", b"\x00"])
def test_frames_are_right_whatever_they_hold(octets) -> None:
    between = frame(b"") + frame(STUN) + frame(DATA)
    assert found(frame(octets) + between + frame(octets)) == (0, 0, 0, 0)


@pytest.mark.parametrize("octets", [STUN, *PACKETS])
def test_what_stands_without_a_frame_is_found_wherever_it_stands(octets) -> None:
    kind = (1, 0, 0, 0) if octets is STUN else (0, 1, 0, 0)
    assert found(octets) == kind
    assert found(frame(STUN) + octets) == kind
    assert found(frame(DATA) + octets + frame(STUN)) == kind


@pytest.mark.parametrize("octets", [STUN, *PACKETS])
@pytest.mark.parametrize("off", [2, -2, 256])
def test_a_wrong_length_is_a_wrong_length_alone(octets, off) -> None:
    wrong = ((len(octets) + off) & 0xFFFF).to_bytes(2, "big") + octets
    assert found(wrong + frame(STUN)) == (0, 0, 1, 0)


@pytest.mark.parametrize("octets", [STUN, *PACKETS])
def test_a_length_that_stands_twice_is_a_wrong_length(octets) -> None:
    """As after a write that took LENGTH alone, if the whole frame is written then."""
    twice = frame(octets)[:2] + frame(octets)
    assert found(frame(STUN) + twice + frame(STUN)) == (0, 0, 1, 0)
    assert found(frame(b"") * 2 + frame(STUN)) == (0, 0, 0, 0)


@pytest.mark.parametrize("stray", [b"$", b"\0", b"$$$", b"\0\0\0"])
def test_octets_between_frames_are_found(stray) -> None:
    bare, bare_data, length, between = found(frame(STUN) + stray + frame(DATA) + stray + frame(STUN))
    assert (bare, bare_data, length) == (0, 0, 0)
    assert between == 2


@pytest.mark.parametrize("octets", [STUN, *PACKETS])
def test_what_has_not_come_whole_yet_is_no_finding(octets) -> None:
    whole = frame(STUN) + frame(octets)
    for cut in range(len(frame(STUN)) + 1, len(whole), max(1, len(octets) // 20)):
        assert found(whole[:cut]) == (0, 0, 0, 0), cut
