"""What a cluster costs: to boot, to fork, to bring Deployments to life, and to hold ten thousand pods."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.topology import node

ROUNDS = 7


def median_ms(run: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The median time of several runs, in milliseconds, after one that does not count."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def deployment(name: str, replicas: int) -> dict[str, Any]:
    """A Deployment of plain web servers."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [
                        {
                            "name": "nginx",
                            "image": "nginx:1.27",
                            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                        }
                    ]
                },
            },
        },
    }


def roll_out(cluster: Cluster, replicas: int) -> None:
    """Create a Deployment and let time pass until all of its pods are available."""
    client = cluster.client()
    client.create(scheme.DEPLOYMENTS, "default", deployment("web", replicas))

    def available() -> bool:
        status = client.get(scheme.DEPLOYMENTS, "default", "web").get("status", {})
        return bool(status.get("availableReplicas", 0) == replicas)

    if not cluster.run_until(available, timeout=600):
        raise RuntimeError(f"a Deployment of {replicas} did not become available")


def report() -> None:
    """Print the figures of the control plane."""
    print("Control plane (median of several runs in this process)")
    boot = median_ms(Cluster)
    warm = Cluster()
    small = median_ms(lambda: roll_out(warm.fork(), 3))
    large = median_ms(lambda: roll_out(warm.fork(), 100), rounds=3)
    full = warm.fork()
    while len(list(full.store.keys())) < 1000:
        name = f"c{full.store.revision}"
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}}
        full.client().create(scheme.CONFIGMAPS, "default", manifest)
    full.settle()
    fork = median_ms(full.fork)
    print(f"  boot                                        {boot:9.2f} ms")
    print(f"  fork of a cluster with 1,000 objects        {fork:9.2f} ms   {boot / fork:7.0f} times faster than a boot")
    print(f"  Deployment of 3, until it is available      {small:9.2f} ms")
    print(f"  Deployment of 100, until it is available    {large:9.2f} ms   {large / small:7.1f} times that of 3")


def report_scale(nodes: int = 1000, pods: int = 10_000) -> None:
    """Print what it takes to bring many pods onto many nodes."""
    before = _peak()
    start = time.perf_counter()
    cluster = Cluster(nodes=[node(f"node-{index:04}", f"10.1.{index >> 8}.{index & 255}") for index in range(nodes)])
    booted = time.perf_counter() - start
    client = cluster.client()
    for index in range(20):
        client.create(scheme.DEPLOYMENTS, "default", deployment(f"web-{index}", pods // 20))
    while True:
        cluster.advance(1)
        running = sum(1 for pod in client.list(scheme.PODS)[0] if pod["status"]["phase"] == "Running")
        if running == pods:
            break
        if time.perf_counter() - start > 300:
            raise RuntimeError(f"only {running} of {pods} pods came to run")
    taken = time.perf_counter() - start
    print(f"{pods:,} pods on {nodes:,} nodes, scheduled and running")
    print(f"  time                                        {taken:9.1f} s    {taken / pods * 1000:7.2f} ms a pod")
    print(f"  of it, to boot the nodes                    {booted:9.1f} s")
    more = _peak() - before
    print(f"  memory at most                              {_peak():9.0f} MB   {more:7.0f} MB more than before")


def _peak() -> float:
    """The most memory that this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
