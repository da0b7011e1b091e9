"""Writes ``course/notes.md``: where each line of the notes is taught, and where each erratum is put right.

    python tools/map_notes.py

The notes are ``course/notes.txt``, what is wrong in them ``course/errata.txt``.  Which heading teaches a line,
and which box an erratum has, stands beside each lesson in ``NN-topic.notes.yaml``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
COURSE: Final = ROOT / "course"
LESSONS: Final = COURSE / "lessons"
TABLE: Final = COURSE / "notes.md"
BOX: Final = "**The notes said**"

#: The lines of the notes with which a topic begins, and the lesson about it.
SECTIONS: Final = {
    "ETCD": "01-etcd",
    "Kube-Apiserver": "02-kube-apiserver",
    "Kube-Controller-Manager": "03-kube-controller-manager",
    "Kube-Scheduler": "04-kube-scheduler",
    "Kubelet": "05-kubelet",
    "Kube-Proxy": "06-kube-proxy",
    "Recap": "13-recap",
    "Pods (po)": "07-pods",
    "ReplicaSets (rs)": "08-replicasets",
    "Deployments (deploy)": "09-deployments",
    "Services (svc)": "10-services",
    "Namespaces (ns / -n)": "11-namespaces",
    "ResourceQuotas (quota)": "12-resourcequotas",
}
#: The lesson on all of it.
OVERVIEW: Final = "00-cluster"
#: The numbers of lines that a web page put before a listing: they teach nothing.
_NUMBER: Final = re.compile(r"\d+")
#: What stands before a line: a dash, or the last number of such a column.
_BEFORE: Final = re.compile(r"^(?:- )?(?:\d+(?=[#A-Za-z]))?")
_FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Line(NamedTuple):
    """A line of the notes, and the lesson on its topic."""

    text: str
    lesson: str


def lines() -> list[Line]:
    """The lines of the notes in their order, without columns of numbers."""
    found, lesson = [], ""
    for raw in (COURSE / "notes.txt").read_text(encoding="utf-8").splitlines():
        text = plain(raw)
        lesson = SECTIONS.get(text, lesson)
        if text and not _NUMBER.fullmatch(text):
            found.append(Line(text, lesson))
    return found


def errata() -> list[str]:
    """What is wrong or thin in the notes."""
    return (COURSE / "errata.txt").read_text(encoding="utf-8").splitlines()


def plain(text: str) -> str:
    """A line without what stands before and after it."""
    return _BEFORE.sub("", text.strip()).removesuffix(" |")


def entries(lesson: str) -> list[dict[str, Any]]:
    """What a lesson says it teaches."""
    path = LESSONS / f"{lesson}.notes.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) or [] if path.exists() else []


def taught(line: Line) -> list[tuple[str, str]]:
    """The lessons and headings under which a line is taught: in the lesson on its topic, and in the overview."""
    return list(dict.fromkeys(
        (lesson, str(entry["taught"])) for lesson in (line.lesson, OVERVIEW) for entry in entries(lesson)
        if plain(str(entry.get("line", ""))) == line.text
    ))  # fmt: skip


def put_right(erratum: str) -> list[tuple[str, str]]:
    """The lessons with a box about an erratum, and words of the box."""
    return [(name, entry["box"]) for name in lessons() for entry in entries(name) if entry.get("erratum") == erratum]


def lessons() -> list[str]:
    """The names of all lessons, in order."""
    return sorted(path.stem for path in LESSONS.glob("*.md"))


def headings(lesson: str) -> set[str]:
    """The headings of a lesson."""
    return set(re.findall(r"^#{1,4} (.+)$", _FENCED.sub("", _text(lesson)), re.MULTILINE))


def boxes(lesson: str) -> Iterator[str]:
    """The boxes of a lesson, each on one line."""
    for part in re.findall(r"(?:^> .*\n)+", _text(lesson), re.MULTILINE):
        if BOX in part:
            yield " ".join(part.replace("\n> ", " ").removeprefix("> ").split())


def table() -> str:
    """The page."""
    rows = [(line.text, *found) for line in lines() for found in taught(line)]
    fixes = [(erratum, *found) for erratum in errata() for found in put_right(erratum)]
    return "\n".join([
        "# Where the notes are taught", "",
        "Made by `tools/map_notes.py` from `course/lessons/*.notes.yaml`.", "",
        *_table(("Line of the notes", "Lesson", "Heading"), rows), "",
        "## What the notes had wrong", "",
        *_table(("Erratum", "Lesson", "The box begins"), fixes), "",
    ])  # fmt: skip


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(("---",) * len(head))
    for text, lesson, where in rows:
        yield _row((_cell(text), f"[{lesson}](source/{lesson}/{lesson}.ipynb)", _cell(where)))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _text(lesson: str) -> str:
    path = LESSONS / f"{lesson}.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> int:
    """Write the page."""
    TABLE.write_text(table(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
