"""Text from the wire, a description or an adapter is text: no output obeys it, and no password is told."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from judged import OFFER, Judged, whole_call
from lxml import etree

from conformance.commands.report import report
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute
from conformance.wire.rfc4571 import frame
from pcaps.golden.scenarios import active
from pcaps.golden.scene import Scene

HOSTILE = "\x1b]0;owned\x07\x1b[2J\0<![CDATA[]]>&\r\npass    a line of its own\r\n\u202e"


def control_characters(scene: Scene) -> None:
    link = active(scene).open()
    software = {Attribute.SOFTWARE: HOSTILE.encode()}
    request = scene.check(scene.left, scene.right, values=software)
    link.send(link.client, frame(request))
    link.send(link.server, frame(scene.success(request, scene.right, link.client, values=software)))
    named = scene.check(scene.left, scene.right, username=f"Rfrg:Lfrg{HOSTILE}")
    scene.refuse(link, scene.left, scene.right, named, attr.error_code(401, HOSTILE))
    alone = scene.check(scene.left, scene.right, username=HOSTILE)  # breaks a rule, which quotes it
    scene.refuse(link, scene.left, scene.right, alone, attr.error_code(401, HOSTILE))
    link.end(link.client)


@pytest.mark.parametrize("ladder", ["all", "findings", "none"])
def test_hostile_text_reaches_no_output(said, ladder) -> None:
    found = said(control_characters, "--ladder", ladder)
    junit = (found.out / "junit.xml").read_text(encoding="utf-8")
    record = (found.out / "record.jsonl").read_text(encoding="utf-8")
    strings = [value for result in found.results for value in (result.reason, result.actual, result.expected)]
    ladders = [line for result in found.results for line in result.ladder.splitlines()]
    for text in (*found.text.splitlines(), *junit.splitlines(), *record.splitlines(), *strings, *ladders):
        assert not [c for c in text if not c.isprintable() and c != "\t"], text
        assert not text.lstrip().startswith("pass    a line"), text
    assert found.blamed()
    etree.fromstring(junit.encode())


@pytest.mark.parametrize("form", ["html", "junit", "sarif", "tap", "github"])
def test_hostile_text_of_the_same_capture_reaches_no_report(said, tmp_path, form) -> None:
    found = said(control_characters)
    path = tmp_path / "written"
    done = CliRunner().invoke(
        report, [str(found.out), "--format", form, "--out", str(path)], standalone_mode=False, catch_exceptions=False
    )
    assert done.return_value == 0, done.output
    lines = path.read_text(encoding="utf-8").split("\n")
    assert len(lines) > 2
    for line in lines:
        assert not [c for c in line if not c.isprintable() and c != "\t"], line
        assert not line.lstrip().startswith("pass    a line"), line


def test_hostile_descriptions_reach_no_output(tmp_path) -> None:
    scene = Scene("field")
    whole_call(scene)
    line = "a=candidate:1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype act\x1b[2Jive\r\n"
    found = Judged(tmp_path, scene.octets, OFFER + line)
    assert found.exit == 1
    assert "\x1b" not in found.text
    assert "act\\x1b[2Jive" in found.text
    found = Judged(tmp_path, scene.octets, OFFER.replace("s=-", "s\x1b-"))
    assert found.exit == 2
    assert "\x1b" not in found.text


def test_no_password_is_told(tmp_path, monkeypatch) -> None:
    scene = Scene("field")
    whole_call(scene)
    given = ["--credentials", f"Rfrg:{scene.right.pwd}", f"--credentials=Lfrg:{scene.left.pwd}"]
    monkeypatch.setattr("sys.argv", ["icetcp", "judge", *given])
    found = Judged(tmp_path, scene.octets, OFFER.replace("a=ice-pwd", " a=ice-pwd"), *given)
    assert found.exit == 2
    assert scene.left.pwd[:8] not in found.text
    found = Judged(tmp_path, scene.octets, OFFER, *given)
    assert found.exit == 0
    for text in (found.text, *(path.read_text() for path in found.out.iterdir())):
        assert scene.left.pwd not in text
        assert scene.right.pwd not in text
    found = Judged(tmp_path, scene.octets, OFFER, "--credentials", "onlythepassword")
    assert found.exit == 2
    assert "onlythepassword" not in found.text
