"""The page in a real browser: it opens, filters, unfolds, can be used by keys alone, and runs nothing of a report."""

from __future__ import annotations

import base64
import copy
import json
from itertools import pairwise

import pytest
from report_values import FULL, hostile
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from pytest_taskq.reports.html.page import write_page

SHOWN = ".requirement:not([hidden])"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return write_page(json.loads(json.dumps(FULL)), tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture
def page(browser, address):
    """The page as it opens for the first time; what the console had to complain about fails the test."""
    browser.get("about:blank")
    browser.get(address)
    browser.get_log("browser")
    browser.refresh()
    yield browser
    assert browser.get_log("browser") == []


def shown(page):
    return [one.get_attribute("id") for one in page.find_elements(By.CSS_SELECTOR, SHOWN)]


def is_open(page, name):
    return page.execute_script("return document.getElementById(arguments[0]).querySelector('details').open", name)


def focused(page):
    return page.execute_script("const a = document.activeElement; return a.id || a.className?.baseVal || a.className")


def colour(page, selector, name="backgroundColor"):
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    return page.execute_script(script, selector, name)


def media(page, *, scheme="light", kind=""):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


def lightness(text):
    return sum(float(part) for part in text.strip("rgba()").split(",")[:3]) / 3


def test_it_opens_with_what_failed_unfolded(page) -> None:
    assert page.find_element(By.TAG_NAME, "h1").text == "4 failed, 1 could not run of 13"
    assert is_open(page, "CLM-02")
    assert not is_open(page, "CLM-01")


def test_the_filter_by_verdict_text_and_role_says_how_many_are_shown(page) -> None:
    told = page.find_element(By.ID, "shown")
    assert told.get_attribute("aria-live") == "polite"
    page.find_element(By.CSS_SELECTOR, "input[value=pass]").click()
    assert told.text == "8 of 13 shown"
    page.find_element(By.ID, "find").send_keys("clm")
    assert shown(page) == ["CLM-02", "CLM-06"]
    Select(page.find_element(By.ID, "role")).select_by_visible_text("client")
    assert told.text == "0 of 13 shown"


def test_all_can_be_unfolded_and_folded(page) -> None:
    page.find_element(By.ID, "unfold").click()
    assert all(is_open(page, name) for name in shown(page))
    page.find_element(By.ID, "foldup").click()
    assert not any(is_open(page, name) for name in shown(page))


def test_a_link_to_a_requirement_opens_it_even_if_the_filter_hid_it(page, address) -> None:
    page.find_element(By.ID, "find").send_keys("nothing like this")
    assert shown(page) == []
    page.execute_script("location.hash = 'CLM-04'")
    ActionChains(page).pause(0.1).perform()  # for the event of the changed address
    assert is_open(page, "CLM-04")
    assert "CLM-04" in shown(page)
    page.get("about:blank")
    page.get(f"{address}#CLM-05")
    assert is_open(page, "CLM-05")
    top = page.execute_script("return document.getElementById('CLM-05').getBoundingClientRect().top")
    assert -5 < top < page.execute_script("return innerHeight")


def test_keys_alone_lead_to_the_requirements_unfold_one_and_walk_a_timeline(page) -> None:
    keys = ActionChains(page)
    keys.send_keys(Keys.TAB).perform()
    assert focused(page) == "skip"
    keys.send_keys(Keys.ENTER).perform()
    assert focused(page) == "requirements"
    keys.send_keys(Keys.TAB).perform()
    assert focused(page) == "find"
    page.execute_script("document.querySelector('#CLM-01 summary').focus()")
    keys.send_keys(Keys.ENTER).perform()
    assert is_open(page, "CLM-01")
    page.execute_script("document.querySelector('#CLM-02 a.step[tabindex=\"0\"]').focus()")
    panel = page.find_element(By.CSS_SELECTOR, "#CLM-02 .panel")
    assert panel.text.startswith("1  SELECT id")
    keys.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).perform()
    assert panel.text.startswith("3  UPDATE t")


def test_pointing_at_a_statement_shows_it_whole(page) -> None:
    step = page.find_elements(By.CSS_SELECTOR, "#CLM-02 a.step rect")[1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", step)
    ActionChains(page).move_to_element(step).perform()
    assert "=> (1,)" in page.find_element(By.CSS_SELECTOR, "#CLM-02 .panel").text


def test_a_death_in_a_history_can_be_stepped_to_and_is_there_on_paper(page) -> None:
    page.execute_script("document.querySelector('#ENQ-08 a.step[tabindex=\"0\"]').focus()")
    ActionChains(page).send_keys(*[Keys.ARROW_RIGHT] * 3).perform()
    panel = page.find_element(By.CSS_SELECTOR, "#ENQ-08 .panel")
    assert "✗ w1 was killed in enqueue w1-2: nobody knows whether it took effect" in panel.text
    mark = page.find_element(By.CSS_SELECTOR, "#ENQ-08 a.death rect")
    assert colour(page, "#ENQ-08 a.death rect", "fill") != colour(page, "#ENQ-08 a.unknown rect", "fill")
    media(page, kind="print")
    assert mark.is_displayed()
    assert page.find_element(By.CSS_SELECTOR, "#ENQ-08 .legend").is_displayed()
    media(page)


def test_it_is_dark_where_the_system_is_and_the_button_decides_otherwise(page) -> None:
    media(page, scheme="dark")
    assert lightness(colour(page, "body")) < 60
    button = page.find_element(By.ID, "theme")
    button.click()
    assert button.text == "Theme: light"
    assert lightness(colour(page, "body")) > 200
    button.click()
    media(page, scheme="light")
    assert button.text == "Theme: dark"
    assert lightness(colour(page, "body")) < 60
    button.click()


_CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgb = (text) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const found = rgb(getComputedStyle(e).backgroundColor);
    if (found[3] === 255) return found;
  }
  return [255, 255, 255, 255];
};
const weak = {};
for (const e of document.querySelectorAll('body *:not(svg *, script)')) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
  const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) weak[`${e.tagName}.${e.className}`] = ratio;
}
return weak;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(page, scheme) -> None:
    media(page, scheme=scheme)
    page.find_element(By.ID, "unfold").click()
    assert page.execute_script(_CONTRAST) == {}
    media(page)


def test_every_control_has_a_name_and_headings_do_not_skip_a_level(page) -> None:
    nameless = page.execute_script(
        "return [...document.querySelectorAll('button, input, select, summary, [role=region]')]"
        ".filter((e) => !(e.textContent.trim() || e.labels?.length || e.ariaLabel)).map((e) => e.outerHTML)"
    )
    assert nameless == []
    levels = page.execute_script("return [...document.querySelectorAll('h1,h2,h3,h4,h5')].map((e) => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for landmark in ("header", "main", "footer", "form[role=search]"):
        assert page.find_elements(By.CSS_SELECTOR, landmark)


def test_on_paper_everything_is_open_and_the_tools_are_gone(page) -> None:
    media(page, kind="print")
    assert not page.find_element(By.CSS_SELECTOR, ".filter").is_displayed()
    folded = page.find_element(By.CSS_SELECTOR, "#CLM-01 .body")
    assert folded.size["height"] > 50
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")
    media(page)


def test_on_paper_each_lane_has_its_name_however_the_drawing_is_shrunk(page) -> None:
    page.set_window_size(700, 1000)
    media(page, kind="print")
    try:
        assert not page.find_element(By.CSS_SELECTOR, "#CLM-02 .names").is_displayed()
        places = page.execute_script(
            "const box = (e) => e.getBoundingClientRect();"
            "return [...document.querySelectorAll('#CLM-02 .drawing, #ENQ-08 .drawing')].flatMap((drawing) => {"
            "  const lanes = [...drawing.querySelectorAll('.lane')].map(box);"
            "  return [...drawing.querySelectorAll('.paper-name')].map((name, n) =>"
            "    [name.textContent, box(name).top >= lanes[n].top - 1 && box(name).bottom <= lanes[n].bottom]); })"
        )
        assert {"worker a", "worker b", "w0", "w3"} <= {name for name, _ in places}
        assert all(inside for _, inside in places), places
    finally:
        media(page)
        page.set_window_size(1280, 1000)


def test_without_scripts_all_can_be_read(browser, address) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(address)
        assert not browser.find_element(By.CSS_SELECTOR, ".filter").is_displayed()
        assert "one claim returns task 1" in browser.find_element(By.ID, "CLM-02").text
        browser.find_element(By.CSS_SELECTOR, "#CLM-01 summary").click()
        assert "200 programs" in browser.find_element(By.ID, "CLM-01").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_nothing_of_a_hostile_report_runs(browser, tmp_path) -> None:
    path = write_page(hostile(copy.deepcopy(FULL)), tmp_path)
    browser.get(path.as_uri())
    browser.find_element(By.ID, "unfold").click()
    assert browser.execute_script("return window.struck") is None
    assert browser.execute_script("return document.images.length") == 0
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_its_window(page, artefacts, width, scheme) -> None:
    media(page, scheme=scheme)
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.refresh()
        page.find_element(By.ID, "unfold").click()
        assert page.execute_script("return document.documentElement.scrollWidth") == width
        whole = page.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(whole, 8_000), "scale": 1}
        picture = page.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        (artefacts / f"report-{width}-{scheme}.png").write_bytes(base64.b64decode(picture["data"]))
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        media(page)
