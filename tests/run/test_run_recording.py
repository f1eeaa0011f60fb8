"""A recording that holds less than the tester has received is noticed: else the witnesses would agree on nothing."""

from __future__ import annotations

import pytest

from conformance.run.reading import Work
from conformance.run.recording import Recording
from conformance.wire.attributes import Address
from pcaps.golden.build import FOLDER
from pcaps.packets import parse
from pcaps.pcapng import read_file

CAPTURE = FOLDER / "clean-null-frames-and-cuts.pcapng"


class FromFile:
    """A recorder whose packets come from a file, as many as it is let have."""

    lost = 0

    def __init__(self, take, count: int | None) -> None:
        self._take, self._count = take, count

    def barrier(self) -> bool:
        for packet in list(read_file(CAPTURE))[: self._count]:
            self._take(packet.time_ns, packet.octets)
        return True


@pytest.mark.parametrize(("count", "whole"), [(None, True), (-30, False), (0, False)])
def test_octets_that_the_recording_does_not_hold(tmp_path, count, whole) -> None:
    (tmp_path / "captures").mkdir()
    captures = []
    made = Recording(tmp_path, "lab", on_capture=captures.append)
    made._recorder = FromFile(made._run.packet, count)
    local, remote = Address("198.51.100.2", 7000), Address("192.0.2.1", 50000)
    sent = {}
    for packet in read_file(CAPTURE):
        segment = parse(packet.link_type, packet.octets)
        if segment.source == remote and segment.payload:
            sent[segment.sequence] = segment.payload
    with made.case("a/case", local.ip) as case:
        for payload in sent.values():
            case.tap.received((local, remote), payload, 0)
    (capture,) = captures
    problem = Work("the IUT", "", tmp_path, tmp_path / "together").read(capture).problem
    if whole:
        assert not problem
    else:
        assert f"of the {sum(map(len, sent.values()))} octets that {local} received from {remote}" in problem
