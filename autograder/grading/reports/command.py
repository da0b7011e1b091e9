"""The command ``autograder report``: from the verdicts of a course, or a document of results, to files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autograder.grading.disk import in_words, naming

if TYPE_CHECKING:
    from autograder.grading.reports.results import Results

#: Everything was written.
WRITTEN: Final = 0
#: There is nothing to report, or a file could not be read or written.
NOT_WRITTEN: Final = 2

#: A file's path below the folder of the report, and its text, in pieces where it is a large one.
Files = Iterator[tuple[str, str | Iterable[str]]]


def _html(results: Results) -> Files:
    from autograder.grading.reports.class_report import class_report
    from autograder.grading.reports.cleaning import file_name
    from autograder.grading.reports.feedback import feedback

    yield "class.html", class_report(results)
    for student in results.students:
        if any(one.handed_in for one in results.by_student[student.id]):
            yield f"students/{file_name(student.id)}.html", feedback(results, student)


def _csv(results: Results) -> Files:
    from autograder.grading.reports import similarity, spreadsheets

    yield "grades.csv", spreadsheets.grades(results)
    yield "criteria.csv", spreadsheets.criteria(results)
    yield "similarity.csv", spreadsheets.similarities(similarity.similar(results))


def _canvas(results: Results) -> Files:
    from autograder.grading.reports.lms import canvas

    yield "canvas.csv", canvas(results)


def _moodle(results: Results) -> Files:
    from autograder.grading.reports.lms import moodle

    yield "moodle.csv", moodle(results)


def _gradescope(results: Results) -> Files:
    from autograder.grading.reports.cleaning import file_name
    from autograder.grading.reports.gradescope import gradescope

    for submission in results.submissions:
        if submission.handed_in:
            path = f"gradescope/{file_name(submission.assignment)}/{file_name(submission.student)}/results.json"
            yield path, json.dumps(gradescope(results, submission), indent=1) + "\n"


def _junit(results: Results) -> Files:
    from autograder.grading.reports.junit import junit

    yield "junit.xml", junit(results)


def _json(results: Results) -> Files:
    from autograder.grading.reports.results import texts

    yield "results.json", texts(results)


#: What can be written, by the name of the format.
FORMATS: Final[dict[str, Callable[[Results], Files]]] = {
    "html": _html,
    "csv": _csv,
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "junit": _junit,
    "json": _json,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("formats", metavar="FORMAT", nargs="+", choices=tuple(FORMATS), help=", ".join(FORMATS))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--course", metavar="DIR", type=Path, help="the course's folder; otherwise it is looked for")
    parser.add_argument("--assignment", metavar="NAME", help="only this one, such as 07-pods")
    parser.add_argument(
        "--results", metavar="FILE", type=Path, help="what `grade --json` wrote, instead of the course's verdicts"
    )
    parser.add_argument(
        "--worksheet", metavar="FILE", type=Path,
        help="with moodle and --assignment: fill in this offline grading worksheet, downloaded from Moodle",
    )  # fmt: skip


def report(options: argparse.Namespace) -> int:
    """Write the files of the formats asked for; returns one of the codes above."""
    from autograder.exercises import BadExercise
    from autograder.grading.assignment import BadCourse
    from autograder.grading.gradebook_rows import GradebookError
    from autograder.grading.reports.lms import BadWorksheet
    from autograder.grading.reports.results import BadResults

    try:
        results = _results(options)
        count = 0
        for name in dict.fromkeys(options.formats):
            for path, text in FORMATS[name](results):
                _write(options.out / path, text)
                count += 1
        if options.worksheet:
            count += _fill_worksheet(options, results)
    except (BadCourse, BadExercise, BadResults, BadWorksheet, GradebookError, OSError) as error:
        print(f"autograder report: {in_words(error)}", file=sys.stderr)
        return NOT_WRITTEN
    handed_in = sum(one.handed_in for one in results.submissions)
    print(f"{count} files on {handed_in} submissions of {len(results.students)} students are in {options.out}")
    _remark_on(options, results)
    return WRITTEN


def _results(options: argparse.Namespace) -> Results:
    """The results of a file, or else of what the course's ledger remembers."""
    from autograder.grading.assignment import BadCourse, find_course, load_assignments
    from autograder.grading.configuration import configuration
    from autograder.grading.ledger import FILE, Ledger
    from autograder.grading.reports.collecting import Collector
    from autograder.grading.reports.reading import read
    from autograder.grading.reports.recorded import known

    if options.results:
        return read(options.results).only(options.assignment)
    course = find_course(options.course)
    if not (course / FILE).is_file():
        raise BadCourse(f"{course} has no verdicts yet; grade first, with autograder grade")
    collector = Collector(course, load_assignments(course, options.assignment), known(configuration(course)))
    with Ledger.open(course) as ledger:
        results = collector.of_ledger(ledger)
        if ledger.trouble:
            raise BadCourse(f"{ledger.path} cannot be read: {ledger.trouble}")
    if not results.submissions:
        raise BadCourse(f"{course} has no verdicts on {options.assignment or 'anything'} yet; grade first")
    return results


def _fill_worksheet(options: argparse.Namespace, results: Results) -> int:
    from autograder.grading.reports.lms import BadWorksheet, worksheet

    if len(results.assignments) != 1:
        raise BadWorksheet("a worksheet is that of one assignment; name it with --assignment")
    try:
        downloaded = options.worksheet.read_text(encoding="utf-8")
        filled, left = worksheet(results, results.assignments[0].name, downloaded)
    except (BadWorksheet, UnicodeDecodeError) as error:
        raise BadWorksheet(f"{options.worksheet}: {error}") from error
    _write(options.out / "moodle-worksheet.csv", filled)
    if left:
        print(f"not in {options.worksheet}: {', '.join(left)}", file=sys.stderr)
    return 1


def _remark_on(options: argparse.Namespace, results: Results) -> None:
    """Say which grades another gradebook does not get."""
    from autograder.grading.reports.cleaning import one_line
    from autograder.grading.reports.lms import waiting

    left = waiting(results)
    if left and {"canvas", "moodle"} & {*options.formats}:
        names = ", ".join(f"{one_line(one.student, 40)} {one.assignment}" for one in left[:10])
        more = f" and {len(left) - 10} more" if len(left) > 10 else ""
        print(f"left empty, since answers wait for somebody to look at them: {names}{more}", file=sys.stderr)


def _write(path: Path, text: str | Iterable[str]) -> None:
    """Write a file with the line ends that the text has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("wb") as file:
        file.writelines(piece.encode("utf-8", "replace") for piece in ([text] if isinstance(text, str) else text))
