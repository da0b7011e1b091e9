"""How an exercise's author declares checks: functions with a decorator, in the order in which they are run.

    @gate("the Pod exists")
    def exists(review: Review) -> None:
        review.object("Pod", "web")

    @criterion("image", points=2)
    def image(review: Review) -> None:
        \"\"\"The image is what the container runs.\"\"\"
        review.object("Pod", "web").container("web").field("image").is_image("nginx:1.27")

A function that returns has passed; it fails by what it asks of the ``Review``.  Its docstring tells the student why the
criterion matters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from autograder.checks.review import Review
from autograder.checks.verdict import Role

Judge = Callable[[Review], None]


class BadCheck(ValueError):
    """A check is declared wrongly; the message says to its author how."""


@dataclass(frozen=True, slots=True)
class Check:
    """One declared check.  ``points`` is what a criterion earns, or what a violated guard costs."""

    name: str
    role: Role
    points: float
    why: str
    judge: Judge

    @property
    def possible(self) -> float:
        """What can be earned."""
        return self.points if self.role is Role.CRITERION else 0

    @property
    def cost(self) -> float:
        """What is earned when it fails: for a guard less than nothing."""
        return -self.points if self.role is Role.GUARD else 0


def gate(name: str) -> Callable[[Judge], Check]:
    """If this fails, nothing after it can be judged or earn anything."""
    return _declare(name, Role.GATE, 0)


def criterion(name: str, *, points: float) -> Callable[[Judge], Check]:
    """A part of the exercise that earns ``points``."""
    return _declare(name, Role.CRITERION, points)


def guard(name: str, *, costs: float) -> Callable[[Judge], Check]:
    """Something that the answer must leave alone: it earns nothing, and costs points if it is violated."""
    return _declare(name, Role.GUARD, costs)


def _declare(name: str, role: Role, points: float) -> Callable[[Judge], Check]:
    if not name or name != name.strip() or "," in name or "\n" in name:
        raise BadCheck(f"{name!r} is no name for a check: use one line without commas")
    if role is not Role.GATE and not points > 0:
        raise BadCheck(f"{role.value} {name!r}: points must be more than 0, not {points}")

    def declared(judge: Judge) -> Check:
        why = " ".join(inspect.cleandoc(judge.__doc__ or "").split())
        if not why:
            raise BadCheck(f"{role.value} {name!r}: give the function a docstring that says why it matters")
        return Check(name, role, points, why, judge)

    return declared
