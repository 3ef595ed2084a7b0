"""A browser for all tests of one module: Chromium and its driver, from wherever PATH has them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "reports"))  # the reports made by hand

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # root in a container has none; what is opened is our own file
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--force-prefers-reduced-motion",  # where a click lands must not depend on how far a page has scrolled
    "--hide-scrollbars",
    "--window-size=1280,1000",
)


def _missing() -> str | None:
    """Return what is not there of what a browser test needs."""
    if not any(map(shutil.which, _NAMES)):
        return f"no browser on PATH ({', '.join(_NAMES)})"
    return None if shutil.which("chromedriver") else "no chromedriver on PATH"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Headless Chromium. Without one the tests are skipped; with PYTEST_TASKQ_BROWSER=required they fail."""
    missing = _missing()
    if missing and os.environ.get("PYTEST_TASKQ_BROWSER") == "required":
        pytest.fail(f"PYTEST_TASKQ_BROWSER=required, but there is {missing}", pytrace=False)
    if missing:
        pytest.skip(f"{missing}; PYTEST_TASKQ_BROWSER=required makes that a failure")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, _NAMES)))
    for option in _OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(30)
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder of PYTEST_TASKQ_ARTEFACTS, else a temporary one."""
    named = os.environ.get("PYTEST_TASKQ_ARTEFACTS")
    folder = Path(named).resolve() if named else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
