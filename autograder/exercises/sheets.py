"""A sheet: which values one student's copy of an assignment has, so that ``check`` judges by the task as it was given.

A sheet lies beside the student's notebooks as ``individual.json`` and stands in their metadata.  It holds no secret.
The grader never takes values from it: it draws them again, and looks at the sheet only to see whether a notebook was
made for somebody else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from autograder.checks import Result, Verdict
from autograder.exercises.entries import entry
from autograder.exercises.exercise import Exercise
from autograder.exercises.loading import BadExercise, load
from autograder.exercises.parameters import Value

#: The file beside the notebooks, and the key in the metadata of each.
FILE: Final = "individual.json"
KEY: Final = "individual"
#: Bytes of a sheet that are read.
SIZE_LIMIT: Final = 256 * 1024
#: The entry of a verdict that says that a value is not the student's own.
OWN_VALUES: Final = "own values"
WHY_OWN: Final = "Every student's task has values of its own; those that count stand in the task of your notebook."

_WORD: Final = re.compile(r"[\w./:-]*\w")


class BadSheet(ValueError):
    """Something is no sheet; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The values of one student in one assignment, by exercise and parameter.

    ``key`` tells secrets apart without telling anything about them; ``signature`` says that the course wrote it.
    """

    student: str
    assignment: str
    values: Mapping[str, Mapping[str, Value]]
    key: str = ""
    signature: str = ""

    @classmethod
    def parse(cls, raw: Any) -> Sheet:
        """The sheet that JSON holds; raises ``BadSheet``."""
        if not isinstance(raw, dict):
            raise BadSheet("it is not a map")
        texts = [raw.get(name) for name in ("student", "assignment", "key", "signature")]
        values = raw.get("values")
        if not all(isinstance(text, str) for text in texts) or not isinstance(values, dict):
            raise BadSheet("a field is missing, or is not what it should be")
        for given in values.values():
            if not isinstance(given, dict) or not all(type(value) in (str, int) for value in given.values()):
                raise BadSheet("its values are not texts and numbers")
        return cls(raw["student"], raw["assignment"], values, raw["key"], raw["signature"])

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "student": self.student, "assignment": self.assignment, "values": self.values, "key": self.key,
            "signature": self.signature,
        }  # fmt: skip

    def signed(self, secret: bytes) -> Sheet:
        """The same sheet with the course's signature."""
        named = replace(self, key=key_of(secret))
        return replace(named, signature=named._signature(secret))

    def is_signed_by(self, secret: bytes) -> bool:
        """Whether the course wrote this sheet, and nobody has changed it."""
        expected = self._signature(secret)
        return hmac.compare_digest(expected.encode(), self.signature.encode("utf-8", "surrogatepass"))

    def _signature(self, secret: bytes) -> str:
        said = json.dumps([self.student, self.assignment, self.values, self.key], sort_keys=True)
        return hmac.new(secret, f"sheet\0{said}".encode(), hashlib.sha256).hexdigest()


def key_of(secret: bytes) -> str:
    """A name for a secret that tells nothing of it."""
    return hmac.new(secret, b"key", hashlib.sha256).hexdigest()[:12]


def read(folder: Path) -> Sheet | None:
    """The sheet in a folder; None if there is none.  Raises ``BadSheet`` with the file's name."""
    path = folder / FILE
    try:
        information = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(information.st_mode) or information.st_size > SIZE_LIMIT:
        raise BadSheet(f"{FILE} is not a plain file, or is too large; get your copy of the assignment again")
    try:
        return Sheet.parse(json.loads(path.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise BadSheet(f"{FILE} cannot be used ({error}); get your copy of the assignment again") from error


def load_own(exercise: str, folder: Path | None = None) -> Exercise:
    """An exercise as the student working in ``folder`` (the current one) was given it; raises ``BadExercise``."""
    loaded = load(exercise)
    try:
        sheet = read(folder or Path.cwd())
    except BadSheet as error:
        raise BadExercise(str(error)) from error
    given = sheet.values.get(loaded.id) if sheet else None
    if not given:
        return loaded
    for name, value in given.items():
        if name not in loaded.parameters or value not in loaded.parameters[name].choices:
            raise BadExercise(
                f"{loaded.id}: {FILE} says that {name} is {value!r}, which this exercise does not know; "
                "get your copy of the assignment again"
            )
    return loaded.with_values(given)


def feedback(exercise: Exercise, verdict: Verdict, folder: Path | None = None) -> Verdict:
    """The verdict as the student working in ``folder`` (the current one) gets it, the same as from the grader."""
    return remarked(exercise, verdict) if ((folder or Path.cwd()) / FILE).is_file() else verdict


def remarked(exercise: Exercise, verdict: Verdict) -> Verdict:
    """The verdict; if a lost value is not this student's own and could be another's, with an entry that says so."""
    differing = dict(_differing(exercise, verdict))
    if not differing:
        return verdict
    said = "; ".join(f"in your task `{name}` is {exercise.values[name]}, and here it is {other}"
                     for name, other in differing.items())  # fmt: skip
    return replace(verdict, criteria=(*verdict.criteria, entry(OWN_VALUES, said, WHY_OWN)))


def _differing(exercise: Exercise, verdict: Verdict) -> Iterator[tuple[str, Value]]:
    """Parameters of which a failed check wanted the student's value and found another that could have been drawn."""
    for result in verdict.criteria:
        if not result.is_lost:
            continue
        wanted, found = _words(result, result.wanted), _words(result, result.found)
        for name, parameter in exercise.parameters.items():
            own = str(exercise.values[name])
            others = [choice for choice in parameter.choices if str(choice) != own and str(choice) in found]
            if own in wanted and (own not in found or result.found is None) and others:
                yield name, others[0]


def _words(result: Result, said: str | None) -> list[str]:
    return _WORD.findall(result.message if said is None else said)
