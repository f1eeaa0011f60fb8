"""How a cell is judged whose pair works in ICE and yet not above it, or of which one side gives up: by scenes, without stacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.interop.cell import CAPTURE, FACTS
from conformance.interop.judgement import judge
from conformance.interop.model import ANSWERER, OFFERER, SIDES, Cell, Facts, Kind
from conformance.wire.dtls import ContentType, Handshake, HandshakeType, Record
from conformance.wire.rfc4571 import frame
from pcaps.golden import scene as s
from pcaps.golden.scenarios import active, described, selected, validated
from pcaps.golden.scene import Connection, Scene

CELL = Cell("left", "right")
CONNECTED = [(s.START, "connected")]
HANDSHAKE_FAILURE, DECODE_ERROR = b"\x02\x28", b"\x02\x32"


@pytest.fixture
def outcome(tmp_path):
    """Return what is said of a cell that a scene writes; `facts` are its facts but for what each cell has."""

    def run(write, *, options: str = "", pics: dict[str, Any] | None = None, waited: float = 60.0, **facts: Any):
        scene = Scene("cell")
        write(scene)
        (tmp_path / CAPTURE).write_bytes(scene.octets)
        for name, sdp in zip(("offer", "answer"), described(scene), strict=True):
            text = str(sdp).replace("t=0 0\r\n", f"t=0 0\r\na=ice-options:{options}\r\n" if options else "t=0 0\r\n")
            (tmp_path / f"{name}.sdp").write_bytes(text.encode())
        said = Facts(
            pics={side: {"reports": ["state", "data"], **(pics or {})} for side in SIDES},
            addresses={OFFERER: [scene.left.ip], ANSWERER: [scene.right.ip]},
            described_ns=s.START,
            waited=waited,
            **facts,
        )
        (tmp_path / FACTS).write_text(json.dumps(said.data()), encoding="utf-8")
        return judge(CELL, tmp_path)

    return run


# -- DTLS on a pair that both have selected --------------------------------------------------------------------------------


def handshake(link: Connection, alert: bytes, *, epoch: int = 0) -> None:
    """Let the client say hello, the server answer, and the client end it with an alert."""
    for source, kind in ((link.client, HandshakeType.CLIENT_HELLO), (link.server, HandshakeType.SERVER_HELLO)):
        link.send(source, frame(Record(ContentType.HANDSHAKE, Handshake(kind, bytes(40)).encode()).encode()))
    link.send(link.client, frame(Record(ContentType.ALERT, alert, epoch).encode()))


DTLS = {
    "pics": {"payload": "dtls"},
    "states": dict.fromkeys(SIDES, CONNECTED),
    "sent": dict.fromkeys(SIDES, "sent"),
    "received": dict.fromkeys(SIDES, False),
}


def test_a_handshake_on_which_two_do_not_agree_is_no_matter_of_ice(outcome) -> None:
    found = outcome(lambda scene: handshake(selected(scene), HANDSHAKE_FAILURE), **DTLS)
    assert (found.kind, found.blamed) == (Kind.LAWFUL, [])
    said = "both lawful: left ends the DTLS handshake (alert 40, handshake_failure); ICE had come to its end"
    assert found.sentence == said


@pytest.mark.parametrize(
    ("alert", "epoch"), [(DECODE_ERROR, 0), (b"\x01\x28", 0), (HANDSHAKE_FAILURE, 1), (b"\x28", 0)]
)
def test_other_alerts_decide_nothing(outcome, alert, epoch) -> None:
    """Records that could not be read may be a matter of frames; warnings end nothing, and what is encrypted is unknown."""
    found = outcome(lambda scene: handshake(selected(scene), alert, epoch=epoch), **DTLS)
    assert (found.kind, found.sentence) == (
        Kind.UNDECIDED,
        "undecided: DTLS began both ways; data of left did not come through (sent)",
    )


@pytest.mark.parametrize("alert", [HANDSHAKE_FAILURE, b""])
def test_a_side_that_closes_when_dtls_was_to_begin(outcome, alert) -> None:
    """The other one has not said yet that it is connected; an alert before the end says why it is closed."""

    def write(scene: Scene) -> None:
        link = selected(scene)
        if alert:
            handshake(link, alert)
        link.end(link.server)

    states = {OFFERER: [(s.START, "checking")], ANSWERER: CONNECTED}
    found = outcome(write, **{**DTLS, "states": states, "sent": {}, "received": {}})
    if alert:
        assert (found.kind, found.sentence.startswith("both lawful: left ends the DTLS")) == (Kind.LAWFUL, True)
    else:
        assert found.sentence == "undecided: right closed the connection when DTLS was to begin on it"


# -- a side that gives up --------------------------------------------------------------------------------------------------


def waiting(scene: Scene, seconds: int, *, mute: bool, checks_late: bool = False) -> None:
    """Let both check on one connection, and the answerer end it so many seconds later; the offerer opens another."""
    link = validated(scene)
    other = active(scene, 50001).open() if mute or checks_late else None
    if checks_late and other is not None:
        scene.transact(other, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.wait(seconds * s.SECOND)
    link.end(link.server)


def failed_after(seconds: int) -> dict[str, list[tuple[int, str]]]:
    return {OFFERER: [(s.START, "checking")], ANSWERER: [(s.START + seconds * s.SECOND, "failed")]}


def test_a_check_that_is_never_sent_keeps_nobody_waiting(outcome) -> None:
    found = outcome(lambda scene: waiting(scene, 30, mute=True), states=failed_after(30))
    assert (found.kind, found.blamed) == (Kind.BROKE, [OFFERER])
    assert found.sentence.startswith(
        "left broke RFC 6544 7.1: opened a connection to 198.51.100.2:7000 and sent no check"
    )


@pytest.mark.parametrize(("seconds", "options", "blamed"), [(30, "ice2", True), (30, "", False), (39, "ice2", False)])
def test_an_agent_of_ice2_that_fails_before_its_timer_is_over_is_blamed(outcome, seconds, options, blamed) -> None:
    found = outcome(
        lambda scene: waiting(scene, seconds, mute=False, checks_late=True),
        options=options,
        pics={"decides": 60},
        states=failed_after(seconds),
    )
    if blamed:
        assert (found.kind, found.blamed) == (Kind.BROKE, [ANSWERER])
        assert (
            found.sentence
            == "right broke RFC 8863 4: said after 30 s that ICE has failed; the PAC timer runs for 39.5 s"
        )
    else:
        assert found.kind is Kind.UNDECIDED
        assert found.sentence.endswith("; right gave up then")
