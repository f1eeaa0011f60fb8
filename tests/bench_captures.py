"""How fast captures are read and judged, and in how much memory: `python tests/bench_captures.py [MEGABYTES]`.

Three captures of that size (300 by default): one of ICE-TCP with framed media in both directions and checks for consent,
one of bulk TCP that is plainly something else, one of short connections that are not ICE's. Then, a tenth of the size, what
is hardest to read: a port scan, a stream octet by octet, a gap that is never filled, nothing but null frames, short
sessions one after the other, sessions of as many agents, checks that are answered, checks that nobody answers, checks
whose FINGERPRINT is wrong. Each is read in a process of its own, once small and once whole, so that memory shows whether
it grows with the size, and of the hard ones the rate must not fall with it.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from conformance.judge import Known
from conformance.run.judging import judge_file
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.tcp import ACK, FIN, SYN
from pcaps.golden.scenarios import described
from pcaps.golden.scene import MILLISECOND, RTP, START, Scene, ethernet
from pcaps.packets import Segment, build
from pcaps.pcapng import Writer

_WANTED = 50_000  # packets a second
_LINEAR = 0.4  # of the small capture's rate, which has the caches to itself


def media(scene: Scene) -> Iterator[bytes]:
    """A session over many connections, each with 2,000 frames of media and a check now and then."""
    left, right, number = scene.left, scene.right, 0
    while True:
        number += 1
        ends = (left.at(20000 + number % 40000), right.at(right.passive))
        sent = [1, 1]
        yield build(Segment(*ends, 0, 0, SYN, b""))
        yield build(Segment(*reversed(ends), 0, 1, SYN | ACK, b""))

        def say(side: int, octets: bytes, ends=ends, sent=sent) -> bytes:
            pair = ends if side == 0 else ends[::-1]
            packet = build(Segment(*pair, sent[side], sent[1 - side], ACK, octets))
            sent[side] += len(octets)
            return packet

        for turn in range(2000):
            if turn % 100 == 0:
                for source, target, side in ((left, right, 0), (right, left, 1)):
                    request = scene.check(source, target)
                    yield say(side, frame(request))
                    yield say(1 - side, frame(scene.success(request, target, ends[side])))
            yield say(turn % 2, frame(RTP + bytes(900)))
        for side in (0, 1):
            pair = ends if side == 0 else ends[::-1]
            yield build(Segment(*pair, sent[side], sent[1 - side], FIN | ACK, b""))


def bulk(scene: Scene) -> Iterator[bytes]:
    """One download over HTTPS."""
    ends = (scene.left.at(40000), scene.right.at(443))
    yield build(Segment(*ends, 0, 0, SYN, b""))
    yield build(Segment(*ends, 1, 0, ACK, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)))
    sequence = 0
    while True:
        yield build(Segment(*reversed(ends), sequence & 0xFFFFFFFF, 512, ACK, bytes(1400)))
        yield build(Segment(*ends, 512, (sequence + 1400) & 0xFFFFFFFF, ACK, b""))
        sequence += 1400


def short(scene: Scene) -> Iterator[bytes]:
    """Requests over HTTP, each on a connection of its own."""
    number = 0
    while True:
        number += 1
        ends = (scene.left.at(1024 + number % 60000), scene.right.at(80 + number // 60000))
        yield build(Segment(*ends, 0, 0, SYN, b""))
        yield build(Segment(*reversed(ends), 0, 1, SYN | ACK, b""))
        yield build(Segment(*ends, 1, 1, ACK, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"))
        yield build(Segment(*reversed(ends), 1, 38, ACK, bytes(1400)))
        yield build(Segment(*ends, 38, 1401, FIN | ACK, b""))


def scan(scene: Scene) -> Iterator[bytes]:
    """SYNs to every port, which nobody answers."""
    for number in count():
        ends = scene.left.at(1024 + number % 60000), scene.right.at(1 + number // 60000)
        yield build(Segment(*ends, number & 0xFFFFFFFF, 0, SYN, b""))


def tiny(scene: Scene) -> Iterator[bytes]:
    """Checks on one connection, a segment for each octet."""
    ends = (scene.left.at(50000), scene.right.at(scene.right.passive))
    yield build(Segment(*ends, 0, 0, SYN, b""))
    sequence = 1
    while True:
        for octet in frame(scene.check(scene.left, scene.right)):
            yield build(Segment(*ends, sequence & 0xFFFFFFFF, 1, ACK, bytes([octet])))
            sequence += 1


def gaps(scene: Scene) -> Iterator[bytes]:
    """One direction alone, of which every other segment is missing."""
    ends = (scene.left.at(50000), scene.right.at(scene.right.passive))
    yield build(Segment(*ends, 0, 0, SYN, b""))
    for number in count(1):
        yield build(Segment(*ends, number * 200 & 0xFFFFFFFF, 1, ACK, frame(RTP)))


def nulls(scene: Scene) -> Iterator[bytes]:
    """Nothing but null frames, on a connection to a candidate."""
    ends = (scene.left.at(50000), scene.right.at(scene.right.passive))
    yield build(Segment(*ends, 0, 0, SYN, b""))
    for number in count():
        yield build(Segment(*ends, 1 + number * 1400 & 0xFFFFFFFF, 1, ACK, bytes(1400)))


def sessions(scene: Scene) -> Iterator[bytes]:
    """Sessions of two checks each, one connection after the other, never closed."""
    for number in count():
        ends = (scene.left.at(1024 + number % 60000), scene.right.at(scene.right.passive))
        yield build(Segment(*ends, number & 0xFFFF, 0, SYN, b""))
        sequence = (number & 0xFFFF) + 1
        for nominate in (False, True):
            request = scene.check(scene.left, scene.right, nominate=nominate)
            yield build(Segment(*ends, sequence, 1, ACK, frame(request)))
            sequence += len(request) + 2
            response = frame(scene.success(request, scene.right, ends[0]))
            yield build(Segment(*reversed(ends), 1 + nominate * len(response), sequence, ACK, response))


def agents(scene: Scene) -> Iterator[bytes]:
    """A session after the other, each with user names of its own, nominated and left open."""
    for number in count():
        ends = (scene.left.at(1024 + number % 60000), scene.right.at(scene.right.passive))
        yield build(Segment(*ends, number & 0xFFFF, 0, SYN, b""))
        sequence, answered = (number & 0xFFFF) + 1, 1
        for nominate in (False, True):
            request = scene.check(scene.left, scene.right, nominate=nominate, username=f"R{number}:L{number}")
            yield build(Segment(*ends, sequence, answered, ACK, frame(request)))
            sequence += len(request) + 2
            response = frame(scene.success(request, scene.right, ends[0]))
            yield build(Segment(*reversed(ends), answered, sequence, ACK, response))
            answered += len(response)


def answered(scene: Scene) -> Iterator[bytes]:
    """Checks of both agents on one connection, as for consent in a long call."""
    return _checks(scene)


def silence(scene: Scene) -> Iterator[bytes]:
    """Checks of both agents on one connection, none of which is answered."""
    return _checks(scene, answered=False)


def wrong(scene: Scene) -> Iterator[bytes]:
    """Checks of both agents on one connection, all with a wrong FINGERPRINT, all answered."""
    return _checks(scene, wrong_fingerprint=True)


def _checks(scene: Scene, *, answered: bool = True, wrong_fingerprint: bool = False) -> Iterator[bytes]:
    ends = (scene.left.at(50000), scene.right.at(scene.right.passive))
    yield build(Segment(*ends, 0, 0, SYN, b""))
    yield build(Segment(*reversed(ends), 0, 1, SYN | ACK, b""))
    sent = [1, 1]
    for number in count():
        side = number % 2
        source, target = (scene.left, scene.right) if side == 0 else (scene.right, scene.left)
        pair = ends if side == 0 else ends[::-1]
        request = scene.check(source, target, wrong_fingerprint=wrong_fingerprint)
        octets = frame(request)
        yield build(Segment(*pair, sent[side] & 0xFFFFFFFF, sent[1 - side] & 0xFFFFFFFF, ACK, octets))
        sent[side] += len(octets)
        if answered:
            octets = frame(scene.success(request, target, pair[0]))
            yield build(Segment(*pair[::-1], sent[1 - side] & 0xFFFFFFFF, sent[side] & 0xFFFFFFFF, ACK, octets))
            sent[1 - side] += len(octets)


def write(path: Path, packets: Iterator[bytes], megabytes: float) -> None:
    """Write packets, a millisecond apart, until there are no more or the file has its size."""
    with path.open("wb") as file:
        writer = Writer(file, 1)
        time_ns = START
        while file.tell() < megabytes * 1e6:
            packet = next(packets, None)
            if packet is None:
                return
            time_ns += MILLISECOND
            writer.packet(time_ns, ethernet(packet))


def measure(path: Path, offer: str, answer: str, out: multiprocessing.SimpleQueue[tuple[int, float, int, int]]) -> None:
    """Judge a capture in this process; tell packets, its seconds of CPU, its most KiB, and checks."""
    known = Known.of([("offer", SessionDescription.parse(offer)), ("answer", SessionDescription.parse(answer))])
    begun = time.process_time()
    judged = judge_file(path, known)
    taken = time.process_time() - begun
    out.put((judged.reading.packets, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, judged.requests))


def measured(kind: Callable[[Scene], Iterator[bytes]], megabytes: float) -> tuple[float, float]:
    """Print a line for a capture; return the rates of a tenth of it and of the whole."""
    offer, answer = map(str, described(Scene("bench")))
    figures = []
    for size in (megabytes / 10, megabytes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.pcapng"
            write(path, kind(Scene("bench")), size)
            queue: multiprocessing.SimpleQueue[tuple[int, float, int, int]] = multiprocessing.SimpleQueue()
            process = multiprocessing.Process(target=measure, args=(path, offer, answer, queue))
            process.start()
            figures.append(queue.get())
            process.join()
    (few, short_time, small, _), (packets, seconds, large, checks) = figures
    print(
        f"{kind.__name__:8} {megabytes:4.0f} MB  {packets:9,} packets  {checks:7,} checks  "
        f"{packets / seconds:9,.0f} packets/s  {small // 1024} MiB for a tenth, {large // 1024} MiB for the whole",
        flush=True,
    )
    return few / short_time, packets / seconds


def main(megabytes: float) -> int:
    """Print a line for each capture; return 1 if one is read too slowly, or a hard one the slower the larger it is."""
    slow = sum(measured(kind, megabytes)[1] < _WANTED for kind in (media, bulk, short))
    for kind in (scan, tiny, gaps, nulls, sessions, agents, answered, silence, wrong):
        small, whole = measured(kind, megabytes / 10)
        slow += whole < small * _LINEAR
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300))
