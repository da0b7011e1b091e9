"""Markdown of students in nbgrader's pages: read as Markdown, and nothing of it is run, fetched or missed."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import Environment

from autograder.grading.harmless_markdown import LENGTH, markdown2html

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def shown(text: str, **cell: Any) -> str:
    """The HTML that a page of nbgrader has of a cell."""
    environment = Environment()
    environment.filters["markdown2html"] = markdown2html
    return environment.from_string("{{ text | markdown2html }}").render(text=text, cell=cell)


class Found(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# Why?\n\nIt is *quick* and **right**.", {"h1", "em", "strong"}),
        ("- one\n- two\n\n1. first", {"ul", "ol", "li"}),
        ("| a | b |\n|---|---|\n| 1 | 2 |", {"table", "th", "td"}),
        ("```yaml\nkind: Pod\n```", {"pre", "span"}),
        ("`kubectl` [docs](https://kubernetes.io)", {"code", "a"}),
    ],
)
def test_markdown_is_rendered(text: str, wanted: set[str]) -> None:
    assert wanted <= Found(shown(text)).tags


@pytest.mark.parametrize(
    "text",
    [
        "<script>fetch('/api/contents')</script>", "a <img src=x onerror=alert(1)> b", "<svg onload=alert(1)>",
        "<iframe src='javascript:alert(1)'></iframe>", "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html,<script>alert(1)</script>)",
        "[x](&#106;avascript:alert(1))", "[x](java\tscript:alert(1))", "<javascript:alert(1)>",
        "![x](javascript:alert(1))", "![x](http://evil.example.org/seen.png)", "![x](/logout)",
        '![x](y "a\\" onerror=\\"alert(1)")', "![<script>alert(1)</script>](attachment:nothing.png)",
        "```mermaid\n<img src=x onerror=alert(1)>\n```", "```<script>\nx\n```", "$<img src=x onerror=alert(1)>$",
        "$$<script>alert(1)</script>$$", "\\begin{x}<script>alert(1)</script>\\end{x}", "# <script>alert(1)</script>",
        "<style>body { display: none }</style>", "<form action='/api/terminals' ><button>Score", "</div></body>",
        "<base href='http://evil.example.org/'>", "<meta http-equiv=refresh content='0; url=http://evil.example.org'>",
        "[x]: javascript:alert(1)\n\n[x]", "<!--<script>alert(1)</script>-->", "<![CDATA[<script>alert(1)</script>]]>",
    ],
)  # fmt: skip
def test_nothing_of_it_is_run_or_fetched(text: str) -> None:
    found = Found(shown(text))
    assert not found.tags & {"script", "img", "svg", "iframe", "style", "form", "button", "base", "meta", "object"}
    for name, value in found.attributes:
        assert not name.startswith("on")
        plain = "".join(html.unescape(value).lower().split())
        assert not plain.startswith(("javascript:", "data:", "vbscript:"))


@pytest.mark.parametrize(
    "formula",
    [r"\href{javascript:alert(1)}{x}", r"\\href{javascript:alert(1)}{x}", r"\\\href{javascript:alert(1)}{x}",
     r"\hr\hrefef{javascript:alert(1)}{x}", r"\let\x\href \x{javascript:alert(1)}{x}", r"\require{html}", r"\href1{x}",
     r'\mmlToken{mi}[href="javascript:alert(1)"]{x}', r"\bbox[position: fixed; top: 0]{x}", r"\style{top: 0}{x}"],
)  # fmt: skip
def test_formulas_reach_nothing_beyond_themselves(formula: str) -> None:
    page = shown(f"${formula}$")
    assert formula.rpartition("\\")[2].rstrip("}") in html.unescape(page)
    assert not re.search(r"\\(href|require|mmlToken|bbox|style)(?![A-Za-z])", page)


def test_formulas_stay_formulas() -> None:
    assert r"\frac{1}{2} \\ \alpha" in shown(r"$\frac{1}{2} \\ \alpha$")


def test_a_picture_of_the_notebook_is_shown_and_a_missing_one_named() -> None:
    page = shown("![so](attachment:a.png)", attachments={"a.png": {"image/png": PIXEL}})
    assert ("src", f"data:image/png;base64,{PIXEL}") in Found(page).attributes
    assert "the picture b.png is missing" in shown("![so](attachment:b.png)")


@pytest.mark.parametrize("text", ["> " * 5_000, "[" * 20_000, "*a " * 10_000, "- " * 3_000, "x" * (LENGTH + 1)])
def test_whatever_it_is_it_can_be_shown(text: str) -> None:
    assert shown(text)
