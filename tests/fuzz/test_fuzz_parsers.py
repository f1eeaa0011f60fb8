"""Parsers in process, and the lines by which they steer."""

import subprocess
import sys

from conformance.wire.stun import Message
from fuzz.campaign.line_coverage import Lines
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec
from fuzz.parsers import Parser, Search, main, smallest


def careless(octets: bytes) -> None:
    """Refuse what is short; fall over a USERNAME of many octets."""
    if len(octets) < 20:
        raise ValueError
    place = 20
    while place + 4 <= len(octets):
        kind, length = int.from_bytes(octets[place : place + 2]), int.from_bytes(octets[place + 2 : place + 4])
        if kind == 6 and length > 500:
            raise IndexError(length)
        place += 4 + length + (-length % 4)


def search(parse, cases=1500):
    parser = Parser(parse, (ValueError,))
    made = Search(parser, 1)
    made.run(60, cases)
    return parser, made


def test_what_a_parser_should_not_raise_is_found_and_made_small():
    parser, made = search(careless)
    assert list(made.found) == ["builtins.IndexError in careless"]
    (found,) = made.found.values()
    octets = smallest(parser, *found)
    assert 501 <= len(octets) - 24 < 560
    assert made.lines >= 8
    assert 0 < len(made.corpus) < 30


def test_our_own_codec_refuses_by_its_own_error_alone():
    _, made = search(Message.decode)
    assert made.found == {}
    assert made.lines > 25


def test_the_command(capsys):
    assert main(["conformance.wire.stun:Message.decode", "--raises", "ValueError", "--cases", "50"]) == 0
    assert "50 cases" in capsys.readouterr().out
    assert main([f"{__name__}:careless", "--raises", "ValueError", "--cases", "1500", "--seed", "1"]) == 1
    assert "bytes.fromhex" in capsys.readouterr().out


def test_lines_of_another_process_are_counted_once(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import sys\nif len(sys.argv) > 1:\n    print(1)\nprint(2)\n")
    lines = Lines()
    try:
        environment = lines.environment({})
        for arguments, fresh in ([], range(3, 99)), ([], [0]), (["x"], [1]):  # what starts Python has lines, too
            done = subprocess.run(
                [sys.executable, program, *arguments], env=environment, capture_output=True, text=True
            )
            assert done.stderr == ""
            assert lines.fresh() in fresh
    finally:
        lines.close()


def test_a_campaign_that_is_steered_by_lines(tmp_path):
    spec = Spec(iut=f"exec:{sys.executable} -m fuzz.targets", out=str(tmp_path), cases=60, lines=True)
    status = Shard(spec, lambda status: None, lambda: False).run()
    assert status.problem == ""
    assert status.lines > 200
    assert status.found == []


def test_lines_cannot_be_seen_of_what_is_no_python(tmp_path):
    spec = Spec(iut="exec:cat", out=str(tmp_path), cases=5, lines=True)
    assert Shard(spec, lambda status: None, lambda: False).run().problem
