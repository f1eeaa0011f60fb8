"""`icetcp judge`: verdicts, reports and exit statuses over the golden captures; clear words for what cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree, html

from conformance.commands.judge import judge
from conformance.verdict import Verdict
from pcaps.golden.build import FOLDER
from reports.record import read

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "reports" / "junit-10-rules.xsd"))
SDP = ["--offer", str(FOLDER / "usual.offer.sdp"), "--answer", str(FOLDER / "usual.answer.sdp")]


@pytest.fixture
def icetcp():
    def run(*arguments: object):
        return CliRunner().invoke(judge, [str(argument) for argument in arguments], standalone_mode=False)

    return run


def capture(name: str) -> Path:
    return FOLDER / f"{name}.pcapng"


def test_a_clean_capture_conforms(icetcp) -> None:
    done = icetcp(capture("clean-controlling-offerer"), *SDP)
    assert done.return_value == 0, done.output
    assert "25 packets, 25 TCP segments, 1 ICE connections with 3 checks" in done.output
    assert "conforms, as far as a capture shows it" in done.output
    assert "fail" not in done.output


def test_a_violation_is_told_with_its_requirement_place_and_ladder(icetcp) -> None:
    done = icetcp(capture("broken-aggressive-nomination"), *SDP)
    assert done.return_value == 1
    lines = done.output.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("fail"))
    assert lines[place].startswith("fail    RFC6544-8-01 (MUST)")
    assert "192.0.2.1:50000 -> 198.51.100.2:7000 after 3.000 ms" in lines[place + 1]
    assert "USE-CANDIDATE" in "".join(lines[place + 2 : place + 8])
    without = icetcp(capture("broken-aggressive-nomination"), *SDP, "--ladder", "none")
    assert "SYN-ACK" not in without.output


def test_a_broken_should_counts_when_asked(icetcp) -> None:
    assert icetcp(capture("broken-left-open"), *SDP).return_value == 0
    assert icetcp(capture("broken-left-open"), *SDP, "--fail-on", "should").return_value == 1


def test_without_passwords_integrity_is_inconclusive(icetcp) -> None:
    done = icetcp(capture("clean-controlling-offerer"))
    assert done.return_value == 3
    assert "the password of 'Rfrg' is not known" in done.output
    credentials = [
        "--credentials",
        "Rfrg:right/password+22character",
        "--credentials",
        "Lfrg:left/password+22characters",
    ]
    assert icetcp(capture("clean-controlling-offerer"), *credentials).return_value == 0


def test_one_agent_alone_is_judged(icetcp) -> None:
    path = capture("clean-under-aggressive-peer")
    assert icetcp(path, *SDP).return_value == 1
    assert icetcp(path, *SDP, "--agent", "198.51.100.2").return_value == 0


def test_reports_hold_every_rule_of_every_capture(icetcp, tmp_path) -> None:
    out = tmp_path / "deep" / "out"
    names = ["clean-controlling-offerer", "broken-retransmission"]
    done = icetcp(*map(capture, names), *SDP, "--out", out)
    assert done.return_value == 1
    _, results = read(out / "record.jsonl")
    assert {r.parameters["capture"] for r in results} == {str(capture(name)) for name in names}
    assert [(r.case, r.requirements) for r in results if r.verdict is Verdict.FAIL] == [
        ("RFC6544-7.1/judge_check_is_not_retransmitted[broken-retransmission.pcapng]", ("RFC6544-7.1-s03",))
    ]
    assert all(r.ladder and r.expected and Path(r.capture).exists() for r in results if r.verdict is Verdict.FAIL)
    root = etree.parse(out / "junit.xml")
    SCHEMA.assertValid(root)
    assert len(list(root.iter("testcase"))) == len(results) > 30
    assert len(list(root.iter("failure"))) == 1


def test_the_page_of_captures_has_causes_and_the_exchanges_of_what_is_broken(icetcp, tmp_path) -> None:
    names = ["clean-controlling-offerer", "broken-retransmission", "broken-no-fingerprint"]
    done = icetcp(*map(capture, names), *SDP, "--out", tmp_path)
    assert f"written: {tmp_path / 'report.html'}" in done.output
    info, results = read(tmp_path / "record.jsonl")
    assert [cause["id"] for cause in info.causes] == ["RFC6544-7.1-s03", "RFC8445-7.2.4-02"]
    failed = {result.case: result for result in results if result.verdict is Verdict.FAIL}
    assert {result.cause for result in failed.values()} == {cause["id"] for cause in info.causes}
    tree = html.parse(tmp_path / "report.html")
    drawings = tree.xpath("//*[local-name()='svg'][@class='sequence']")
    assert len(drawings) == len(info.causes)
    for drawing in drawings:
        text = "".join(drawing.itertext())
        assert "offerer 192.0.2.1:50000" in text
        assert "answerer 198.51.100.2:7000" in text
        assert drawing.xpath(".//*[contains(@class, 'bad')]")
    assert "could not be judged" not in tree.getroot().text_content()


def test_what_a_capture_leaves_open_is_no_broken_rule(icetcp, tmp_path) -> None:
    """Without passwords integrity is open; the one rule that is broken is not why."""
    assert icetcp(capture("broken-retransmission"), "--out", tmp_path).return_value == 1
    kinds = {cause["kind"]: cause for cause in read(tmp_path / "record.jsonl")[0].causes}
    assert set(kinds) == {"rule", "precondition"}
    assert "the password of" in kinds["precondition"]["text"]
    assert not kinds["rule"]["unjudged"]


def test_a_file_that_breaks_off_is_judged_up_to_there(icetcp, tmp_path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(capture("broken-retransmission").read_bytes()[:-5])
    done = icetcp(path, *SDP)
    assert done.return_value == 1
    assert "note: judged up to where the file breaks off: octet" in done.output


def test_a_capture_without_ice_is_not_judged(icetcp, tmp_path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\4\0\1\0\0\0")
    done = icetcp(path)
    assert done.return_value == 3
    assert "nothing to judge: no connectivity check over TCP was found" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.pcap"], "cannot read missing.pcap: No such file or directory"),
        (["."], "cannot read .: Is a directory"),
        (["text"], "text is not a capture: neither pcapng nor pcap: it begins with 6e 6f 74 68"),
        (["empty"], "empty is not a capture: neither pcapng nor pcap: it begins with nothing"),
        (["zip"], "zip is not a capture: the gzipped file is cut off or broken"),
        (["good", "--offer", "text"], "text is not a session description: "),
        (["good", "--answer", "missing.sdp"], "cannot read missing.sdp"),
        (["good", "--offer", "binary"], "binary is not a session description: it is not UTF-8 text"),
        (["good", "--credentials", "justone"], "--credentials are not UFRAG:PWD"),
        (["good", "--out", "text/below"], "cannot write to text/below"),
    ],
)
def test_what_cannot_be_used_is_named(icetcp, tmp_path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(capture("clean-raw"), "good")
    for name, octets in {"text": b"nothing", "empty": b"", "zip": b"\x1f\x8bxx", "binary": b"v=0\r\n\xff"}.items():
        Path(name).write_bytes(octets)
    done = icetcp(*arguments)
    assert done.return_value == 2
    assert words in done.output


def test_help_has_examples(icetcp) -> None:
    done = CliRunner().invoke(judge, ["--help"])
    assert done.exit_code == 0
    assert "icetcp judge call.pcapng --offer offer.sdp --answer answer.sdp" in done.output
