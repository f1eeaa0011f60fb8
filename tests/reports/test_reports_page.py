"""report.html: what it holds, that text from outside stays text, that it is made and opened quickly."""

from __future__ import annotations

import base64
import json
import random
import re
import time
import zlib
from urllib.parse import quote

import msgspec
import pytest
from browser import CHROMIUM, Browser
from lxml import etree, html

from conformance.catalogue import REQUIREMENTS
from conformance.run import pages
from conformance.verdict import Breach, Level, Result, Verdict
from conformance.wire.text import visible
from reports import causes
from reports.html.report import Contents, page, place, write
from reports.html.sequence import Exchange, Lane, Message, Step, drawing
from reports.record import RunInfo

HOSTILE = "\x1b[2J\0a\r\nRFC1-1: pass </script><script>window.bitten=1</script><svg onload='window.bitten=1'><img src=x onerror=window.bitten=1>\u202e\"'&"
TESTED = {"RFC6544-7.2-01", "RFC8445-7.2.4-02", "RFC6544-8-02"}


def run_info(**change):
    fields = {
        "iut": "a stack", "iut_version": "1.2", "command": "x", "seed": 3, "icetcp_version": "0.1", "python": "3.11", "platform": "Linux",
        "link": "lab", "started": 1_700_000_000.0, "testable": 3, "judged_requirements": 2, "requirements": len(REQUIREMENTS),
    }  # fmt: skip
    return RunInfo(**{**fields, **change})


def result(case, verdict=Verdict.PASS, **change):
    fields = {
        "case": case, "title": case, "section": case.partition("/")[0], "requirements": ("RFC6544-7.2-01",), "level": Level.MUST,
        "verdict": verdict, "started": 1_700_000_001.0, "duration": 0.25, "repeat": f"icetcp run --case '{case}'", "seed": 3,
    }  # fmt: skip
    return Result(**{**fields, **change})


def exchange(text="Binding request", bad=""):
    lane = Lane(
        f"tester {text}", "IUT 127.0.0.1:9", "TCP", [Step(0.0, True, text, text, 3, 2, offending=bad, link=0)], [text]
    )
    said = visible(text)
    message = Message(said, "0001ff", 3, [[0, 2, "LENGTH", said, bool(bad)], [2, 1, said, said, False]])
    return msgspec.json.encode(Exchange([drawing(lane)], [message]))


def contents(results, folder, **change):
    found = causes.find(results, REQUIREMENTS)
    fields = {"run": run_info(), "causes": found, "requirements": pages.asked(TESTED), "folder": folder}
    return Contents(results=results, **{**fields, **change})


@pytest.fixture
def failing(tmp_path):
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "a.pcapng").write_bytes(b"\x0a\x0d\x0d\x0a capture")
    (tmp_path / "a.log").write_text(f"the log says {HOSTILE}\n")
    breach = Breach(
        "RFC8445-7.2.4/judge_check_has_fingerprint",
        "RFC8445-7.2.4-02",
        "a check has a FINGERPRINT that is right",
        HOSTILE,
        "x",
        1,
    )
    results = [
        result("RFC6544-7.2/accepts[offerer]"),
        result(
            f"RFC6544-7.2/refuses[{HOSTILE}]",
            Verdict.FAIL,
            reason=HOSTILE,
            expected=HOSTILE,
            actual=HOSTILE,
            note=HOSTILE,
            broken=(breach,),
            capture="captures/a.pcapng",
            log="a.log",
            executions=(HOSTILE,),
            parameters={"x": HOSTILE},
            repeat=HOSTILE,
        ),
        result("RFC6544-8/closes", Verdict.INCONC, reason=HOSTILE, requirements=("RFC6544-8-02",), level=Level.SHOULD),
        result("RFC6544-8/known", Verdict.FAIL, requirements=("RFC6544-8-02",), known=HOSTILE),
        result("RFC6544-4.1/other", Verdict.NOT_APPLICABLE, reason="the IUT's pics lack x"),
    ]
    exchanges = {one.case: exchange(HOSTILE, HOSTILE) for one in results[:2]}
    info = run_info(
        iut=HOSTILE, iut_version=HOSTILE, scan=(HOSTILE,), incidents=(HOSTILE,), notes=(HOSTILE,), command_line=HOSTILE
    )
    return contents(
        results,
        tmp_path,
        run=info,
        exchanges=exchanges,
        purposes={"RFC6544-7.2/accepts": HOSTILE},
        changes={results[1].case: "new failure"},
        against=HOSTILE,
    )


def packed(text):
    """Return what the blocks of a page hold."""
    blocks = html.fromstring(text).xpath("//script[starts-with(@id, 'block-')]/text()")
    return [variant for block in blocks for variant in json.loads(zlib.decompress(base64.b64decode(block)))]


def test_hostile_text_is_text_everywhere(failing):
    text = page(failing)
    tree = html.fromstring(text)
    assert len([script for script in tree.iter("script") if script.get("type") is None]) == 2
    assert not tree.xpath("//img")
    assert not [element for element in tree.iter() if any(name.startswith("on") for name in element.attrib)]
    assert not re.search("[\0-\x08\x0b-\x1f\u202e]", text)
    for variant in packed(text):
        assert not re.search("[\0-\x08\x0b-\x1f\u202e]", json.dumps(variant, ensure_ascii=False).replace("\\n", ""))
        for drawn in (variant["exchange"] or {"drawings": []})["drawings"]:
            svg = etree.fromstring(drawn)
            assert {etree.QName(element).localname for element in svg.iter()} <= {"svg", "text", "path", "rect", "g"}


def test_causes_lead_the_most_basic_first_with_paraphrase_place_and_number(failing):
    tree = html.fromstring(page(failing))
    views = tree.xpath("//main/section/@data-view")
    assert views[0] == "causes"
    cards = tree.xpath("//section[@data-view='causes']/article")
    assert [card.get("data-cause") for card in cards] == [cause.id for cause in failing.causes]
    first = next(card for card in cards if card.get("data-cause") == "RFC8445-7.2.4-02")
    text = first.text_content()
    assert REQUIREMENTS["RFC8445-7.2.4-02"].text in text
    assert "RFC 8445, section 7.2.4, normative sentence 2" in text
    assert first.xpath(".//details//svg")
    assert first.xpath(".//a/@href")[-1].startswith("#variant/")


def test_summary_counts_what_was_judged_by_level_and_section(failing):
    tree = html.fromstring(page(failing))
    tables = {table.findtext("caption"): table for table in tree.iter("table")}
    must = tables["By level"].xpath(".//tbody/tr")[0]
    cells = [cell.text_content().strip() for cell in must]
    total = sum(entry.level is Level.MUST for entry in REQUIREMENTS.values())
    assert cells[:5] == ["MUST", str(total), "2", "1", "50 %"]
    rows = {
        row[0].text_content().strip(): [cell.text_content().strip() for cell in row[1:]]
        for row in tables["By RFC and section"].xpath(".//tbody[1]/tr")
    }
    assert rows["7.2"][1:4] == ["1", "1", "100 %"]
    assert rows["7.2"][5] == "1"


def test_every_requirement_has_paraphrase_place_verdict_and_cases(failing):
    tree = html.fromstring(page(failing))
    rows = {row.get("id"): row for row in tree.xpath("//li[starts-with(@id, 'r-')]")}
    assert rows.keys() == {f"r-{name}" for name in REQUIREMENTS}
    for name, entry in REQUIREMENTS.items():
        text = " ".join(rows[f"r-{name}"].text_content().split())
        assert " ".join(entry.text.split()) in text
        assert place(name) in text
    row = rows["r-RFC6544-7.2-01"]
    assert row.get("data-verdict").split()[0] == "fail"
    assert any(link.text.startswith("RFC6544-7.2/accepts") for link in row.xpath(".//a"))
    assert "untestable" in {row.get("data-verdict") for row in rows.values()}


def test_every_variant_has_its_evidence(failing):
    text = page(failing)
    variants = {row.xpath("./a")[0].text: row for row in html.fromstring(text).xpath("//ul[@id='variant-list']/li")}
    assert len(variants) == len(failing.results)
    bad = next(variant for variant in packed(text) if variant["cause"] == "RFC8445-7.2.4-02")
    assert bytes.fromhex(bad["capture"]) == b"\x0a\x0d\x0d\x0a capture"
    assert bad["log"].startswith("the log says ")
    assert {"expected", "actual", "reason", "repeat", "purpose", "exchange", "broken"} <= bad.keys()
    assert next(row for name, row in variants.items() if "refuses" in name).get("data-change") == "new_failure"


@pytest.mark.parametrize(
    ("identifier", "where"),
    [
        ("RFC6544-7.2-03", "RFC 6544, section 7.2, normative sentence 3"),
        ("RFC8489-6.3.1-s01", "RFC 8489, section 6.3.1, statement 1 without a key word"),
    ],
)
def test_place_in_the_rfc(identifier, where):
    assert place(identifier) == where


def many(count, folder):
    chosen = random.Random(1)
    names = list(REQUIREMENTS)
    results = []
    for number in range(count):
        name = names[number % len(names)]
        verdict = chosen.choices([Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.NOT_APPLICABLE], [80, 8, 4, 8])[0]
        case = f"{name.rpartition('-')[0]}/a_case_with_a_name_of_usual_length_{number // 6}[offerer-IPv6-cut-{number}]"
        reason = (
            ""
            if verdict is Verdict.PASS
            else f"a Binding success response did not come: nothing within {number % 40} s"
        )
        results.append(result(case, verdict, requirements=(name,), reason=reason))
    step = [
        Step(float(n), bool(n % 2), f"Binding request {n:08x}", "USERNAME=aaaa:bbbb, PRIORITY=1", 104, link=n)
        for n in range(14)
    ]
    drawn = drawing(Lane("tester 127.16.0.1:40001", "IUT 127.0.0.1:33001", "TCP", step))
    exchanges = {}
    for one in results:
        messages = [
            Message(
                "Binding request",
                chosen.randbytes(104).hex(),
                104,
                [[n * 4, 4, "USERNAME", "x" * 20, False] for n in range(10)],
            )
            for _ in step
        ]
        exchanges[one.case] = msgspec.json.encode(Exchange([drawn], messages))
    return contents(results, folder, exchanges=exchanges)


def test_page_takes_time_in_proportion_to_the_variants(tmp_path):
    def seconds(made):
        begun = time.process_time()
        page(made)
        return time.process_time() - begun

    small, large = many(600, tmp_path), many(2400, tmp_path)
    page(small)
    one = min(seconds(small) for _ in range(2))
    assert seconds(large) < 4 * one * 2  # and not 16 times


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with Browser() as opened:
        opened.size(1280, 900)
        yield opened


def test_2000_variants_open_in_under_a_second(tmp_path, browser):
    made = many(2000, tmp_path)
    write(made)
    spent = []
    for _ in range(3):
        browser.open("about:blank")
        before = browser.seconds()
        browser.open((tmp_path / "report.html").as_uri())
        spent.append(browser.seconds() - before)
    assert min(spent) < 1
    assert browser.said() == []
    case = made.results[-1].case
    before = browser.seconds()
    browser.evaluate(f"location.hash = '#variant/{quote(case, safe='')}'")
    browser.until("document.getElementById('one-variant').dataset.shown")
    assert browser.seconds() - before < 1
    assert browser.evaluate("document.querySelectorAll('#one-variant svg.sequence').length") == 1


def test_hostile_variant_shows_and_nothing_of_it_runs(failing, browser):
    path = write(failing)
    browser.open(path.as_uri())
    case = browser.evaluate(
        "[...document.querySelectorAll('#variant-list a')].find((a) => a.textContent.includes('refuses')).getAttribute('href')"
    )
    browser.evaluate(f"location.hash = {json.dumps(case)}")
    browser.until("document.getElementById('one-variant').dataset.shown")
    text = browser.evaluate("document.getElementById('one-variant').textContent")
    assert "</script><script>window.bitten=1</script>" in text
    assert "the log says" in text
    assert browser.evaluate("document.querySelectorAll('#one-variant .message.bad[open] tr.offending').length") == 1
    assert browser.evaluate("window.bitten === undefined")
    assert browser.evaluate("document.querySelectorAll('#one-variant img').length") == 0
    assert browser.said() == []


def test_filters_are_part_of_the_fragment_and_the_keyboard_reaches_messages(failing, browser):
    path = write(failing)
    browser.open("about:blank")
    browser.open(f"{path.as_uri()}#variants?verdict=fail&change=new_failure")
    shown = "[...document.querySelectorAll('#variant-list > li:not([hidden])')].length"
    assert browser.evaluate(shown) == 1
    assert browser.evaluate("document.querySelector('[data-view=variants]').hidden") is False
    browser.evaluate("document.querySelector('[data-view=variants] [name=change]').value = '',"
                     "document.querySelector('[data-view=variants] form').dispatchEvent(new Event('input'))")  # fmt: skip
    assert browser.evaluate("location.hash") == "#variants?verdict=fail"
    browser.evaluate(
        "location.hash = document.querySelector('#variant-list > li:not([hidden]) a').getAttribute('href')"
    )
    browser.until("document.getElementById('one-variant').dataset.shown")
    browser.evaluate("document.querySelector('#one-variant [data-message]').focus()")
    for kind in ("rawKeyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13)
    assert browser.evaluate("document.activeElement.tagName") == "SUMMARY"
    browser.evaluate("location.hash = '#requirements/RFC6544-7.2-01'")
    browser.until("document.activeElement.id === 'r-RFC6544-7.2-01'")
