"""What ``kubeadm init`` adds to a cluster through the API: kube-proxy, CoreDNS, and what kubeadm keeps for itself.

Manifests are those of cmd/kubeadm/app/phases/addons for v1.36.  The Pods are the face of the components of these names:
the component ``coredns`` answers only while a container of it can be reached through the Service ``kube-dns``, and
``kube-proxy`` writes rules as long as one of its containers runs.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kubelet.kubeadm import VERSION
from autograder.controlplane.kubelet.node_files import (
    CLUSTER_CONFIGURATION,
    CLUSTER_DNS,
    KUBELET_CONFIGURATION,
    POD_NETWORK,
)

COREDNS_VERSION: Final = "v1.14.2"
SYSTEM: Final = "kube-system"
PUBLIC: Final = "kube-public"
_RBAC: Final = "rbac.authorization.k8s.io"
_CONTROL_PLANE_TAINT: Final = "node-role.kubernetes.io/control-plane"
_ACCOUNT_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

COREFILE: Final = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""
_PROXY_CONFIGURATION: Final = f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
clusterCIDR: {POD_NETWORK}
kind: KubeProxyConfiguration
mode: ""
"""


def create_addons(client: Client, address: str, ca: str) -> None:
    """Create everything; ``address`` is that of the API server, ``ca`` the certificate of the cluster's authority."""
    for manifest in (*_configuration(address, ca), *_dns_rights(), *_proxy_rights(), *_dns(), *_proxy(address)):
        client.create(scheme.resource_of(manifest), manifest["metadata"].get("namespace", ""), manifest)


def _configuration(address: str, ca: str) -> list[Object]:
    server = f"https://{address}:6443"
    public = _kubeconfig(server, f"certificate-authority-data: {_base64(ca)}")
    return [
        _config_map("kubeadm-config", {"ClusterConfiguration": CLUSTER_CONFIGURATION}),
        _config_map("kubelet-config", {"kubelet": KUBELET_CONFIGURATION}),
        _config_map("cluster-info", {"kubeconfig": public}, PUBLIC),
    ]


def _dns_rights() -> list[Object]:
    name, reading = "system:coredns", ["list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": reading},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reading},
    ]
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    return [_account("coredns"), role, _binding(name, name, "coredns")]


def _proxy_rights() -> list[Object]:
    return [_account("kube-proxy"), _binding("kubeadm:node-proxier", "system:node-proxier", "kube-proxy")]


def _account(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": SYSTEM}}


def _binding(name: str, role: str, account: str) -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}],
    }  # fmt: skip


def _dns() -> list[Object]:
    labels = {"k8s-app": "kube-dns"}
    ports: list[Object] = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    service = {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "kube-dns", "namespace": SYSTEM,
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
            "labels": labels | {"kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
        },
        "spec": {"clusterIP": CLUSTER_DNS, "ports": ports, "selector": labels},
    }  # fmt: skip
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": SYSTEM, "labels": labels},
        "spec": {
            "replicas": 2,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _dns_pod()},
        },
    }  # fmt: skip
    return [_config_map("coredns", {"Corefile": COREFILE}), service, deployment]


def _dns_pod() -> Object:
    ports = (("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP"), ("liveness-probe", 8080, "TCP"),
             ("readiness-probe", 8181, "TCP"))  # fmt: skip
    live = {"httpGet": {"path": "/health", "port": "liveness-probe", "scheme": "HTTP"}}
    container: dict[str, Any] = {
        "name": "coredns",
        "image": f"registry.k8s.io/coredns/coredns:{COREDNS_VERSION}",
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"name": name, "containerPort": port, "protocol": protocol} for name, port, protocol in ports],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        "livenessProbe": live
        | {"initialDelaySeconds": 60, "timeoutSeconds": 5, "successThreshold": 1, "failureThreshold": 5},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "readiness-probe", "scheme": "HTTP"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    apart = {
        "labelSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
        "topologyKey": "kubernetes.io/hostname",
    }
    preferred = [{"weight": 100, "podAffinityTerm": apart}]
    volume = {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}
    return {
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": "coredns",
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": _CONTROL_PLANE_TAINT, "effect": "NoSchedule"},
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "containers": [container],
        "dnsPolicy": "Default",
        "volumes": [{"name": "config-volume", "configMap": volume}],
    }


def _proxy(address: str) -> list[Object]:
    labels = {"k8s-app": "kube-proxy"}
    authority = f"certificate-authority: {_ACCOUNT_FOLDER}/ca.crt"
    config = {
        "kubeconfig.conf": _kubeconfig(f"https://{address}:6443", authority, f"{_ACCOUNT_FOLDER}/token"),
        "config.conf": _PROXY_CONFIGURATION,
    }
    container = {
        "name": "kube-proxy",
        "image": f"registry.k8s.io/kube-proxy:{VERSION}",
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf", "--hostname-override=$(NODE_NAME)"
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [
            {"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
            {"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": True},
        ],
    }  # fmt: skip
    spec = {
        "priorityClassName": "system-node-critical",
        "containers": [container],
        "hostNetwork": True,
        "serviceAccountName": "kube-proxy",
        "volumes": [
            {"name": "kube-proxy", "configMap": {"name": "kube-proxy"}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
            {"name": "lib-modules", "hostPath": {"path": "/lib/modules"}},
        ],
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
    }
    daemon_set = {
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "kube-proxy", "namespace": SYSTEM, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels}, "updateStrategy": {"type": "RollingUpdate"},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }  # fmt: skip
    return [_config_map("kube-proxy", config, labels={"app": "kube-proxy"}), daemon_set]


def _config_map(
    name: str, data: dict[str, str], namespace: str = SYSTEM, labels: dict[str, str] | None = None
) -> Object:
    metadata = {"name": name, "namespace": namespace} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _kubeconfig(server: str, authority: str, token_file: str = "") -> str:
    """The kubeconfig of a program in the cluster, or, without a token, what anybody may know of the cluster."""
    name = "default" if token_file else '""'
    cluster = f"apiVersion: v1\nclusters:\n- cluster:\n    {authority}\n    server: {server}\n  name: {name}\n"
    if not token_file:
        return f'{cluster}contexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n'
    return (
        f"{cluster}contexts:\n- context:\n    cluster: default\n    namespace: default\n    user: default\n"
        "  name: default\ncurrent-context: default\nkind: Config\nusers:\n- name: default\n"
        f"  user:\n    tokenFile: {token_file}\n"
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
