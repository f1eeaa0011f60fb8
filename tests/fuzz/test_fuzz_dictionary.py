"""Dictionaries: what a file says, what is wrong with one, and that entries come to where parsers look."""

import json
from random import Random

import pytest
from click.testing import CliRunner

from fuzz.command import fuzz
from fuzz.dictionary import USUAL, Dictionary, DictionaryError, load
from fuzz.generate import Generator
from fuzz.player.render import Env, message, request

PICS = {"offers": ["passive", "active"], "connects": ["active"], "sides": ["offerer"]}
WORD = b"zzqq"

TEXT = r"""
# of libFuzzer's and AFL's kind
user="alice\x00\xff"
level@2 = "a\\b\"c"
"a=ssrc:1 cname:x"
802b0004
holdconn
a=mid:0
802B0004
"""


def written(tmp_path, text):
    path = tmp_path / "words.dict"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_as_afl_and_libfuzzer_read_it(tmp_path):
    entries = load(written(tmp_path, TEXT))
    assert entries == [
        b"alice\0\xff",
        b'a\\b"c',
        b"a=ssrc:1 cname:x",
        bytes.fromhex("802b0004"),
        b"holdconn",
        b"a=mid:0",
    ]


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ('"one"\nname="two\n', 2, 'write name="value"'),
        ("name=two\n", 1, 'write name="value"'),
        ('"\\q"\n', 1, "octets as \\xNN"),
        ('"\\x0"\n', 1, "octets as \\xNN"),
        ('one\n\nx=""\n', 3, "write one to 4096"),
        (b'"one"\n"\xff"\n', 2, "write octets as \\xNN"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_remedy(text, line, remedy, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(DictionaryError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert remedy in str(caught.value)


def test_no_file_and_no_entry(tmp_path):
    with pytest.raises(DictionaryError, match="No such file"):
        load(tmp_path / "none")
    with pytest.raises(DictionaryError, match="no entry"):
        load(written(tmp_path, "# nothing\n"))


def test_the_command_refuses_a_file_that_it_cannot_read(tmp_path):
    path = written(tmp_path, "x=y\n")
    done = CliRunner().invoke(fuzz, ["--dictionary", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "words.dict:1:" in done.output.replace("\n", "")


def test_entries_come_into_messages_frames_and_descriptions():
    generator = Generator(1, 0, PICS, words=[WORD])
    plan = generator.plans[0]
    cases = [generator.case(number, plan) for number in range(2000)]
    wanted = WORD.hex()
    places = {
        "value": lambda m: any(str(a["value"]).startswith(wanted) for a in m["attributes"]),
        "patch": lambda m: any(text == wanted for _, text in m.get("patch", ())),
        "tail": lambda m: m.get("tail", "").startswith(wanted),
    }
    frames = [frame for case in cases for step in case["steps"] for frame in step.get("frames", ())]
    for name, holds in places.items():
        assert any(holds(frame["message"]) for frame in frames if "message" in frame), name
    assert any(frame.get("octets", "").startswith(wanted) for frame in frames)
    assert any("zzqq" in json.dumps(generator.sdp_case(number)) for number in range(400))


def test_without_a_file_there_are_our_own_and_the_same_seed_makes_the_same():
    mine, again, other = (Generator(1, 0, PICS, words=words) for words in ([], [], [WORD]))
    plan = mine.plans[0]
    cases = [[one.case(number, plan) for number in range(300)] for one in (mine, again, other)]
    assert cases[0] == cases[1] != cases[2]
    assert any(entry.hex() in json.dumps(cases[0]) for entry in USUAL if len(entry) > 5)


def test_whatever_a_dictionary_makes_of_a_message_can_be_sent():
    env = Env("tstr", "testertestertestertester", True)
    env.learn("iutu", "iutiutiutiutiutiutiutiut")
    random, dictionary = Random(5), Dictionary([WORD, b"\xff" * 300])
    for _ in range(500):
        spec = request()
        for _ in range(random.choice((1, 3, 12))):
            dictionary.mutate(random, spec)
        assert message(spec, env)
        assert "\n" not in dictionary.edit(random, "a=candidate:1 1 TCP 1 {address} 9 typ host tcptype active")
