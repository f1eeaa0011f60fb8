"""Cases as Scapy layers: what is written by hand is what a campaign would play, and a case is shown as it is sent."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.wire.attributes import Address
from conformance.wire.layers import (
    RFC4571,
    STUN,
    Fingerprint,
    MessageIntegrity,
    Priority,
    RawStunAttribute,
    Username,
    XorMappedAddress,
)
from fuzz.command import replay
from fuzz.generate import Generator
from fuzz.layers import CaseError, OtherRole, Role, case, end, framed, read, send, shown
from fuzz.player.render import request

CHECK = [Username(value="$user"), Priority(value="$priority"), Role(), MessageIntegrity(), Fingerprint()]
REGRESSIONS = sorted((Path(__file__).parents[2] / "fuzz" / "regressions").glob("*.json"))
FILE = """
from conformance.wire.layers import STUN, Fingerprint, MessageIntegrity, Priority, RawStunAttribute, Username
from fuzz.layers import Role, case, send

CHECK = [Username(value="$user"), Priority(value="$priority"), Role(), MessageIntegrity(), Fingerprint()]
CASE = case(send(STUN(attributes=[RawStunAttribute(type=0x7001, value=b""), *CHECK])))
"""


def target(*bugs):
    return f"exec:{sys.executable} -m fuzz.targets" + (f" --bugs {','.join(bugs)}" if bugs else "")


def test_a_check_by_hand_is_the_check_of_campaigns():
    assert framed(STUN(attributes=CHECK)) == {"message": request()}
    assert framed(RFC4571() / STUN(attributes=CHECK)) == {"message": request()}


@pytest.mark.parametrize(
    ("packet", "found"),
    [
        (RFC4571(length=9) / b"ab", {"octets": "6162", "length": 9}),
        (b"\x80", {"octets": "80"}),
        (STUN(message_class=1, cookie=7), {"message": {"type": 0x11, "attributes": [], "cookie": 7}}),
        (STUN(transaction_id=b"a" * 12), {"message": {"type": 1, "attributes": [], "id": "61" * 12}}),
        (STUN(length=4), {"message": {"type": 1, "attributes": [], "patch": [[2, "0004"]]}}),
    ],
)
def test_what_is_unusual_about_a_packet_is_unusual_about_the_frame(packet, found):
    assert framed(packet) == found


def test_attributes_of_any_kind():
    packet = STUN(
        attributes=[
            RawStunAttribute(type=0x9001, value=b"a", length=300, padding=b"xyz"),
            OtherRole(value=b"\0" * 8),
            MessageIntegrity(value=b"short"),
            Fingerprint(value="$fingerprint:wrong"),
        ]
    )
    assert framed(packet)["message"]["attributes"] == [
        {"type": 0x9001, "value": "61", "length": 300, "padding": "78797a"},
        {"type": "$antirole", "value": "00" * 8},
        {"type": 8, "value": b"short".hex()},
        {"type": 0x8028, "value": "$fingerprint:wrong"},
    ]


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (STUN() / b"behind", "octets behind a STUN layer"),
        (STUN(attributes=[XorMappedAddress(address=Address("127.0.0.1", 1))]), "depends on the session"),
        (STUN(attributes=[MessageIntegrity(key=b"k")]), "depends on the session"),
        (STUN(attributes=[RFC4571()]), "is not a STUN attribute"),
    ],
)
def test_what_a_case_cannot_say_is_refused_with_what_to_write(packet, text):
    with pytest.raises(CaseError, match=text):
        framed(packet)


def test_a_case_is_shown_layer_by_layer_with_what_is_wrong_in_it():
    unusual = case(send(RFC4571(length=9) / STUN(attributes=CHECK), on=1, cuts=[1]), end(1, "rst"), state="completed")
    text = shown(unusual)
    assert "state completed" in text.splitlines()[0]
    assert "1. send on 1, cuts [1]" in text
    assert "length    = 9, but 88 octets follow" in text
    assert "###[ PRIORITY ]###" in text
    assert "2. end on 1, how rst" in text


def test_whatever_a_campaign_plays_can_be_shown():
    pics = {"offers": ["passive", "active"], "connects": ["active"], "components": 2, "restart": True, "trickle": True}
    generator = Generator(3, 0, pics)
    for number in range(300):
        one = generator.case(number, generator.plan(number))
        assert shown(one).count("###[ RFC4571 ]###") >= sum(bool(step.get("frames")) for step in one["steps"])


@pytest.mark.parametrize("file", REGRESSIONS, ids=lambda file: file.stem)
def test_regressions_can_be_shown(file):
    done = CliRunner().invoke(replay, [str(file), "--show"], standalone_mode=False)
    assert done.return_value == 0
    assert done.output.startswith("session: ")


def test_a_case_by_hand_is_played(tmp_path):
    file = tmp_path / "unknown.py"
    file.write_text(FILE)
    for bugs, status, text in (((), 0, "nothing"), (("unknown-accepted",), 1, "answered: UNKNOWN success")):
        arguments = [str(file), "--iut", target(*bugs), "--times", "1"]
        done = CliRunner().invoke(replay, arguments, standalone_mode=False)
        assert done.return_value == status
        assert text in done.output


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.py", "CASE = 3", "write CASE = case(send(…))"),
        ("a.py", "import nothing_of_that_name", "ModuleNotFoundError"),
        ("a.json", "{", "cannot be replayed: Expecting"),
        ("a.json", "{}", "no case"),
    ],
)
def test_a_file_without_a_case_is_usage(name, text, told, tmp_path):
    (tmp_path / name).write_text(text)
    done = CliRunner().invoke(replay, [str(tmp_path / name)])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


def test_a_finding_and_a_regression_are_read_as_they_are(tmp_path):
    entry = json.loads(REGRESSIONS[0].read_text())
    assert read(REGRESSIONS[0])[0]["steps"] == entry["case"]["steps"]


def test_campaigns_do_without_scapy():
    code = "import sys, fuzz.campaign.shard, fuzz.command; print(any(name.startswith('scapy') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
