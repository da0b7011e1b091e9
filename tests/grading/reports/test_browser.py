"""The pages in a browser: nothing blocked, nothing fetched, nothing wider than the window; light, dark, on paper.

It needs Debian's packages ``chromium`` and ``chromium-driver``.  Pictures are left in the test's folder.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generated_class import made_up, with_answer, with_names

from autograder.grading.reports.class_report import class_report
from autograder.grading.reports.feedback import feedback

pytestmark = pytest.mark.needs("chromium")

WIDTHS = (1100, 380)
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e" + "W" * 10_000
#: What was asked for over a network, or from the disk, beside the page itself.
FETCHED = "return performance.getEntriesByType('resource').length"
#: How much wider than the window the page is.
TOO_WIDE = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a screen."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as opened:
        opened.set_page_load_timeout(60)
        yield opened


@pytest.fixture(scope="module", params=[6, 200])
def pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The report of a class and the pages of two students, of whom one is called and writes what no page should run."""
    results = with_answer(with_names(made_up(request.param), HOSTILE), HOSTILE, message=HOSTILE, found=HOSTILE)
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        "class": class_report(results),
        "hostile": feedback(results, results.students[0]),
        "student": feedback(results, results.students[3]),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def show(browser: Any, page: Path, width: int, scheme: str) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get(page.as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_in_a_browser(browser: Any, pages: list[Path], width: int, scheme: str, tmp_path: Path) -> None:
    for page in pages:
        show(browser, page, width, scheme)
        assert browser.title.startswith(("Class report", "Feedback for"))
        assert browser.execute_script(FETCHED) == 0
        assert browser.execute_script(TOO_WIDE) <= 0, page.name
        assert not browser.get_log("browser"), page.name
        assert browser.save_screenshot(str(tmp_path / f"{page.stem}-{width}-{scheme}.png"))


def test_its_style_is_allowed_and_used(browser: Any, pages: list[Path]) -> None:
    show(browser, pages[0], 1100, "dark")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
    show(browser, pages[0], 1100, "light")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_drawings_have_a_size_and_a_name(browser: Any, pages: list[Path]) -> None:
    show(browser, pages[0], 1100, "light")
    drawings = browser.find_elements("css selector", "svg[role=img]")
    assert len(drawings) == 3
    assert all(one.size["width"] > 100 and one.size["height"] > 100 and one.accessible_name for one in drawings)


def test_on_paper(browser: Any, pages: list[Path], tmp_path: Path) -> None:
    for page in pages:
        browser.get(page.as_uri())
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False})
        content = base64.b64decode(printed["data"])
        assert content.startswith(b"%PDF") and len(content) > 5_000
        (tmp_path / f"{page.stem}.pdf").write_bytes(content)
