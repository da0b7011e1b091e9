"""A throw-away copy of the cluster in which a check breaks things and looks at what happens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from autograder.checks.case import Case, Notes
from autograder.checks.review import Review
from autograder.checks.subject import Subject
from autograder.checks.witness import witnessed
from autograder.clusters import HttpAnswer, Object, drain, request
from autograder.controlplane.apimachinery.errors import StatusError

#: Keeps Pods off the nodes.
_GATE: Final = {"schedulingGates": [{"name": "autograder/burst"}]}


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of many creations in a row: how many were accepted, and the first refusal, if any."""

    accepted: int
    refusal: StatusError | None

    @property
    def reason(self) -> str:
        """The machine-readable reason of the refusal, such as ``Forbidden``; empty if nothing was refused."""
        return self.refusal.reason if self.refusal else ""


class Trial(Review):
    """A Review of a copy of the cluster, with verbs that change it.  Nothing in it reaches other checks."""

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(replace(case, cluster=witnessed(case.cluster, notes.steps)), notes)

    def delete(self, subject: Subject) -> None:
        """Delete an object as a user would, and let the cluster react."""
        self.cluster.delete(subject.kind, subject.name, subject.namespace)
        self.cluster.settle()

    def create(self, obj: Object) -> Burst:
        """Try to create one object, which is named as in ``burst``."""
        return self._create_numbered(obj, 1)

    def burst(self, obj: Object, count: int) -> Burst:
        """Create so many objects like this one, ``NAME-1``, ``NAME-2`` and so on, until the API server refuses one.

        Pods are held back from starting: one that starts makes the quota controller count anew, and what it has not
        yet heard of then is missing in the quota, which lets one Pod too many in.
        """
        if obj["kind"] == "Pod":
            obj = {**obj, "spec": {**obj["spec"], **_GATE}}
        return self._create_numbered(obj, count)

    def _create_numbered(self, obj: Object, count: int) -> Burst:
        name = obj["metadata"]["name"]
        for number in range(1, count + 1):
            numbered = {**obj, "metadata": {**obj["metadata"], "name": f"{name}-{number}"}}
            try:
                self.cluster.create(numbered, self.case.namespace)
            except StatusError as refusal:
                return Burst(number - 1, refusal)
        return Burst(count, None)

    def patch(self, subject: Subject, patch: Object) -> Subject:
        """Change an object by a strategic merge patch and let the cluster react."""
        self.cluster.patch(subject.kind, subject.name, patch, subject.namespace)
        self.cluster.settle()
        return self.object(subject.kind, subject.name, subject.namespace)

    def scale(self, subject: Subject, replicas: int) -> Subject:
        """Ask for another number of replicas."""
        return self.patch(subject, {"spec": {"replicas": replicas}})

    def set_image(self, subject: Subject, container: str, image: str) -> Subject:
        """Roll out another image."""
        containers = [{"name": container, "image": image}]
        return self.patch(subject, {"spec": {"template": {"spec": {"containers": containers}}}})

    def drain(self, node: str) -> None:
        """Empty a node, as ``kubectl drain`` does."""
        drain(self.cluster, node)
        self.cluster.settle()

    def request(self, url: str) -> HttpAnswer:
        """GET a URL from inside the cluster."""
        answer = request(self.cluster, url, self.case.namespace)
        self.notes.steps.append(f"which asked {url}: {answer.code or 'no answer'}")
        return answer

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.advance(seconds)
