"""Every line of the notes is taught somewhere, and whatever they have wrong is put right in a box."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("map_notes", ROOT / "tools" / "map_notes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


notes = _tool()
LESSONS = notes.lessons()


def test_the_notes_are_read_to_their_end() -> None:
    assert len(notes.lines()) > 100
    assert set(notes.SECTIONS.values()) == {line.lesson for line in notes.lines()}
    assert len(notes.errata()) == 14


@pytest.mark.parametrize("line", dict.fromkeys(notes.lines()), ids=str)
def test_a_line_of_the_notes_is_taught(line: tuple[str, str]) -> None:
    assert notes.taught(line)


@pytest.mark.parametrize("erratum", notes.errata())
def test_an_erratum_has_its_box(erratum: str) -> None:
    assert notes.put_right(erratum)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_the_headings_and_boxes_that_it_is_said_to_have(lesson: str) -> None:
    headings, boxes = notes.headings(lesson), list(notes.boxes(lesson))
    for entry in notes.entries(lesson):
        assert entry.keys() in ({"line", "taught"}, {"erratum", "box"})
        if "taught" in entry:
            assert entry["taught"] in headings
        else:
            assert any(entry["box"] in box for box in boxes), entry["box"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_a_lesson_is_said_to_teach_stands_in_the_notes(lesson: str) -> None:
    texts, errata = {line.text for line in notes.lines()}, set(notes.errata())
    for entry in notes.entries(lesson):
        assert notes.plain(entry["line"]) in texts if "line" in entry else entry["erratum"] in errata


def test_every_box_is_about_an_erratum_that_is_listed() -> None:
    for lesson in LESSONS:
        listed = [entry["box"] for entry in notes.entries(lesson) if "box" in entry]
        assert len(list(notes.boxes(lesson))) == len(listed), lesson


def test_a_heading_inside_of_a_listing_is_none() -> None:
    assert "NodePort" not in notes.headings("10-services")


def test_the_page_is_what_the_lessons_say() -> None:
    """``python tools/map_notes.py`` brings them together again."""
    assert notes.TABLE.read_text(encoding="utf-8") == notes.table()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("- Filter nodes", "Filter nodes"),
        ("13# NodePort", "# NodePort"),
        ("14apiVersion: v1", "apiVersion: v1"),
        ("1 | # ClusterIP |", "1 | # ClusterIP"),
        ("  pods: 10", "pods: 10"),
    ],
)
def test_a_line_is_freed_from_what_a_web_page_put_around_it(raw: str, text: str) -> None:
    assert notes.plain(raw) == text
