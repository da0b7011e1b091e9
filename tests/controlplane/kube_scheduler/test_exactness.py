"""What is remembered makes the scheduler fast and changes nothing: every decision is as if made plainly."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from scheduling_world import Object, World, node, pod

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import NODES, PODS, SERVICES
from autograder.controlplane.kube_scheduler import algorithm
from autograder.controlplane.kube_scheduler.algorithm import Rejection, prioritize, search
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.plugins import pod_topology_spread
from autograder.controlplane.kube_scheduler.scheduler import Scheduler
from autograder.controlplane.kube_scheduler.snapshot import PlainSnapshot

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
APPS = ("web", "db")

cpus = st.sampled_from(["", "100m", "500m", "1", "3"])
memories = st.sampled_from(["", "64Mi", "1Gi", "3Gi"])
apps = st.sampled_from(APPS)
keys = st.sampled_from([HOST, ZONE])


def selector(app: str) -> Object:
    return {"matchLabels": {"app": app}}


terms = st.builds(lambda key, app: {"topologyKey": key, "labelSelector": selector(app)}, keys, apps)
weighted = st.builds(lambda weight, one: {"weight": weight, "podAffinityTerm": one}, st.integers(1, 100), terms)
preferences = st.builds(
    lambda weight, zone: {
        "weight": weight,
        "preference": {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]},
    },
    st.integers(1, 100),
    st.sampled_from("abc"),
)
company = st.fixed_dictionaries(
    {},
    optional={
        "requiredDuringSchedulingIgnoredDuringExecution": st.lists(terms, min_size=1, max_size=1),
        "preferredDuringSchedulingIgnoredDuringExecution": st.lists(weighted, min_size=1, max_size=2),
    },
)
node_affinity = st.fixed_dictionaries(
    {"preferredDuringSchedulingIgnoredDuringExecution": st.lists(preferences, min_size=1, max_size=2)}
)
affinities = st.fixed_dictionaries(
    {}, optional={"podAffinity": company, "podAntiAffinity": company, "nodeAffinity": node_affinity}
)


def constraint(key: str, skew: int, when: str, app: str, affinity: str) -> Object:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": when,
        "labelSelector": selector(app),
        "nodeAffinityPolicy": affinity,
    }


policies = st.sampled_from(["Honor", "Ignore"])
whens = st.sampled_from(["DoNotSchedule", "ScheduleAnyway"])
constraints = st.builds(constraint, keys, st.integers(1, 3), whens, apps, policies)
hard_constraints = st.builds(constraint, keys, st.integers(1, 2), st.just("DoNotSchedule"), st.just("web"), policies)
hard = st.fixed_dictionaries({"topologySpreadConstraints": st.lists(hard_constraints, min_size=1, max_size=1)})
specs = st.fixed_dictionaries(
    {},
    optional={
        "affinity": affinities,
        "topologySpreadConstraints": st.lists(
            constraints, min_size=1, max_size=2, unique_by=lambda one: (one["topologyKey"], one["whenUnsatisfiable"])
        ),
        "nodeSelector": st.just({ZONE: "a"}),
        "tolerations": st.just([{"key": "hard", "operator": "Exists"}]),
    },
)
taints = st.lists(
    st.sampled_from(
        [
            {"key": "hard", "effect": "NoSchedule"},
            {"key": "soft", "effect": "PreferNoSchedule"},
        ]
    ),
    max_size=1,
)
nodes = st.tuples(st.sampled_from(["2", "4", "8"]), st.sampled_from(["2Gi", "8Gi"]), st.sampled_from("abc-"), taints)
steps = st.one_of(
    st.tuples(st.just("pod"), apps, cpus, memories, specs),
    st.tuples(st.just("pod"), apps, cpus, memories, st.just({})),
    st.tuples(st.just("pod"), st.just("web"), cpus, memories, hard),
    st.tuples(st.just("delete"), st.integers(0, 20)),
    st.tuples(st.just("cordon"), st.integers(0, 7), st.booleans()),
    st.tuples(st.just("zone"), st.integers(0, 7), st.sampled_from("abc")),
    st.tuples(st.just("node"), nodes),
)


def manifest(name: str, drawn: tuple[str, str, str, list[Object]]) -> Object:
    cpu, memory, zone, tainted = drawn
    return node(name, cpu, memory, labels={} if zone == "-" else {ZONE: zone}, taints=tainted)


def outcome(scheduler: Scheduler, info: PodInfo, snapshot: Any, *, plainly: bool) -> object:
    """The nodes that will do with their totals, or everything that is said of a rejection."""
    framework, handle = scheduler._handle.framework, scheduler._handle
    cycle = Cycle(handle, snapshot)
    found = search(framework, cycle, info, scheduler._next_start, plainly=plainly)
    if isinstance(found, Rejection):
        return found
    names = [one.name for one in found.window.nodes]
    rest = found.statuses.named, found.rejected_by, found.pre_filter_message, found.next_start
    if len(names) < 2:
        return names, rest
    return list(zip(names, prioritize(framework, cycle, info, found.window, plainly=plainly), strict=True)), rest


def check(world: World, info: PodInfo) -> None:
    """Deciding with all that is remembered gives what deciding plainly, from nothing, gives."""
    scheduler = world.scheduler
    cache = scheduler._handle.cache
    cache.refresh()
    fast = outcome(scheduler, info, cache, plainly=False)
    plain = outcome(scheduler, info, PlainSnapshot(cache.nodes), plainly=True)
    assert fast == plain


def service(app: str) -> Object:
    spec = {"selector": {"app": app}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": app, "namespace": "default"}, "spec": spec}


def play(world: World, number: int, step: tuple[Any, ...]) -> None:
    """One thing that happens; what the API server refuses does not happen."""
    what = step[0]
    try:
        if what == "pod":
            _, app, cpu, memory, spec = step
            world.admin.create(PODS, "default", pod(f"p{number}", cpu, memory, labels={"app": app}, **spec))
        elif what == "delete":
            world.admin.delete(PODS, "default", f"p{step[1]}", grace_period=0)
        elif what == "cordon":
            world.patch(NODES, f"n{step[1]}", {"spec": {"unschedulable": step[2] or None}})
        elif what == "zone":
            world.patch(NODES, f"n{step[1]}", {"metadata": {"labels": {ZONE: step[2]}}})
        else:
            world.add_node(manifest(f"m{number}", step[1]))
    except StatusError:
        return


@settings(max_examples=60, deadline=None)
@given(
    drawn=st.lists(nodes, min_size=2, max_size=8),
    happening=st.lists(steps, min_size=1, max_size=20),
    served=st.booleans(),
    few=st.booleans(),
)
def test_every_decision_is_as_if_made_plainly(
    drawn: list[tuple[str, str, str, list[Object]]], happening: list[tuple[Any, ...]], served: bool, few: bool
) -> None:
    world = World(*(manifest(f"n{number}", one) for number, one in enumerate(drawn)))
    if served:
        world.create(SERVICES, service("web"))
    # As if the cluster were large: not all nodes are looked at, and there are many domains.
    large = patch.object(algorithm, "MIN_NODES", 2), patch.object(pod_topology_spread, "FEW_DOMAINS", 0)
    with ExitStack() as stack:
        for change in large if few else ():
            stack.enter_context(change)
        for number, step in enumerate(happening):
            play(world, number, step)
            if step[0] == "pod":
                world.scheduler._handlers.hear()
                waiting = world.scheduler._queue.get(f"default/p{number}")
                if waiting is not None:
                    check(world, waiting.pod)
            world.settle()


@settings(max_examples=25, deadline=None)
@given(
    drawn=st.lists(nodes, min_size=2, max_size=6),
    before=st.lists(steps, max_size=8),
    after=st.lists(steps, min_size=1, max_size=8),
)
def test_a_fork_goes_on_as_its_parent_and_apart_from_it(
    drawn: list[tuple[str, str, str, list[Object]]], before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    def go_on(world: World, first: int, steps: list[tuple[Any, ...]]) -> None:
        for number, step in enumerate(steps, first):
            play(world, number, step)
            world.settle()
        world.advance(20)

    parent = World(*(manifest(f"n{number}", one) for number, one in enumerate(drawn)))
    go_on(parent, 0, before)
    child, witness = parent.fork(), parent.fork()
    go_on(child, 100, after)
    assert state(parent) == state(witness)
    go_on(parent, 100, after)
    assert state(parent) == state(child)


def state(world: World) -> list[object]:
    """All that etcd holds."""
    store = world.cluster.store
    return [store.revision, [(one.key, one.value) for one in store.range("/")]]
