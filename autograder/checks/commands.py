"""What became of the commands of an answer, for checks that ask how something was done."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.checks.verdict import Where
from autograder.clusters import Object
from autograder.manifests import parse


@dataclass(frozen=True, slots=True)
class CommandRun:
    """One run of kubectl: its arguments, what it printed, its exit code, and where in the answer it stands."""

    verb: str
    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    where: Where

    def __str__(self) -> str:
        return " ".join(("kubectl", *self.arguments))

    @property
    def objects(self) -> list[Object]:
        """The objects that it printed with ``-o yaml`` or ``-o json``; none if it printed something else."""
        return [
            document.value for document in parse(self.out, source="output").documents
            if document.kind and document.name
        ]  # fmt: skip
