"""Namespaces, LimitRanges, service accounts, Nodes and leases."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.defaulting import namespaces

Obj = dict[str, Any]


def create_namespace(namespace: Obj) -> None:
    """A namespace stays until the namespace controller has emptied it."""
    finalizers = namespace.setdefault("spec", {}).setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")


def finish_namespace(namespace: Obj) -> None:
    """Label the namespace with its name, which the server may have made up."""
    namespaces.default_namespace(namespace)


def update_namespace(new: Obj, old: Obj) -> None:
    """Finalizers change through ``/finalize`` only."""
    new["spec"] = dict(old.get("spec", {}))


def name_limit_range(limit_range: Obj) -> None:
    """A LimitRange without a name is called by its uid."""
    metadata = limit_range["metadata"]
    if not metadata.get("name"):
        metadata["name"] = metadata.get("uid", "")


def drop_config_source(node: Obj) -> None:
    """Drop the source of the kubelet's configuration: that feature is gone."""
    node.get("spec", {}).pop("configSource", None)
    node.get("status", {}).pop("config", None)


def update_node(new: Obj, old: Obj) -> None:
    """A source of configuration may stay on a node that has one."""
    if "configSource" not in old.get("spec", {}):
        new.get("spec", {}).pop("configSource", None)


def clean_secret_references(account: Obj) -> None:
    """An account refers to Secrets of its namespace by their names."""
    if account.get("secrets"):
        account["secrets"] = [{"name": one["name"]} if one.get("name") else {} for one in account["secrets"]]


def create_lease(lease: Obj) -> None:
    """Coordinated leader election is off by default."""
    for name in ("strategy", "preferredHolder"):
        lease.get("spec", {}).pop(name, None)


def update_lease(new: Obj, old: Obj) -> None:
    """What is off may stay on a lease that has it."""
    for name in ("strategy", "preferredHolder"):
        if name not in old.get("spec", {}):
            new.get("spec", {}).pop(name, None)
