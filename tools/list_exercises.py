"""Writes the table of the exercises into ``course/exercises/README.md``, in the order of the lessons."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.exercises import Exercise, load  # noqa: E402

EXERCISES: Final = ROOT / "course" / "exercises"
LESSONS: Final = ROOT / "course" / "lessons"
PAGE: Final = EXERCISES / "README.md"
HEAD: Final = "| exercise | points | kind | minutes | title |\n| --- | --- | --- | --- | --- |\n"
_STANDS: Final = re.compile(r"^\{exercise\} (\S+)$", re.MULTILINE)
_ROWS: Final = re.compile(rf"{re.escape(HEAD)}(?:\|.*\n)*")


def exercises() -> Iterator[Exercise]:
    """The exercises of all lessons in their order."""
    for lesson in sorted(LESSONS.glob("*.md")):
        for name in _STANDS.findall(lesson.read_text(encoding="utf-8")):
            yield load(name, EXERCISES)


def page() -> str:
    """The page with the table as it has to be."""
    rows = (f"| `{one.id}` | {one.points} | {one.kind.value} | {one.minutes} | {one.title} |\n" for one in exercises())
    table = HEAD + "".join(rows)
    return _ROWS.sub(lambda _: table, PAGE.read_text(encoding="utf-8"))


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
