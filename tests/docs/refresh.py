"""Writes the excerpts of code, the list of stacks and the manual page anew: `python tests/docs/refresh.py`."""

from __future__ import annotations

import docs_manual
from docs_manual import PAGE
from docs_reading import DOCUMENTS, ROOT, blocks, excerpt

from conformance.commands.stacks_document import written


def main() -> None:
    """Replace each excerpt that has a name by what its file says now."""
    for document in DOCUMENTS:
        text = before = document.read_text(encoding="utf-8")
        for block in blocks(document):
            file, _, name = (block.clause("in") or "").partition(" ")
            if name:
                fence = f"```{block.language}\n"
                text = text.replace(f"{fence}{block.text}\n```", f"{fence}{excerpt(ROOT / file, name)}\n```")
        if text != before:
            document.write_text(text, encoding="utf-8")
            print(f"{document.relative_to(ROOT)} is written anew")
    stacks = ROOT / "docs" / "stacks.md"
    before = stacks.read_text(encoding="utf-8")
    if before != written(before):
        stacks.write_text(written(before), encoding="utf-8")
        print("docs/stacks.md is written anew")
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != docs_manual.written():
        PAGE.write_text(docs_manual.written(), encoding="utf-8")
        print("docs/icetcp.1 is written anew")


if __name__ == "__main__":
    main()
