"""Known failures that gate: a file of what is expected not to pass, held against the verdicts of a run.

    [[deviation]]
    verdict = "fail"                        # or "inconc"
    cases = ["RFC6544-7.2/accepts"]         # ids of cases, variants or requirements
    reason = "issue 17: no answer in single octets"
    link = "https://example.org/issues/17"
    owner = "ann"
    expires = 2027-03-01
    message = "did not come"                # a part of the reason that does not change
    cause = "RFC6544-7.2-03"                # id of the cause, as the run's list of causes has it

`evidence` is another name for `reason`. `sometimes = true` says that the deviation shows in some runs only.

`consequences = true`, of an entry that names rules of the judge: whatever the IUT comes to in a case whose own capture
breaks one of them is known as well. So a race inside the IUT, which may strike in any case, has one entry; a case in
which it does not strike has to pass.

`alone = true`: these variants end the process that they use, or keep it from answering. Each gets one of its own, so
that no other case has to be repeated for it, and they begin first.
"""

from __future__ import annotations

import datetime
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.verdict import Level, Result, Verdict, case_name, is_rule, variant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

SECTION = "expectations"
OTHER_CAUSE = "other cause"
_FLAGS = ("sometimes", "consequences", "alone")
_KEYS = {"verdict", "cases", "reason", "evidence", "link", "owner", "expires", "message", "cause", *_FLAGS}
_VERDICTS = {verdict.value: verdict for verdict in (Verdict.FAIL, Verdict.INCONC, Verdict.ERROR)}


class ExpectationError(Exception):
    """The file cannot be used; the message names it and what is wrong."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One entry: these ids are expected to come to this verdict."""

    ids: tuple[str, ...]
    verdict: Verdict
    reason: str
    link: str = ""
    owner: str = ""
    expires: datetime.date | None = None
    message: str = ""
    cause: str = ""
    sometimes: bool = False
    consequences: bool = False
    alone: bool = False

    def explains(self, result: Result) -> bool:
        """Whether this is the deviation that a result shows, or, where it has consequences, one of them."""
        if self.consequences and not is_rule(result.case):
            failed = result.verdict in (Verdict.FAIL, Verdict.INCONC)
            return failed and any(breach.rule in self.ids for breach in result.broken)
        said = (result.reason, result.actual, result.expected)
        return result.verdict is self.verdict and (not self.message or any(self.message in text for text in said))

    def __str__(self) -> str:
        words = [self.reason, self.link, self.owner and f"owner {self.owner}"]
        return ", ".join(word for word in [*words, self.expires and f"until {self.expires}"] if word)


@dataclass(slots=True)
class Expectations:
    """The entries of a file. `forms` gives further ids by which a variant may be meant."""

    entries: list[Deviation] = field(default_factory=list)
    forms: Callable[[str], Iterable[str]] = lambda _variant: ()
    _remarks: dict[str, str] = field(default_factory=dict)  # what was noted on each variant
    _naming: dict[str, list[int]] = field(init=False)  # by id: numbers of the entries that name it
    _broad: list[Deviation] = field(init=False)  # entries with consequences

    def __post_init__(self) -> None:
        self._naming = {}
        self._broad = [entry for entry in self.entries if entry.consequences]
        for number, entry in enumerate(self.entries):
            for identifier in entry.ids:
                self._naming.setdefault(identifier, []).append(number)

    def of(self, result: Result) -> Deviation | None:
        """Return the entry for a result: the one that explains it, else one that names it."""
        if not self.entries:
            return None
        numbers = {number for name in self._names(result) for number in self._naming.get(name, ())}
        naming = [self.entries[number] for number in sorted(numbers)]
        explaining = (entry for entry in (*naming, *self._broad) if entry.explains(result))
        return next(explaining, naming[0] if naming else None)

    def alone(self, variant: str) -> bool:
        """Whether a variant is known to need a process of its own."""
        names = {variant, variant_of(variant), case_name(variant), *self.forms(variant)}
        return any(self.entries[number].alone for name in names for number in self._naming.get(name, ()))

    def mark(self, result: Result, today: datetime.date) -> None:
        """Note on a result what is known of it; a known failure that has not expired is marked as such."""
        result.known = ""
        remark = self._remark(result, today)
        former = self._remarks.pop(result.case, "")
        notes = [note for note in result.note.split("; ") if note and note != former]
        if remark:
            self._remarks[result.case] = remark
        result.note = "; ".join([*notes, remark] if remark else notes)

    def _remark(self, result: Result, today: datetime.date) -> str:
        entry = self.of(result)
        if entry is None or result.verdict is Verdict.NOT_APPLICABLE:
            return ""
        about = str(entry).replace("; ", ", ")
        if not entry.explains(result):
            if result.verdict is Verdict.PASS and (entry.sometimes or is_rule(result.case)):
                return ""
            return f"known as {entry.verdict.value} ({about}), but came to {result.verdict.value}"
        if entry.expires is not None and entry.expires < today:
            return f"expired: known until {entry.expires} ({about})"
        result.known = str(entry)
        return f"known deviation: {about}"

    def _names(self, result: Result) -> set[str]:
        """Return the ids by which an entry may name a result."""
        return {
            result.case,
            variant_of(result.case),
            case_name(result.case),
            *self.forms(result.case),
            *result.requirements,
        }

    def verdicts(self, results: Sequence[Result], *, partial: bool) -> list[Result]:
        """Return a failure for each id that should have failed and passed, or that was not judged any more.

        `partial`: only a part of the suite was executed, so that nobody knows what has vanished, and of an id that
        stands for several variants whether all of them pass.
        """
        found = []
        named: dict[str, list[Result]] = {identifier: [] for identifier in self._naming}
        for result in results if named else ():
            if result.verdict is not Verdict.NOT_APPLICABLE:
                for identifier in self._names(result) & named.keys():
                    named[identifier].append(result)
        for entry in self.entries:
            for identifier in entry.ids:
                judged = named[identifier]
                may_pass = entry.sometimes or is_rule(identifier)  # a rule sees what the cases happen to show
                if partial and not any(r.case == identifier for r in judged):
                    continue  # the variants that fail may be among those that were not selected
                if judged and all(r.verdict is Verdict.PASS for r in judged) and not may_pass:
                    found.append(_wrong(identifier, f"unexpected pass: it is known as {entry.verdict.value} ({entry})"))
                elif not judged and not partial:
                    found.append(_wrong(identifier, f"vanished: no case of this name was judged ({entry})"))
        return found

    def other_causes(self, results: Sequence[Result], causes: Mapping[str, str]) -> list[Result]:
        """Return a failure for each entry whose cases fail as known, but not all of them by the cause that it names.

        `causes` has the cause of each variant on its own, without what is known of it.
        """
        found = []
        for entry in self.entries:
            if not entry.cause:
                continue
            of_entry = [(r, causes.get(r.case, "")) for r in results if r.known and self.of(r) is entry]
            others = {cause: result.case for result, cause in reversed(of_entry) if cause != entry.cause}
            if not others:
                continue
            stays = any(cause == entry.cause for _, cause in of_entry)
            new = ", ".join(f"{cause} in {case}" for cause, case in sorted(others.items()))
            how = "in addition to" if stays else "instead of"
            found.append(_wrong(entry.ids[0], f"{OTHER_CAUSE}: {new}, {how} {entry.cause} ({entry})"))
        return found


def counts(results: Iterable[Result]) -> dict[str, int]:
    """Return how many results are new, known, expired, unexpected passes and vanished; and other causes, if any."""
    found: Counter[str] = Counter()
    for result in results:
        if result.section == SECTION:
            found[result.reason.partition(":")[0]] += 1
        elif result.known:
            found["known"] += 1
        elif "expired: known until" in result.note:
            found["expired"] += 1
        elif result.verdict in _VERDICTS.values():
            found["new"] += 1
    always = ("new", "known", "unexpected pass", "expired", "vanished")
    return {name: found[name] for name in (*always, OTHER_CAUSE) if name in always or found[name]}


def in_words(numbers: dict[str, int]) -> str:
    """Return the counts in one line."""
    plural = {"unexpected pass": "unexpected passes", OTHER_CAUSE: "other causes"}
    return ", ".join(f"{n} {plural.get(name, name) if n != 1 else name}" for name, n in numbers.items())


def read(path: Path) -> Expectations:
    """Read a file. Raises `ExpectationError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectationError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return Expectations(parse(text, str(path)))


def parse(text: str, name: str = "expectations") -> list[Deviation]:
    """Return the entries of a file's text. Raises `ExpectationError`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExpectationError(f"{name}: {error}") from None
    entries = table.pop("deviation", [])
    if table or not isinstance(entries, list):
        raise ExpectationError(f"{name}: only [[deviation]] tables are known, not {next(iter(table), 'deviation')}")
    return [_deviation(entry, f"{name}, deviation {number}") for number, entry in enumerate(entries, start=1)]


def _deviation(entry: dict[str, Any], where: str) -> Deviation:
    unknown = set(entry) - _KEYS
    if unknown:
        raise ExpectationError(f"{where}: unknown key {min(unknown)}; known: {', '.join(sorted(_KEYS))}")
    ids, verdict, expires = entry.get("cases"), entry.get("verdict", "fail"), entry.get("expires")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise ExpectationError(f"{where}: cases must be a list of ids")
    if verdict not in _VERDICTS:
        raise ExpectationError(f"{where}: verdict must be one of {', '.join(_VERDICTS)}, not {verdict!r}")
    if isinstance(expires, str):
        try:
            expires = datetime.date.fromisoformat(expires)
        except ValueError:
            raise ExpectationError(f"{where}: expires must be a date such as 2027-03-01, not {expires!r}") from None
    if expires is not None and type(expires) is not datetime.date:
        raise ExpectationError(f"{where}: expires must be a date such as 2027-03-01")
    reason = str(entry.get("reason", entry.get("evidence", "")))
    if not reason:
        raise ExpectationError(f"{where}: reason is missing")
    texts: dict[str, Any] = {name: str(entry.get(name, "")) for name in ("link", "owner", "message", "cause")}
    flags: dict[str, Any] = {name: bool(entry.get(name, False)) for name in _FLAGS}
    if flags["consequences"] and not all(map(is_rule, ids)):
        raise ExpectationError(f"{where}: consequences are of rules of the judge, not of {min(ids, key=is_rule)}")
    return Deviation(tuple(ids), _VERDICTS[verdict], reason, expires=expires, **flags, **texts)


def _wrong(identifier: str, reason: str) -> Result:
    return Result(
        case=f"{SECTION}/{identifier}",
        title="a known failure that no longer occurs",
        section=SECTION,
        requirements=(),
        level=Level.MUST,
        verdict=Verdict.FAIL,
        reason=reason,
    )
