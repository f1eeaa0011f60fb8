"""Cases as octets: what is meant to be valid is valid for the codec, what is mutated is signed anew."""

import hmac
from random import Random

import pytest

from conformance.wire.attributes import Address
from conformance.wire.integrity import Check, check_fingerprint, check_integrity
from conformance.wire.rfc4571 import Deframer
from conformance.wire.stun import Message
from fuzz.mutate import MUTATORS
from fuzz.player.render import Env, check, frame, integrity, message, pieces, refusal, request, success

PWD = "iutiutiutiutiutiutiutiut"


def env(controlling: bool = True) -> Env:
    made = Env("tstr", "testertestertestertester", controlling)
    made.learn("iutu", PWD)
    return made


@pytest.mark.parametrize("controlling", [True, False])
def test_a_check_is_what_the_codec_calls_valid(controlling):
    octets = message(request(), env(controlling))
    read = Message.decode(octets)
    assert read.is_request
    assert read.username == "iutu:tstr"
    assert read.priority
    assert (read.ice_controlling is not None) == controlling
    assert (read.ice_controlled is not None) == (not controlling)
    assert check_integrity(octets, PWD.encode()) is Check.VALID
    assert check_fingerprint(octets) is Check.VALID


def test_an_answer_is_signed_with_our_own_password_and_maps_the_iuts_address():
    mine = env()
    mine.peer_id = b"the-iuts-tid"
    mine.peer_address = b"\x00\x01\x13\x88\x7f\x00\x00\x02"
    for octets in (message(success(), mine), message(refusal(487), mine)):
        assert check_integrity(octets, b"testertestertestertester") is Check.VALID
        assert Message.decode(octets).transaction_id == b"the-iuts-tid"
    assert Message.decode(message(success(), mine)).xor_mapped_address == Address("127.0.0.2", 5000)
    assert Message.decode(message(refusal(487), mine)).error_code.code == 487


def test_what_is_put_in_is_signed_with_the_rest():
    octets = message(request({"type": 0x7001, "value": "41*7"}), env())
    assert check_integrity(octets, PWD.encode()) is Check.VALID
    assert check_fingerprint(octets) is Check.VALID
    assert Message.decode(octets).first(0x7001).value == b"AAAAAAA"


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"cut": 7}, lambda octets, valid: octets == valid[:7]),
        ({"delta": 4}, lambda octets, valid: octets[3] == valid[3] + 4 and len(octets) == len(valid)),
        ({"tail": "ffee"}, lambda octets, valid: octets.endswith(b"\xff\xee") and octets[3] == valid[3] + 2),
        ({"patch": [[-1, "00"]]}, lambda octets, valid: octets[:-1] == valid[:-1] and octets[-1] == 0),
        ({"cookie": 1}, lambda octets, valid: octets[4:8] == b"\0\0\0\1"),
        ({"id": "ab*12"}, lambda octets, valid: octets[8:20] == b"\xab" * 12),
    ],
)
def test_one_key_breaks_one_thing(change, check):
    assert check(message({**request(), **change}, env()), message(request(), env()))


def test_lengths_and_padding_can_be_what_they_are_not():
    octets = message({"type": 1, "attributes": [{"type": 6, "value": "4142", "length": 9, "padding": "ff"}]}, env())
    assert octets[20:] == b"\x00\x06\x00\x09AB\xff"


def test_frames_nest_and_claim_lengths():
    assert frame({"octets": "41*3"}, env()) == b"\0\3AAA"
    assert frame({"octets": "41", "length": 0xFFFF}, env()) == b"\xff\xffA"
    assert frame({"frames": [{"octets": ""}, {"octets": "42"}]}, env()) == b"\0\5\0\0\0\1B"


@pytest.mark.parametrize("cuts", [[1], [1, 2, 3], [-1], [5, -5], [1000], [0]])
def test_pieces_lose_nothing(cuts):
    whole = bytes(range(50))
    cut = pieces(whole, cuts)
    assert b"".join(cut) == whole
    assert all(cut)
    assert len(cut) == len({c % 50 for c in cuts} - {0}) + 1


@pytest.mark.parametrize("mutate", sorted(set(MUTATORS), key=lambda one: one.__name__), ids=lambda one: one.__name__)
def test_each_mutator_changes_something_and_always_makes_octets(mutate):
    valid, changed = message(request(), env()), 0
    for seed in range(60):
        spec = request()
        mutate(Random(seed), spec)
        octets = message(spec, env())
        changed += octets != valid
        assert Deframer().feed(frame({"octets": octets[:60000].hex()}, env())) == [octets[:60000]]
    assert changed > 20


def test_mutants_mostly_get_past_the_integrity():
    valid = 0
    for seed in range(400):
        spec = request()
        random = Random(seed)
        random.choice(MUTATORS)(random, spec)
        valid += check_integrity(message(spec, env()), PWD.encode()) is Check.VALID
    assert valid > 200


@pytest.mark.parametrize("controlling", [True, False])
def test_a_check_in_fewer_steps_is_the_same_also_with_new_credentials(controlling):
    quick, slow = env(controlling), env(controlling)
    for password in (PWD, "anotheranotheranother1", "p" * 100):
        for one in (quick, slow):
            one.learn("iut" + password[0], password)
        for _ in range(2):
            assert check(quick) == frame({"message": request()}, slow)
        for one in (quick, slow):
            one.controlling = not one.controlling
        assert check(quick) == frame({"message": request()}, slow)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 256])
@pytest.mark.parametrize(("name", "length"), [("sha1", 20), ("sha256", 32), ("sha256", 16)])
def test_integrity_is_the_hmac_of_the_standard_library(size, name, length):
    key, before = b"k" * size, bytes(range(40))
    adjusted = before[:2] + (20 + 4 + length).to_bytes(2, "big") + before[4:]
    for _ in range(2):
        assert integrity(before, key, name, length) == hmac.digest(key, adjusted, name)[:length]
