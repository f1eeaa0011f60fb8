"""The dangerous inputs that every campaign plays first: what they reach, that they can be sent, and what they find."""

import json
import sys
from pathlib import Path

import pytest

from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError
from conformance.wire.integrity import Check, check_integrity
from fuzz.campaign.blocks import Blocks
from fuzz.campaign.budget import Budget
from fuzz.campaign.log import Log, Past
from fuzz.campaign.notes import Notes
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec
from fuzz.dangerous import cases
from fuzz.dangerous.descriptions import candidates
from fuzz.describe import words
from fuzz.findings import Buckets
from fuzz.generate import CASES, PER_BLOCK, Generator
from fuzz.player.reading import walk
from fuzz.player.render import Env, frame

PICS = {"offers": ["passive", "active"], "connects": ["passive", "active"], "components": 1}
PWD = "iutiutiutiutiutiutiutiut"
FRAGILE = Path(__file__).with_name("fragile.py")


def env():
    made = Env("tstr", "testertestertestertester", controlling=False)
    made.learn("iutu", PWD)
    return made


def payloads(case):
    mine = env()
    return [frame(one, mine)[2:] for step in case["steps"] for one in step.get("frames", ())]


def parsed(line):
    try:
        return Candidate.parse(line.replace("{address}", "127.0.0.1").replace("{port}", "9").replace("{ufrag}", "u"))
    except SdpError:
        return None


def test_candidates_have_names_transports_tcptypes_and_lengths_of_every_kind():
    lines = list(candidates("active"))
    valid = [candidate for line in lines if (candidate := parsed(line)) is not None]
    assert len(valid) < len(lines)
    assert any(one.address.endswith(".local") for one in valid)
    assert any(one.transport.upper() not in ("TCP", "UDP") for one in valid)
    for size in (200, 500, 2000, 8000, 60000):
        assert any(len(line) > size and parsed(line) is not None for line in lines), size
    assert any("\0" in line for line in lines)
    assert any(not line.isascii() for line in lines)


def test_checks_with_odd_names_pass_the_integrity_and_lengths_are_claimed_everywhere():
    made = [octets for case in cases(PICS) if "sdp" not in case["plan"] for octets in payloads(case)]
    odd = []
    for octets in made:
        if octets[:2] == b"\0\1" and (read := walk(octets)) and check_integrity(octets, PWD.encode()) is Check.VALID:
            odd.append(dict(zip(read[0], read[2], strict=True)).get(6, b""))
    assert any(b"\0" in name and name.startswith(b"iutu") for name in odd)
    assert any(not name.isascii() for name in odd)
    assert any(len(name) > 513 for name in odd)
    claimed = {
        octets.find(b"\xff\xff", 20) for octets in made if octets[:2] == b"\0\1" and octets.count(b"\xff\xff") == 1
    }
    assert len(claimed) >= 5  # in each attribute of a check


def test_each_shard_plays_all_of_them_from_another_place():
    shards = [[json.dumps(case) for case in cases(PICS, shard)] for shard in range(4)]
    assert all(sorted(one) == sorted(shards[0]) for one in shards)
    assert len({one[0] for one in shards}) == 4
    assert "sdp" in cases(PICS, 1)[0]["plan"]


@pytest.mark.parametrize(
    "pics",
    [
        PICS,
        {"offers": ["passive"]},
        {"offers": ["active"], "connects": ["active"]},
        {"connects": ["so"], "trickle": True},
    ],
)
def test_dangerous_cases_fit_what_an_iut_can_do(pics):
    made = cases(pics)
    assert len(made) > 300
    assert all(payloads(case) is not None for case in made)
    passive = "passive" in pics.get("offers", [])
    for case in made:
        assert passive or all(step.get("on", 0) == 0 for step in case["steps"])
    assert any(step["do"] == "trickle" for case in made for step in case["steps"]) == bool(pics.get("trickle"))


def test_a_finding_of_one_kind_of_candidate_does_not_hide_the_other_kinds():
    seen = {}
    for line in candidates("active"):
        seen.setdefault(words({"plan": {"state": "fresh", "sdp": [["insert", -1, line]]}, "steps": []}), line)
    kinds = {word for some in seen for word in some if word.startswith("candidate ")}
    assert {
        f"candidate {one}" for one in ("name", "transport", "long", "tcptype", "IPv6", "port", "type", "broken")
    } <= kinds


def blocks(spec, past=None, dangerous=3):
    generator = Generator(0, 0, PICS, spec.classes)
    some = [case for case in cases(PICS) if "sdp" not in case["plan"]][:dangerous]
    return Blocks(generator, Buckets(), Budget(spec, lambda: False), past or Past(Path("/nonexistent")), some)


def test_they_come_first_and_are_not_played_again_after_a_resume(tmp_path):
    made = blocks(Spec("", "", cases=1000))
    made.begin()
    assert made.left == [-1, -2, -3]
    made.played([-1, -3])
    log = tmp_path / "log"
    log.write_text('[-1,1,"dangerous","ok",1.00]\n[-3,1,"dangerous","ok",1.00]\n')
    again = blocks(Spec("", "", cases=1000), Past(log))
    again.begin()
    assert again.left == [-2]
    again.played([-2])
    again.begin()
    assert again.left == list(range(CASES))


def test_a_slow_iut_gets_both_when_half_of_the_time_is_over(monkeypatch):
    made = blocks(Spec("", "", seconds=10.0), dangerous=200)
    made.begin()
    assert made.left[0] < 0
    monkeypatch.setattr(Budget, "elapsed", 6.0)
    signs = []
    for _ in range(4):
        made.played(list(made.left))
        if made.number % PER_BLOCK >= CASES:
            made.number += PER_BLOCK - made.number % PER_BLOCK
        made.begin()
        signs.append(made.left[0] < 0)
    assert set(signs) == {True, False}


def test_a_case_that_was_left_out_never_joins_the_corpus(tmp_path):
    """It has no steps, so that nothing can be mutated in it."""
    generator, log = Generator(0, 0, PICS), Log(tmp_path / "log")
    notes = Notes(log, generator, Budget(Spec("", "", cases=10), lambda: False))
    whole = cases(PICS)[0]
    notes.note({**whole, "steps": []}, -1, "", 0.0, new=True)
    assert generator.corpus == []
    notes.note(whole, -2, "ok", 0.0, new=True)
    log.close()
    assert generator.corpus == Past(tmp_path / "log").corpus == [whole]
    assert all(generator.case(number, whole["plan"]) for number in range(300))


def test_alone_they_come_to_an_end(tmp_path):
    spec = Spec(f"exec:{sys.executable} -m fuzz.targets --passive", str(tmp_path), seconds=100.0, classes=["dangerous"])
    status = Shard(spec, lambda _: None, lambda: False).run()
    assert status.found == []
    assert status.unconfirmed == {}
    assert status.cases > 600
    assert {name.rpartition(" ")[2] for name in status.coverage} == {"dangerous"}


FAULTS = (
    "local-name", "unknown-transport", "long-line", "unknown-tcptype", "ipv6-candidate", "zone", "many-candidates",
    "nul-in-name", "name-not-utf8", "attribute-of-65535", "attribute-of-65532-last", "first-owner-ends", "one-transaction-twice",
    "foreign-protocol", "error-number-0", "long-pwd", "second-section", "fin-in-length", "largest-frame", "port-0",
    "read-ends-in-length", "role-of-7-octets", "header-length-65535", "empty-description",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_on_a_known_dangerous_input_is_found_early(tmp_path, fault):
    """Each fault is a line or two in a target of ours; a campaign with the default options comes to it."""
    spec = Spec(f"exec:{sys.executable} {FRAGILE} {fault}", str(tmp_path), seconds=100.0)
    shard = Shard(spec, lambda _: None, lambda: bool(shard.buckets.all))
    status = shard.run()
    assert status.problem == ""
    assert status.cases < 1200  # the dangerous ones
    (found,) = status.found
    assert found["kind"] == "death"
    assert fault in found["cause"]
