"""One look at one Deployment: bring its ReplicaSets and its status a step nearer to what is wanted.

Each step makes at most one round of changes; their effects come back through the informers and lead to the next
step.  Source: pkg/controller/deployment/{sync,rolling,recreate,rollback}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autograder.controlplane.apimachinery.errors import AlreadyExists, StatusError
from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, REPLICASETS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client, EventRecorder
from autograder.controlplane.clock import Clock
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.deployment import arithmetic, revisions, status
from autograder.controlplane.kube_controller_manager.deployment.arithmetic import replicas
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.hashing import template_hash
from autograder.controlplane.kube_controller_manager.ownership import controller_ref, is_controlled_by
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

#: A limit of this many revisions means: keep all.
KEEP_ALL: Final = 2**31 - 1
LONGEST_NAME: Final = 253


class Rollout:
    """The Deployment and its ReplicaSets as this look knows them; writes replace what is known."""

    def __init__(
        self, client: Client, recorder: EventRecorder, clock: Clock, deployment: Object, replica_sets: list[Object]
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._clock = clock
        self.deployment = deployment
        self.replica_sets = sorted(replica_sets, key=arithmetic.by_creation)
        self.new = revisions.find_new(deployment, self.replica_sets)

    @property
    def old(self) -> list[Object]:
        """All ReplicaSets but the new one, oldest first."""
        return [one for one in self.replica_sets if one is not self.new]

    def is_scaling(self) -> bool:
        """Whether the Deployment's size has changed since its ReplicaSets were last sized."""
        wanted = replicas(self.deployment)
        known = (arithmetic.annotated(one, arithmetic.DESIRED_REPLICAS) for one in arithmetic.active(self.replica_sets))
        return any(size is not None and size != wanted for size in known)

    def report(self) -> None:
        """Only bring the status up to date: the Deployment is being deleted."""
        self._sync_new(create=False)
        self._write_status(self._counted())

    def scale(self) -> None:
        """Give a paused or resized Deployment its size, without any rollout."""
        self._sync_new(create=False)
        self._scale()
        if self.deployment["spec"].get("paused") and revisions.rollback_to(self.deployment) is None:
            self._clean_up()
        self._write_status(self._counted())

    def roll(self) -> None:
        """A step of a rolling update: up with the new ReplicaSet, or down with the old ones."""
        self._sync_new(create=True)
        if not self._grow_new() and not self._shrink_old() and self._is_complete():
            self._clean_up()
        self._write_progress()

    def recreate(self, pods: Mapping[str, list[Object]]) -> None:
        """A step of the strategy Recreate: all old pods go before new ones come.

        ``pods`` maps the uid of each ReplicaSet to its pods.
        """
        self._sync_new(create=False)
        shrunk = [self._resize(one, 0) for one in arithmetic.active(self.old)]
        if not shrunk and not self._old_pods_run(pods):
            self._sync_new(create=True)
            assert self.new is not None
            self._resize(self.new, replicas(self.deployment))
            if self._is_complete():
                self._clean_up()
        self._write_progress()

    def roll_back(self) -> None:
        """Put back the template of the revision that the deprecated annotation asks for."""
        self._sync_new(create=True)
        wanted = revisions.rollback_to(self.deployment) or revisions.last_revision(self.replica_sets)
        name = self.deployment["metadata"]["name"]
        found = next((one for one in self.replica_sets if wanted and revisions.revision(one) == wanted), None)
        deployment = self.deployment
        if found is None:
            missing = "the revision to rollback to" if wanted else "last revision"
            self._tell("Warning", "DeploymentRollbackRevisionNotFound", f"Unable to find {missing}.")
        elif revisions.same_template(deployment["spec"]["template"], found["spec"]["template"]):
            message = f'The rollback revision contains the same template as current deployment "{name}"'
            self._tell("Warning", "DeploymentRollbackTemplateUnchanged", message)
        else:
            template = _without_hash_label(found["spec"]["template"])
            annotations = revisions.annotations_of(deployment)
            own = {key: text for key, text in annotations.items() if key in revisions.NOT_COPIED}
            deployment = revisions.with_annotations(deployment, own | revisions.copied(found))
            deployment = {**deployment, "spec": {**deployment["spec"], "template": template}}
            self._tell("Normal", "DeploymentRollback", f'Rolled back deployment "{name}" to revision {wanted}')
        annotations = dict(revisions.annotations_of(deployment))
        del annotations[revisions.ROLLBACK_TO]
        self.deployment = self._client.update(DEPLOYMENTS, revisions.with_annotations(deployment, annotations))

    def note_pause(self) -> None:
        """Say in the condition Progressing that the Deployment was paused or resumed."""
        current = find(status.conditions_of(self.deployment), status.PROGRESSING)
        if not status.has_deadline(self.deployment) or (current and current.get("reason") == status.TIMED_OUT):
            return
        was_paused = current is not None and current.get("reason") == status.PAUSED
        is_paused = bool(self.deployment["spec"].get("paused"))
        if was_paused != is_paused:
            reason, message = (
                (status.PAUSED, "Deployment is paused") if is_paused else ("DeploymentResumed", "Deployment is resumed")
            )
            self._note(status.condition(status.PROGRESSING, "Unknown", reason, message, self._clock.now))

    def time_left(self) -> int | None:
        """Microseconds until the rollout times out, or None."""
        return status.time_left(self.deployment, self.deployment.get("status", {}), self._clock.now)

    def _sync_new(self, *, create: bool) -> None:
        """Find or create the new ReplicaSet, number it, and give the Deployment its revision."""
        revision = max((revisions.revision(one) for one in self.old), default=0) + 1
        if self.new is not None:
            self._number_new(self.new, revision)
        elif create:
            self._create_new(revision)

    def _number_new(self, new: Object, revision: int) -> None:
        deployment = self.deployment
        annotations = revisions.annotations_of_new(deployment, revisions.annotations_of(new), revision)
        wait = deployment["spec"].get("minReadySeconds", 0)
        if annotations != revisions.annotations_of(new) or wait != new["spec"].get("minReadySeconds", 0):
            spec = {key: value for key, value in new["spec"].items() if key != "minReadySeconds"}
            changed = {**new, "spec": spec | compact({"minReadySeconds": wait})}
            self._replace(new, self._client.update(REPLICASETS, revisions.with_annotations(changed, annotations)))
            return
        condition = None
        if status.has_deadline(deployment) and not find(status.conditions_of(deployment), status.PROGRESSING):
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            condition = status.condition(status.PROGRESSING, "True", "FoundNewReplicaSet", message, self._clock.now)
        self._note(condition, revisions.annotations_of(new).get(revisions.REVISION))

    def _create_new(self, revision: int) -> None:
        deployment = self.deployment
        size = arithmetic.size_of_new(deployment, self.replica_sets, 0)
        wanted = self._new_replica_set(size, revision)
        name = wanted["metadata"]["name"]
        try:
            created = self._client.create(REPLICASETS, deployment["metadata"]["namespace"], wanted)
        except AlreadyExists:
            self._meet_namesake(name, revision)
            return
        except StatusError as error:
            if not is_of_terminating_namespace(error):
                message = f'Failed to create new replica set "{name}": {error.message}'
                if status.has_deadline(deployment):
                    now = self._clock.now
                    self._note(status.condition(status.PROGRESSING, "False", "ReplicaSetCreateError", message, now))
                self._tell("Warning", "ReplicaSetCreateError", message)
            raise
        self.new = created
        self.replica_sets.append(created)
        if size:
            self._tell("Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}")
        condition = None
        if status.has_deadline(deployment):
            message = f'Created new replica set "{name}"'
            condition = status.condition(status.PROGRESSING, "True", "NewReplicaSetCreated", message, self._clock.now)
        self._note(condition, str(revision))

    def _meet_namesake(self, name: str, revision: int) -> None:
        """A ReplicaSet of the new one's name exists: it is ours, or the hash collides and the next one will differ."""
        deployment = self.deployment
        found = self._client.get(REPLICASETS, deployment["metadata"]["namespace"], name)
        ours = is_controlled_by(found, deployment)
        if ours and revisions.same_template(found["spec"]["template"], deployment["spec"]["template"]):
            self.new = found
            self.replica_sets.append(found)
            self._note(None, str(revision))
            return
        known = deployment.get("status", {})
        counted = {**known, "collisionCount": known.get("collisionCount", 0) + 1}
        self.deployment = self._client.update(DEPLOYMENTS, {**deployment, "status": counted}, "status")
        raise AlreadyExists.on(REPLICASETS.plural, REPLICASETS.group, name)

    def _new_replica_set(self, size: int, revision: int) -> Object:
        deployment = self.deployment
        spec, meta = deployment["spec"], deployment["metadata"]
        template = spec["template"]
        digest = template_hash(template, deployment.get("status", {}).get("collisionCount"))
        label = {revisions.POD_TEMPLATE_HASH: digest}
        labels = template.get("metadata", {}).get("labels", {}) | label
        selector = {**spec["selector"], "matchLabels": spec["selector"].get("matchLabels", {}) | label}
        annotations = revisions.annotations_of_new(deployment, {}, revision) | revisions.size_annotations(deployment)
        return {
            "apiVersion": REPLICASETS.api_version,
            "kind": REPLICASETS.kind,
            "metadata": {
                "name": f"{meta['name'][: LONGEST_NAME - 1 - len(digest)]}-{digest}",
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [controller_ref(deployment)],
            },
            "spec": {
                "replicas": size,
                **compact({"minReadySeconds": spec.get("minReadySeconds", 0)}),
                "selector": selector,
                "template": {
                    "metadata": {**template.get("metadata", {}), "labels": labels},
                    "spec": template["spec"],
                },
            },
            "status": {"replicas": 0},
        }

    def _scale(self) -> None:
        wanted = replicas(self.deployment)
        only = self._active_or_latest()
        if only is not None:
            if replicas(only) != wanted:
                self._resize(only, wanted)
        elif arithmetic.is_saturated(self.deployment, self.new):
            for one in arithmetic.active(self.old):
                self._resize(one, 0)
        elif arithmetic.is_rolling(self.deployment):
            growing = arithmetic.in_order_of_growth(self.deployment, arithmetic.active(self.replica_sets))
            sizes = arithmetic.proportional_sizes(self.deployment, growing)
            for one in growing:
                self._resize(one, sizes[one["metadata"]["name"]])

    def _active_or_latest(self) -> Object | None:
        """The one ReplicaSet that has pods; with none that has, the newest; None when several have."""
        active = arithmetic.active(self.replica_sets)
        if active:
            return active[0] if len(active) == 1 else None
        return self.new or (self.old[-1] if self.old else None)

    def _grow_new(self) -> bool:
        """Bring the new ReplicaSet to the size that it may have; True if it changed."""
        assert self.new is not None
        wanted, current = replicas(self.deployment), replicas(self.new)
        if current == wanted:
            return False
        if current > wanted:
            return self._resize(self.new, wanted)
        return self._resize(self.new, arithmetic.size_of_new(self.deployment, self.replica_sets, current))

    def _shrink_old(self) -> bool:
        """Take away old pods as far as enough others are available, unhealthy ones first; True if any went."""
        assert self.new is not None
        old = arithmetic.active(self.old)
        if not old:
            return False
        least = replicas(self.deployment) - arithmetic.max_unavailable(self.deployment)
        new_unavailable = replicas(self.new) - arithmetic.status_count((self.new,), "availableReplicas")
        spare = arithmetic.total(self.replica_sets) - least - new_unavailable
        if spare <= 0:
            return False
        removed = 0
        for one in old:
            unhealthy = replicas(one) - arithmetic.status_count((one,), "availableReplicas")
            count = min(spare - removed, unhealthy)
            if count > 0:
                self._resize(one, replicas(one) - count)
                removed += count
        spare = arithmetic.status_count([*old, self.new], "availableReplicas") - least
        for one in arithmetic.active(self.old):
            if spare <= 0:
                break
            count = min(replicas(one), spare)
            self._resize(one, replicas(one) - count)
            spare -= count
            removed += count
        return removed > 0

    def _resize(self, replica_set: Object, size: int) -> bool:
        """Write a ReplicaSet's size and what it remembers of the Deployment's; True if the size changed."""
        before = replicas(replica_set)
        annotations = revisions.annotations_of(replica_set)
        sized = annotations | revisions.size_annotations(self.deployment)
        if before == size and annotations == sized:
            return False
        changed = {**replica_set, "spec": {**replica_set["spec"], "replicas": size}}
        written = self._client.update(REPLICASETS, revisions.with_annotations(changed, sized))
        self._replace(replica_set, written)
        if before == size:
            return False
        way, name = "up" if before < size else "down", written["metadata"]["name"]
        self._tell("Normal", "ScalingReplicaSet", f"Scaled {way} replica set {name} from {before} to {size}")
        return True

    def _old_pods_run(self, pods: Mapping[str, list[Object]]) -> bool:
        if arithmetic.status_count(self.old, "replicas"):
            return True
        new = self.new["metadata"]["uid"] if self.new else ""
        return any(uid != new and any(not podlib.is_terminal(pod) for pod in owned) for uid, owned in pods.items())

    def _clean_up(self) -> None:
        """Delete the oldest empty ReplicaSets beyond ``revisionHistoryLimit``."""
        limit = self.deployment["spec"].get("revisionHistoryLimit", KEEP_ALL)
        kept = [one for one in self.old if "deletionTimestamp" not in one["metadata"]]
        surplus = len(kept) - limit
        if limit == KEEP_ALL or surplus <= 0:
            return
        for one in sorted(kept, key=lambda one: (revisions.revision(one), arithmetic.by_creation(one)))[:surplus]:
            meta, seen = one["metadata"], one.get("status", {})
            if seen.get("replicas") or replicas(one) or meta.get("generation", 0) > seen.get("observedGeneration", 0):
                continue
            self._client.delete_if_there(REPLICASETS, meta["namespace"], meta["name"])

    def _is_complete(self) -> bool:
        return status.is_complete(self.deployment, self.deployment.get("status", {}))

    def _counted(self) -> Object:
        return status.counted(self.deployment, self.replica_sets, self.new, self._clock.now)

    def _write_progress(self) -> None:
        now = self._clock.now
        self._write_status(status.progressed(self.deployment, self._counted(), self.replica_sets, self.new, now))

    def _write_status(self, wanted: Object) -> None:
        if wanted != self.deployment.get("status"):
            self.deployment = self._client.update(DEPLOYMENTS, {**self.deployment, "status": wanted}, "status")

    def _note(self, condition: Object | None, revision: str | None = None) -> None:
        """Write a condition and the revision annotation, if they are new; both go with the status."""
        noted = status.with_condition(self.deployment, condition) if condition else self.deployment
        annotations = revisions.annotations_of(noted)
        if revision and annotations.get(revisions.REVISION) != revision:
            noted = revisions.with_annotations(noted, annotations | {revisions.REVISION: revision})
        if noted is not self.deployment:
            self.deployment = self._client.update(DEPLOYMENTS, noted, "status")

    def _replace(self, known: Object, written: Object) -> None:
        self.replica_sets = [written if one is known else one for one in self.replica_sets]
        if known is self.new:
            self.new = written

    def _tell(self, kind: str, reason: str, message: str) -> None:
        self._recorder.event(self.deployment, kind, reason, message)


def _without_hash_label(template: Object) -> Object:
    """The template as the Deployment has it."""
    meta = template.get("metadata", {})
    labels = {key: value for key, value in meta.get("labels", {}).items() if key != revisions.POD_TEMPLATE_HASH}
    return {**template, "metadata": {**meta, "labels": labels}}
