"""Makes the notebooks of the course from their texts, and runs them to store what they print.

    python tools/build_notebooks.py [LESSON...]      such as 07-pods; without any, all

A lesson is a text ``course/lessons/NN-topic.md`` in a small part of MyST Markdown:

* text becomes Markdown cells; a heading or a line ``+++`` begins another one;
* a fence ```` ```{code-cell} ```` is a code cell; a first line ``:tags: [nbval-check-output]`` gives it tags.  That one
  is for cells whose output must hold on every kind of cluster (see ``nbval_sanitize.cfg``);
* a line ``{exercise} pods/first-pod`` stands for the three cells of an exercise: the task, the answer with its
  solution, and the check.  They come from the exercise's folder, so that nothing is written twice.

The same texts give the same bytes, outputs included.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder import _fastimport  # noqa: E402, F401  before the first import of nbformat
from autograder.exercises import Exercise, load  # noqa: E402
from autograder.notebook.cells import answer_id, check_id  # noqa: E402

Cell = dict[str, Any]

LESSONS: Final = ROOT / "course" / "lessons"
SOURCE: Final = ROOT / "course" / "source"
EXERCISES: Final = ROOT / "course" / "exercises"
CELL_SECONDS: Final = 120
METADATA: Final = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
_FENCE: Final = "```"
_CODE: Final = "```{code-cell}"
_EXERCISE: Final = re.compile(r"\{exercise\} ([\w-]+/[\w-]+)")
_TAGS: Final = re.compile(r":tags: \[([\w-]+(?:, [\w-]+)*)\]\n")
#: What nbval compares in its lax mode; a check is judged on the embedded cluster, wherever a notebook is run.
_COMPARED: Final = "nbval-check-output"
_BREAK: Final = "+++"
_HEADING: Final = re.compile(r"#{1,4} ")


def cells_of(text: str, lesson: str) -> list[Cell]:
    """The cells of a lesson's text, not run yet."""
    cells: list[Cell] = []
    for kind, content in blocks(text):
        if kind == "exercise":
            cells += exercise_cells(load(content, EXERCISES))
        else:
            cells.append(tagged(content) if kind == "code" else markdown(content))
    for number, cell in enumerate(cells, 1):
        cell["id"] = cell["metadata"].get("nbgrader", {}).get("grade_id") or f"{lesson}-{number:02}"
    return cells


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text in order: (``markdown``, text), (``code``, source) or (``exercise``, id)."""
    prose: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        exercise = _EXERCISE.fullmatch(line)
        if exercise or line in (_CODE, _BREAK) or _HEADING.match(line):
            yield from _prose(prose)
            prose = []
        if line == _CODE:
            yield "code", "\n".join(iter(lambda: next(lines), _FENCE))
        elif exercise:
            yield "exercise", exercise[1]
        elif line.startswith(_FENCE):
            prose += [line, *iter(lambda: next(lines), _FENCE), _FENCE]
        elif line != _BREAK:
            prose.append(line)
    yield from _prose(prose)


def _prose(lines: list[str]) -> Iterator[tuple[str, str]]:
    text = "\n".join(lines).strip("\n")
    if text:
        yield "markdown", text


def exercise_cells(exercise: Exercise) -> list[Cell]:
    """The task, the answer and the check of an exercise."""
    difficulty = f", {exercise.difficulty.value}" if exercise.difficulty else ""
    points = f"{exercise.points} points, about {exercise.minutes} minutes{difficulty}"
    task = markdown(f"### Exercise: {exercise.title}\n\n*{points}*\n\n{exercise.task.strip()}")
    solution = exercise.solution.strip("\n")
    answer = code(f"{exercise.header}\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION")
    answer["metadata"]["nbgrader"] = _marks(answer_id(exercise.id), solution=True)
    check = code(f'check("{exercise.id}")')
    check["metadata"]["tags"] = [_COMPARED]
    check["metadata"]["nbgrader"] = _marks(check_id(exercise.id), grade=True, locked=True, points=exercise.points)
    return [task, answer, check]


def _marks(grade_id: str, **marks: Any) -> dict[str, Any]:
    """What nbgrader keeps about a cell."""
    plain = {"grade": False, "locked": False, "solution": False, "task": False}
    return {**plain, "grade_id": grade_id, "schema_version": 3, **marks}


def markdown(text: str) -> Cell:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(source: str) -> Cell:
    """A code cell."""
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def tagged(content: str) -> Cell:
    """A code cell with the tags that stand in its first line."""
    tags = _TAGS.match(content)
    cell = code(content[tags.end() :] if tags else content)
    if tags:
        cell["metadata"]["tags"] = tags[1].split(", ")
    return cell


def document(cells: list[Cell]) -> dict[str, Any]:
    """A notebook of these cells."""
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def build(lesson: str) -> Path:
    """Make and run one lesson; returns the notebook's path.  Raises for a cell that fails."""
    import nbformat
    from nbclient import NotebookClient

    text = (LESSONS / f"{lesson}.md").read_text(encoding="utf-8")
    notebook = nbformat.from_dict(document(cells_of(text, lesson)))
    path = SOURCE / lesson / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False)
    client.execute(cwd=str(path.parent))
    for cell in notebook.cells:
        prove(cell, lesson)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    return path


def prove(cell: Cell, lesson: str) -> None:
    """Raise ``SystemExit`` unless a cell that was run did what the lesson counts on."""
    outputs = cell.get("outputs", ())
    points = cell["metadata"].get("nbgrader", {}).get("points")
    if points is not None and [o["data"]["text/plain"] for o in outputs if "execution_count" in o] != [f"{points:.1f}"]:
        raise SystemExit(f"{lesson}: the solution does not earn {points} points: {cell['source']}")
    if "%cluster new" in cell["source"] and any(output.get("name") == "stderr" for output in outputs):
        raise SystemExit(f"{lesson}: {outputs[-1]['text']}")


def merged(outputs: list[Any]) -> list[Any]:
    """Outputs in which a stream's neighbouring pieces are one: where it was cut depends on how fast it was written."""
    result: list[Any] = []
    for output in outputs:
        if output["output_type"] == "stream" and result and result[-1].get("name") == output["name"]:
            result[-1]["text"] += output["text"]
        else:
            result.append(output)
    return result


def lessons() -> list[str]:
    """The names of all lessons, in order."""
    return sorted(path.stem for path in LESSONS.glob("*.md"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the lessons named, else all."""
    parser = argparse.ArgumentParser(description="Make the notebooks of the course from their texts.")
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 07-pods; without any, all")
    os.environ["AUTOGRADER_UNATTENDED"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    for lesson in parser.parse_args(arguments).lessons or lessons():
        print(f"{lesson} ...", flush=True)
        print(f"  {build(lesson).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
