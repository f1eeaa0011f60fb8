"""Which exceptions fail the IUT, and which say that the test system is at fault."""

from __future__ import annotations

import contextlib

import pytest

from conformance.iut import stacks
from conformance.iut.pool import Pool
from conformance.iut.upper import Upper
from conformance.peer.pump import Aborted
from conformance.peer.tester import Peer
from conformance.run.attribution import attributed
from conformance.run.engine import Case, Engine, Settings
from conformance.run.recording import NoRecording
from conformance.verdict import Failed, Inconclusive, Level, NotApplicable, Result, Verdict


def helper() -> None:
    assert False, "the tester expected something of itself"  # noqa: B011, PT015


def in_the_body() -> None:
    assert 1 == 2, "the IUT said 2"


def in_a_comprehension() -> None:
    def small(number: int) -> int:
        assert number < 2, f"{number} is too large"
        return number

    assert [small(number) for number in range(3)]


def in_a_helper() -> None:
    helper()


def in_the_library() -> None:
    contextlib.closing(None).__exit__(None, None, None)  # an AttributeError of ours


def over_objects() -> None:
    asked = [Blank()]
    assert not asked, f"the IUT asked {asked}"


class Blank:
    pass


def by_an_expectation() -> None:
    raise Failed("no answer", expected="an answer", actual="silence")


def on_the_way() -> None:
    raise Inconclusive("no offer")


def ruled_out() -> None:
    raise NotApplicable("no trickle")


def blank() -> Result:
    return Result(case="x", title="", section="", requirements=(), level=Level.MUST)


@pytest.mark.parametrize(
    ("function", "verdict", "words"),
    [
        (in_the_body, Verdict.FAIL, "the IUT said 2"),
        (in_a_comprehension, Verdict.FAIL, "2 is too large"),
        (by_an_expectation, Verdict.FAIL, "no answer"),
        (on_the_way, Verdict.INCONC, "no offer"),
        (ruled_out, Verdict.NOT_APPLICABLE, "no trickle"),
        (in_a_helper, Verdict.ERROR, "AssertionError: the tester expected something of itself"),
        (in_the_library, Verdict.ERROR, "AttributeError"),
    ],
)
def test_only_the_bodys_assertions_and_expectations_fail_the_iut(function, verdict, words) -> None:
    result = blank()
    with attributed(result, function, "the IUT answers"):
        function()
    assert result.verdict is verdict
    assert words in result.reason
    assert (result.expected != "") is (verdict is Verdict.FAIL)


def test_without_a_body_every_assertion_is_ours() -> None:
    result = blank()
    with attributed(result):
        in_the_body()
    assert result.verdict is Verdict.ERROR


def test_an_interrupt_is_no_verdict() -> None:
    with pytest.raises(KeyboardInterrupt), attributed(blank(), in_the_body):
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    (out / "logs").mkdir()
    pool = Pool(stacks.resolve("reference"), processes=1, log_dir=out / "logs")
    yield Engine(pool, NoRecording(), Settings(iut="reference", out=out), pool.hello().pics)
    pool.kill()


def executed(engine: Engine, function) -> Result:
    return engine.run(
        Case(
            id=function.__name__, title="", purpose="", section="", requirements=(), level=Level.MUST, function=function
        )
    )


def offers(upper) -> None:
    assert upper.offer().candidate(tcptype="passive")


def breaks(*_arguments: object, **_named: object) -> None:
    assert False, "a bookkeeping of ours is wrong"  # noqa: B011, PT015


def test_a_healthy_case_passes(engine) -> None:
    assert executed(engine, offers).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        (Upper, "offer", "a bookkeeping of ours is wrong"),  # called by the body
        (Upper, "close", "after the case: AssertionError: a bookkeeping"),  # the postamble
        (Upper, "__init__", "a bookkeeping of ours is wrong"),  # before the body
        (Peer, "close", "a bookkeeping of ours is wrong"),  # after the postamble
    ],
)
def test_an_assertion_of_the_testers_own_is_an_error_wherever_it_is_raised(engine, monkeypatch, owner, name, words):
    monkeypatch.setattr(owner, name, breaks)
    result = executed(engine, offers)
    assert result.verdict is Verdict.ERROR
    assert words in result.reason


def test_what_breaks_while_the_engine_stops_is_recorded_and_no_verdict(engine, monkeypatch) -> None:
    """A stop takes sockets and folders away under the cases; nobody waits for these any more."""

    def lease(*_arguments: object, **_named: object) -> None:
        raise OSError("the folder is gone")

    monkeypatch.setattr(engine._pool, "lease", lease)
    with pytest.raises(OSError, match="the folder is gone"):
        executed(engine, offers)
    assert engine.failures == []
    engine.stop()
    with pytest.raises(Aborted):
        executed(engine, offers)
    (text,) = engine.failures
    assert text.startswith("offers, when the run was stopped: OSError: the folder is gone (")


def test_an_explanation_names_no_place_in_memory():
    result = blank()
    with attributed(result, over_objects):
        over_objects()
    assert result.verdict is Verdict.FAIL
    assert "<Blank>" in result.actual
    assert "0x" not in result.actual + result.reason
