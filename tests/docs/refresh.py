"""Writes the excerpts of code in the documents anew: `python tests/docs/refresh.py`."""

from __future__ import annotations

from docs_reading import DOCUMENTS, ROOT, blocks, excerpt


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


if __name__ == "__main__":
    main()
