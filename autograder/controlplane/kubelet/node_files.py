"""What ``kubeadm init`` and ``kubeadm join`` write on a node besides manifests: the files that its notes show.

Contents are those of cmd/kubeadm for v1.36 and of the kubelet's Debian package.  Keys and certificates are names only:
what a simulated cluster believes, it does not prove by them.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.containers.dns import NAME_SERVER
from autograder.controlplane.kubelet.kubeadm import VERSION
from autograder.controlplane.kubelet.static_pods import FOLDER

CLUSTER_DNS: Final = NAME_SERVER
POD_NETWORK: Final = "10.244.0.0/16"
SERVICE_NETWORK: Final = "10.96.0.0/16"
KUBELET_CONFIG: Final = "/var/lib/kubelet/config.yaml"
DROP_IN: Final = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
UNIT: Final = "/usr/lib/systemd/system/kubelet.service"
_PKI: Final = "/etc/kubernetes/pki/"

KUBELET_CONFIGURATION: Final = f"""\
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: {_PKI}ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- {CLUSTER_DNS}
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {{}}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {{}}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
"""
CLUSTER_CONFIGURATION: Final = f"""\
apiServer: {{}}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controllerManager: {{}}
dns: {{}}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: {VERSION}
networking:
  dnsDomain: cluster.local
  podSubnet: {POD_NETWORK}
  serviceSubnet: {SERVICE_NETWORK}
proxy: {{}}
scheduler: {{}}
"""
_DROP_IN_TEXT: Final = """\
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
_UNIT_TEXT: Final = """\
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
_CONTROL_PLANE_PKI: Final = (
    "apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "ca", "etcd/ca", "etcd/healthcheck-client",
    "etcd/peer", "etcd/server", "front-proxy-ca", "front-proxy-client",
)  # fmt: skip


def files(node: str, address: str, ca: str, *, control_plane: bool) -> dict[str, str]:
    """The text of each file of a node by its path; ``address`` is that of the API server, ``ca`` the authority's."""
    texts = {
        KUBELET_CONFIG: KUBELET_CONFIGURATION,
        DROP_IN: _DROP_IN_TEXT,
        UNIT: _UNIT_TEXT,
        "/var/lib/kubelet/kubeadm-flags.env": f'KUBELET_KUBEADM_ARGS="{kubelet_flags(node)}"\n',
        "/etc/kubernetes/kubelet.conf": kubeconfig(address, f"system:node:{node}"),
        "/etc/hostname": f"{node}\n",
        FOLDER: "",
        f"{_PKI}ca.crt": ca,
    }
    if control_plane:
        for name in _CONTROL_PLANE_PKI:
            texts |= {f"{_PKI}{name}.crt": ca if name == "ca" else _sealed(name), f"{_PKI}{name}.key": _sealed(name)}
        texts |= {f"{_PKI}sa.pub": _sealed("sa"), f"{_PKI}sa.key": _sealed("sa")}
        for name, user in (("admin", "kubernetes-admin"), ("super-admin", "kubernetes-super-admin"),
                           ("controller-manager", "system:kube-controller-manager"),
                           ("scheduler", "system:kube-scheduler")):  # fmt: skip
            texts[f"/etc/kubernetes/{name}.conf"] = kubeconfig(address, user)
    return texts


def kubelet_flags(node: str) -> str:
    """The flags that kubeadm gives the kubelet of one node."""
    return f"--container-runtime-endpoint=unix:///run/containerd/containerd.sock --hostname-override={node}"


def kubeconfig(address: str, user: str) -> str:
    """A kubeconfig of the cluster, as kubeadm writes it."""
    return f"""\
apiVersion: v1
clusters:
- cluster:
    certificate-authority: {_PKI}ca.crt
    server: https://{address}:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: {user}
  name: {user}@kubernetes
current-context: {user}@kubernetes
kind: Config
users:
- name: {user}
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
"""


def _sealed(name: str) -> str:
    return f"(the simulated cluster has no real key material: {name})\n"
