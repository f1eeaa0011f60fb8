"""`icetcp list`, `show` and `stacks`: over the cases and requirements that there really are."""

from __future__ import annotations

import functools
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.catalogue import REQUIREMENTS
from conformance.commands import cli
from conformance.run import discovery


@pytest.fixture(scope="module")
def discover():
    """Collect the cases once for each set of filters."""
    return functools.cache(discovery.discover)


@pytest.fixture
def icetcp(monkeypatch, tmp_path, capsys, discover):
    """Run a command in this process; return status, lines of output, and what stands on stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "discover", lambda arguments=(), private=(): discover(tuple(arguments)))

    def run(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return ended.value.code, out.splitlines(), err

    return run


def ids(lines: list[str]) -> list[str]:
    return [line.split("\t")[0] for line in lines]


def variants(icetcp, *arguments: str) -> list[str]:
    return ids(icetcp("list", "--variants", *arguments)[1])


def test_list_gives_one_line_of_five_fields_a_case(icetcp, tmp_path):
    status, lines, err = icetcp("list")
    assert (status, err) == (0, "")
    rows = [line.split("\t") for line in lines]
    assert {len(row) for row in rows} == {5}
    assert len(set(ids(lines))) == len(lines) >= 300
    for case, level, requirements, number, title in rows:
        assert re.fullmatch(r"RFC\d+-[\d.]+/\w+", case)
        assert level in ("must", "stated", "should", "may")
        assert set(requirements.split(", ")) <= set(REQUIREMENTS)
        assert int(number) > 0
        assert title
    assert list(tmp_path.iterdir()) == []


def test_the_variants_of_cases_are_listed_when_asked_for(icetcp):
    cases = {row[0]: int(row[3]) for row in (line.split("\t") for line in icetcp("list")[1])}
    every = variants(icetcp)
    assert len(set(every)) == len(every) == sum(cases.values()) > 2000
    assert {case: [v.partition("[")[0] for v in every].count(case) for case in cases} == cases
    case = next(case for case, number in cases.items() if number > 5)
    assert [row.split("\t")[3] for row in icetcp("list", "--case", case)[1]] == [str(cases[case])]
    of_case = variants(icetcp, "--case", case)
    assert len(of_case) == cases[case]
    assert [row.split("\t")[::3] for row in icetcp("list", "--case", of_case[1])[1]] == [[case, "1"]]


def test_the_variants_of_an_iut_are_those_that_it_can_be_judged_by(icetcp, tmp_path):
    adapter = Path(__file__).parents[1] / "run" / "reticent_adapter.py"
    iut = f"exec:{sys.executable} {adapter} --say families='[\"6\"]'"
    case = ("--case", "RFC4571-2/length_equals_the_request")
    of_iut, of_any = variants(icetcp, *case, "--iut", iut), variants(icetcp, *case)
    assert all("IPv6" in variant for variant in of_iut)
    assert 0 < len(of_iut) < len(of_any)
    assert list(tmp_path.iterdir()) == []


def test_filters_narrow_the_list(icetcp):
    everything = ids(icetcp("list")[1])
    of_section = ids(icetcp("list", "--section", "7.2")[1])
    assert of_section == [case for case in everything if case.startswith("RFC6544-7.2/")]
    one = ids(icetcp("list", "-k", of_section[0])[1])
    assert set(of_section) == {v.partition("[")[0] for v in variants(icetcp, "--section", "7.2")}
    assert of_section[0] in one
    assert len(one) < len(of_section)
    levels = {line.split("\t")[1] for line in icetcp("list", "--level", "must")[1]}
    assert levels == {"must"}


def test_list_as_json(icetcp):
    status, lines, _ = icetcp("list", "--json", "--section", "RFC4571-2")
    cases = json.loads("\n".join(lines))
    assert status == 0
    assert [case["id"] for case in cases] == ids(icetcp("list", "--section", "RFC4571-2")[1])
    assert set(cases[0]) == {"id", "title", "purpose", "section", "level", "requirements", "needs", "variants"}
    listed = variants(icetcp, "--section", "RFC4571-2")
    assert [variant["id"] for case in cases for variant in case["variants"]] == listed
    assert set(cases[0]["variants"][0]) == {"id", "needs", "parameters"}
    single = json.loads("\n".join(icetcp("list", "--variants", "--json", "--section", "RFC4571-2")[1]))
    assert [variant["id"] for variant in single] == listed
    assert all(variant["case"] == variant["id"].partition("[")[0] for variant in single)


def test_every_requirement_has_a_status(icetcp):
    _, lines, _ = icetcp("list", "--requirements")
    statuses = {row[0]: row[2] for row in (line.split("\t") for line in lines)}
    assert list(statuses) == list(REQUIREMENTS)
    for identifier, status in statuses.items():
        reason = REQUIREMENTS[identifier].untestable
        assert re.fullmatch(r"tested by \d+ cases?|pending", status) or status == f"untestable: {reason}"
    data = json.loads("\n".join(icetcp("list", "--requirements", "--json")[1]))
    tested = {entry["id"] for entry in data if entry["status"] == "tested"}
    assert tested == {identifier for identifier, status in statuses.items() if status.startswith("tested")}
    for entry in data:
        assert bool(entry["cases"]) is (entry["id"] in tested)
        assert entry["variants"] >= len(entry["cases"])
        plural = "" if len(entry["cases"]) == 1 else "s"
        assert statuses[entry["id"]] == f"tested by {len(entry['cases'])} case{plural}" or not entry["cases"]


def test_filters_narrow_the_requirements(icetcp):
    of_section = ids(icetcp("list", "--requirements", "--section", "7", "--level", "must")[1])
    assert of_section
    assert all(re.match(r"RFC\d+-7(\.\d+)*-", identifier) for identifier in of_section)
    assert all(REQUIREMENTS[identifier].level.value == "must" for identifier in of_section)
    framing = ids(icetcp("list", "--requirements", "--section", "RFC4571", "-k", "NULL packet")[1])
    assert "RFC4571-2-s02" in framing
    assert len(framing) < 5


@pytest.mark.parametrize(
    ("arguments", "rfcs"),
    [
        (("--rfc", "7675"), {"RFC7675"}),
        (("--rfc", "RFC7675", "--rfc", "8863"), {"RFC7675", "RFC8863"}),
        (("--only-6544",), {"RFC6544"}),
        (("--only-6544", "--rfc", "4571"), {"RFC6544", "RFC4571"}),
        (("--rfc", "all"), {requirement.rfc for requirement in REQUIREMENTS.values()}),
    ],
)
def test_requirements_of_an_rfc(icetcp, arguments, rfcs):
    listed = ids(icetcp("list", "--requirements", *arguments)[1])
    assert listed == [identifier for identifier, requirement in REQUIREMENTS.items() if requirement.rfc in rfcs]


def test_sections_are_those_of_the_rfc_asked_for(icetcp):
    wanted = ids(icetcp("list", "--requirements", "--rfc", "8489", "--section", "9.1")[1])
    assert wanted == ids(icetcp("list", "--requirements", "--section", "RFC8489-9.1")[1]) != []
    assert ids(icetcp("list", "--rfc", "4571")[1]) == ids(icetcp("list", "--section", "RFC4571")[1]) != []


def test_an_rfc_that_the_catalogue_does_not_have_is_a_usage_error(icetcp):
    status, lines, err = icetcp("list", "--requirements", "--rfc", "1149")
    assert (status, lines) == (2, [])
    assert "the catalogue has no RFC1149; it has 4571, 6544, " in err


def test_a_section_is_shown_with_what_is_left_out_of_it(icetcp):
    _, lines, _ = icetcp("show", "RFC8489-6.1")
    assert lines[0] == "RFC8489-6.1"
    assert any(line.startswith("  RFC8489-6.1-02  MUST ") for line in lines)
    assert "  sentences 5, 6, 7, 8: binds STUN over UDP or DTLS-over-UDP only" in lines
    _, lines, _ = icetcp("show", "rfc8489-6.2.1")
    assert lines == ["RFC8489-6.2.1", "", "left out", "  all: binds STUN over UDP or DTLS-over-UDP only"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--section", "99"), "--section 99 matches nothing; see icetcp list"),
        (("--section", ""), "--section  matches nothing; nearest: RFC3264-5.1, "),
        (("--section", "7.2", "--section", "7.22"), "--section 7.22 matches nothing; see icetcp list"),
        (
            ("--requirement", "RFC4571-2-s2", "--requirement", "RFC4571-2-s02"),
            "--requirement RFC4571-2-s2 matches nothing; nearest: RFC4571-2-s02, ",
        ),
        (
            ("--requirements", "--requirement", "RFC4571-2-s2"),
            "--requirement RFC4571-2-s2 matches nothing; nearest: RFC4571-2-s02, ",
        ),
        (
            ("--requirements", "--rfc", "8489", "--section", "99"),
            "--section RFC8489-99 matches nothing; nearest: RFC8489-9, ",
        ),
        (("--requirements", "--section", "99"), "--section 99 matches nothing; see icetcp list --requirements"),
        (
            ("--case", "RFC4571-2/length_equals_the_response", "--case", "RFC4571-2/length_equals_the_respons"),
            "--case RFC4571-2/length_equals_the_respons matches nothing; nearest: RFC4571-2/length_equals_the_response",
        ),
        (
            ("--case", "RFC4571-2/length_equals_the_response[ofverer]"),
            "--case RFC4571-2/length_equals_the_response[ofverer] matches nothing; "
            "nearest: RFC4571-2/length_equals_the_response[offerer], ",
        ),
        (
            ("--case", "RFC4571-2/length_equals_the_response", "--section", "7.2", "--section", "RFC4571-2"),
            "--section 7.2 matches nothing together with the other filters",
        ),
        (
            ("--case", "RFC4571-2/length_equals_the_response", "--section", "7.2"),
            "no case matches --section 7.2 with --case RFC4571-2/length_equals_the_response; see icetcp list",
        ),
        (("-k", "zebra", "--level", "must"), "no case matches --level must with -k 'zebra'; see icetcp list"),
        (
            ("--requirements", "-k", "zebra"),
            "no requirement matches -k 'zebra'; see icetcp list --requirements",
        ),
    ],
)
def test_a_filter_that_matches_nothing_is_a_usage_error(icetcp, arguments, message):
    status, lines, err = icetcp("list", *arguments)
    assert (status, lines, err.count("\n")) == (2, [], 1)
    assert err.startswith(f"icetcp: {message}")
    assert err == f"icetcp: {message}\n" or message.endswith(", ")


def test_a_terminal_gets_a_table(monkeypatch):
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "150"}
    command = [sys.executable, "-m", "conformance", "list", "--requirements", "--section", "RFC4571-8"]
    done = subprocess.run(
        command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, timeout=90, check=False
    )
    os.close(terminal)
    seen = re.sub(r"\x1b\[[0-9;]*m", "", os.read(controller, 65536).decode())
    os.close(controller)
    header, *rows = seen.splitlines()
    assert done.returncode == 0
    assert header.split() == ["requirement", "level", "status", "title"]
    assert "\t" not in seen
    assert rows[0].startswith("RFC4571-8-s01")


def test_show_a_case_by_any_of_its_names(icetcp):
    case = next(variant for variant in variants(icetcp, "--section", "7.2") if variant.endswith("]"))
    base, name = case.partition("[")[0], case.partition("/")[2]
    status, lines, _ = icetcp("show", case)
    assert status == 0
    assert lines[0] == case
    text = "\n".join(lines)
    for word in ("with ", "when ", "then ", "level ", "parameters ", "requirements", "run it alone"):
        assert word in text
    assert icetcp("show", name)[1] == lines
    whole = icetcp("show", base)[1]
    assert whole[0] == base
    assert f"  {case}" in whole
    assert icetcp("show", f"test_{name.partition('[')[0]}")[1] == whole


def test_show_names_the_command_that_runs_it_alone(icetcp):
    """Also where a longer name holds the case's name."""
    names = {case.partition("/")[2]: case for case in ids(icetcp("list")[1])}
    inside = [name for name in names if any(name in other and name != other for other in names)]
    for name in [*inside, next(iter(names))][:3]:
        command = shlex.split(icetcp("show", names[name])[1][-1])
        assert command[:2] == ["icetcp", "run"]
        assert ids(icetcp("list", *command[2:])[1]) == [names[name]]


def test_a_case_is_chosen_by_its_id_to_the_letter(icetcp):
    """Two variants differ in the letter case of a parameter only."""
    both = variants(icetcp, "--case", "RFC6544-4.5/transport_token_is_read_in_any_letter_case")
    first = both[0]
    assert variants(icetcp, "--case", first) == [first]
    assert len({one.lower() for one in both}) < len(both)


def test_show_a_requirement_with_its_cases(icetcp):
    status, lines, _ = icetcp("show", "rfc4571-2-S02")
    assert status == 0
    assert lines[0] == f"RFC4571-2-s02: {REQUIREMENTS['RFC4571-2-s02'].title}"
    cases = [line.split()[0] for line in lines if line.startswith("  RFC")]
    assert f"status        tested by {len(cases)} cases" in lines
    numbers = {row[0]: row[3] for row in (line.split("\t") for line in icetcp("list")[1])}
    for line in lines:
        if line.startswith("  RFC"):
            assert line.split()[1:] == [
                numbers[line.split()[0]],
                "variant" if line.endswith(" 1 variant") else "variants",
            ]
    command = shlex.split(lines[-1])
    chosen = [line.split("\t") for line in icetcp("list", *command[2:])[1]]
    assert {row[0] for row in chosen} == set(cases)
    assert all("RFC4571-2-s02" in row[2] for row in chosen)


def test_show_says_why_a_requirement_cannot_be_tested(icetcp):
    requirement = next(entry for entry in REQUIREMENTS.values() if entry.untestable)
    assert f"status        untestable: {requirement.untestable}" in icetcp("show", requirement.id)[1]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("RFC4571-2-s99", "RFC4571-2-s01"),
        ("RFC4571-2/length_equals_the_respons", "RFC4571-2/length_equals_the_response"),
        ("", ""),
        ("\x1b[2Jzebra?", "see icetcp list and icetcp list --requirements"),
    ],
)
def test_show_of_an_unknown_name_names_the_nearest(icetcp, name, near):
    status, lines, err = icetcp("show", name)
    assert (status, lines) == (2, [])
    assert near in err
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_stacks_are_listed(icetcp):
    status, lines, _ = icetcp("stacks", "list")
    assert status == 0
    assert {line.split("\t")[0]: line.split("\t")[1] for line in lines}["reference"] == "ready"
    said = {stack["name"]: stack for stack in json.loads("\n".join(icetcp("stacks", "list", "--json")[1]))}
    tools = {
        name: said[name]["built_with"].split(" ")[0] for name in ("libnice", "pion4", "werift", "librice", "ice4j")
    }
    assert tools == {"libnice": "C", "pion4": "Go", "werift": "Node", "librice": "Rust", "ice4j": "Java"}
    assert said["reference"]["built_with"] == "-"
    assert said["pion4"]["homepage"].startswith("https://")


def test_a_stack_that_cannot_be_built_says_so(icetcp):
    assert icetcp("stacks", "build", "reference")[0] == 3
    status, _, err = icetcp("stacks", "build")
    assert (status, "name the stacks, or say --all" in err) == (2, True)
    status, _, err = icetcp("stacks", "build", "zebra")
    assert status == 2
    assert "no stack is called zebra; known: " in err
