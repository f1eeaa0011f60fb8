"""Text that came from outside, made safe to show: nothing in it moves a cursor, ends a line or turns its direction."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Return text on one line whose every character shows; what does not, a blank apart, is escaped as in Python.

    Idempotent, so that text may pass through it more than once: a backslash of the text's own stays as it is.
    """
    if text.isprintable():  # nearly always
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
