"""The manifests that ``kubeadm init`` leaves on a control plane node: etcd and the control plane as static pods.

Command lines, probes and mounts are those of cmd/kubeadm/app/phases/{controlplane,etcd} for v1.36.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kubelet.static_pods import FOLDER

VERSION: Final = "v1.36.2"
ETCD_VERSION: Final = "3.6.8-0"
_PKI: Final = "/etc/kubernetes/pki"


@lru_cache(maxsize=4)
def manifests(node: str, address: str) -> Mapping[str, str]:
    """The text of each manifest by its path on the node."""
    import yaml  # only a cluster with a control plane of its own needs it, and the import takes long

    pods = {
        "etcd": _etcd(node, address), "kube-apiserver": _api_server(address),
        "kube-controller-manager": _controller_manager(), "kube-scheduler": _scheduler(),
    }  # fmt: skip
    texts = {f"{FOLDER}{name}.yaml": yaml.safe_dump(pod, sort_keys=True) for name, pod in pods.items()}
    return MappingProxyType(texts)


def _etcd(node: str, address: str) -> Object:
    flags = {
        "advertise-client-urls": f"https://{address}:2379", "cert-file": f"{_PKI}/etcd/server.crt",
        "client-cert-auth": "true", "data-dir": "/var/lib/etcd",
        "feature-gates": "InitialCorruptCheck=true", "initial-advertise-peer-urls": f"https://{address}:2380",
        "initial-cluster": f"{node}=https://{address}:2380", "key-file": f"{_PKI}/etcd/server.key",
        "listen-client-urls": f"https://127.0.0.1:2379,https://{address}:2379",
        "listen-metrics-urls": "http://127.0.0.1:2381", "listen-peer-urls": f"https://{address}:2380", "name": node,
        "peer-cert-file": f"{_PKI}/etcd/peer.crt", "peer-client-cert-auth": "true",
        "peer-key-file": f"{_PKI}/etcd/peer.key", "peer-trusted-ca-file": f"{_PKI}/etcd/ca.crt",
        "snapshot-count": "10000", "trusted-ca-file": f"{_PKI}/etcd/ca.crt", "watch-progress-notify-interval": "5s",
    }  # fmt: skip
    probes = _probes("127.0.0.1", 2381, "HTTP", live="/livez", ready="/readyz")
    pod = _pod("etcd", f"registry.k8s.io/etcd:{ETCD_VERSION}", flags, {"cpu": "100m", "memory": "100Mi"}, probes,
               {"etcd-data": "/var/lib/etcd", "etcd-certs": f"{_PKI}/etcd"})  # fmt: skip
    pod["metadata"]["annotations"] = {"kubeadm.kubernetes.io/etcd.advertise-client-urls": f"https://{address}:2379"}
    return pod


def _api_server(address: str) -> Object:
    flags = {
        "advertise-address": address, "allow-privileged": "true", "authorization-mode": "Node,RBAC",
        "client-ca-file": f"{_PKI}/ca.crt", "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true", "etcd-cafile": f"{_PKI}/etcd/ca.crt",
        "etcd-certfile": f"{_PKI}/apiserver-etcd-client.crt", "etcd-keyfile": f"{_PKI}/apiserver-etcd-client.key",
        "etcd-servers": "https://127.0.0.1:2379",
        "kubelet-client-certificate": f"{_PKI}/apiserver-kubelet-client.crt",
        "kubelet-client-key": f"{_PKI}/apiserver-kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        "proxy-client-cert-file": f"{_PKI}/front-proxy-client.crt",
        "proxy-client-key-file": f"{_PKI}/front-proxy-client.key",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": f"{_PKI}/front-proxy-ca.crt",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-", "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User", "secure-port": "6443",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": f"{_PKI}/sa.pub", "service-account-signing-key-file": f"{_PKI}/sa.key",
        "service-cluster-ip-range": "10.96.0.0/16", "tls-cert-file": f"{_PKI}/apiserver.crt",
        "tls-private-key-file": f"{_PKI}/apiserver.key",
    }  # fmt: skip
    probes = _probes(address, 6443, "HTTPS", live="/livez", ready="/readyz")
    pod = _pod("kube-apiserver", f"registry.k8s.io/kube-apiserver:{VERSION}", flags, {"cpu": "250m"}, probes,
               {"ca-certs": "/etc/ssl/certs", "k8s-certs": _PKI})  # fmt: skip
    pod["metadata"]["annotations"] = {
        "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{address}:6443"
    }
    return pod


def _controller_manager() -> Object:
    config = "/etc/kubernetes/controller-manager.conf"
    flags = {
        "allocate-node-cidrs": "true", "authentication-kubeconfig": config, "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1", "client-ca-file": f"{_PKI}/ca.crt", "cluster-cidr": "10.244.0.0/16",
        "cluster-name": "kubernetes", "cluster-signing-cert-file": f"{_PKI}/ca.crt",
        "cluster-signing-key-file": f"{_PKI}/ca.key", "controllers": "*,bootstrapsigner,tokencleaner",
        "kubeconfig": config, "leader-elect": "true",
        "requestheader-client-ca-file": f"{_PKI}/front-proxy-ca.crt", "root-ca-file": f"{_PKI}/ca.crt",
        "service-account-private-key-file": f"{_PKI}/sa.key", "service-cluster-ip-range": "10.96.0.0/16",
        "use-service-account-credentials": "true",
    }  # fmt: skip
    probes = _probes("127.0.0.1", 10257, "HTTPS", live="/healthz", ready="")
    return _pod("kube-controller-manager", f"registry.k8s.io/kube-controller-manager:{VERSION}", flags, {"cpu": "200m"},
                probes, {"ca-certs": "/etc/ssl/certs", "k8s-certs": _PKI, "kubeconfig": config})  # fmt: skip


def _scheduler() -> Object:
    config = "/etc/kubernetes/scheduler.conf"
    flags = {
        "authentication-kubeconfig": config, "authorization-kubeconfig": config, "bind-address": "127.0.0.1",
        "kubeconfig": config, "leader-elect": "true",
    }  # fmt: skip
    probes = _probes("127.0.0.1", 10259, "HTTPS", live="/livez", ready="/readyz")
    return _pod("kube-scheduler", f"registry.k8s.io/kube-scheduler:{VERSION}", flags, {"cpu": "100m"}, probes,
                {"kubeconfig": config})  # fmt: skip


def _pod(
    name: str, image: str, flags: dict[str, str], requests: dict[str, str], probes: Object, mounts: dict[str, str]
) -> Object:
    """A static pod of the control plane: one container on the host's network."""
    container: dict[str, Any] = {
        "command": [name, *(f"--{flag}={value}" for flag, value in flags.items())],
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "resources": {"requests": requests},
        "volumeMounts": [
            {"mountPath": path, "name": volume} | ({} if volume.startswith("etcd") else {"readOnly": True})
            for volume, path in mounts.items()
        ],
        **probes,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "labels": {"component": name, "tier": "control-plane"}, "name": name, "namespace": "kube-system",
        },
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            "priority": 2000001000,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [
                {"hostPath": {"path": path, "type": "FileOrCreate" if path.endswith(".conf") else "DirectoryOrCreate"},
                 "name": volume}
                for volume, path in mounts.items()
            ],
        },
    }  # fmt: skip


def _probes(host: str, port: int, scheme: str, *, live: str, ready: str) -> Object:
    def probe(path: str, **times: int) -> Object:
        return {"httpGet": {"host": host, "path": path, "port": port, "scheme": scheme}, "timeoutSeconds": 15, **times}

    probes = {
        "livenessProbe": probe(live, failureThreshold=8, initialDelaySeconds=10, periodSeconds=10),
        "startupProbe": probe(live, failureThreshold=24, initialDelaySeconds=10, periodSeconds=10),
    }
    return probes | ({"readinessProbe": probe(ready, failureThreshold=3, periodSeconds=1)} if ready else {})
