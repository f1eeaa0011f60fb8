"""Pages of HTML, each one file that needs no network: the templates, and what they have in common.

A page extends `base.html.j2` and takes its parts from `components.html.j2`. Text from outside is escaped twice:
first what does not show is made visible, then Jinja escapes what HTML would read as markup. The page's security policy
names the hash of its own script, so that no other script runs, and forbids every request.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from conformance.wire.text import visible
from reports.html.sequence import svg

if TYPE_CHECKING:
    from pathlib import Path

    import jinja2

_FIRST = 'document.documentElement.className = "js"'  # before anything is drawn: views but the first are not drawn then
_MINIFIED = re.compile(r"^\s+|\s*/\*.*?\*/", re.MULTILINE)


def render(template: str, scripts: tuple[str, ...] = (), **context: Any) -> str:
    """Return a page. `scripts` are files of the templates' folder that the page needs in addition to `page.js`."""
    text = "".join(f"(() => {{\n{_file(name)}\n}})();\n" for name in ("page.js", *scripts))
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (_FIRST, text)]
    style = _MINIFIED.sub("", _file("style.css"))
    ours = {"script": Markup(text), "first": Markup(_FIRST), "style": Markup(style)}  # noqa: S704  (our own files)
    return environment().get_template(template).render(**ours, script_hashes=digests, **context)


def part(template: str, macro: str, *arguments: Any) -> Markup:
    """Return what a macro makes."""
    made: Markup = getattr(environment().get_template(template).module, macro)(*arguments)
    return made


def write(path: Path, page: str) -> None:
    """Write a page. Raises `OSError`."""
    path.write_text(page, encoding="utf-8", errors="backslashreplace")


@functools.cache
def environment() -> jinja2.Environment:
    """Return where the templates are found, with the filters that they use."""
    import jinja2  # 0.1 s: only for those who write a page

    found = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["svg"] = svg
    found.filters["trusted"] = Markup  # text of our own making, every part of which was escaped when it was made
    found.filters["plural"] = plural
    found.filters["slug"] = slug
    return found


def shown(value: Any) -> Any:
    """Return text whose every character shows; line ends stay. What is markup already stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return value if value.isprintable() else "\n".join(map(visible, value.split("\n")))


def plural(count: int, noun: str) -> str:
    """Return "1 case" or "2 cases"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def slug(text: str) -> str:
    """Return text that can be part of an element's id and of a class."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text)


@functools.cache
def _file(name: str) -> str:
    return resources.files("reports.html").joinpath("templates", name).read_text(encoding="utf-8")
