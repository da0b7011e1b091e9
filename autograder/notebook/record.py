"""What a student has done so far: points, hints and where they are stuck, in a file of their own.

Nothing of it leaves the computer, and nothing of it counts for the grade.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from autograder.checks import Verdict


@dataclass(frozen=True, slots=True)
class Done:
    """How far an exercise has come: the best points, how often it was checked, hints read, and what is lost now."""

    earned: float = 0
    possible: float = 0
    checks: int = 0
    hints: int = 0
    lost: str = ""
    why: str = ""

    @property
    def is_full(self) -> bool:
        """Whether everything was earned."""
        return self.checks > 0 and self.possible > 0 and self.earned >= self.possible


@dataclass(slots=True)
class Record:
    """The record in a file, read when it is made and written with every change."""

    path: Path
    exercises: dict[str, Done] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Record:
        """The record of a file; an empty one if there is none or if it cannot be read."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, {str(name): Done(**done) for name, done in kept["exercises"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path)

    def of(self, exercise: str) -> Done:
        """How far an exercise has come."""
        return self.exercises.get(exercise, Done())

    def checked(self, exercise: str, verdict: Verdict) -> None:
        """An answer was judged."""
        lost = next((one for one in verdict.criteria if one.is_lost), None)
        done = self.of(exercise)
        self._keep(exercise, replace(
            done, earned=max(done.earned, verdict.earned), possible=verdict.possible, checks=done.checks + 1,
            lost=lost.name if lost else "", why=lost.why if lost else "",
        ))  # fmt: skip

    def hinted(self, exercise: str, hints: int) -> None:
        """So many hints have been read."""
        self._keep(exercise, replace(self.of(exercise), hints=hints))

    def forget(self, exercise: str) -> None:
        """Begin an exercise anew."""
        self.exercises.pop(exercise, None)
        self._write()

    def _keep(self, exercise: str, done: Done) -> None:
        self.exercises[exercise] = done
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        kept = {"exercises": {name: asdict(done) for name, done in sorted(self.exercises.items())}}
        draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.path)
