"""What an exception says of a case: the IUT's failure, an obstacle on the way, or a defect of ours.

Only two things fail an IUT: an assertion that stands in the case's own body, and an expectation helper that raises
`verdict.Failed`. Any other exception, an AssertionError of the tester's own code too, is a defect of the test system.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from conformance.iut.errors import AdapterError
from conformance.peer.pump import Aborted
from conformance.verdict import CaseOutcome, NotApplicable, Result, Unreadable, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AT_PLACE = re.compile(r"<(?:[\w.]+\.)?(\w+) object at 0x[0-9a-f]+>")  # in an explanation of pytest's


class attributed:  # noqa: N801  (reads as a word in a with statement)
    """Turn what a block raises into the verdict of a result; `Aborted` and interrupts pass through.

    `function` is the case's function where the block executes its body; `then` is the outcome that it asks for.
    """

    def __init__(self, result: Result, function: Callable[..., None] | None = None, then: str = "") -> None:
        self._result = result
        self._function = function
        self._then = then
        self.unreadable = False  # whether it ended because nobody can read what the IUT said

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        result = self._result
        if error is None:
            return False
        self.unreadable = any(isinstance(one, Unreadable) for one in _reasons(error))
        if isinstance(error, NotApplicable):
            result.verdict, result.reason = Verdict.NOT_APPLICABLE, str(error)
        elif isinstance(error, CaseOutcome):
            result.overwrite(error.verdict, str(error), expected=error.expected, actual=error.actual)
        elif isinstance(error, AdapterError):
            result.overwrite(Verdict.INCONC, str(error))
        elif isinstance(error, AssertionError) and self._function and _raised_in(error, self._function):
            text = _AT_PLACE.sub(r"<\1>", str(error).strip()) or "the assertion failed"
            result.overwrite(Verdict.FAIL, text.splitlines()[0], expected=self._then, actual=text)
        elif isinstance(error, Aborted) or not isinstance(error, Exception):
            return False
        else:
            result.overwrite(Verdict.ERROR, described(error))
        return True


def described(error: BaseException) -> str:
    """Return an exception of ours in one line, with the place in the code where it was raised."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({_place(error)})" if text else f"{type(error).__name__} ({_place(error)})"


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and, one after the other, those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def _raised_in(error: BaseException, function: Callable[..., None]) -> bool:
    """Whether an exception was raised by the function's own text, and not by something that it called."""
    codes = list(_frames(error))
    return bool(codes) and codes[-1][0] in set(_nested(inspect.unwrap(function).__code__))


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Give a function's code, and that of the comprehensions, lambdas and functions written in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _frames(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lineno
        trace = trace.tb_next


def _place(error: BaseException) -> str:
    frames = list(_frames(error))
    if not frames:
        return "unknown place"
    code, line = frames[-1]
    return f"{Path(code.co_filename).name}:{line}"
