"""JUnit XML that readers of test results take."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from generated_class import made_up, with_answer

from autograder.grading.reports.junit import junit
from autograder.grading.reports.results import Results

#: What ``junit-10.xsd`` of Jenkins' plugin xUnit lets elements have: attributes that must be there, others, children.
JENKINS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": ({"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    **{name: (set(), {"type", "message"}, set()) for name in ("failure", "error", "skipped")},
}


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up(30)


def test_jenkins_can_read_it(results: Results) -> None:
    for element in ElementTree.fromstring(junit(results)).iter():
        required, others, children = JENKINS[element.tag]
        assert required <= set(element.attrib) <= required | others
        assert {child.tag for child in element} <= children
        if "time" in element.attrib:
            assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.attrib["time"])


def test_a_suite_for_each_submission_and_a_case_for_each_criterion(results: Results) -> None:
    top = ElementTree.fromstring(junit(results))
    assert top.tag == "testsuites"
    assert len(top) == len(results.submissions)
    names = [suite.get("name") for suite in top]
    assert len(set(names)) == len(names)


def test_the_counts_are_those_of_the_cases(results: Results) -> None:
    top = ElementTree.fromstring(junit(results))
    for element in (top, *top):
        cases = list(element.iter("testcase"))
        found = Counter(child.tag for case in cases for child in case)
        assert [int(element.get(name) or -1) for name in ("tests", "failures", "errors")] == [
            len(cases), found["failure"], found["error"],
        ]  # fmt: skip
        assert element.get("skipped") == (None if element is top else str(found["skipped"]))
        assert float(element.get("time") or -1) >= 0


def test_only_what_was_judged_and_lost_is_a_failure(results: Results) -> None:
    top = ElementTree.fromstring(junit(results))
    failures = Counter((suite.get("name"), len(list(suite.iter("failure")))) for suite in top)
    for submission in results.submissions:
        lost = sum(
            one.is_lost for answer in submission.exercises if answer.earned is not None for one in answer.criteria
        )
        assert failures[f"{submission.assignment} {submission.student}", lost] == 1
    assert {error.get("type") for error in top.iter("error")} == {"unreadable", "could not be judged"}


def test_characters_that_xml_cannot_hold(results: Results) -> None:
    hostile = with_answer(results, "a", message="]]> \x00 \x0b \ufffe \ud800 & < >", found="\x1b")
    failure = next(ElementTree.fromstring(junit(hostile)).iter("failure"))
    assert failure.get("message") == "]]> ⟨U+0000⟩ ⟨U+000B⟩ ⟨U+FFFE⟩ ⟨U+D800⟩ & < >"
    assert "found: ⟨U+001B⟩" in (failure.text or "")
