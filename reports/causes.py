"""Why variants did not pass: all non-passes of a run, grouped by cause, the most basic cause first.

The cause of a variant is, in this order,

1. the earliest rule of the judge that the case's own capture breaks: whatever the case asked, that went wrong before;
2. if the case failed: the requirement that it tests. Of several it is the one of whose variants most failed;
3. if the case could not be judged: the failure of another case with the same symptom, such as an answer that did not
   come in both. If there is none, the precondition that failed, in the case's own words; but if one thing alone is
   known to be wrong in a run, that is the cause.

A known failure belongs to the cause that its entry in the file of known failures names.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from conformance.verdict import Breach, Result, Verdict, case_name, is_rule
from reports.reach import general

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.verdict import Level

_NON_PASSES = (Verdict.FAIL, Verdict.INCONC, Verdict.ERROR)
_BASIC = (  # what stands on nothing before what stands on it; the longest beginning of an id counts
    ("RFC4571-2", "RFC6544-7.1-03", "RFC6544-7.2-03", "RFC4571-8"),
    ("RFC8489-5", "RFC8489-14", "RFC8489-6.2", "RFC8489-6.3-s01"),
    ("RFC8839", "RFC6544-4", "RFC6544-5", "RFC8445-5", "RFC3264", "RFC4145", "RFC4571-4"),
    ("RFC6544-7.2-01", "RFC6544-7.2-02", "RFC6544-7.2-04", "RFC6544-3"),
    ("RFC6544-6", "RFC6544-7.1", "RFC6544-7", "RFC6544-12-03", "RFC8445-6.1.2", "RFC8445-6.1.4"),
    ("RFC8445-7.1", "RFC8445-7.2", "RFC8445-16", "RFC8445-6.1.1"),
    ("RFC6544-7.2", "RFC8489-6.3", "RFC8489-9", "RFC8445-7.3", "RFC8445-7"),
    ("RFC6544-8", "RFC8445-8", "RFC8445-6"),
    ("RFC6544-10", "RFC6544-12", "RFC7983", "RFC5764", "RFC8445-12"),
)
_RANKS = {prefix: rank for rank, prefixes in enumerate(_BASIC) for prefix in prefixes}
_ROUTE = re.compile(r"(?:\b(?:on|from|to) )?(?:\[[0-9a-f:.]+\]|\d+(?:\.\d+){3}|ADDRESS):(?:\d+|N)(?: ?(?:->|<-) ?)?")
_DETAIL = re.compile(r"; (?:but|what came|it said) .*|: not within .*|: nothing within .*|: no connection within .*")
_ERRNO = re.compile(r"\[Errno \d+\] Connection ")
_MOST_OF_TEXT = 300


class Requirement(Protocol):
    """What is asked of a requirement of the catalogue."""

    @property
    def title(self) -> str:
        """Return what it is about."""
        ...

    @property
    def level(self) -> Level:
        """Return how strongly it is asked for."""
        ...


@dataclass(slots=True)
class Cause:
    """One thing that is wrong, with the variants that did not pass because of it.

    ``kind``: "rule" (captures break a rule of the judge), "requirement" (cases of it failed), "precondition" (cases
    could not begin) or "test system" (our own error). ``failed`` are variants that failed under `requirement`;
    ``follow`` are failures under others, ``unjudged`` variants that could not be judged. ``first`` is the variant to
    look at.
    """

    id: str
    kind: str
    requirement: str
    text: str
    first: str = ""
    known: str = ""
    level: str = ""
    failed: list[str] = field(default_factory=list)
    follow: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What it is in a line."""
        level = f" ({self.level.upper()})" if self.level else ""
        return f"{self.requirement}{level} not met: {self.text}" if self.requirement else f"{self.kind}: {self.text}"

    @property
    def variants(self) -> list[str]:
        """All variants that did not pass because of it."""
        return [*self.failed, *self.follow, *self.unjudged]

    @property
    def more(self) -> int:
        """How many variants follow from it, in addition to those that fail under its own requirement."""
        return len(self.follow) + len(self.unjudged) if self.failed else len(self.variants) - 1

    def data(self) -> dict[str, Any]:
        """Return it for the record."""
        return asdict(self)


def of_data(data: Iterable[dict[str, Any]]) -> list[Cause]:
    """Return the causes of a record."""
    return [Cause(**entry) for entry in data]


def tell(results: Iterable[Result], causes: Iterable[Cause]) -> None:
    """Note on each result the cause that it belongs to."""
    of_variant = {variant: cause.id for cause in causes for variant in cause.variants}
    for result in results:
        result.cause = of_variant.get(result.case, "")


def find(results: Sequence[Result], catalogue: Mapping[str, Requirement] | None = None) -> list[Cause]:
    """Group what did not pass, the most basic cause first; each of these results is told its cause.

    `catalogue` has the requirements by id, for their levels and titles.
    """
    bad = [r for r in results if r.verdict in _NON_PASSES and r.section != "expectations"]
    keys = _by_known(bad, _keys(bad, results))
    causes: dict[str, Cause] = {}
    for result in sorted(bad, key=lambda result: (is_rule(result.case), result.verdict is not Verdict.FAIL)):
        kind, requirement, text = keys[result.case]
        identifier = _identifier(keys[result.case])
        cause = causes.setdefault(identifier, Cause(identifier, kind, requirement, text))
        _join(cause, result)
        result.cause = identifier
    for cause in causes.values():
        cause.failed.sort(key=is_rule)
        asked = (catalogue or {}).get(cause.requirement)
        if asked is not None:
            cause.text, cause.level = cause.text or asked.title, asked.level.value
        cause.first = next((variant for variant in cause.variants if not is_rule(variant)), cause.variants[0])
    return sorted(causes.values(), key=lambda cause: (_rank(cause), -len(cause.variants), cause.id))


def each(results: Sequence[Result]) -> dict[str, str]:
    """Return the id of the cause of each variant that did not pass, without what is known of it."""
    bad = [r for r in results if r.verdict in _NON_PASSES and r.section != "expectations"]
    return {case: _identifier(key) for case, key in _keys(bad, results).items()}


def _identifier(key: _Key) -> str:
    kind, requirement, text = key
    return requirement or f"{kind.replace(' ', '-')}-{_digest(text)}"


def _join(cause: Cause, result: Result) -> None:
    own = not cause.requirement or cause.requirement in result.requirements
    if result.verdict is not Verdict.FAIL:
        cause.unjudged.append(result.case)
    elif own:
        cause.failed.append(result.case)
    else:
        cause.follow.append(result.case)
    cause.known = cause.known or result.known
    if own and not cause.level:
        cause.level = result.level.value


def in_words(cause: Cause) -> str:
    """Return how many variants a cause has cost: "3 fail, 104 more follow from it"."""
    parts = [f"{len(cause.failed)} fail{'s' if len(cause.failed) == 1 else ''}"] if cause.failed else []
    if cause.failed and cause.more:
        parts.append(f"{cause.more} more follow{'s' if cause.more == 1 else ''} from it")
    elif not cause.failed:
        parts.append(
            f"{len(cause.variants)} could not be judged" if not cause.follow else f"{len(cause.variants)} follow"
        )
    return ", ".join(parts)


# -- the cause of one variant ------------------------------------------------------------------------------------------

_Key = tuple[str, str, str]  # kind, requirement, text


def _keys(bad: Sequence[Result], results: Sequence[Result]) -> dict[str, _Key]:
    keys: dict[str, _Key] = {}
    ratio = _ratios(results)
    failing: defaultdict[str, Counter[_Key]] = defaultdict(Counter)  # by symptom
    for result in bad:
        key = _certain(result, ratio)
        if key is not None:
            keys[result.case] = key
    _sharpen(bad, keys, ratio)
    _join_alike(bad, keys)
    for result in bad:
        certain = result.case in keys  # not of what the scan finds, which has no requirement
        if certain and result.verdict is Verdict.FAIL and not is_rule(result.case) and not result.broken:
            for symptom in _symptoms(result):
                failing[symptom][keys[result.case]] += 1
    for result in bad:
        if result.case not in keys:
            keys[result.case] = _likely(result, failing)
    _join_to_the_only(keys)
    return keys


def _sharpen(bad: Sequence[Result], keys: dict[str, _Key], ratio: Mapping[str, float]) -> None:
    """Put what breaks a rule under the requirement that says it best.

    Two rules that are broken by the same deed are one cause, under the first of them. A rule is broad: if cases that
    test its requirement pass, and all those of another requirement fail with the rule broken, it is that one.
    """
    first: dict[str, _Key] = {}
    for result in sorted((r for r in bad if r.broken), key=lambda r: natural(r.broken[0].requirement)):
        first.setdefault(_deed(result.broken[0]), keys[result.case])
    rules: defaultdict[_Key, list[Result]] = defaultdict(list)
    for result in bad:
        if result.broken and result.verdict is not Verdict.ERROR:
            keys[result.case] = first[_deed(result.broken[0])]
        if result.case in keys and keys[result.case][0] == "rule":
            rules[keys[result.case]].append(result)
    for key, results in rules.items():
        better = _best(key[1], [r for r in results if r.verdict is Verdict.FAIL and not is_rule(r.case)], ratio)
        keys.update({result.case: ("rule", better, key[2]) for result in results})


def _deed(breach: Breach) -> str:
    """Return what was done, without whose address and without figures."""
    words = general(breach.reason.removeprefix(breach.agent)).split()
    return " ".join(word for word in words if not any(character.isdigit() for character in word)) or breach.rule


def _best(rule: str, failures: Sequence[Result], ratio: Mapping[str, float]) -> str:
    """Return the requirement all of whose cases fail: the first sentence of its section that they cite together."""
    own = [result for result in failures if rule in result.requirements]
    tested = own if own and ratio[rule] == 1 else failures
    firsts = Counter(r.requirements[0] for r in tested if ratio[r.requirements[0]] == 1)
    if not firsts:
        return rule
    most = max(firsts, key=lambda requirement: (firsts[requirement], requirement == rule))
    if ratio.get(rule, 1) == 1 and (not own or 2 * firsts[most] <= len(own)):
        return rule
    cited = [set(result.requirements) for result in tested if most in result.requirements]
    section = most.rpartition("-")[0]
    together = [r for r in set.intersection(*cited) if r.rpartition("-")[0] == section and ratio[r] == 1]
    return rule if rule in together else min(together, key=natural)


def _join_alike(bad: Sequence[Result], keys: dict[str, _Key]) -> None:
    """Let failures under several requirements of a section that look the same be one, under the first of them."""
    alike: defaultdict[tuple[str, str], set[_Key]] = defaultdict(set)
    for result in bad:
        key = keys.get(result.case)
        if key is not None and key[0] == "requirement":
            alike[key[1].rpartition("-")[0], _symptoms(result)[0]].add(key)
    first: dict[_Key, _Key] = {}
    for group in alike.values():
        lowest = min(group, key=lambda key: natural(key[1]))
        for key in group:
            first[key] = min(first.get(key, key), lowest, key=lambda key: natural(key[1]))
    for case, key in keys.items():
        keys[case] = first.get(key, key)


def _join_to_the_only(keys: dict[str, _Key]) -> None:
    """Let cases without a cause of their own follow from the only thing that is known to be wrong."""
    certain = {key for key in keys.values() if key[1]}
    if len(certain) == 1:
        only = next(iter(certain))
        keys.update({case: only for case, key in keys.items() if key[0] == "precondition" and not is_rule(case)})


def _certain(result: Result, ratio: dict[str, float]) -> _Key | None:
    if result.verdict is Verdict.ERROR:
        return "test system", "", general(result.reason)[:_MOST_OF_TEXT]
    if result.broken:
        breach = result.broken[0]
        return "rule", breach.requirement, breach.title
    if is_rule(result.case) and result.verdict is Verdict.FAIL:
        return "rule", result.requirements[0], result.title
    if result.verdict is Verdict.FAIL and result.requirements:
        worst = max(result.requirements, key=lambda requirement: ratio[requirement])  # the first one of equals
        return "requirement", worst, ""
    return None


def _ratios(results: Iterable[Result]) -> dict[str, float]:
    """Return which part of the judged variants of each requirement failed."""
    judged: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for result in results:
        if result.verdict in (Verdict.PASS, Verdict.FAIL) and not is_rule(result.case):
            judged.update(result.requirements)
            failed.update(result.requirements if result.verdict is Verdict.FAIL else ())
    return {requirement: failed[requirement] / count for requirement, count in judged.items()}


def _likely(result: Result, failing: dict[str, Counter[_Key]]) -> _Key:
    """Return the failure with the same symptom, else the precondition that failed."""
    own = set(result.requirements)
    for symptom in _symptoms(result):
        if symptom in failing:
            return max(failing[symptom].items(), key=lambda item: (item[0][1] in own, item[1]))[0]
    return "precondition", "", _symptoms(result)[0]


def _symptoms(result: Result) -> list[str]:
    """Return what was seen, from exact to coarse: without addresses, then without what came instead."""
    text = _ROUTE.sub("", _ERRNO.sub("", _DETAIL.sub("", general(_ROUTE.sub("ADDRESS:N ", result.reason)))))
    exact = " ".join(text.split())[:_MOST_OF_TEXT] or "no reason was given"
    missing = exact.partition(" did not come")[0]
    return [exact] if missing == exact else [exact, f"{missing.rpartition(': ')[2]} did not come"]


def _by_known(bad: Iterable[Result], keys: dict[str, _Key]) -> dict[str, _Key]:
    """Join the causes of what one entry of the known failures explains: somebody has looked at it."""
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for result in bad:
        if result.known:
            groups[result.known].append(result)
    for group in groups.values():
        named = Counter(keys[result.case] for result in group if keys[result.case][1])
        if named:
            most = min(named, key=lambda key: (-named[key], _rank_of(key[1])))
            keys.update({result.case: most for result in group})
    return keys


def _rank(cause: Cause) -> int:
    if cause.kind == "test system":
        return -1
    return _rank_of(cause.requirement) if cause.requirement else len(_BASIC) + 1


def _rank_of(requirement: str) -> int:
    """Return how basic a requirement is: 0 for framing, on which all stands."""
    name = requirement
    while name:
        if name in _RANKS:
            return _RANKS[name]
        name = max(name.rpartition("-")[0], name.rpartition(".")[0], key=len)
    return len(_BASIC)


def natural(text: str) -> list[tuple[int, int | str]]:
    """Sort 4.2 before 10.1."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def cases_of(cause: Cause) -> list[str]:
    """Return the cases of a cause's variants."""
    return list(dict.fromkeys(map(case_name, cause.variants)))
