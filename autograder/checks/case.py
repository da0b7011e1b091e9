"""What the checks of one judgement share, and what is noted during each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.checks.commands import CommandRun
from autograder.checks.sources import Sources
from autograder.checks.subject import Field
from autograder.checks.verdict import Where
from autograder.clusters import Cluster, Object

#: Kind, namespace and name.
ObjectKey = tuple[str, str, str]
#: A student's program: what its function of this name returns for each list of arguments; raises ``Failed``.
Program = Callable[[str, Sequence[Sequence[Any]]], list[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One answer in one cluster: what all checks of a judgement share.

    ``namespace`` is where objects without one are; ``before`` holds the objects that were there before the answer, by
    kind, namespace and name; ``values`` are the exercise's parameters.  ``commands`` are those that were run for the
    answer, ``predictions`` what it predicts and where, and ``outcome`` what an experiment found to be so.  ``program``
    calls a function of the answer.  Where a cluster cannot be forked, ``again`` brings the answer into another place of
    it, ``leave`` takes away what a check has left in that, and ``excuses`` says what of the cluster, and not of the
    answer, may keep things from working.
    """

    cluster: Cluster
    sources: Sources
    namespace: str = "default"
    values: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[ObjectKey, Object] = field(default_factory=dict)
    commands: Sequence[CommandRun] = ()
    predictions: Mapping[str, tuple[str, Where]] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    program: Program | None = None
    again: Callable[[], Case] | None = None
    leave: Callable[[], None] = lambda: None
    excuses: Callable[[Cluster], Sequence[str]] = lambda cluster: ()


@dataclass(slots=True)
class Notes:
    """What happened during one check: what was found and proved, and what the audit wants to know of it.

    ``names`` are the names that the check goes by, ``values`` what it expects, ``looked_at`` the fields it compared,
    ``steps`` what it did to copies of the cluster.
    """

    found: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    looked_at: list[Field] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
