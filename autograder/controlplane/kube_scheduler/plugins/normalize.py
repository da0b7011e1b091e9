"""Bringing scores to 0..100."""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE


def default_normalize(scores: list[int], *, reverse: bool) -> list[int]:
    """Scale scores so that the highest is 100; with ``reverse`` the highest becomes 0.  Scores are not negative."""
    most = max(scores)
    if most == 0:
        return [MAX_NODE_SCORE] * len(scores) if reverse else scores
    if reverse:
        return [MAX_NODE_SCORE - MAX_NODE_SCORE * score // most for score in scores]
    return [MAX_NODE_SCORE * score // most for score in scores]
