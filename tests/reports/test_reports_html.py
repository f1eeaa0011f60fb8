"""What all pages have in common: the base template, its parts, the diagram, and that text from outside stays text."""

import base64
import hashlib
import re

import pytest
from lxml import etree, html

from reports.html import environment, plural, render, shown
from reports.html.sequence import Lane, Step, svg

HOSTILE = "\x1b[2J\0a\r\nok </script><script>alert(1)</script><svg onload=alert(1)>\u202e\" ' &"
PAGE = """{% extends "base.html.j2" %}
{% import "components.html.j2" as c %}
{% block title %}{{ text }}{% endblock %}
{% block subtitle %}<p>{{ text }}</p>{% endblock %}
{% block nav %}<li><a href="#one">One</a></li>{% endblock %}
{% block main %}
<section id="one">{{ c.filters("list", {"verdict": [text]}) }}
<ul id="list"><li data-text="{{ text }}" data-verdict="{{ text }}">{{ c.verdict("fail", text) }}</li></ul>
{{ c.facts([(text, text), ("empty", "")]) }}{{ c.bar({"pass": 3, "fail": 1}) }}
{{ c.verdict_table(text, text, [text], [(text, "#one", ["pass"]), ("plain", "", [""])]) }}
{{ c.sequence(lanes, text, text) }}{{ c.message(text, [(0, 2, text, text, True)], octets) }}</section>
{% endblock %}"""


@pytest.fixture
def page():
    lane = Lane(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        [Step(0.0, True, HOSTILE, HOSTILE, 3, 2, offending=HOSTILE, link=0)],
        [HOSTILE],
        HOSTILE,
    )
    environment().loader, former = _Both(PAGE), environment().loader
    try:
        return render("page", text=HOSTILE, lanes=[lane], octets=bytes(range(2)))
    finally:
        environment().loader = former


class _Both(type(environment().loader)):
    def __init__(self, text):
        super().__init__(lambda name: text if name == "page" else _original(name))


_original = environment().loader.load_func


def test_hostile_text_makes_no_element_and_no_control_character(page):
    tree = html.fromstring(page)
    assert len(list(tree.iter("script"))) == 2
    assert not [element for element in tree.iter() if any(name.startswith("on") for name in element.attrib)]
    assert not re.search("[\0-\x08\x0b-\x1f\u202e]", page)
    assert "\\x1b[2J\\x00a\\r" in tree.findtext(".//title")


def test_only_the_pages_own_script_may_run_and_nothing_is_requested(page):
    tree = html.fromstring(page)
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digests[0]}' 'sha256-{digests[1]}';" in policy
    assert not tree.xpath("//*[@src] | //link | //iframe | //object")
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_page_has_landmarks_and_a_way_past_them(page):
    tree = html.fromstring(page)
    assert tree.get("lang") == "en"
    assert [tree.xpath(f"count(//{name})") for name in ("header", "nav", "main", "footer", "h1")] == [1.0] * 5
    assert tree.xpath("//nav/@aria-label")
    assert tree.xpath("//a[@class='skip']/@href") == [f"#{tree.xpath('//main/@id')[0]}"]


def test_style_knows_dark_grounds_and_paper(page):
    style = html.fromstring(page).findtext(".//style")
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert "url(" not in style
    assert "@import" not in style


def test_every_control_has_a_label(page):
    tree = html.fromstring(page)
    for control in tree.xpath("//input | //select"):
        assert control.xpath("ancestor::label")
    assert tree.xpath("//form/@role") == ["search"]


def test_diagram_is_xml_with_both_sides_times_and_boundaries():
    lane = Lane(
        "tester 127.16.0.1:5",
        "IUT 127.0.0.1:9",
        steps=[
            Step(0.0, True, "SYN"),
            Step(1.25, True, "Binding request", "USERNAME=a:b", size=104, segments=3, ends=(1, 60), link=4),
            Step(1.25, True, "null frame", size=0, joined=True),
            Step(2.5, False, "Binding success", size=64, offending="FINGERPRINT is wrong"),
        ],
        offending="a nomination did not come",
    )
    tree = etree.fromstring(svg(lane))
    texts = ["".join(text.itertext()) for text in tree.iter("{*}text")]
    assert texts[:2] == ["tester 127.16.0.1:5", "IUT 127.0.0.1:9"]
    assert [text for text in texts if "." in text and text.replace(".", "").isdigit()] == ["0.000", "1.250", "2.500"]
    assert "[104] Binding request" in texts
    assert "in 3 segments, cut after octets 1, 60" in texts
    assert "✗ [64] Binding success" in texts
    assert "FINGERPRINT is wrong" in texts
    assert "✗ a nomination did not come" in texts
    assert (
        len(tree.findall(".//{*}path[@class='cut']")) == 3
    )  # two ends of segments inside a frame, one frame that joins
    assert tree.xpath("//*[@data-message]/@data-message") == ["4"]
    assert len(tree.xpath("//*[local-name()='rect'][contains(@class, 'bad')]")) == 1


def test_diagram_leaves_no_hostile_text_as_markup():
    tree = etree.fromstring(
        svg(Lane(HOSTILE, HOSTILE, HOSTILE, [Step(0.0, False, HOSTILE, HOSTILE)], [HOSTILE], HOSTILE))
    )
    assert {etree.QName(element).localname for element in tree.iter()} <= {"svg", "text", "path", "rect", "g"}


@pytest.mark.parametrize("text", ["plain", "two\nlines"])
def test_what_shows_stays(text):
    assert shown(text) == text


def test_carriage_return_shows_but_line_ends_stay():
    assert shown("a\r\nb\x1b") == "a\\r\nb\\x1b"


def test_plural():
    assert [plural(n, "case") for n in (0, 1, 2, 2375)] == ["0 cases", "1 case", "2 cases", "2,375 cases"]
