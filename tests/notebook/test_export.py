"""A lesson as a page to print or to read without Jupyter: nothing of it is broken."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.exercises import load
from tools import print_lessons

LESSONS = print_lessons.lessons()
#: The part of an A4 page inside of the margins, in pixels of 1/96 inch.
PAPER = (round((210 - 2 * 12) / 25.4 * 96), 1000)
#: What stands out over the right edge, or is cut off because what it stands in cannot be scrolled on paper.
CUT = """
const edge = document.documentElement.clientWidth + 1, hides = ["hidden", "auto", "scroll", "clip"];
return Array.from(document.querySelectorAll("main *, body > *")).filter(element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const inside = hides.includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
  const reach = box.left + Math.max(box.width, element.scrollWidth);
  return box.width && !element.ownerSVGElement && (reach > edge || inside);
}).map(element => element.outerHTML.slice(0, 200));
"""


class Page(HTMLParser):
    """What a reader meets on a page: headings, pictures, links to its own places, and signs of something broken."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.pictures: list[str] = []
        self.nameless = 0
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag is for."""
        known = {name: value or "" for name, value in attrs}
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(tag)
        if tag == "img" or known.get("role") == "img":
            self.pictures.append(tag)
            self.nameless += not (known.get("alt") or known.get("aria-label"))
        if "id" in known:
            self.anchors.add(known["id"])
        if known.get("href", "").startswith("#"):
            self.targets.add(known["href"][1:])


def read(lesson: str) -> Any:
    """The notebook of a lesson."""
    return nbformat.read(print_lessons.SOURCE / lesson / f"{lesson}.ipynb", as_version=4)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_exports_to_a_page(lesson: str) -> None:
    text = print_lessons.page(lesson, solutions=True)
    page, notebook = Page(text), read(lesson)
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    drawn = [output for output in outputs if "<svg" in output.get("data", {}).get("text/html", "")]
    assert page.headings.count("h1") == 1
    assert page.headings[0] == "h1"
    levels = [int(heading[1:]) for heading in page.headings]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.headings) >= sum(source.startswith("#") for source in markdown)
    assert page.pictures.count("svg") == len(drawn)
    assert page.nameless == 0
    assert page.targets <= page.anchors
    assert "jp-RenderedHTMLCommon" in text
    assert all(sign not in text for sign in ("{exercise}", "{code-cell}"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_page_needs_nothing_but_itself(lesson: str) -> None:
    text = print_lessons.page(lesson)
    assert not re.search(r"<(script|link|iframe)\b", text)
    assert not re.search(r"""\bsrc=["'](?!data:)""", text)
    assert "url(http" not in text
    assert re.search("<html lang=.en.>", text)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_page_for_students_has_starters_and_no_solutions(lesson: str) -> None:
    notebook = print_lessons.without_solutions(read(lesson))
    checks = [cell for cell in notebook.cells if cell.source.startswith("check(")]
    assert len(checks) >= 3
    for check in checks:
        exercise = load(check.source.split('"')[1])
        answer = next(cell for cell in notebook.cells if cell.source.startswith(exercise.header))
        assert answer.source == f"{exercise.header}\n{exercise.starter.strip()}"
        assert not answer.outputs
        assert not check.outputs
    assert "SOLUTION" not in print_lessons.page(lesson)


def test_without_a_browser_there_are_html_files_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_lessons.main(["07-pods", "--to", str(tmp_path), "--browser", "no-such-browser"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["07-pods.html"]
    assert capsys.readouterr().err == "no PDF: there is no no-such-browser\n"


def test_a_browser_that_prints_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = shutil.which("false")
    if program is None:
        pytest.skip("there is no program that only fails")
    assert print_lessons.main(["07-pods", "--to", str(tmp_path), "--browser", program]) == 1
    assert "did not print 07-pods.html" in capsys.readouterr().err


def test_a_lesson_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        print_lessons.main(["99-nothing"])
    assert "there is no lesson '99-nothing'; there are 00-cluster" in capsys.readouterr().err


@pytest.mark.needs("chromium")
def test_a_lesson_is_printed(tmp_path: Path) -> None:
    try:
        print_lessons.browser()
    except print_lessons.NoBrowser as reason:
        pytest.skip(str(reason))
    assert print_lessons.main(["04-kube-scheduler", "--to", str(tmp_path)]) == 0
    pdf = (tmp_path / "04-kube-scheduler.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 5


@pytest.fixture(scope="module")
def paper() -> Iterator[Any]:
    """A browser whose window is as wide as a sheet of paper, and which lays out as for a printer."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as opened:
        width, height = PAPER
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        yield opened


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("lesson", LESSONS)
def test_nothing_is_cut_at_the_edge_of_the_paper(lesson: str, paper: Any, tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    html.write_text(print_lessons.page(lesson, solutions=True), encoding="utf-8")
    paper.get(html.as_uri())
    assert paper.execute_script(CUT) == []


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    "spoiled",
    ['<pre style="white-space: pre !important">' + "x" * 300 + "</pre>",
     '<div style="overflow: hidden"><p style="width: 3000px">wide</p></div>'],
)  # fmt: skip
def test_what_is_cut_is_found(spoiled: str, paper: Any, tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    html.write_text(print_lessons.page("13-recap").replace("</main>", f"{spoiled}</main>"), encoding="utf-8")
    paper.get(html.as_uri())
    assert paper.execute_script(CUT)
