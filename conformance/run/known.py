"""The known failures of a run: those of the stack's own file, and those of the file that the user names."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.suites.dimensions import usual_form
from conformance.verdict import case_name
from reports import causes, expectations_file
from reports.expectations import Deviation, ExpectationError, Expectations, parse, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.iut.stacks import Expectation, Stack
    from conformance.verdict import Result


def forms(variant: str) -> tuple[str, ...]:
    """Return by which further id a variant may be meant: that of the usual one with the same parameters."""
    return (usual_form(variant),)


def known_for(known: Mapping[str, Expectation], variant: str) -> Expectation | None:
    """Return the known deviation of a variant: its own, that of the usual variant like it, or that of its case."""
    return known.get(variant) or known.get(usual_form(variant)) or known.get(case_name(variant))


class KnownFailures:
    """Marks results as they come, and at the end says what should have failed and did not."""

    def __init__(self, config: pytest.Config, stack: Stack) -> None:
        """Read the files. Raises `pytest.UsageError`."""
        name = config.getoption("icetcp_expect")
        self._file = Path(name) if name else None
        self._writing, self._shrinking = config.getoption("icetcp_write_expect"), config.getoption("icetcp_ratchet")
        self._today = datetime.datetime.now(datetime.UTC).date()
        if self._file is None and (self._writing or self._shrinking):
            raise pytest.UsageError("--write-expect and --ratchet need the file: --expect FILE")
        try:
            self._of_user = self._entries()
            self._all = Expectations([*self._of_user, *_of_stack(stack)], forms)
        except ExpectationError as error:
            raise pytest.UsageError(str(error)) from None

    @property
    def any(self) -> bool:
        """Whether anything is known."""
        return bool(self._all.entries)

    @property
    def writes(self) -> bool:
        """Whether the file is to be written."""
        return bool(self._writing or self._shrinking)

    def mark(self, result: Result) -> bool:
        """Note on a result what is known of it; return whether that is news."""
        before = result.known, result.note
        result.known = ""
        self._all.mark(result, self._today)
        return before != (result.known, result.note)

    def alone(self, variant: str) -> bool:
        """Whether a variant is known to end the process that it uses, or to keep it from answering."""
        return self._all.alone(variant)

    def explain(self, result: Result) -> bool:
        """Whether a result is just what is known of its variant."""
        entry = self._all.of(result)
        return entry is not None and entry.explains(result)

    def end(self, results: Sequence[Result], *, partial: bool, complete: bool) -> list[Result]:
        """Write the file, if that was asked for; return what should have failed and did not, or has vanished.

        Raises `ExpectationError`.
        """
        if complete and self._file is not None and (self._writing or self._shrinking):
            known = Expectations(self._of_user, forms)
            update(self._file, known, results, shrink=self._shrinking, partial=partial, today=self._today)
            self._of_user = self._entries()
            self._all = Expectations([*self._of_user, *self._all.entries[len(known.entries) :]], forms)
            for result in results:
                self.mark(result)
        wrong = self._all.verdicts(results, partial=partial or not complete)
        return [*wrong, *self._all.other_causes(results, causes.each(results))]

    def _entries(self) -> list[Deviation]:
        if self._file is None or (self._writing and not self._file.exists()):
            return []
        return read(self._file).entries


def update(
    file: Path, known: Expectations, results: Sequence[Result], *, shrink: bool, partial: bool, today: datetime.date
) -> None:
    """Write the file anew, with the failures of a run or without what fails no more. Raises `ExpectationError`."""
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        text = expectations_file.updated(text, known, results, shrink=shrink, partial=partial, today=today)
        expectations_file.write(file, text)
    except OSError as error:
        raise ExpectationError(f"cannot write {file}: {error.strerror}") from None


def _of_stack(stack: Stack) -> list[Deviation]:
    if stack.folder is None:
        return []
    file = stack.folder.joinpath("expectations.toml")
    return parse(file.read_text(encoding="utf-8"), f"{stack.name}/expectations.toml") if file.is_file() else []
