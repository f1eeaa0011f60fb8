"""The contract's types: the same words everywhere, and clear words for what is malformed."""

import json
from pathlib import Path

import msgspec
import pytest

from conformance.catalogue.capabilities import PROFORMA
from conformance.iut import protocol

GUIDE = (Path(protocol.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_request_is_one_line():
    line = protocol.encode(7, "accept", {"sdp": "v=0\r\n", "session": "é"})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "accept",
        "params": {"sdp": "v=0\r\n", "session": "é"},
    }


def test_what_an_adapter_may_send():
    response = protocol.decode(b'{"jsonrpc": "2.0", "id": 1, "result": {}, "extra": 1}')
    assert (response.id, response.result, response.method) == (1, {}, msgspec.UNSET)
    error = protocol.decode(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32010,"message":"no","data":[]}}').error
    assert (error.code, error.message) == (-32010, "no")
    note = protocol.decode(b'{"jsonrpc":"2.0","method":"state","params":{"session":"s","state":"new"}}')
    assert (note.id, note.method, note.params["state"]) == (msgspec.UNSET, "state", "new")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'"\xff"', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"3", "no JSON-RPC 2.0"),
        (b"{}", "no JSON-RPC 2.0"),
        (b'{"jsonrpc": "1.0", "id": 1, "result": {}}', "no JSON-RPC 2.0"),
        (b'{"jsonrpc": "2.0", "id": 1, "error": "no"}', "no JSON-RPC 2.0"),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"message": "no"}}', "no JSON-RPC 2.0"),
        (b'{"jsonrpc": "2.0", "method": 3}', "no JSON-RPC 2.0"),
    ],
)
def test_malformed(line, what):
    with pytest.raises(protocol.Malformed, match=what):
        protocol.decode(line)


def test_pics_have_the_proformas_keys_and_defaults():
    mine = msgspec.to_builtins(protocol.Pics())
    theirs = {key: capability.default for key, capability in PROFORMA.items()}
    as_text = {key: [str(item) for item in value] if isinstance(value, tuple) else value for key, value in mine.items()}
    assert as_text == theirs


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"version": "1", "pics": {}}, "name"),
        ({"name": "x", "version": 1, "pics": {}}, "version"),
        ({"name": "x", "version": "1", "pics": []}, "pics"),
        ({"name": "x", "version": "1", "pics": {"sessions": 0}}, "sessions"),
        ({"name": "x", "version": "1", "pics": {"sessions": "many"}}, "sessions"),
        ({"name": "x", "version": "1", "pics": {"offers": "active"}}, "offers"),
        ({"name": "x", "version": "1", "pics": {"restart": "yes"}}, "restart"),
    ],
)
def test_hello_that_is_not_what_the_contract_asks_for(said, what):
    with pytest.raises(protocol.Malformed, match=what):
        protocol.hello(said)


def test_hello_may_say_more_than_we_know():
    said = protocol.hello({"name": "x", "version": "1", "pics": {"quic": True}, "vendor": "y"})
    assert said.pics == {"quic": True}


def test_guide_explains_every_word_of_the_contract():
    words = [*protocol.METHODS, *protocol.NOTIFICATIONS, *PROFORMA]
    assert [word for word in words if f"| `{word}` |" not in GUIDE] == []
    numbers = (protocol.NO_SUCH_METHOD, protocol.INVALID_PARAMS, protocol.REJECTED)
    assert [number for number in numbers if f"| {number} |" not in GUIDE] == []
    for capability in PROFORMA.values():
        row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{capability.key}` |"))
        assert [value for value in capability.values if f"`{value}`" not in row] == []
