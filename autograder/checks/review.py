"""What a check is given: the answer in a running cluster, and words to ask about it.

A ``Review`` only looks.  Whoever wants to break something asks it for a ``trial``, a throw-away copy of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from autograder.checks.case import Case, Notes
from autograder.checks.commands import CommandRun
from autograder.checks.findings import Failed, PartlyFailed
from autograder.checks.health import is_ready, what_is_wrong
from autograder.checks.meaning import shown
from autograder.checks.paths import MISSING, first_difference, render
from autograder.checks.sources import Sources
from autograder.checks.subject import Field, Subject, did_you_mean
from autograder.clusters import Capability, Cluster, ClusterError, Object, need
from autograder.clusters.kinds import kind_named
from autograder.controlplane.apimachinery.errors import NotFound

if TYPE_CHECKING:
    from autograder.checks.trial import Trial

#: How long a cluster is given to get something ready, in its own seconds, and how long it must stay so.
PATIENCE: Final = 120
STABLE: Final = 15


class Review:
    """The answer in a running cluster, as one check sees it."""

    def __init__(self, case: Case, notes: Notes | None = None) -> None:
        self.case = case
        self.notes = notes or Notes()

    @property
    def cluster(self) -> Cluster:
        """The cluster that the answer is in.  Look, do not change it: that is what ``trial`` is for."""
        return self.case.cluster

    @property
    def values(self) -> Mapping[str, Any]:
        """The parameters of the exercise, as they were drawn for this student."""
        return self.case.values

    @property
    def sources(self) -> Sources:
        """The documents of the answer."""
        return self.case.sources

    def object(self, kind: str, name: str, namespace: str = "") -> Subject:
        """The object of this name; fails with the names that exist."""
        self.notes.names.append(name)
        namespace = namespace or self.case.namespace
        try:
            found = self.cluster.get(kind, name, namespace)
        except NotFound:
            there = [obj["metadata"]["name"] for obj in self.cluster.list(kind, namespace)]
            self._absent(kind, name, namespace, there)
        self.notes.found.append(f"there is the {kind} {name}")
        return Subject(self, found)

    def objects(self, kind: str, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> list[Subject]:
        """The objects of a kind, those with these labels if any are given, in the order of their names."""
        selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        found = self.cluster.list(kind, namespace or self.case.namespace, labels=selector)
        return [Subject(self, {"kind": kind, **obj}) for obj in found]

    def pods(self, owner: Subject) -> list[Subject]:
        """The Pods that belong to an object, directly or through ReplicaSets, without those on their way out."""
        owners = {self._here(owner).object["metadata"]["uid"]}
        if owner.kind == "Deployment":
            replica_sets = self.cluster.list("ReplicaSet", owner.namespace)
            owners |= {rs["metadata"]["uid"] for rs in replica_sets if owners & _owners(rs)}
        return [
            pod for pod in self.objects("Pod", owner.namespace)
            if owners & _owners(pod.object) and "deletionTimestamp" not in pod.object["metadata"]
        ]  # fmt: skip

    def ready_pods(self, owner: Subject) -> list[Subject]:
        """The Pods of an object that are ready."""
        return [pod for pod in self.pods(owner) if is_ready(pod.object)]

    def ready(self, subject: Subject, within: float = PATIENCE) -> None:
        """The object gets ready and stays so; fails with the reasons that the cluster gives."""

        def holds() -> bool:
            return is_ready(self.cluster.get(subject.kind, subject.name, subject.namespace))

        def found() -> str:
            return what_is_wrong(self.cluster, self.cluster.get(subject.kind, subject.name, subject.namespace))

        self.eventually(f"{subject} is ready", holds, within=within, found=found, about=subject.field("spec"))

    def has_ready_pods(self, owner: Subject, count: int, within: float = PATIENCE) -> None:
        """The object gets exactly this many ready Pods and keeps them."""

        def holds() -> bool:
            return len(self.ready_pods(owner)) == len(self.pods(owner)) == count

        def found() -> str:
            pods = self.pods(owner)
            late = [pod for pod in pods if not is_ready(pod.object)]
            troubled = late[0].object if late else owner.refreshed().object if len(pods) < count else None
            reasons = f"; {what_is_wrong(self.cluster, troubled)}" if troubled else ""
            return f"{len(pods) - len(late)} ready of {len(pods)} Pods{reasons}"

        wanted = f"{count} ready Pods of {owner}"
        self.eventually(wanted, holds, within=within, found=found, about=owner.field("spec"))

    def eventually(
        self,
        wanted: str,
        predicate: Callable[[], bool],
        *,
        within: float = PATIENCE,
        stable: float = STABLE,
        found: Callable[[], str] | None = None,
        about: Field | None = None,
    ) -> None:
        """``predicate`` comes to hold within so many seconds and holds still after ``stable`` more.

        ``wanted`` is the state in words and ``found`` tells what is there instead; ``about`` is what to point at.
        """
        held = self.cluster.wait_until(predicate, within)
        if held and stable:
            self.cluster.advance(stable)
            held = predicate()
        if held:
            self.proved(wanted)
            return
        excuses = self.case.excuses(self.cluster)
        if excuses:
            raise ClusterError("; ".join(excuses))
        what = found() if found else "not so"
        message = f"after {within:g} seconds: {what}"
        raise Failed(message, wanted=wanted, found=what, where=about.where if about else None)

    def unchanged(self, kind: str, name: str, namespace: str = "") -> None:
        """An object that was there before the answer is still there and still the same."""
        namespace = namespace or self.case.namespace
        before = self.case.before[kind, namespace, name]
        now = self.object(kind, name, namespace)
        for part in sorted((before.keys() | now.object.keys()) - {"metadata", "status"}):
            changed = first_difference(before.get(part, MISSING), now.object.get(part, MISSING), (part,))
            if changed is not None:
                raise Failed(
                    f"{kind} {name} was to be left alone, and {render(changed.path)} has changed",
                    wanted=shown(changed.before), found=shown(changed.now), where=now.at(changed.path).where,
                )  # fmt: skip
        self.not_replaced(kind, name, namespace)
        self.proved(f"{kind} {name} is unchanged")

    def not_replaced(self, kind: str, name: str, namespace: str = "") -> None:
        """An object that was there before the answer is the very same one, and stays; it may have been changed."""
        namespace = namespace or self.case.namespace
        now = self.object(kind, name, namespace)
        if "deletionTimestamp" in now.object["metadata"]:
            raise Failed(f"{kind} {name} is being deleted", where=now.field("metadata").where)
        if self.case.before[kind, namespace, name]["metadata"]["uid"] != now.object["metadata"]["uid"]:
            message = f"{kind} {name} has been deleted, and what is there now is another one of the same name"
            raise Failed(message, where=now.field("metadata").where)
        self.proved(f"{kind} {name} is still the one that was there")

    def kept(self, owner: Subject) -> list[Subject]:
        """The ready Pods of an object that were ready before the answer too."""
        before = {obj["metadata"]["uid"] for obj in self.case.before.values() if obj["kind"] == "Pod" and is_ready(obj)}
        return [pod for pod in self.ready_pods(owner) if pod.object["metadata"]["uid"] in before]

    def each(self, *claims: Callable[[], None]) -> None:
        """Several claims of equal weight: each that holds earns its share of the points."""
        failures = []
        for claim in claims:
            try:
                claim()
            except Failed as failure:
                failures.append(failure)
        if len(failures) == 1 == len(claims):
            raise failures[0]
        if failures:
            raise PartlyFailed((len(claims) - len(failures)) / len(claims), failures)

    @property
    def commands(self) -> Sequence[CommandRun]:
        """What became of each command of the answer, in order."""
        return self.case.commands

    def used(self, *verbs: str) -> None:
        """The answer used one of these commands of kubectl, as ``scale`` or ``rollout undo``, and it did not fail."""
        worked = [command for command in self.commands if not command.code]
        asked = [verb.split() for verb in verbs]
        held = any(one.verb == verb and {*below} <= {*one.arguments} for one in worked for verb, *below in asked)
        used = ", ".join(dict.fromkeys(command.verb for command in worked))
        message = (
            f"the answer uses kubectl {used}, and the task is about another command"
            if used else "no command of the answer has worked"
        )  # fmt: skip
        wanted = " or ".join(f"kubectl {verb}" for verb in verbs)
        found = "; ".join(f"{command}{' (failed)' if command.code else ''}" for command in self.commands)
        self.require(held, message, wanted=wanted, found=found or "no command")

    def results(self, function: str, *calls: Sequence[Any]) -> list[Any]:
        """What a function of the student's program returns for each list of arguments: data, which may be anything."""
        if self.case.program is None:
            raise LookupError("this answer is no program")
        return self.case.program(function, calls)

    def printed(self, kind: str, name: str) -> Subject:
        """The object that a command printed with ``-o yaml`` or ``-o json``, the last one of this kind and name."""
        self.notes.names.append(name)
        objects = [obj for command in self.commands if not command.code for obj in command.objects]
        found = [obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name)]
        if not found:
            there = ", ".join(f"{obj['kind']} {obj['metadata']['name']}" for obj in objects) or "no object"
            message = f"no command printed the {kind} {name}; what was printed: {there}"
            raise Failed(message, wanted=f"{kind} {name}", found=there)
        self.notes.found.append(f"the {kind} {name} was printed")
        return Subject(self, found[-1])

    def require(self, held: bool, message: str, *, wanted: str, found: str, about: Field | None = None) -> None:
        """Fail with these words unless ``held``."""
        if not held:
            raise Failed(message, wanted=wanted, found=found, where=about.where if about else None)
        self.proved(wanted)

    def trial(self) -> Trial:
        """A throw-away copy of the cluster, to break things in: a fork or, where there are none, the answer once more.

        "Not run there" where neither can be had.
        """
        from autograder.checks.trial import Trial

        if self.case.again is not None:
            return Trial(self.case.again(), self.notes)
        need(self.cluster, Capability.FORK)
        return Trial(replace(self.case, cluster=self.cluster.fork()), self.notes)

    def proved(self, what: str) -> None:
        """Note what the student gets to read if the check passes."""
        self.notes.proofs.append(what)

    def expects(self, value: Any) -> None:
        """Note a value that the check expects, which must therefore stand in the task unless it is to be found out."""
        if isinstance(value, Mapping):
            self.expects([*value, *value.values()])
        elif isinstance(value, list | tuple | set | frozenset):
            for entry in value:
                self.expects(entry)
        else:
            self.notes.values.append(shown(value))

    def looked_at(self, compared: Field) -> None:
        """Note a field that the verdict depends on."""
        self.notes.looked_at.append(compared)

    def _here(self, subject: Subject) -> Subject:
        """An object as this cluster has it; a copy that is no fork gave it another uid."""
        if subject.review.cluster is self.cluster or Capability.FORK in self.cluster.capabilities:
            return subject
        return self.object(subject.kind, subject.name, subject.namespace)

    def _absent(self, kind: str, name: str, namespace: str, there: Sequence[str]) -> NoReturn:
        document = self.sources.document(kind, name, namespace)
        if document is not None:
            message = f"there is no {kind} {name}: the API server refused the one in your answer"
            raise Failed(message, where=self.sources.where(kind, name, namespace, ("metadata", "name")))
        place = f" in the namespace {namespace}" if kind_named(kind).namespaced else ""
        message = f"there is no {kind} {name}{place}"
        if (kind, namespace, name) in self.case.before:
            message = f"{message} any more; it was there before your answer"
        else:
            message = f"{message}{did_you_mean(name, there)}{self._instead(kind, name)}"
        found = ", ".join(there[:8]) or f"no {kind}"
        raise Failed(message, wanted=name, found=found, where=self.sources.nearest(kind))

    def _instead(self, kind: str, name: str) -> str:
        """What the answer has in the place of an object: the same in another namespace, or one of another kind."""
        namesakes = [other for other in self.sources.documents if other.name == name and other.kind]
        for other in namesakes:
            if other.kind == kind:
                return f"; your answer has it in the namespace {other.namespace or self.case.namespace}"
        return f"; your answer has a {namesakes[0].kind} of that name" if namesakes else ""


def _owners(obj: Object) -> set[str]:
    return {owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()}
