"""The adapter contract, version 1, as types and constants: JSON-RPC 2.0, one object a line, on stdin and stdout.

`README.md` beside this file explains it to those who write an adapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
METHODS = ("hello", "open", "describe", "accept", "trickle", "send", "restart", "close")
NOTIFICATIONS = ("state", "selected", "candidate", "data")

NO_SUCH_METHOD = -32601  # with this the case is n/a
INVALID_PARAMS = -32602  # and with this: not with these params
REJECTED = -32010  # the stack rejected a description or candidate: an observation that the case judges

HELLO_WITHIN = 10.0  # seconds from the process's start
EXIT_WITHIN = 5.0  # seconds from its stdin's end
LONGEST_LINE = 1 << 20  # octets; a frame of 65,535 octets in base64 needs 87,384


class ErrorObject(Struct):
    """Why a call has no result (JSON-RPC 2.0 section 5.1)."""

    code: int
    message: str = ""


class Incoming(Struct):
    """A line of an adapter: a response (``id`` and ``result`` or ``error``) or a notification (``method``)."""

    jsonrpc: Literal["2.0"]
    id: int | str | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    params: Any = None
    result: Any = UNSET
    error: ErrorObject | None = None


class Pics(Struct):
    """What a case may count on. The values' meaning is the catalogue's business, their structure is checked here."""

    agent: tuple[str, ...] = ("full",)
    sides: tuple[str, ...] = ("offerer", "answerer")
    offers: tuple[str, ...] = ()
    connects: tuple[str, ...] = ()
    transports: tuple[str, ...] = ("tcp",)
    families: tuple[int | str, ...] = (4,)
    obeys: tuple[str, ...] = ()
    role: str = "stack"
    components: int = 1
    streams: int = 1
    restart: bool = False
    updates: bool = False
    trickle: bool = False
    half_trickle: bool = False
    ice2: bool = False
    consent: bool = False
    tcp_srflx: bool = False
    turn_over_tcp: bool = False
    tcp_relay: bool = False
    nat_assisted: bool = False
    port_mapping: tuple[str, ...] = ()
    sdp: str = "full"
    profile: str = "plain"
    payload: str = "raw"
    reports: tuple[str, ...] = ()
    decides: int = 40
    answers: int = 15
    sessions: int = 1


class HelloResult(Struct):
    """The result of ``hello``; `pics` as it was sent, because newer adapters may say more in it."""

    name: str
    version: str
    pics: dict[str, Any]
    protocol: int = VERSION


class Malformed(ValueError):
    """A line is not what the contract asks for; the text says what it is instead."""


_DECODER = msgspec.json.Decoder(Incoming)


def decode(line: bytes) -> Incoming:
    """Take a line apart. Raises `Malformed`."""
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise Malformed(f"no JSON-RPC 2.0 ({error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("no JSON") from None


def encode(number: int, method: str, params: Mapping[str, object]) -> bytes:
    """Return a request as a line."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + b"\n"


def hello(result: Mapping[str, Any]) -> HelloResult:
    """Hold a result of ``hello`` against the contract. Raises `Malformed`."""
    try:
        said = msgspec.convert(result, HelloResult)
        if said.protocol == VERSION and msgspec.convert(said.pics, Pics).sessions < 1:
            raise Malformed("pics sessions is no number from 1")
    except msgspec.ValidationError as error:
        raise Malformed(f"{error}") from None
    return said
