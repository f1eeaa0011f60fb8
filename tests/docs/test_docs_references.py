"""What the documents name exists: files, modules, commands and their options, cases, requirements, links and headings."""

from __future__ import annotations

import re

import pytest
from docs_names import checked, module
from docs_reading import DOCUMENTS, ROOT, inline, links

from conformance import catalogue

LIVING = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]  # which speaks of what has been
TOP = ("conformance/", "tests/", "pcaps/", "fuzz/", "docs/", "reports/", ".ci/", "tox.ini", "pyproject.toml")
WRITTEN = ("reports/run", "reports/mutants", "reports/fuzz", "reports/mine", "reports/libnice", "reports/icetcp")
_MODULE = re.compile(r"(?:conformance|pcaps|fuzz|reports)(?:\.\w+)+\Z")
_REQUIREMENT = re.compile(r"RFC\d{4}-[\d.]+-s?\d\d\b")

named = pytest.mark.parametrize("document", LIVING, ids=lambda path: path.relative_to(ROOT).as_posix())


@named
def test_files_exist(document):
    missing = [
        (line, code)
        for line, code in inline(document)
        if code.startswith(TOP) and re.fullmatch(r"[\w./*-]+", code) and not code.startswith(WRITTEN)
        if not list(ROOT.glob(code.rstrip("/")))
    ]
    assert not missing


@named
def test_modules_exist(document):
    missing = [(line, code) for line, code in inline(document) if _MODULE.match(code) and not code.endswith(".py")]
    assert not [(line, code) for line, code in missing if not module(code)]


@named
def test_commands_and_what_they_select_exist(document):
    for line, code in inline(document):
        if re.match(r"(icetcp|tox|pytest|python3?) \S", code):
            try:
                checked(code)
            except Exception as error:
                raise AssertionError(f"{document.name}:{line}: `{code}`: {error}") from error


@named
def test_requirements_exist(document):
    known = {*catalogue.REQUIREMENTS}
    assert not set(_REQUIREMENT.findall(document.read_text(encoding="utf-8"))) - known


@named
def test_links_lead_somewhere(document):
    for link in links(document):
        if link.startswith(("http:", "https:")):
            continue
        path, _, heading = link.partition("#")
        target = document if not path else document.parent / path
        assert target.exists(), f"{document.name}: {link}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
            assert heading in anchors, f"{document.name}: {link}"


def test_no_document_is_overlooked():
    folders = {".venv", ".tox", "node_modules", ".git", ".pytest_cache", "build", "dist"}
    every = {path for path in ROOT.rglob("*.md") if not folders & set(path.relative_to(ROOT).parts)}
    assert every == set(DOCUMENTS)
