"""What a hostile case is: a student, what they hand in, and what must become of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile_course import ANSWERS
from small_course import NOTEBOOK

from autograder.checks import Status

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """``hand_in`` writes into the student's folder of the assignment, which is there and empty.

    ``status`` is that of the answers to ``target`` (an exercise; '' for all of them), of which none earns a point, and
    ``said`` stands in their message, or in a note.  The other answers are right and earn everything.  What ``is_long``
    may also time out where the machine has much to do.
    """

    name: str
    hand_in: Callable[[Path], None]
    status: Status
    said: str = ""
    target: str = ""
    is_long: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """The exercises that earn nothing."""
        return (self.target,) if self.target else tuple(ANSWERS)


def holding(content: Json | bytes) -> Callable[[Path], None]:
    """Hand in a notebook."""

    def write(folder: Path) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / f"{NOTEBOOK}.ipynb").write_bytes(data)

    return write
