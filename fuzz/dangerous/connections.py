"""Frames and ends of connections that are known to break agents: framing, and which connection owns what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.generate import DTLS, RTP, SERVED
from fuzz.player.render import request, success

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = dict[str, Any]

_FOREIGN = (
    "16030100050100000100", "160301ffff0100", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".hex(), b"SSH-2.0-x\r\n".hex(),
    "00", "ffff", "0001000c2112a442", "0001005c2112a442" + "41" * 12, "80" * 40, "00000000", "05010002",
    "0d0a0d0a000d0a515549540a",
)  # fmt: skip
_PAYLOADS = (
    "", "00", "80", "4000", "00*19", "00*20", "0001", "000100002112a442", "000100002112a442" + "00" * 12,
    "0001fffc2112a442" + "00" * 12, "0101fffc2112a442" + "00" * 12, "000100042112a442" + "00" * 16,
    "000100042112a442" + "00" * 12 + "0006ffff", RTP, "80c8ffff00000001", "9fff0000*3", "bf80ffff*3", DTLS,
    "16fefdffffffffffffffffffff", "17feff000000000000000000ff", "40000004deadbeef", "4fffffff", "c0*1200", "ff*40",
)  # fmt: skip
_BIG = (1400, 4096, 8191, 8192, 8193, 16384, 32767, 32768, 65000, 65534, 65535)
_READS = (1024, 1500, 2048, 4096, 8192, 16384, 32768, 65536)  # octets that programs read at once
_ENDS = ("rst", "half", "closed")


def send(on: int, *frames: dict[str, Any], probe: bool = True, **more: Any) -> Step:
    """Return the step that sends frames, and a valid check after them."""
    step: Step = {"do": "send", "on": on, "frames": list(frames), **more}
    return {**step, "probe": True} if probe else step


def check(**more: Any) -> dict[str, Any]:
    """Return the frame of a valid check."""
    return {"message": {**request(), **more}}


def owners() -> Iterator[list[Step]]:
    """Return cases about which connection owns a session, a transaction or a pair, when connections end."""
    for how in _ENDS:
        end0, end1 = {"do": "end", "on": 0, "how": how}, {"do": "end", "on": 1, "how": how}
        yield [send(0, check()), send(1, check()), end0, send(1, check())]  # the first owner ends
        yield [send(1, check()), send(2, check()), end1, send(2, check()), dict(SERVED)]
        yield [send(1, check()), send(2, check()), {**end1, "on": 2}, send(1, check()), dict(SERVED)]
        yield [
            send(1, check(id="aa*12")),
            send(2, check(id="aa*12")),
            end1,
            send(2, check(id="aa*12")),
        ]  # one transaction
        yield [send(0, check(id="bb*12")), send(1, check(id="bb*12")), end0, send(1, check(id="bb*12"))]
        yield [send(1, check()), send(2, check()), end1, {**end1, "on": 2}, {**end1, "on": 0}, dict(SERVED)]
        yield [send(1, check(), probe=False), end1, dict(SERVED)]  # it ends before the answer is written
        nominate = {"message": request({"type": 0x25, "value": ""})}
        yield [send(1, nominate), send(2, nominate), end1, send(2, check()), dict(SERVED)]
        yield [step for on in range(1, 13) for step in (send(on, check(), probe=False), {**end1, "on": on})] + [
            dict(SERVED)
        ]
        yield [{"do": "open", "on": 1, "count": 5}, *({**end1, "on": on} for on in (3, 1, 5, 2, 4)), dict(SERVED)]
        yield [send(1, check(), probe=False, stop=30), send(2, check()), end1, send(2, check()), dict(SERVED)]
        yield [send(1, check()), {"do": "hear", "on": 1}, end1, dict(SERVED)]  # a check of the IUT is never answered
        heard = [send(1, check()), {"do": "hear", "on": 1}]
        yield [*heard, send(2, {"message": success()}), end1, send(2, check()), dict(SERVED)]  # answered elsewhere
        yield [*heard, send(1, {"message": success()}), send(1, {"message": success()}), end1, dict(SERVED)]
        yield [*(send(on, check()) for on in range(1, 9)), *({**end1, "on": on} for on in range(1, 9)), dict(SERVED)]
        yield [
            *(send(on, check()) for on in range(1, 9)),
            *({**end1, "on": on} for on in range(8, 0, -1)),
            dict(SERVED),
        ]


def framing() -> Iterator[list[Step]]:
    """Return cases about frames, and about ends inside of them."""
    yield from ([send(1, {"octets": payload})] for payload in _PAYLOADS)
    yield from ([send(1, {"octets": f"80*{size}"})] for size in _BIG)
    for size in _READS:  # LENGTH is cut by the end of a buffer of this size
        yield [send(1, {"octets": f"80*{size - 3}"}, check())]
    yield [send(1, *[{"octets": ""}] * 50)]
    yield [send(1, *[check()] * 40)]
    yield [send(1, {"frames": [check(), {"octets": RTP}]})]
    yield [send(1, check(), cuts=[1], gap=5)]
    yield [send(1, check(), cuts=list(range(1, 40)), gap=1)]
    yield [send(1, check(), check(), cuts=[60, 113], gap=2)]
    for length in (1, 19, 0x7FFF, 0x8000, 0xFFFC, 0xFFFE, 0xFFFF):
        wrong = {"octets": "00", "length": length}
        yield [send(1, wrong, probe=False), {"do": "end", "on": 1, "how": "half"}, dict(SERVED), dict(SERVED)]
        yield [
            send(1, {**check(), "length": length}, probe=False),
            {"do": "end", "on": 1, "how": "rst"},
            dict(SERVED),
        ]
    for octets in _FOREIGN:
        yield [
            {"do": "raw", "on": 1, "octets": octets},
            {"do": "end", "on": 1, "how": "half"},
            dict(SERVED),
            dict(SERVED),
        ]
    for how in _ENDS:
        for stop in (1, 2, 3, 22, 50, -1):
            part = send(1, check(), probe=False, stop=stop)
            yield [part, {"do": "wait", "ms": 2}, {"do": "end", "on": 1, "how": how}, dict(SERVED), dict(SERVED)]
    yield [{"do": "open", "on": 1, "count": 60}, dict(SERVED)]
    yield [{"do": "urgent", "on": 1, "octets": "ff"}, dict(SERVED)]
