"""A lesson as a page to print or to read without Jupyter: nothing of it is broken."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

SOURCE = Path(__file__).parents[2] / "course" / "source"
LESSONS = sorted(path.stem for path in SOURCE.glob("*/*.ipynb"))


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


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_exports_to_a_page(lesson: str) -> None:
    notebook = nbformat.read(SOURCE / lesson / f"{lesson}.ipynb", as_version=4)
    text, resources = HTMLExporter().from_notebook_node(notebook)
    page = Page(text)
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    drawn = [output for output in outputs if "<svg" in output.get("data", {}).get("text/html", "")]
    assert page.headings.count("h1") == 1
    assert len(page.headings) >= sum(source.startswith("#") for source in markdown)
    assert page.pictures.count("svg") == len(drawn)
    assert page.nameless == 0
    assert page.targets <= page.anchors
    assert not resources.get("outputs")
    assert "jp-RenderedHTMLCommon" in text
    assert all(sign not in text for sign in ("{exercise}", "{code-cell}"))
