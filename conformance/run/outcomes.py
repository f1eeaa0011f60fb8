"""What a verdict is for pytest: a pass, a skip or a failure."""

from __future__ import annotations

import pytest

from conformance.verdict import Level, Result, Verdict


def raise_as_outcome(result: Result, fail_on: Level) -> None:
    """Raise what pytest takes for the verdict of a case: nothing for a pass."""
    __tracebackhide__ = True
    if result.verdict is Verdict.PASS:
        return
    text = f"{result.verdict.value}: {result.reason}"
    if not is_failure(result, fail_on):
        if result.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(text)
        if result.known:
            pytest.skip(f"known {text} ({result.known})")
        pytest.skip(f"{result.level.value.upper()} not met: {result.reason}")
    lines = [text]
    lines += [f"  expected: {result.expected}", f"  actual:   {result.actual}"] if result.expected else []
    lines += [f"  requirements: {', '.join(result.requirements)}", f"  repeat: {result.repeat}"]
    pytest.fail("\n".join(lines), pytrace=False)


def is_failure(result: Result, fail_on: Level) -> bool:
    """Whether a result is a failure for pytest."""
    if result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) or result.known:
        return False
    return result.verdict is not Verdict.FAIL or result.level.binding or fail_on is Level.SHOULD
