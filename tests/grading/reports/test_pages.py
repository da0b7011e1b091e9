"""The pages: one file each that works offline and runs nothing, and that says everything to the student."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from generated_class import made_up, with_answer

from autograder.checks.verdict import Outcome, Status, Where
from autograder.grading.reports.class_report import class_report
from autograder.grading.reports.feedback import LINES, MEANING, SIGNS, feedback, lines
from autograder.grading.reports.results import Results


class Page(HTMLParser):
    """A page as a reader's program sees it: its tags, its texts, and where it would fetch something from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.styles: list[str] = []
        self.headings: list[int] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset", "data", "xlink:href", "action") or name.startswith("on"):
                self.fetched.append(f"{name}={value}")
            if name == "style":
                self.styles.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up(12)


def pages(results: Results) -> list[Page]:
    return [Page(class_report(results)), *(Page(feedback(results, student)) for student in results.students)]


def test_they_need_nothing_from_elsewhere_and_run_nothing(results: Results) -> None:
    for page in pages(results):
        assert not {"script", "img", "iframe", "object", "embed", "form", "link", "base"} & set(page.tags)
        assert not page.fetched and not page.styles
        assert all(link.startswith("#") for link in page.links)
        assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_policy_allows_the_style_of_the_page_and_nothing_else(results: Results) -> None:
    text = class_report(results)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy and policy[1].replace("&#39;", "'").startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]


def test_headings_go_down_one_by_one_and_ids_are_there_once(results: Results) -> None:
    for page in pages(results):
        assert page.headings[0] == 1 and page.headings.count(1) == 1
        assert all(low - high <= 1 for high, low in zip(page.headings, page.headings[1:], strict=False))
        assert len(page.ids) == len(set(page.ids))


def test_every_drawing_has_a_name_and_every_head_of_a_table_a_scope(results: Results) -> None:
    for text in (class_report(results), feedback(results, results.students[0])):
        assert text.count('role="img"') == text.count("shape-rendering") == text.count("<title>") - 1
        assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>(?!</th>)", text))


def test_the_class_report_has_all_its_parts(results: Results) -> None:
    page = Page(class_report(results))
    assert {"look", "totals", "exercises", "criteria", "mistakes", "unjudged", "similar"} <= set(page.ids)
    assert "hint where to look, never a verdict" in page.words
    for exercise in results.exercises:
        assert exercise.id in page.words


def test_a_student_sees_where_what_and_why(results: Results) -> None:
    marked = with_answer(results, "one: 1\ntwo: 2\n", message="it is another image", found="nginx", why="Because.")
    page = Page(feedback(marked, marked.students[0]))
    for said in ("it is another image", "nginx:1.27", "Because.", "found nginx, wanted nginx:1.27", "a.yaml:1:1"):
        assert said in " ".join(page.words.split())


def test_lines_have_their_numbers_and_marks(results: Results) -> None:
    answer = with_answer(results, "one: 1\ntwo: 2\n").submissions[0].exercises[0]
    assert [(line.number, line.text, [one.name for one in line.marks]) for line in lines(answer)] == [
        (1, "one: 1", ["image"]),
        (2, "two: 2", []),
    ]


def test_a_long_answer_is_cut_but_for_lines_with_marks(results: Results) -> None:
    text = "".join(f"k{number}: 1\n" for number in range(1_000))
    shown = lines(with_answer(results, text, where=Where("a.yaml", 900, 1)).submissions[0].exercises[0])
    assert [line.number for line in shown] == [*range(1, LINES + 1), 0, 900, 0]
    assert shown[-1].text == "… 100 more lines …"


def test_a_place_in_another_file_marks_no_line(results: Results) -> None:
    shown = lines(with_answer(results, "a: 1\n", where=Where("other.yaml", 1, 1)).submissions[0].exercises[0])
    assert [line.marks for line in shown] == [()]


def test_every_status_and_outcome_is_explained() -> None:
    assert MEANING.keys() >= {status.value for status in Status if status is not Status.TAMPERED}
    assert SIGNS.keys() == {outcome.value for outcome in Outcome}


def test_what_was_not_judged_is_no_nought(results: Results) -> None:
    many = made_up(60)
    student = next(one.student for one in many.submissions if one.status == "unreadable")
    page = Page(feedback(many, next(one for one in many.students if one.id == student)))
    assert "Some answers have no points yet" in page.words
    assert "unreadable, no points yet" in page.words
    assert not re.search(r"\b0 of", page.words.partition("unreadable, no points yet")[2].partition("Your answer")[0])


def test_an_altered_notebook_is_named_with_what_was_put_right(results: Results) -> None:
    altered = replace(results.submissions[0], status="tampered", notes=("a check cell was changed",))
    page = Page(class_report(replace(results, submissions=(altered, *results.submissions[1:]))))
    assert "Altered notebooks" in page.words and "a check cell was changed" in page.words


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_smallest_classes(count: int) -> None:
    assert "Class report" in class_report(made_up(count))


def test_the_report_of_a_large_class_is_no_large_file() -> None:
    assert len(class_report(made_up(1_000))) < 1_000_000
