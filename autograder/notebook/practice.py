"""Working on exercises in a notebook: the state that one begins with, hints, what is done and what comes next.

%exercise start pods/pending-pod     a cluster with everything that the exercise sets up
%hint pods/first-pod                 the next hint
%progress                            lessons, exercises, points
%reset pods/first-pod                begin an exercise anew
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from autograder.exercises import BadExercise, Exercise, exercise_ids, exercises_root, load
from autograder.exercises.sheets import load_own
from autograder.exercises.starting import started
from autograder.notebook.answers import answer_to
from autograder.notebook.home import Home
from autograder.notebook.record import Done, Record
from autograder.notebook.server import ClusterTrouble, StudentCluster

USAGE: Final = """%exercise start TOPIC/NAME   a cluster with everything that the exercise sets up
%exercise reset TOPIC/NAME   begin it anew"""
_LISTED: Final = re.compile(r"^\{exercise\} ([\w-]+/[\w-]+)\s*$", re.MULTILINE)
_BAR: Final = 10


@magics_class
class PracticeMagics(Magics):
    """The magics about exercises, for one notebook."""

    def __init__(self, shell: InteractiveShell, home: Home, cluster: StudentCluster) -> None:
        super().__init__(shell)
        self._shell = shell
        self._home = home
        self._cluster = cluster
        self._forget_names = shell.find_line_magic("reset")  # type: ignore[no-untyped-call]

    @property
    def record(self) -> Record:
        """What has been done so far; other notebooks write to the same file."""
        return Record.read(self._home.progress)

    @no_var_expand
    @line_magic
    def exercise(self, line: str) -> None:
        """``%exercise start ID`` puts the student in front of what the exercise sets up; ``reset ID`` begins anew."""
        match line.split():
            case ["start", name]:
                self._start(name)
            case ["reset", name]:
                self._reset(name)
            case _:
                print(USAGE)

    @no_var_expand
    @line_magic
    def hint(self, line: str) -> None:
        """``%hint ID`` shows the next hint."""
        self.show_hint(line.strip())

    def show_hint(self, exercise_id: str) -> None:
        """What the last check lost, and the hints so far with the next one."""
        exercise = _loaded(exercise_id)
        if exercise is None:
            return
        record = self.record
        done = record.of(exercise.id)
        if done.is_full:
            print(f"{exercise.title} is done.")
            return
        if done.lost:
            print(f"Your last check lost {done.lost!r}. {done.why}")
        count = min(done.hints + 1, len(exercise.hints))
        for number, text in enumerate(exercise.hints[:count], 1):
            print(f"Hint {number} of {len(exercise.hints)}: {' '.join(text.split())}")
        record.hinted(exercise.id, count)

    @no_var_expand
    @line_magic
    def progress(self, line: str) -> None:
        """``%progress`` shows lessons, exercises and points, and what to do next."""
        print("\n".join(overview(self.record)))

    @no_var_expand
    @line_magic
    def reset(self, line: str) -> None:
        """``%reset ID`` begins an exercise anew; otherwise IPython's own ``%reset``, which forgets all names."""
        if "/" in line:
            self._reset(line.strip())
        else:
            self._forget_names(line)

    def _start(self, name: str) -> None:
        exercise = _loaded(name)
        if exercise is None:
            return
        path = self._home.state / "exercise.cluster"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(started(exercise)), encoding="utf-8")
        try:
            self._cluster.load(path)
        except ClusterTrouble as trouble:
            print(trouble, file=sys.stderr)
            return
        print(f"A new cluster is up, as {exercise.id} begins: {exercise.title}.")
        if exercise.namespaces != ("default",):
            print(f"It is done in the namespace {', '.join(exercise.namespaces)}.")

    def _reset(self, name: str) -> None:
        exercise = _loaded(name)
        if exercise is None:
            return
        self.record.forget(exercise.id)
        for file in answer_to(exercise.id, self._home.work):
            (self._home.work / file).unlink()
        self._shell.set_next_input(f"{exercise.header}\n{exercise.starter}".rstrip("\n"))
        print(f"{exercise.title} begins anew; what you had at first is in the next cell.")


def overview(record: Record) -> Iterator[str]:
    """Each lesson with its exercises and their points, the sum, and what to do next."""
    earned = possible = 0.0
    following = ""
    for lesson, exercises in lessons():
        yield lesson
        for exercise in exercises:
            done = record.of(exercise.id)
            earned, possible = earned + done.earned, possible + exercise.points
            following = following or ("" if done.is_full else f"{exercise.id} in {lesson}: {_about(exercise)}")
            yield f"  {_mark(done)} {exercise.id:34} {done.earned:g} of {exercise.points:g} points{_hints(done)}"
    filled = int(_BAR * earned / possible) if possible else 0
    yield f"[{'#' * filled}{'.' * (_BAR - filled)}] {earned:g} of {possible:g} points"
    yield f"Next: {following}" if following else "Everything is done."


def lessons() -> list[tuple[str, list[Exercise]]]:
    """The lessons in order with the exercises in them; exercises that are in none come last, under their topic."""
    texts = sorted((exercises_root().parent / "lessons").glob("*.md"))
    listed = [(path.stem, _LISTED.findall(path.read_text(encoding="utf-8"))) for path in texts]
    known = exercise_ids()
    for name in known:
        if not any(name in names for _, names in listed):
            topic = name.partition("/")[0]
            own = next((names for lesson, names in listed if lesson == topic), None)
            if own is None:
                listed.append((topic, own := []))
            own.append(name)
    return [(lesson, [load(name) for name in names if name in known]) for lesson, names in listed if names]


def _loaded(name: str) -> Exercise | None:
    try:
        return load_own(name)
    except BadExercise as error:
        print(error, file=sys.stderr)
        return None


def _mark(done: Done) -> str:
    if done.is_full:
        return "✓"
    return "◐" if done.checks else "·"


def _hints(done: Done) -> str:
    return f", {done.hints} hint{'s' if done.hints > 1 else ''} read" if done.hints else ""


def _about(exercise: Exercise) -> str:
    difficulty = f"{exercise.difficulty.value}, " if exercise.difficulty else ""
    return f"{exercise.title} ({difficulty}about {exercise.minutes} minutes)"


def register(shell: InteractiveShell, home: Home, cluster: StudentCluster) -> PracticeMagics:
    """Give a notebook these magics, and ``hint`` as a function."""
    magics = PracticeMagics(shell, home, cluster)
    shell.register_magics(magics)
    shell.push({"hint": magics.show_hint})  # type: ignore[no-untyped-call]
    return magics
