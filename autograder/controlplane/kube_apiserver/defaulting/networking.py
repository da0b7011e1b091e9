"""What NetworkPolicies and IngressClasses get when a field is left out (pkg/apis/networking/v1/defaults.go)."""

from __future__ import annotations

from typing import Any


def default_network_policy(policy: dict[str, Any]) -> None:
    """Ports are TCP; the policy is about ingress, and about egress if it has rules for it."""
    spec = policy.setdefault("spec", {})
    for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
        for port in rule.get("ports", ()):
            port.setdefault("protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def default_ingress_class(ingress_class: dict[str, Any]) -> None:
    """Parameters are an object of the cluster."""
    parameters = ingress_class.get("spec", {}).get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"
