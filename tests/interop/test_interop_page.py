"""interop.html in a browser: the table leads to its cells, a cell opens its session, and nothing asks the network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.interop import outputs, page
from conformance.interop.execution import Table
from conformance.interop.model import Cell, Facts, Kind, Outcome, Stage
from conformance.interop.plan import Contestant
from conformance.iut import stacks as known_stacks
from conformance.peer.lab import can_enter

sys.path.insert(0, str(Path(__file__).parents[1] / "reports"))
from browser import CHROMIUM, Browser

AGENT = f"exec:{sys.executable} -m conformance.agent"


@pytest.mark.timeout(200)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.skipif(can_enter() is not None, reason="the kernel refuses user and network namespaces")
def test_a_cell_opens_its_session_by_mouse_and_keyboard(tmp_path) -> None:
    stacks = {"good": Contestant("good", AGENT), "bad": Contestant("bad", f"{AGENT} --fault response-with-username")}
    found = []
    Table(tmp_path, stacks).run([Cell("good", "bad"), Cell("bad", "good")], 2, found.append)
    outputs.write(tmp_path, found, stacks, "icetcp interop", interrupted=False)
    with Browser() as browser:
        for dark in (False, True):
            browser.size(1200, 900, dark=dark)
            browser.open((tmp_path / "interop.html").as_uri())
            shown = "document.querySelector('section[data-view={}]').getBoundingClientRect().height > 0"
            assert browser.evaluate(shown.format("table"))
            assert not browser.evaluate(shown.format("cells"))
            browser.evaluate("document.querySelector('td a').focus()")
            for kind in ("keyDown", "keyUp"):
                text = {"text": "\r"} if kind == "keyDown" else {}
                browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, **text)
            browser.until(shown.format("cells"))
            assert (
                browser.evaluate("document.querySelector('#cells, form.filters output').textContent") == "1 of 2 cells"
            )
            browser.evaluate("document.querySelector('#cell-list li:not([hidden]) a').click()")
            browser.until("document.querySelector('#one-cell svg')")
            assert browser.evaluate(shown.format("cell"))
            assert browser.evaluate("document.activeElement.id") == "h-cell"
            text = browser.evaluate("document.getElementById('one-cell').textContent")
            assert "RFC8489-9.1.3-12" in text
            assert "✓ media" in text
            assert "opened by good" in text or "opened by bad" in text, "stacks have names of their own"
            assert "offer.sdp" in text
            assert browser.evaluate("document.querySelectorAll('#one-cell details.message').length") > 3
            assert browser.said() == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_table_of_all_stacks_fits_on_a_screen(tmp_path) -> None:
    stacks = {name: Contestant(name, AGENT) for name in known_stacks.names()}
    cells = [Cell(one, other) for one in stacks for other in stacks]
    outcomes = [Outcome(cell, Facts(), Stage.DESCRIBED, Kind.LAWFUL, "both lawful") for cell in cells]
    (tmp_path / "interop.html").write_text(page.page(outcomes, stacks, tmp_path, "0"))
    with Browser() as browser:
        browser.size(1400, 900)
        browser.open((tmp_path / "interop.html").as_uri())
        assert browser.evaluate("(table => table.scrollWidth <= table.clientWidth)(document.querySelector('.scroll'))")
