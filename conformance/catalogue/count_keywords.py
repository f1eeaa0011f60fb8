"""Finds the key words of RFC 2119 in an RFC's text, section by section and sentence by sentence.

    python -m conformance.catalogue.count_keywords rfc6544.txt rfc4571.txt ... > conformance/catalogue/keywords.csv

The table is committed. Tests compare the catalogue with it, so that no normative sentence is forgotten.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_KEYWORD = re.compile(
    r"\b(MUST NOT|MUST|REQUIRED|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|MAY|OPTIONAL)\b"
)
_HEADING = re.compile(r"(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)\.?  ?\S")
_PAGE_FOOT = re.compile(r"^\S.*\[Page \d+\]$")
_PAGE_HEAD = re.compile(r"^RFC \d+ .*\d{4}$")
_BULLET = re.compile(r"^\s+(?:o|\*|-|\d+\.)\s+")
_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)(?<!etc\.)\s+(?=[A-Z\"(])")
_BOILERPLATE = re.compile(r"key words .*MUST.* (?:interpreted|described)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that holds key words, in reading order, with all of them."""

    section: str
    text: str
    keywords: tuple[str, ...]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield number and text of each section of an RFC's body; its front matter and contents are left out."""
    number, lines = "", list[str]()
    for line in _body(text):
        match = _HEADING.match(line)
        if match:
            if number:
                yield number, "\n".join(lines)
            number, lines = match[1], []
        elif number:
            lines.append(line)
    if number:
        yield number, "\n".join(lines)


def _body(text: str) -> Iterator[str]:
    """Yield the lines without page heads and feet."""
    for line in text.replace("\f", "\n").splitlines():
        if not _PAGE_FOOT.match(line) and not _PAGE_HEAD.match(line):
            yield line.rstrip()


def sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences with key words of an RFC, but for the one that introduces the key words themselves."""
    for number, body in sections(text):
        for sentence in _split(body):
            keywords = tuple(_KEYWORD.findall(sentence))
            if keywords and not _BOILERPLATE.search(sentence):
                yield Sentence(number, sentence, keywords)


def _split(body: str) -> Iterator[str]:
    """Yield sentences; a page break inside one leaves no gap, a bullet begins a new one."""
    block: list[str] = []
    for line in [*body.splitlines(), ""]:
        if _BULLET.match(line) and block:
            yield from _sentences_of(block)
            block = []
        if line.strip():
            block.append(line.strip())
        elif block and re.search(r"[.:!?)\"]$", block[-1]):
            yield from _sentences_of(block)
            block = []
    yield from _sentences_of(block)


def _sentences_of(block: Iterable[str]) -> list[str]:
    return _END.split(" ".join(block))


def table(rfc: str, text: str) -> list[tuple[str, str, int, str]]:
    """Return a row for each normative sentence: RFC, section, its ordinal in the section, its key words."""
    ordinals: Counter[str] = Counter()
    rows = []
    for sentence in sentences(text):
        ordinals[sentence.section] += 1
        rows.append((rfc, sentence.section, ordinals[sentence.section], "+".join(sentence.keywords)))
    return rows


def write(paths: Sequence[str], out: TextIO, *, show: bool = False) -> None:
    """Write the table of several RFC texts, or with `show` the sentences themselves for a person to read."""
    writer = csv.writer(out, lineterminator="\n")
    if not show:
        writer.writerow(("rfc", "section", "sentence", "keywords"))
    for path in paths:
        name = Path(path).stem.upper()
        text = Path(path).read_text(encoding="utf-8")
        if show:
            shown = zip(table(name, text), sentences(text), strict=True)
            out.writelines(f"{name}-{row[1]}-{row[2]:02} {row[3]}: {sentence.text}\n" for row, sentence in shown)
        else:
            writer.writerows(table(name, text))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--show"]
    if not arguments:
        sys.exit("usage: python -m conformance.catalogue.count_keywords [--show] RFC_TEXT...")
    write(arguments, sys.stdout, show="--show" in sys.argv)
