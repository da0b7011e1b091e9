"""Where an answer is judged: a fork of a prepared cluster or, on a real one, namespaces made for this answer.

On a real cluster nothing can be copied.  What a check wants to break is therefore made a second time (the setup, the
answer) and given time to get as far as the first.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from autograder.checks import Case, Notes, Outcome, Sources, Trial, hindrances, run
from autograder.checks.case import ObjectKey
from autograder.checks.health import is_ready
from autograder.clusters import Capability, Cluster, ClusterError, NotSupportedHere, Object, apply, need
from autograder.clusters.interface import Taken
from autograder.clusters.kinds import UnknownKind, kind_named
from autograder.clusters.owned import OwnedCluster
from autograder.controlplane.apimachinery.errors import AlreadyExists, StatusError
from autograder.exercises.confinement import in_order, trespasses
from autograder.exercises.exercise import Exercise, Form
from autograder.exercises.reading import read
from autograder.exercises.visits import Visit
from autograder.manifests import Document, parse

#: Seconds of the cluster's time that the objects of ``setup.yaml`` get before the answer comes.
SETUP_SECONDS: Final = 60
#: How much longer than after a command nothing may change until a real cluster has done all that it will do.
QUIET_TIMES: Final = 3
#: Seconds that the copy of an answer gets to come as far as the answer.
COPY_SECONDS: Final = 120
#: Seconds of wall time for a whole judgement where time cannot be moved; some experiments take twenty minutes.
REAL_SECONDS: Final = 1800

#: Prepared clusters that are kept; with values drawn for each student there may be one for each.
PREPARED_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cluster with an exercise's surroundings in it, and how they were before any answer."""

    cluster: Cluster
    before: dict[ObjectKey, Object]


@dataclass(frozen=True, slots=True)
class Experimented:
    """What an experiment found, the cluster in which it was done, and what was done there."""

    outcome: Mapping[str, Any]
    cluster: Cluster
    steps: Sequence[str]


class Places:
    """The places for answers in one cluster, which itself is never changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._warm = cluster
        self._forks = Capability.FORK in cluster.capabilities
        self._prepared: dict[tuple[object, ...], Prepared] = {}
        self._experimented: dict[tuple[object, ...], Experimented] = {}

    def need(self, *capabilities: Capability) -> None:
        """Raise ``NotSupportedHere`` for the first of the capabilities that the cluster lacks."""
        need(self._warm, *capabilities)

    def seconds(self, exercise: Exercise) -> float:
        """How long judging one answer may take, of wall time."""
        return exercise.bounds.seconds if Capability.CLOCK in self._warm.capabilities else REAL_SECONDS

    def prepared(self, exercise: Exercise) -> Prepared:
        """A cluster with the exercise's namespaces and setup, to be forked; made once for all who have the same."""
        key = _surroundings(exercise)
        if key not in self._prepared:
            if len(self._prepared) >= PREPARED_LIMIT:
                self._prepared.clear()
            self._prepared[key] = prepare(exercise, self._warm.fork())
        return self._prepared[key]

    def warm_up(self, exercise: Exercise) -> None:
        """Prepare what answers to an exercise can share."""
        if self._forks:
            self.prepared(exercise)
            if exercise.form is Form.PREDICTION:
                self.experimented(exercise)

    def experimented(self, exercise: Exercise) -> Experimented:
        """What really happens in an exercise's experiment; no answer has a part in it, so that it is done once."""
        key = (*_surroundings(exercise), exercise.experiment, tuple(exercise.values.items()))
        if key not in self._experimented:
            if len(self._experimented) >= PREPARED_LIMIT:
                self._experimented.clear()
            assert exercise.experiment is not None
            trial = Trial(self.case(exercise, ()), Notes())
            try:
                outcome = exercise.experiment(trial)
                if not self._forks:
                    _prove(exercise, trial.case, outcome)
            finally:
                trial.cluster.close()  # where there are no forks: gives back what the experiment has stopped
            self._experimented[key] = Experimented(outcome, trial.cluster, trial.notes.steps)
        return self._experimented[key]

    def case(self, exercise: Exercise, documents: Sequence[Document]) -> Case:
        """A fresh place with the setup in it, as the checks see it; its cluster is to be closed at the end."""
        if self._forks:
            prepared = self.prepared(exercise)
            return _case(exercise, documents, Prepared(prepared.cluster.fork(), prepared.before))
        if exercise.form is Form.COMMANDS and Capability.COMMANDS in self._warm.capabilities:
            case = _fresh(exercise, documents, self._warm.whole())
            visit = Visit(case.cluster)
            return replace(case, again=lambda: replace(case, cluster=visit.begin()), leave=visit.leave)
        first = _fresh(exercise, documents, self._warm.apart())

        def again() -> Case:
            second = _fresh(exercise, documents, first.cluster.apart())
            _catch_up(exercise, documents, second.cluster, first.cluster)
            return second

        return replace(first, again=again)


def _prove(exercise: Exercise, case: Case, outcome: Mapping[str, Any]) -> None:
    """Hold an experiment on a real cluster against the right answer; raises ``ClusterError`` if it went otherwise.

    It did not go so because of what a student predicted, and so must cost nobody anything.
    """
    right = read(exercise, exercise.answer(exercise.solution)).predictions
    judged = run(exercise.checks, replace(case, predictions=right, outcome=outcome))
    other = [one.result.name for one in judged if one.result.outcome is not Outcome.PASSED]
    if other:
        raise ClusterError(
            f"the experiment did not go here as it should ({', '.join(other)}): is the machine too slow?"
        )


def _fresh(exercise: Exercise, documents: Sequence[Document], place: Cluster) -> Case:
    """The case in a place that was just made, and that is closed if it does not come to a case."""
    try:
        return _case(exercise, documents, prepare(exercise, place))
    except BaseException:
        with contextlib.suppress(ClusterError, StatusError):  # the first failure is the one to tell
            place.close()
        raise


def _case(exercise: Exercise, documents: Sequence[Document], prepared: Prepared) -> Case:
    cluster, namespace = prepared.cluster, exercise.namespaces[0]
    case = Case(cluster, Sources(documents, namespace), namespace, exercise.values, prepared.before)
    if Capability.CLOCK in cluster.capabilities:
        return case
    images = frozenset(_images(exercise))
    return replace(case, excuses=lambda there: hindrances(there, images))


def prepare(exercise: Exercise, cluster: Cluster) -> Prepared:
    """Put an exercise's surroundings into a cluster."""
    for namespace in exercise.namespaces:
        if f"Namespace/{namespace}" not in exercise.cluster_objects:
            with contextlib.suppress(AlreadyExists):
                cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    cluster.settle()
    documents: Sequence[Document] = ()
    if exercise.setup:
        manifest = parse(exercise.setup, source="setup.yaml")
        if manifest.problems:
            raise ValueError(f"{exercise.id}: {manifest.problems[0]}")
        documents = manifest.documents
        for document in in_order(documents):
            apply(cluster, document.value, exercise.namespaces[0])
        _let_it_get_ready(cluster)
    if exercise.prepare is not None:
        exercise.prepare(cluster, exercise.values)
        _let_it_get_ready(cluster)
    before: dict[ObjectKey, Object] = {}
    for document in documents:
        namespace = (document.namespace or exercise.namespaces[0]) if kind_named(document.kind).namespaced else ""
        live = cluster.get(document.kind, document.name, namespace)
        before[document.kind, namespace, document.name] = live
    for namespace in exercise.namespaces if documents else ():
        for pod in cluster.list("Pod", namespace):
            before["Pod", namespace, pod["metadata"]["name"]] = {"apiVersion": "v1", "kind": "Pod", **pod}
    return Prepared(cluster, before)


def _let_it_get_ready(cluster: Cluster) -> None:
    cluster.settle()
    if Capability.CLOCK in cluster.capabilities:
        cluster.advance(SETUP_SECONDS)
    elif isinstance(cluster, OwnedCluster) and cluster.is_whole:  # what is broken never gets ready
        cluster.wait_until_quiet(SETUP_SECONDS, QUIET_TIMES)
    else:
        cluster.wait_until(lambda: _is_up(cluster), SETUP_SECONDS)


def _is_up(cluster: Cluster) -> bool:
    """Whether every Pod is ready, and on the lists of the Services that lead to it."""
    pods, services, slices = (cluster.list(kind, "") for kind in ("Pod", "Service", "EndpointSlice"))
    listed = {
        _listing(piece, endpoint)
        for piece in slices for endpoint in piece.get("endpoints") or () if endpoint["conditions"].get("ready")
    }  # fmt: skip
    wanted = {
        (service["metadata"]["namespace"], service["metadata"]["name"], pod["metadata"]["name"])
        for service in services for pod in pods if _leads_to(service, pod)
    }  # fmt: skip
    return all(is_ready(pod) for pod in pods) and wanted <= listed


def _leads_to(service: Object, pod: Object) -> bool:
    selector, labels = service["spec"].get("selector") or {}, pod["metadata"].get("labels") or {}
    same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return (
        same and bool(selector) and service["spec"].get("type") != "ExternalName" and selector.items() <= labels.items()
    )


def _listing(piece: Object, endpoint: Object) -> tuple[str, str, str]:
    """Namespace, Service and Pod of an endpoint."""
    meta = piece["metadata"]
    service = (meta.get("labels") or {}).get("kubernetes.io/service-name", "")
    return meta["namespace"], service, (endpoint.get("targetRef") or {}).get("name", "")


def _surroundings(exercise: Exercise) -> tuple[object, ...]:
    """What decides how a cluster is prepared for an exercise."""
    code = exercise.texts.get("setup.py", "")
    values = tuple(exercise.values.items()) if code else ()
    return exercise.setup, exercise.namespaces, exercise.cluster_objects, code, values


def _catch_up(exercise: Exercise, documents: Sequence[Document], copy: Cluster, original: Cluster) -> None:
    """Bring the answer into another place, and wait until as many Pods are ready there as in the first."""
    for document in documents:
        if not any(trespasses(exercise, document)):
            try:
                apply(copy, document.value, exercise.namespaces[0])
            except UnknownKind:
                continue
            except Taken as taken:  # by the original
                raise NotSupportedHere(copy.name, Capability.FORK) from taken
            except StatusError as refusal:
                if _is_there(original, exercise, document):
                    raise NotSupportedHere(copy.name, Capability.FORK) from refusal
                # Else the original was refused in the same way, and the verdict says so.
    if not copy.wait_until(_is_as_far(copy, original), COPY_SECONDS):
        raise ClusterError("a second copy of the answer, to try things on, did not come as far as the first")


def _is_there(cluster: Cluster, exercise: Exercise, document: Document) -> bool:
    try:
        cluster.get(document.kind, document.name, document.namespace or exercise.namespaces[0])
    except (StatusError, UnknownKind):
        return False
    return True


def _is_as_far(copy: Cluster, original: Cluster) -> Callable[[], bool]:
    def pods(cluster: Cluster) -> Counter[tuple[str, bool]]:
        return Counter((pod["metadata"]["namespace"], is_ready(pod)) for pod in cluster.list("Pod", ""))

    return lambda: pods(copy) == pods(original)


def _images(exercise: Exercise) -> Iterator[str]:
    """The images of right answers and of the setup: if one of them cannot be pulled, that is nobody's mistake."""
    if exercise.form is not Form.MANIFEST:
        return
    for text in (exercise.setup, exercise.solution, *exercise.accepted.values()):
        for document in parse(text, source="image").documents:
            yield from _values_of(document.value, "image")


def _values_of(value: object, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, entry in value.items():
            if name == key and isinstance(entry, str):
                yield entry
            yield from _values_of(entry, key)
    elif isinstance(value, list):
        for entry in value:
            yield from _values_of(entry, key)
