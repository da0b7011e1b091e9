"""What a Service, its Endpoints and EndpointSlices get when a field is left out (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

CLIENT_IP_AFFINITY_SECONDS = 10800
ROUTED_TYPES = ("ClusterIP", "NodePort", "LoadBalancer")


def default_service(service: dict[str, Any]) -> None:
    """Type, session affinity, protocols and traffic policies; cluster IPs and node ports are allocated later."""
    spec = service.setdefault("spec", {})
    _default_session_affinity(spec)
    spec["type"] = spec.get("type") or "ClusterIP"
    for port in spec.get("ports", ()):
        port["protocol"] = port.get("protocol") or "TCP"
        port["targetPort"] = port.get("targetPort") or port.get("port", 0)
    if externally_accessible(spec) and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if spec["type"] in ROUTED_TYPES:
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress", ()):
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")


def _default_session_affinity(spec: dict[str, Any]) -> None:
    affinity = spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        config = spec.get("sessionAffinityConfig", {})
        if config.get("clientIP", {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": CLIENT_IP_AFFINITY_SECONDS}}


def externally_accessible(spec: dict[str, Any]) -> bool:
    """Whether traffic from outside of the cluster can reach the Service."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def default_endpoints(endpoints: dict[str, Any]) -> None:
    """Ports are TCP."""
    for subset in endpoints.get("subsets", ()):
        for port in subset.get("ports", ()):
            port["protocol"] = port.get("protocol") or "TCP"


def default_endpoint_slice(endpoint_slice: dict[str, Any]) -> None:
    """Ports are TCP and have the empty name."""
    for port in endpoint_slice.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
