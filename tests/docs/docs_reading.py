"""Reads the project's Markdown: its code blocks, each with what the comment before it asks of the test, and its inline code.

A block of shell commands is executed, command by command, unless a comment directly before it says otherwise. A comment is
`<!-- test: CLAUSE; CLAUSE -->`, and may run over several lines. The clauses:

    sub TEXT => TEXT    replace this in the commands: the short form of one that takes long, a tool that may be absent
    exit 0 1            the exit status of each command (all 0 if left out)
    output              the block is `$ COMMAND` and lines of its output: each of them must come, times and ports apart
    in FILE [NAME]      the block stands in this file as it is; NAME: it is this function, class or catalogue entry, and
                        `python tests/docs/refresh.py` writes the block anew when the code has changed
    parse REASON        the commands are not executed: their options and names are checked
    prose REASON        it is no program; the reason says what it is
"""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    file
    for place in (".", "docs", "conformance", "fuzz", "pcaps", "reports", "tests")
    for file in (ROOT.glob("*.md") if place == "." else (ROOT / place).rglob("*.md"))
)
_COMMENT = re.compile(r"<!--\s*test:(.*?)-->", re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SHELL = ("sh", "indented")


@dataclass(frozen=True)
class Block:
    """A code block: where it begins, its language ("indented" if it has no fence), its text and the test's clauses."""

    document: Path
    line: int
    language: str
    text: str
    clauses: tuple[str, ...] = ()
    replaced: tuple[tuple[str, str], ...] = field(init=False)
    statuses: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        subs = [clause[4:].split("=>", 1) for clause in self.clauses if clause.startswith("sub ")]
        object.__setattr__(self, "replaced", tuple((old.strip(), new.strip()) for old, new in subs))
        exits = [clause.split()[1:] for clause in self.clauses if clause.startswith("exit ")]
        object.__setattr__(self, "statuses", tuple(int(status) for status in exits[0]) if exits else ())

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    def clause(self, name: str) -> str | None:
        """Return what follows this word in its clause, or None."""
        for clause in self.clauses:
            if clause == name or clause.startswith(f"{name} "):
                return clause[len(name) :].strip()
        return None

    def commands(self) -> list[str]:
        """Return the commands as printed, without comments; a backslash at a line's end joins it with the next."""
        text = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in (_uncommented(line) for line in text.splitlines()) if line]

    def executed(self) -> list[str]:
        """Return the commands with the replacements made; each replacement must change something."""
        commands = self.commands()
        for old, new in self.replaced:
            assert any(old in command for command in commands), f"{self}: there is no {old!r} to replace"
            commands = [command.replace(old, new) for command in commands]
        return commands


def _uncommented(line: str) -> str:
    lexer = shlex.shlex(line, posix=False, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    for word in lexer:
        if word.startswith("#"):
            break
        words.append(word)
    return " ".join(words)


def blocks(document: Path) -> list[Block]:
    """Return a document's code blocks in order."""
    lines = document.read_text(encoding="utf-8").splitlines()
    found, number = [], 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("```"):
            end = next(i for i in range(number + 1, len(lines)) if lines[i].startswith("```"))
            language = line[3:].strip() or "text"
            found.append(_block(document, lines, number, language, "\n".join(lines[number + 1 : end])))
            number = end + 1
        elif line.startswith("    ") and not (number and lines[number - 1].strip()):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = textwrap.dedent("\n".join(lines[number:end])).strip("\n")
            found.append(_block(document, lines, number, "indented", text))
            number = end
        else:
            number += 1
    return found


def _block(document: Path, lines: list[str], number: int, language: str, text: str) -> Block:
    before = "\n".join(lines[:number]).rstrip()
    clauses: tuple[str, ...] = ()
    while before.endswith("-->"):
        start = before.rindex("<!--")
        comment = _COMMENT.fullmatch(before[start:])
        if comment:
            clauses = tuple(" ".join(clause.split()) for clause in comment[1].split(";"))
        before = before[:start].rstrip()
    return Block(document, number + 1, language, text, clauses)


def excerpt(file: Path, name: str) -> str:
    """Return the source of a definition with its decorators, or of the call that has this text as its first argument."""
    text = file.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        elif isinstance(node, ast.Call) and node.args and getattr(node.args[0], "value", None) == name:
            return textwrap.dedent(" " * node.col_offset + (ast.get_source_segment(text, node) or ""))
        else:
            continue
        lines = text.splitlines()[first - 1 : node.end_lineno]
        return textwrap.dedent("\n".join(lines))
    raise LookupError(f"{file.relative_to(ROOT)} has no {name}")


def inline(document: Path) -> Iterator[tuple[int, str]]:
    """Return the inline code of a document with the line that it stands in."""
    fenced = False
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            yield from ((number, code) for code in _INLINE.findall(line))


def links(document: Path) -> Iterator[str]:
    """Return where a document's links lead."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
