"""Lists of the indexes of a Job, as texts: ``1,3-5``."""

from __future__ import annotations

import re

from autograder.controlplane.apimachinery import field


def count_indexes(text: str, completions: int) -> int:
    """How many indexes ``1,3-5`` names. Raises ValueError in Kubernetes' words."""
    total, last = 0, -1
    for interval in text.split(",") if text else ():
        parts = interval.split("-")
        if len(parts) > 2:
            shown = field.quoted(interval)
            why = "an index interval can have at most two parts separated by '-'"
            raise ValueError(f"the fragment {shown} violates the requirement that {why}")
        ends: list[int] = []
        for part in parts:
            if not re.fullmatch("[+-]?[0-9]+", part, re.ASCII):
                raise ValueError(f"cannot convert string to integer for index: {field.quoted(part)}")
            if int(part) >= completions:
                raise ValueError(f"too large index: {field.quoted(part)}")
            if ends and ends[0] >= int(part):
                raise ValueError(f"non-increasing order, previous: {ends[0]}, current: {int(part)}")
            ends.append(int(part))
        if total and last >= ends[0]:
            raise ValueError(f"non-increasing order, previous: {last}, current: {ends[0]}")
        total += ends[-1] - ends[0] + 1
        last = ends[-1]
    return total
