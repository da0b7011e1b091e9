"""A penalty for late work that nbgrader does not bring along: some percent of the score for every day begun.

In ``nbgrader_config.py``:

    c.AssignLatePenalties.plugin_class = "autograder.grading.late_penalty.PercentPerDay"
    c.PercentPerDay.percent = 10
"""

from __future__ import annotations

import math
from typing import Final

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

_DAY: Final = 24 * 60 * 60


class PercentPerDay(LateSubmissionPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Takes ``percent`` of the score for every day begun, and never more than ``most``."""

    percent = Float(10, min=0, max=100, help="percent of the score for every day begun").tag(config=True)
    most = Float(100, min=0, max=100, help="percent of the score that are taken at most").tag(config=True)
    grace_minutes = Float(0, min=0, help="minutes after the due date that cost nothing").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The points to take off; None for nothing."""
        days = math.ceil((total_seconds_late - 60 * self.grace_minutes) / _DAY)
        share = min(self.most, self.percent * days) / 100
        return round(score * share, 4) if share > 0 else None
