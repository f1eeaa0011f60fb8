"""What is inconclusive in a process with other sessions is repeated alone, and the repetition hides nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.iut.incidents import Incident, Kind
from conformance.run.evidence import Execution, Repetitions, Suspicion
from conformance.run.recording import file_of
from conformance.verdict import Level, Result, Verdict, execution_of
from reports.record import read

CROWDED = Path(__file__).with_name("crowded_adapter.py")
FRAMES = ("--case", "RFC4571-2/length_equals_the_response", "--case", "RFC4571-2/null_frames_between_checks")
pytestmark = pytest.mark.timeout(120)


def run(out: Path, crowded: str, alone: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    iut = f"exec:{sys.executable} {CROWDED} {crowded} {alone}"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(out), "--variants", "usual"]
    command += ["--link", "sockets", "--testers", "1"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=110, check=False)


def test_what_it_comes_to_alone_counts_and_is_told_everywhere(tmp_path) -> None:
    done = run(tmp_path, "refuse", "lawful", *FRAMES)
    assert done.returncode == 0, done.stdout
    results = [result for result in read(tmp_path / "record.jsonl")[1] if "/judge_" not in result.case]
    assert {result.verdict for result in results} == {Verdict.PASS}
    repeated = [result for result in results if result.repeated]
    assert 0 < len(repeated) < len(results)  # a session that begins with no other in its process is served
    told = done.stdout.partition("came to a verdict only when repeated, alone in a process:")[2].splitlines()
    outputs = [element.text for element in etree.parse(tmp_path / "junit.xml").iter("system-out")]
    for result in repeated:
        assert result.repeated.startswith("inconclusive in 1 of 2 executions; in the process that ")
        assert result.repeated.endswith("describe failed in the adapter: busy (-32000); alone in a process: pass")
        assert told[told.index(f"  {result.case}") + 1] == f"    {result.repeated}"
        assert any(f"variant: {result.case}\n" in text and f"repeated: {result.repeated}\n" in text for text in outputs)
        assert result.executions == (
            "1 of 2: inconc; describe failed in the adapter: busy (-32000)",
            "2 of 2, alone in a process: pass",
        )


def test_what_an_earlier_session_has_left_behind_is_no_reason_either(tmp_path) -> None:
    """One case at a time, in a process that serves three sessions well: later ones are repeated in a fresh one."""
    done = run(tmp_path, "refuse", "lawful 3", *FRAMES, "-j", "1")
    assert done.returncode == 0, done.stdout
    results = [result for result in read(tmp_path / "record.jsonl")[1] if "/judge_" not in result.case]
    assert {result.verdict for result in results} == {Verdict.PASS}
    assert any("in the process that 1 other case used" in result.repeated for result in results)


def test_what_the_first_capture_shows_is_judged_as_well(tmp_path) -> None:
    """The rules of the judge have both captures: what was done wrong among other sessions stays a failure."""
    name = "RFC6544-11.1/check_after_completion_on_an_opened_connection_is_answered[answerer]"
    wrong = "check-retransmitted,opened-connections-deaf"
    done = run(tmp_path, wrong, "lawful", "--case", name, "--repeat", "3", "--timeout", "1")
    assert done.returncode == 1, done.stdout
    results = {result.case: result for result in read(tmp_path / "record.jsonl")[1]}
    broken = results["RFC6544-7.1/judge_check_is_not_retransmitted"]
    assert broken.verdict is Verdict.FAIL
    repeated = results[broken.reason.removeprefix("in ").partition(":")[0]]
    assert repeated.verdict is Verdict.PASS
    assert repeated.repeated
    assert repeated.capture == file_of(execution_of(repeated.case, 2))
    assert broken.capture == file_of(repeated.case)  # its first execution's
    assert (tmp_path / repeated.capture).exists()
    assert (tmp_path / broken.capture).exists()
    assert "execution" not in broken.repeat


def test_what_is_known_to_need_a_process_of_its_own_has_one_at_once(tmp_path) -> None:
    """In a process with other sessions it would end that, and all of them would be repeated."""
    known = tmp_path / "known.toml"
    names = ", ".join(f'"{name}"' for name in FRAMES[1::2])
    words = 'verdict = "inconc"\nreason = "dies"\nsometimes = true\nalone = true'
    known.write_text(f"[[deviation]]\n{words}\ncases = [{names}]\n")
    out = tmp_path / "out"
    done = run(out, "abort", "lawful", *FRAMES, "--expect", str(known))
    assert done.returncode == 0, done.stdout
    info, results = read(out / "record.jsonl")
    assert {result.verdict for result in results if "/judge_" not in result.case} == {Verdict.PASS}
    assert not any(result.executions for result in results)
    assert not info.incidents


def test_what_is_known_is_not_repeated(tmp_path) -> None:
    known = tmp_path / "known.toml"
    entry = '[[deviation]]\nverdict = "inconc"\nreason = "always busy"\nmessage = "busy"\n'
    known.write_text(f'{entry}cases = ["RFC4571-2/length_equals_the_response"]\n')
    out = tmp_path / "out"
    done = run(out, "refuse", "refuse", *FRAMES[:2], "--expect", str(known))
    assert done.returncode == 0, done.stdout
    results = [result for result in read(out / "record.jsonl")[1] if result.known]
    assert len(results) == 2
    assert not any(result.executions for result in results)


# -- what counts -----------------------------------------------------------------------------------------------------


def execution(verdict: Verdict, *, alone: bool = False, others: int = 3, incidents: tuple[Incident, ...] = ()):
    result = Result(case="x", title="", section="", requirements=(), level=Level.MUST, verdict=verdict, reason="why")
    return Execution(result, list(incidents), alone=alone, others=0 if alone else others)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NOT_APPLICABLE])
def test_the_verdict_of_the_execution_alone_counts(verdict) -> None:
    first, again = execution(Verdict.INCONC), execution(verdict, alone=True)
    result = Suspicion().joined([first, again], "x")
    assert result is again.result
    assert result.verdict is verdict
    times = 2 if verdict is Verdict.INCONC else 1
    assert result.repeated == (
        f"inconclusive in {times} of 2 executions; in the process that 3 other cases used: why; "
        f"alone in a process: {verdict.value}"
    )


def test_a_death_alone_counts_as_a_death() -> None:
    death = Incident(Kind.DIED, "it exited", 17, ("x",))
    result = Suspicion().joined(
        [execution(Verdict.INCONC), execution(Verdict.PASS, alone=True, incidents=(death,))], "x"
    )
    assert result.verdict is Verdict.INCONC
    assert result.reason == "the adapter died in 1 of 2 executions: it exited"


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (execution(Verdict.INCONC), True),
        (execution(Verdict.INCONC, others=0), False),  # nobody else can have been the reason
        (execution(Verdict.INCONC, alone=True), False),
        (execution(Verdict.FAIL), False),
        (execution(Verdict.ERROR), False),
        (execution(Verdict.PASS), False),
        (execution(Verdict.NOT_APPLICABLE), False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else f"{value.result.verdict.value}-{value.others}-{value.alone}",
)
def test_only_what_is_inconclusive_among_others_is_repeated(one, wanted) -> None:
    assert Repetitions(lambda _result: False).wanted(one) is wanted
    assert not Repetitions(lambda _result: True).wanted(one)  # it is explained


def test_repetitions_end_where_they_show_nothing_and_say_so() -> None:
    repetitions = Repetitions(lambda _result: False)

    def learn(verdict: Verdict) -> None:
        repetitions.learn([execution(Verdict.INCONC), execution(verdict, alone=True)])

    for _ in range(49):
        learn(Verdict.INCONC)
    learn(Verdict.PASS)
    for _ in range(49):
        learn(Verdict.INCONC)
    assert repetitions.wanted(execution(Verdict.INCONC))
    learn(Verdict.INCONC)
    last = execution(Verdict.INCONC)
    assert not repetitions.wanted(last)
    assert last.result.note == "not repeated alone in a process: 50 variants in a row were inconclusive there as well"
