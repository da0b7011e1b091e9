"""Values of each student's own: drawn from the course's secret, so that an answer cannot simply be passed on.

The secret is the file ``secret`` in the course's folder, readable by its owner alone, or the variable
``AUTOGRADER_COURSE_SECRET``.  A course without a secret has the same values for everybody: the defaults.
"""

from __future__ import annotations

import argparse
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.exercises import Exercise
from autograder.exercises.parameters import Value
from autograder.exercises.sheets import BadSheet, Sheet, key_of
from autograder.grading.assignment import BadCourse, find_course

FILE: Final = "secret"
VARIABLE: Final = "AUTOGRADER_COURSE_SECRET"
#: Bytes that a secret has at least; ``autograder secret`` makes one of 32.
SHORTEST: Final = 16
LONGEST: Final = 4096

OTHER_SHEET: Final = "this notebook was made for somebody else, and is judged by your own values"
CHANGED_SHEET: Final = "the note of its values in this notebook was changed; it is judged by your own values"
NO_SHEET: Final = "this notebook does not say for whom it was made; it is judged by your own values"
NO_SECRET: Final = (
    f"this notebook has individual values, and the course's secret is not here; put it back ({FILE} in the "
    f"course's folder, or {VARIABLE}) and grade again"
)
OTHER_SECRET: Final = (
    "this notebook was made with another secret than the course has now; put that one back and grade again, or hand "
    "out the assignment anew"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sheet of a submitted notebook tells: a note for its owner, or why it must not be judged now."""

    note: str = ""
    obstacle: str = ""


class Individual:
    """The values of every student of a course; without a secret, the defaults for all."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret

    @classmethod
    def of(cls, course: Path) -> Individual:
        """The values of a course; raises ``BadCourse`` for a secret that is none."""
        return cls(read_secret(course))

    @property
    def drawn(self) -> bool:
        """Whether values are drawn at all."""
        return self._secret is not None

    def exercise(self, exercise: Exercise, student: str) -> Exercise:
        """The exercise as this student has it."""
        return exercise if self._secret is None else exercise.drawn_for(student, self._secret)

    def sheet(self, assignment: str, exercises: Iterable[Exercise], student: str) -> Sheet:
        """What a student's copy of an assignment says of its values; ``exercises`` are as they were loaded."""
        assert self._secret is not None
        values: Mapping[str, Mapping[str, Value]] = {
            exercise.id: self.exercise(exercise, student).values for exercise in exercises if exercise.is_individual
        }
        return Sheet(student, assignment, values).signed(self._secret)

    def look(self, raw: Any, student: str) -> Seen:
        """What is to be said of the sheet in a submitted notebook (None if it has none)."""
        if raw is None:
            return Seen(NO_SHEET) if self.drawn else Seen()
        try:
            sheet = Sheet.parse(raw)
        except BadSheet:
            return Seen(CHANGED_SHEET) if self.drawn else Seen()
        if self._secret is None:
            return Seen(obstacle=NO_SECRET)
        if sheet.key != key_of(self._secret):
            return Seen(obstacle=OTHER_SECRET)
        if not sheet.is_signed_by(self._secret):
            return Seen(CHANGED_SHEET)
        return Seen() if sheet.student == student else Seen(OTHER_SHEET)


def read_secret(course: Path) -> bytes | None:
    """The secret of a course, None if it has none; raises ``BadCourse`` for one that others can read or guess."""
    given = os.environ.get(VARIABLE)
    path = course / FILE
    if given is None:
        try:
            information = path.stat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(information.st_mode):
            raise BadCourse(f"{path} is not a plain file; make a secret with `autograder secret`")
        if os.name == "posix" and information.st_mode & 0o077:
            raise BadCourse(f"{path} can be read by others; `chmod 600 {path}`, or make another one if they have")
        try:
            given = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadCourse(f"{path} cannot be read: {error}") from error
    secret = given.strip().encode()
    if not SHORTEST <= len(secret) <= LONGEST:
        where = VARIABLE if VARIABLE in os.environ else str(path)
        raise BadCourse(f"{where} has {len(secret)} bytes, and a secret has {SHORTEST} to {LONGEST}")
    return secret


def make_secret(course: Path) -> Path:
    """Write a new secret that only its owner can read; raises ``FileExistsError`` where there is one."""
    path = course / FILE
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{secrets.token_hex(32)}\n")
    return path


def secret(options: argparse.Namespace) -> int:
    """The command ``autograder secret``: make one, or say which there is; 0 if there is one now, 2 if not."""
    try:
        course = find_course(options.course)
        if (known := read_secret(course)) is None:
            print(f"{make_secret(course)} is made. Keep a copy: with another secret every student has other values.")
            known = read_secret(course)
        assert known is not None
        print(f"The course has the secret {key_of(known)} (this is its name, and tells nothing of it).")
    except (BadCourse, OSError) as error:
        print(f"autograder secret: {error}", file=sys.stderr)
        return 2
    return 0
