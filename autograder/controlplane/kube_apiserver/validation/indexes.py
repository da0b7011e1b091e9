"""Lists of the indexes of a Job, as texts: ``1,3-5``."""

from __future__ import annotations

from autograder.controlplane.apimachinery import field, integers


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
            index = integers.read(part)
            if index is None:
                raise ValueError(f"cannot convert string to integer for index: {field.quoted(part)}")
            if index >= completions:
                raise ValueError(f"too large index: {field.quoted(part)}")
            if ends and ends[0] >= index:
                raise ValueError(f"non-increasing order, previous: {ends[0]}, current: {index}")
            ends.append(index)
        if total and last >= ends[0]:
            raise ValueError(f"non-increasing order, previous: {last}, current: {ends[0]}")
        total += ends[-1] - ends[0] + 1
        last = ends[-1]
    return total
