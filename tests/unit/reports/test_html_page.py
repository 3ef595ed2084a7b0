"""The page says all that the report holds, and nothing in a report can become more than text."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from report_values import DEATH, FULL, HISTORY, HOSTILE, finding, hostile, report, requirement

from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.html.page import render, write_page
from pytest_taskq.reports.html.plain import Plain, shown


class Page(HTMLParser):
    """Tags with their attributes, ids, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page(values):
    return Page(render(values))


def test_every_requirement_has_its_anchor_and_every_inner_link_leads_somewhere() -> None:
    found = page(FULL)
    assert {one["id"] for one in FULL["requirements"]} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    links = [one["href"][1:] for one in found.of("a") if one["href"].startswith("#")]
    assert links
    assert set(links) <= set(found.ids)


@pytest.mark.parametrize(
    "said",
    [
        "4 failed, 1 could not run of 13",
        "MUST 1/3 · 1 inconclusive",
        "pytest --taskq-conformance --taskq-adapter=team:Adapter --taskq-effort=smoke --taskq-seed=7",
        "1 waiting for instruments that this version does not have",
        "29 not graded: the reference alone answers",
        "effort smoke explores least",
        "one claim returns task 1",
        "--taskq-replay=CLM-02.last-task.ab",
        "Task 1 is held twice",
        "32 of 100,000 recorded calls",
        "taskq check histories/CLM-02-1.jsonl",
        "w1 was killed in enqueue w1-2: nobody knows whether it took effect",
        "✗ killed: the process is dead here, and what follows in its lane is another one's",
        "a bar without an end: its caller died in it",
        "the process dies here",
        "p95 6.1 ms",
        "6.1 ms (6 ms to 6.3 ms); floor 700 µs",
        "4,800, 400 asked for",
        "1,987",
        "2 cores",
        "200 programs, 4000 calls",
    ],
)
def test_the_page_says(said) -> None:
    assert said in page(FULL).text


def test_what_an_old_report_does_not_say_of_a_requirement_comes_from_the_contract() -> None:
    text = page(report(requirement("CLM-02", "FAIL"))).text
    assert REQUIREMENTS["CLM-02"].why.replace("`", "") in text


def test_an_old_report_shows_its_evidence_where_findings_had_none() -> None:
    old = finding("FAIL")
    del old["evidence"], old["replay"]
    values = requirement("CLM-02", "FAIL", finding("FAIL"))
    values |= {"findings": [old], "evidence": "what was seen then", "replay": "pytest -k old"}
    text = page(report(values)).text
    assert "what was seen then" in text
    assert "pytest -k old" in text


def test_a_death_is_told_in_the_lane_the_caption_the_table_and_to_a_screen_reader() -> None:
    html = render(report(requirement("ENQ-08", "FAIL", finding("FAIL", "history", details={"history": DEATH}))))
    text = Page(html).text
    said = "w1 was killed in enqueue w1-2: nobody knows whether it took effect"
    assert f"<title>{said}</title>" in html
    assert f"<code>✗ {said}</code>" in html
    assert text.count(said) == 3  # the caption too
    assert ">✗ killed</text>" in html
    assert 'aria-label="4 calls of 2 processes, 1 death among them"' in html
    alive = finding("FAIL", "history", details={"history": HISTORY})
    assert "was killed" not in render(report(requirement("CLM-02", "FAIL", alive)))


def test_the_two_commands_of_a_failed_history_can_be_copied_one_by_one() -> None:
    both = finding("FAIL", "history", replay="pytest -k CLM-02", recheck="taskq check h.jsonl")
    html = render(report(requirement("CLM-02", "FAIL", both)))
    assert "<code>pytest -k CLM-02</code>" in html
    assert "<code>taskq check h.jsonl</code>" in html


def test_what_must_be_acted_on_comes_first_and_is_unfolded() -> None:
    articles = [attributes["data-verdict"] for attributes in page(FULL).of("article")]
    assert articles == [*["fail"] * 4, "notrun", "inconclusive", "known", "notoffered", *["pass"] * 5]
    unfolded = re.findall(r'<article [^>]*id="([^"]*)"[^>]*>\s*<details open>', render(FULL))
    assert unfolded == ["CLM-02", "ENQ-08", "CLM-06", "LAT-02", "FIN-01"]


def test_the_policy_allows_this_style_and_this_script_alone() -> None:
    html = render(FULL)
    policy = next(one["content"] for one in page(FULL).of("meta") if "http-equiv" in one)
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
        assert re.search(rf"</{tag}", text) is None


def test_the_page_asks_nothing_of_the_network() -> None:
    found = page(FULL)
    assert not [attributes for _, attributes in found.tags if "src" in attributes]
    assert not found.of("link")
    assert all(one["href"].startswith(("#", "https://github.com/")) for one in found.of("a"))


def test_no_text_of_a_report_becomes_a_tag_or_an_attribute() -> None:
    attacked, calm = page(hostile(copy.deepcopy(FULL))), page(FULL)
    allowed = {tag for tag, _ in calm.tags}
    assert {tag for tag, _ in attacked.tags} <= allowed
    assert len(attacked.of("script")) == len(attacked.of("style")) == 1
    attributes = {name for _, one in attacked.tags for name in one}
    assert not [name for name in attributes if name.startswith("on") or name == "src"]
    assert not [one for one in attacked.of("a") if not one["href"].startswith(("#", "https://github.com/"))]
    assert "49" not in re.findall(r"\{\{ .{0,3}", attacked.text)
    assert "{{ 7*7 }}" in attacked.text


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert shown("a\x00\x1b\ud800\u202e\r\nb\tc") == "a\u2400\u241b[U+D800][U+202E]\nb\tc"
    assert HOSTILE not in render(report(requirement("CLM-02", "FAIL", finding("FAIL", reason=HOSTILE))))


def test_a_text_of_a_megabyte_is_cut_and_says_so() -> None:
    html = render(report(requirement("CLM-02", "FAIL", finding("FAIL", evidence="x" * 1_000_000))))
    assert len(html) < 200_000
    assert "(cut: 1,000,000 characters)" in html


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, [[1]], {"id": {}}, True, float("nan"), 10**400])
@pytest.mark.parametrize("key", ["requirements", "summary", "roles", "waiting", "seed", "adapter", "not_selected"])
def test_a_report_with_odd_values_is_still_a_page(key, odd) -> None:
    assert "</html>" in render({**FULL, key: odd})


@pytest.mark.parametrize("odd", [None, 7, "text", [7], {"a": 1}, float("inf"), -1])
def test_details_with_odd_values_are_still_a_page(odd) -> None:
    def spoiled(value):
        """Yield copies of a value, each with one part of it replaced."""
        if isinstance(value, dict):
            for name, one in value.items():
                yield {**value, name: odd}
                yield from ({**value, name: other} for other in spoiled(one))
        elif isinstance(value, list) and value:
            yield [odd, *value[1:]]
            yield from ([other, *value[1:]] for other in spoiled(value[0]))

    details = {}
    for one in FULL["requirements"]:
        for each in one["findings"]:
            details |= each["details"]
    bad = [finding("FAIL", details=one) for one in spoiled(details)]
    assert len(bad) > 80
    assert "</html>" in render(report(*(requirement("CLM-02", "FAIL", one) for one in bad)))


def test_an_empty_report_is_a_page_that_says_so() -> None:
    assert "Nothing was judged" in page({}).text


def test_a_value_that_is_not_there_reads_as_empty() -> None:
    missing = Plain({"a": 1})["b"]["c"]
    assert (missing.text(), missing.number(), [*missing], [*missing.items()], missing.there) == (
        "",
        None,
        [],
        [],
        False,
    )


def test_the_file_is_what_was_rendered(tmp_path) -> None:
    plain = json.loads(json.dumps(FULL))
    path = write_page(plain, tmp_path / "deep" / "folder")
    assert path.name == "report.html"
    assert path.read_text(encoding="utf-8") == render(plain)
