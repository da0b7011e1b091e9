"""The containers of one pod: starting, probing, restarting and stopping each of them.

``ContainerWorker`` works on the state of one pod at one moment; what of it is to be done when, its subclass
``PodWorker`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import images
from autograder.controlplane.containers.configs import ContainerConfig
from autograder.controlplane.containers.machines import StartError
from autograder.controlplane.containers.records import Container
from autograder.controlplane.kubelet import container_config, image_manager, pod_status, probes, resources, volumes
from autograder.controlplane.kubelet.container_config import ConfigError
from autograder.controlplane.kubelet.pod_status import is_sidecar, should_restart, until_success
from autograder.controlplane.kubelet.records import FORGOTTEN_AFTER, Backoff, ContainerWork, PodState, Stop, Waiting
from autograder.controlplane.kubelet.surroundings import Surroundings

#: How long a runtime takes for a sandbox, and how soon a kubelet sees that a container has ended.
SANDBOX_TIME: Final = SECOND
RELIST_PERIOD: Final = SECOND
#: A container is given at least this long to end.
MINIMUM_GRACE: Final = 2
ERROR_DELAY: Final = 10 * SECOND


class ContainerWorker:
    """What can be done for the containers of a pod; ``state`` is the pod's, and is replaced as it changes."""

    def __init__(self, surroundings: Surroundings, state: PodState) -> None:
        self._client = surroundings.client
        self._recorder = surroundings.recorder
        self._machines = surroundings.machines
        self._services = surroundings.services
        self._now = surroundings.clock.now
        self.state = state

    def _ensure_running(self, spec: Object) -> str:
        """Bring one container nearer to running: ``running``, ``waiting``, ``ended``, or ``busy`` (a pull goes on)."""
        name = spec["name"]
        latest = self._machines.latest(self.state.uid, name)
        if latest is not None and latest.running:
            return "running"
        work = self.state.work(name)
        if latest is not None:
            if not self._restarts(spec, latest):
                return "ended"
            if work.stop is not None or work.probes:
                work = self._set(name, stop=None, probes={})
            if self._now < max(work.not_before, latest.finished + RELIST_PERIOD):
                self._set(name, not_before=max(work.not_before, latest.finished + RELIST_PERIOD))
                return "waiting"
            if not work.image_ready and work.pulling_until is None and not self._may_restart(spec, latest):
                return "waiting"
        elif self._now < work.not_before:
            return "waiting"
        return self._start(spec, latest)

    def _restarts(self, spec: Object, ended: Container) -> bool:
        """Whether a container that has ended is to be started again; one that was added for a look never is."""
        if spec in self._ephemeral_containers():
            return False
        pod_spec: Object = self.state.pod["spec"]
        policy = until_success(pod_spec) if spec in (pod_spec.get("initContainers") or ()) else pod_spec
        return is_sidecar(spec) or should_restart(spec, policy, ended.exit_code)

    def _may_restart(self, spec: Object, latest: Container) -> bool:
        """Whether a container that has ended is not held back after crashing."""
        name = spec["name"]
        work = self.state.work(name)
        backoff = work.crash_backoff
        if work.waiting is not None and work.waiting.reason in _IMAGE_REASONS:
            return True
        if backoff is not None and latest.finished - backoff.since <= FORGOTTEN_AFTER:
            until = latest.finished + backoff.delay
            if self._now < until:
                title = f"{name} in pod {self._title()}"
                self._container_event(spec, "Warning", "BackOff", f"Back-off restarting failed container {title}")
                message = f"back-off {_seconds(backoff.delay)} restarting failed container={name} pod={self._title()}"
                self._set(name, waiting=Waiting("CrashLoopBackOff", message), not_before=until)
                return False
        self._set(name, crash_backoff=Backoff.after(backoff, latest.finished, self._now))
        return True

    def _start(self, spec: Object, latest: Container | None) -> str:
        """Get the image, then create and start a container; what comes of it is that of ``_ensure_running``."""
        name = spec["name"]
        work = self._with_image(spec)
        if work.pulling_until is not None and not work.image_ready:
            return "busy"
        container = self._create(spec, 0 if latest is None else latest.attempt + 1) if work.image_ready else None
        if container is None:
            return "waiting"
        try:
            self._machines.start_container(container.id)
        except StartError as error:
            self._container_event(spec, "Warning", "Failed", f"Error: {error}")
            self._set(name, image_ready=False, waiting=Waiting("RunContainerError", str(error)),
                      not_before=self._now + RELIST_PERIOD)  # fmt: skip
            if self._restarts(spec, self._machines.containers[container.id]):
                return "waiting"
            self._set(name, waiting=None)
            return "ended"
        self._container_event(spec, "Normal", "Started", "Container started")
        self._put(
            name,
            work._replace(
                image_ready=False, waiting=None, not_before=0, stop=None, probes=probes.first(spec, self._now)
            ),
        )
        self._after_start(spec, container.id)
        current = self._machines.containers[container.id]
        if current.running:
            self._run_probes(spec, current)
            return "running"
        if not self._restarts(spec, current):
            return "ended"
        self._set(name, not_before=self._now + RELIST_PERIOD)
        return "waiting"

    def _with_image(self, spec: Object) -> ContainerWork:
        """Bring the image of a container onto the node, unless it is there."""
        work = self.state.work(spec["name"])
        if not work.image_ready:
            work = image_manager.ensure(
                work, spec, self.state.node, self._machines, self._now,
                lambda kind, reason, message: self._container_event(spec, kind, reason, message),
            )  # fmt: skip
            self._put(spec["name"], work)
        return work

    def _create(self, spec: Object, attempt: int) -> Container | None:
        """Create a container, and forget all but the last one before it; None if it cannot be configured."""
        name = spec["name"]
        try:
            config = self._configure(spec, attempt)
        except ConfigError as error:
            self._container_event(spec, "Warning", "Failed", f"Error: {error}")
            waiting = Waiting("CreateContainerConfigError", str(error))
            self._set(name, waiting=waiting, not_before=self._now + ERROR_DELAY, image_ready=False)
            return None
        for old in [known for known in self._machines.containers_of(self.state.uid) if known.name == name][:-1]:
            self._machines.remove_container(old.id)
        container = self._machines.create_container(self.state.uid, config)
        self._container_event(spec, "Normal", "Created", "Container created")
        return container

    def _after_start(self, spec: Object, container_id: str) -> None:
        """Run the ``postStart`` hook; a container whose hook fails is killed."""
        hook = (spec.get("lifecycle") or {}).get("postStart")
        if hook and self._machines.containers[container_id].running:
            result = self._run_hook(hook, spec, self._machines.containers[container_id])
            if not result.success:
                self._container_event(spec, "Warning", "FailedPostStartHook", "PostStartHook failed")
                self._stop(spec, self.state.pod["spec"].get("terminationGracePeriodSeconds", 30), "FailedPostStartHook")

    def _configure(self, spec: Object, attempt: int) -> ContainerConfig:
        """What the runtime is to create; raises ``ConfigError``."""
        state, pod = self.state, self.state.pod
        image = images.find(spec["image"])
        assert image is not None, "an image that is on the node is in the catalogue"
        sandbox = self._machines.sandboxes[state.uid]
        env = container_config.environment(
            self._client, pod, spec, image, hostname=sandbox.hostname, service_env=self._service_variables(),
            fields=self._fields(),
        )  # fmt: skip
        keys = volumes.keys(pod, state.uid, state.node) if pod["spec"].get("volumes") else {}
        security = {**(pod["spec"].get("securityContext") or {}), **(spec.get("securityContext") or {})}
        user = security.get("runAsUser")
        if security.get("runAsNonRoot") and (image.user if user is None else user) == 0:
            why = "container has runAsNonRoot and image will run as root"
            raise ConfigError(f'{why} (pod: "{self._title()}", container: {spec["name"]})')
        return ContainerConfig(
            spec["name"], image, images.full_reference(spec["image"]), self._machines.image_ref(state.node, image),
            container_config.argv(spec, image, env), env, spec.get("workingDir") or image.workdir,
            container_config.mounts(spec, state.uid, keys, env), attempt,
            memory_limit=resources.memory_limit(spec), memory_use=resources.memory_use(pod, spec["name"]), user=user,
            read_only_root=security.get("readOnlyRootFilesystem", False),
            stdin=spec.get("stdin", False), stdin_once=spec.get("stdinOnce", False), tty=spec.get("tty", False),
            target=spec.get("targetContainerName", ""),
        )  # fmt: skip

    def _service_variables(self) -> Mapping[str, str]:
        namespace = self.state.pod["metadata"].get("namespace", "")
        wanted = []
        if self.state.pod["spec"].get("enableServiceLinks", True):
            wanted = self._services.by_index("namespace", namespace)
        api = self._services.get("default", "kubernetes")
        if api is not None and api not in wanted:
            wanted = [api, *wanted]
        return container_config.service_variables(wanted)

    def _fields(self) -> dict[str, str]:
        state = self.state
        host = self._machines.hosts[state.node].address
        return {"status.hostIP": host, "status.hostIPs": host, "status.podIP": state.ip, "status.podIPs": state.ip,
                "spec.nodeName": state.node, "metadata.uid": state.uid}  # fmt: skip

    # Running containers: probes and stopping.

    def _tend(self, spec: Object, container: Container) -> None:
        if self.state.work(spec["name"]).stop is not None:
            self._proceed_with_stop(spec, container)
        else:
            self._run_probes(spec, container)

    def _run_probes(self, spec: Object, container: Container) -> None:
        """Run the probes that are due; a container that fails its liveness or startup probe is stopped."""
        name = spec["name"]
        for kind, field in probes.FIELDS.items():
            work = self.state.work(name)
            probe = work.probes.get(kind)
            if probe is None or probe.on_hold or work.stop is not None:
                continue
            if (kind == "startup") == pod_status.started(spec, work) or probe.due > self._now:
                continue
            result = probes.run(self._machines, spec[field], spec, container, self.state.ip)
            if not result.success:
                self._container_event(
                    spec, "Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {result.output}"
                )
            judged = probes.judged(probe, spec[field], result.success, self._now)
            if kind == "startup" and judged.verdict:
                judged = judged._replace(on_hold=True)
            self._set(name, probes={**work.probes, kind: judged})
            if kind != "readiness" and judged.verdict is False:
                self._fail_probe(spec, kind, spec[field])
                return

    def _fail_probe(self, spec: Object, kind: str, probe: Object) -> None:
        policy = spec.get("restartPolicy") or self.state.pod["spec"].get("restartPolicy", "Always")
        message = f"Container {spec['name']} failed {kind} probe"
        if policy != "Never":
            message += ", will be restarted"
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is None:
            grace = self.state.pod["spec"].get("terminationGracePeriodSeconds", 30)
        self._stop(spec, grace, message)

    def _stop(self, spec: Object, grace: int, message: str = "") -> None:
        """Begin to stop a container, if it runs: hook, TERM, and KILL when the time is over."""
        name = spec["name"]
        container = self._machines.latest(self.state.uid, name)
        if container is None or not container.running or self.state.work(name).stop is not None:
            if name in self.state.works:
                self._set(name, pulling_until=None)
            return
        self._container_event(spec, "Normal", "Killing", message or f"Stopping container {name}")
        hook = (spec.get("lifecycle") or {}).get("preStop")
        took = 0
        if hook and grace > 0:
            result = self._run_hook(hook, spec, container, limit=grace)
            took = min(result.took, grace * SECOND)
            if not result.success:
                self._container_event(spec, "Warning", "FailedPreStopHook", "PreStopHook failed")
        term_at = self._now + took
        left = max(grace - took // SECOND, MINIMUM_GRACE)
        self._set(name, stop=Stop(term_at, term_at + left * SECOND), pulling_until=None)
        container = self._machines.containers[container.id]
        if container.running:
            self._proceed_with_stop(spec, container)

    def _proceed_with_stop(self, spec: Object, container: Container) -> None:
        name = spec["name"]
        stop = self.state.work(name).stop
        if stop is None:
            return
        if not stop.termed and self._now >= stop.term_at:
            self._set(name, stop=stop._replace(termed=True))
            self._machines.signal(container.id, "TERM")
        if self._now >= stop.kill_at and self._machines.containers[container.id].running:
            self._machines.kill(container.id)

    def _run_hook(self, hook: Object, spec: Object, container: Container, limit: int = 3600) -> _HookResult:
        """Run a lifecycle hook: a command, an HTTP request, or a sleep."""
        if "exec" in hook:
            done = self._machines.exec(container.id, tuple(hook["exec"].get("command") or ()), limit=limit * SECOND)
            return _HookResult(done.exit_code == 0, done.elapsed)
        if "sleep" in hook:
            return _HookResult(True, hook["sleep"]["seconds"] * SECOND)
        result = probes.run(self._machines, hook, spec, container, self.state.ip)
        return _HookResult(result.success, 0)

    # Helpers.

    def _running(self) -> Iterator[tuple[Object, Container]]:
        every = (*self._init_containers(), *self.state.pod["spec"]["containers"], *self._ephemeral_containers())
        for spec in every:
            container = self._machines.latest(self.state.uid, spec["name"])
            if container is not None and container.running:
                yield spec, container

    def _init_containers(self, *, sidecars: bool = True) -> list[Any]:
        return [spec for spec in self.state.pod["spec"].get("initContainers") or () if sidecars or not is_sidecar(spec)]

    def _ephemeral_containers(self) -> list[Any]:
        return list(self.state.pod["spec"].get("ephemeralContainers") or ())

    def _position(self, name: str) -> int:
        return [spec["name"] for spec in self._init_containers()].index(name)

    def _spec_of(self, name: str) -> Object:
        spec = self.state.pod["spec"]
        every = (*spec["containers"], *self._init_containers(), *self._ephemeral_containers())
        found: Object = next(one for one in every if one["name"] == name)
        return found

    def _set(self, name: str, **changes: Any) -> ContainerWork:
        work = self.state.work(name)
        if any(getattr(work, field) != value for field, value in changes.items()):
            work = work._replace(**changes)
            self._put(name, work)
        return work

    def _put(self, name: str, work: ContainerWork) -> None:
        self.state = self.state._replace(works={**self.state.works, name: work})

    def _title(self) -> str:
        """The pod as log messages name it: ``name_namespace(uid)``."""
        meta = self.state.pod["metadata"]
        return f"{meta['name']}_{meta.get('namespace', '')}({self.state.uid})"

    def _event(self, kind: str, reason: str, message: str) -> None:
        self._recorder.event(self.state.pod, kind, reason, message, host=self.state.node)

    def _container_event(self, spec: Object, kind: str, reason: str, message: str) -> None:
        spec_of_pod = self.state.pod["spec"]
        part = next((one for one in _BESIDE if spec in (spec_of_pod.get(one) or ())), "containers")
        path = f"spec.{part}{{{spec['name']}}}"
        self._recorder.event(self.state.pod, kind, reason, message, field_path=path, host=self.state.node)


@dataclass(frozen=True, slots=True)
class _HookResult:
    success: bool
    took: int


#: Where the containers stand that are not the ordinary ones.
_BESIDE: Final = ("initContainers", "ephemeralContainers")
_IMAGE_REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})


def _seconds(micros: int) -> str:
    """``10s``, ``1m20s``, ``5m0s``."""
    minutes, seconds = divmod(micros // SECOND, 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
