"""Text from the wire is shown as text: no control character, no line end, no change of direction gets through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wire.text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ä ö ü", "plain text, ä ö ü"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\r\nb\0", "a\\r\\nb\\x00"),
        ("\u202eback\u2028", "\\u202eback\\u2028"),
        ("\x9b31m\x7f\x85", "\\x9b31m\\x7f\\x85"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_does_not_show_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_any_text(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(character)[0] in "CZ" and character != " " for character in shown)
    assert visible(shown) == shown
    assert shown.encode().decode() == shown
