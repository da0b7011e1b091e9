"""Reading an answer: manifests, lines of commands or predictions, by what the exercise asks for.

Nothing is run and nothing is applied here; what comes out is data, or problems with their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autograder.checks import Where
from autograder.exercises import command_lines
from autograder.exercises.command_lines import CommandLine
from autograder.exercises.confinement import in_order
from autograder.exercises.exercise import Answer, Exercise, Form, Kind
from autograder.exercises.questions import said
from autograder.exercises.sandbox import LENGTH
from autograder.manifests import Document, Problem, parse


@dataclass(slots=True)
class Reading:
    """What an answer says.

    ``files`` are the manifests as texts, which commands may read; ``predictions`` are answers to questions, each with
    its place; ``program`` is the text of a program, which only the sandbox looks into.
    """

    documents: list[Document] = field(default_factory=list)
    lines: list[CommandLine] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    predictions: dict[str, tuple[str, Where]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    source: str = ""  #: the file of the command lines, or of the program
    program: str = ""


def read(exercise: Exercise, answer: Answer) -> Reading:
    """What the files of an answer say, and what makes them unreadable."""
    reading = Reading()
    if len(answer.files) > exercise.bounds.files:
        message = f"the answer has {len(answer.files)} files, and at most {exercise.bounds.files} are read"
        reading.problems.append(Problem("error", message))
        return reading
    for name, content in answer.files.items():
        if not name.isprintable() or not name or name.startswith(".") or any(char in name for char in "/\\:"):
            message = f"{name!a} is no name for a file of an answer"
            reading.problems.append(Problem("error", message, hint="use a plain name"))
        elif exercise.form is Form.PROGRAM:
            _program(name, content, reading)
        elif exercise.form is Form.PREDICTION:
            _predictions(exercise, name, content, reading)
        elif _is_commands(exercise, name):
            lines, problems = command_lines.read(content, name)
            reading.lines += lines
            reading.problems += problems
            reading.source = name
        elif exercise.kind is Kind.COMMANDS:
            reading.files[name] = _text(content)
        else:
            manifest = parse(content, source=name)
            reading.documents += manifest.documents
            reading.problems += [problem for problem in manifest.problems if problem.severity == "error"]
    reading.documents = in_order(reading.documents)
    return reading


def is_blank(exercise: Exercise, answer: Answer) -> bool:
    """Whether there is nothing in the answer but comments, blank lines, and questions without an answer."""
    unanswered = ":" if exercise.form is Form.PREDICTION else "---"
    lines = [line for content in answer.files.values() for line in _text(content).splitlines()]
    words = [line.partition(" #")[0].strip() for line in lines if not line.lstrip().startswith("#")]
    return all(word in ("", "---") or word.endswith(unanswered) for word in words)


def _is_commands(exercise: Exercise, name: str) -> bool:
    return exercise.kind in (Kind.COMMANDS, Kind.TROUBLESHOOT) and name.endswith(Form.COMMANDS.ending)


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode("utf-8-sig", "replace")


def _program(name: str, content: str | bytes, reading: Reading) -> None:
    """The text of a program, of which there is one."""
    text = _text(content).removeprefix("\ufeff").replace("\r\n", "\n")
    if reading.source:
        reading.problems.append(Problem("error", f"there is a second program, {name}", hint="hand in one file"))
    elif len(text) > LENGTH:
        message = f"the program has {len(text)} characters, and at most {LENGTH} are read"
        reading.problems.append(Problem("error", message))
    reading.source, reading.program = name, text


def _predictions(exercise: Exercise, name: str, content: str | bytes, reading: Reading) -> None:
    """The answers of a file that is one map of questions and words."""
    manifest = parse(content, source=name)
    reading.problems += [problem for problem in manifest.problems if problem.severity == "error"]
    for document in manifest.documents:
        reading.problems += _unknown(exercise, document)
        for question in exercise.questions:
            if question in document.value:
                where = Where(*document.nearest_position((question,)), field=question)
                reading.predictions[question] = (said(document.value[question]), where)


def _unknown(exercise: Exercise, document: Document) -> Iterator[Problem]:
    """What stands in a file of predictions and answers no question."""
    values: Mapping[str, object] = document.value
    for key, value in values.items():
        place = document.nearest_position((key,))
        if key not in exercise.questions:
            asked = ", ".join(exercise.questions)
            yield Problem("error", "nothing of this name is asked", place, (key,), f"the questions are {asked}")
        elif isinstance(value, dict | list):
            yield Problem("error", "write one word or number behind the colon", place, (key,))
