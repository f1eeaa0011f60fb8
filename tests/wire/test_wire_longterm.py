import pytest

from conformance.wire import longterm
from conformance.wire.errors import StunError
from conformance.wire.longterm import MD5, SHA256, Feature


def test_keys_are_hashes_of_user_realm_and_password():
    assert longterm.key(MD5, "user", "realm", "pass").hex() == "8493fbc53ba582fb4c044c456bdc40eb"  # RFC 5389 15.4
    assert len(longterm.key(SHA256, "user", "realm", "pass")) == 32
    assert longterm.key(SHA256, "user", "realm", "pass") != longterm.userhash("user", "realm")


def test_user_hash_of_the_example():
    """RFC 8489, appendix B.1."""
    found = longterm.userhash("\u30de\u30c8\u30ea\u30c3\u30af\u30b9", "example.org")
    assert found.hex() == "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"


@pytest.mark.parametrize("announced", [set(), {Feature.PASSWORD_ALGORITHMS}, set(Feature)])
def test_a_nonce_says_what_it_announces(announced):
    nonce = longterm.nonce(announced, "behind")
    assert nonce.endswith("behind")
    assert longterm.features(nonce) == announced


def test_features_of_the_example_are_counted_from_the_right():
    assert longterm.features("obMatJos2AAAC//499k954d6OL34oL9FSTvy64sA") == {Feature.USERNAME_ANONYMITY}


@pytest.mark.parametrize("nonce", ["", "another", "obMatJos2", "obMatJos2*-*-x"])
def test_without_cookie_and_bits_nothing_is_announced(nonce):
    assert longterm.features(nonce) == frozenset()


def test_algorithms_with_parameters_are_passed_over():
    value = (
        longterm.encode_algorithms([SHA256]) + bytes.fromhex("0009 0003 616263 00") + longterm.encode_algorithms([MD5])
    )
    assert longterm.decode_algorithms(value) == (SHA256, 9, MD5)


def test_a_list_that_ends_too_early():
    with pytest.raises(StunError, match="too early"):
        longterm.decode_algorithms(bytes(3))
