"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback, with data and certificates of one run.

Everything is in one folder (``folders``): etcd's data, keys, kubeconfig files, logs.  Ports are free ones; a run that
loses one to somebody else between looking and listening takes others and begins anew.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Collection
from pathlib import Path
from typing import Final

import yaml
from cryptography.hazmat.primitives import serialization

from autograder.clusters.interface import ClusterError
from autograder.clusters.local import folders
from autograder.clusters.local.processes import PortTaken, Process, find
from autograder.controlplane.bootstrap import API_ADDRESS, CONTROL_PLANE_ADDRESS
from autograder.controlplane.etcd.process import free_ports
from autograder.controlplane.fronts.certificates import Certificates, issue
from autograder.controlplane.kubelet.node_files import POD_NETWORK, SERVICE_NETWORK

HOST: Final = "127.0.0.1"
ETCD, API, MANAGER, SCHEDULER = "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"
NAMES: Final = (ETCD, API, MANAGER, SCHEDULER)
#: How often other ports are tried.
_ATTEMPTS: Final = 3
#: Who the programs and we are: user and groups of each kubeconfig file.
_USERS: Final = {
    "admin": ("kubernetes-admin", ("system:masters",)),
    MANAGER: ("system:kube-controller-manager", ()),
    SCHEDULER: ("system:kube-scheduler", ()),
}


class ControlPlane:
    """The programs of one run; ``start`` brings them up and ``close`` takes everything away."""

    def __init__(self) -> None:
        if os.name != "posix":
            raise ClusterError("--cluster local runs on Linux and macOS only; use --cluster embedded")
        for name in NAMES:
            find(name)
        folders.clean()
        self._folder = folders.Folder()
        self.path = self._folder.path
        self.authority: Certificates = issue(
            [HOST, "localhost", API_ADDRESS, CONTROL_PLANE_ADDRESS, "kubernetes", "kubernetes.default",
             "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
        )  # fmt: skip
        self.port = 0
        self._processes: dict[str, Process] = {}
        self._write_keys()

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file of the administrator."""
        return self.path / "admin.conf"

    @property
    def egress(self) -> Path:
        """The socket through which the API server reaches nodes (see ``kubelet_server``)."""
        return self.path / "nodes.sock"

    def start(self, without: Collection[str] = ()) -> None:
        """Bring all programs up, but for those that are left out; raises ``ClusterError``."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start(without)
            except PortTaken:
                self._stop_all()
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def start_one(self, name: str) -> None:
        """Start a stopped program again, on its data and its port.

        With etcd the API server is started anew, as kubelets do it, whose probe of it fails while etcd is away: it
        finds etcd again only after minutes, and then its caches may stay as they were.
        """
        api = self._processes[API]
        if name == ETCD and api.running:
            api.kill()
            self._launch(ETCD)
            self._launch(API)
        else:
            self._launch(name)

    def _launch(self, name: str) -> None:
        process = self._processes[name]
        process.launch()
        process.wait()

    def stop_one(self, name: str) -> None:
        """Kill a program, as a crash would."""
        self._processes[name].kill()

    def running(self) -> list[str]:
        """The programs that run."""
        return [name for name in NAMES if name in self._processes and self._processes[name].running]

    def check(self) -> None:
        """Raise ``ClusterError`` if a program has ended that nobody has stopped, or has lost what it works on."""
        if not self.path.exists():
            raise ClusterError(f"somebody has removed the folder of this cluster, with all its data: {self.path}")
        for process in self._processes.values():
            process.check()

    def close(self) -> None:
        """Stop everything, and remove data, keys and logs."""
        self._stop_all()
        self._folder.remove()

    def client_context(self, user: str = "", groups: Collection[str] = ()) -> ssl.SSLContext:
        """TLS towards the API server, as a user if one is named."""
        context = ssl.create_default_context(cadata=self.authority.authority.decode())
        if user:
            pem = self.path / f"client-{user.replace(':', '-')}.pem"
            _write(pem, b"".join(self.authority.client(user, tuple(groups))))
            context.load_cert_chain(pem)
        return context

    def _start(self, without: Collection[str]) -> None:
        self.etcd_port, peer_port, self.port, manager_port, scheduler_port = free_ports(5)
        self._write_kubeconfigs()
        context, url = self.client_context(), f"https://{HOST}"
        commands = {
            ETCD: (self._etcd(self.etcd_port, peer_port), f"http://{HOST}:{self.etcd_port}/health", None),
            API: (self._api(self.etcd_port), f"{url}:{self.port}/readyz", context),
            MANAGER: (self._manager(manager_port), f"{url}:{manager_port}/healthz", context),
            SCHEDULER: (self._scheduler(scheduler_port), f"{url}:{scheduler_port}/readyz", context),
        }
        self._processes = {
            name: Process(name, arguments, self.path / f"{name}.log", ready, trust)
            for name, (arguments, ready, trust) in commands.items()
        }
        wanted = [name for name in NAMES if name not in without]
        for together in ((ETCD,), (API,), (MANAGER, SCHEDULER)):
            chosen = [self._processes[name] for name in together if name in wanted]
            for process in chosen:
                process.launch()
            for process in chosen:
                process.wait()

    def _stop_all(self) -> None:
        for name in reversed(NAMES):
            if name in self._processes:
                self._processes[name].stop()

    # Command lines.

    def _etcd(self, port: int, peer_port: int) -> list[str]:
        client, peer = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
        return [
            "--name=default", f"--data-dir={self.path / 'etcd'}", f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}", "--log-level=warn",
        ]  # fmt: skip

    def _api(self, etcd_port: int) -> list[str]:
        """Our kubelets speak SPDY; a real one of v1.36, as which they declare themselves, also speaks websockets."""
        return [
            "--feature-gates=ExtendWebSocketsToKubelet=false",
            f"--etcd-servers=http://{HOST}:{etcd_port}", f"--bind-address={HOST}", f"--secure-port={self.port}",
            f"--advertise-address={CONTROL_PLANE_ADDRESS}", f"--service-cluster-ip-range={SERVICE_NETWORK}",
            *self._serving(), f"--client-ca-file={self.path / 'ca.crt'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self.path / 'sa.pub'}",
            f"--service-account-signing-key-file={self.path / 'sa.key'}",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
            f"--kubelet-certificate-authority={self.path / 'ca.crt'}",
            f"--kubelet-client-certificate={self.path / 'apiserver-kubelet-client.crt'}",
            f"--kubelet-client-key={self.path / 'apiserver-kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP", "--storage-media-type=application/json",
            f"--egress-selector-config-file={self.path / 'egress.yaml'}",
            f"--requestheader-client-ca-file={self.path / 'ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        ]  # fmt: skip

    def _manager(self, port: int) -> list[str]:
        return [
            *self._component(MANAGER, port), "--controllers=*,bootstrapsigner,tokencleaner",
            "--allocate-node-cidrs=true", f"--cluster-cidr={POD_NETWORK}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}", f"--root-ca-file={self.path / 'ca.crt'}",
            f"--service-account-private-key-file={self.path / 'sa.key'}", "--use-service-account-credentials=true",
        ]  # fmt: skip

    def _scheduler(self, port: int) -> list[str]:
        return self._component(SCHEDULER, port)

    def _component(self, name: str, port: int) -> list[str]:
        # Without an election a component that is started again works at once, as there is no other to wait for.
        config = self.path / f"{name}.conf"
        return [
            f"--kubeconfig={config}", f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
            f"--bind-address={HOST}", f"--secure-port={port}", *self._serving(), "--leader-elect=false",
        ]  # fmt: skip

    def _serving(self) -> list[str]:
        return [f"--tls-cert-file={self.path / 'server.crt'}", f"--tls-private-key-file={self.path / 'server.key'}"]

    # Files.

    def _write_keys(self) -> None:
        authority = self.authority
        kubelet_client, kubelet_key = authority.client("kube-apiserver-kubelet-client", ("system:masters",))
        for name, data in {
            "ca.crt": authority.authority, "server.crt": authority.certificate, "server.key": authority.key,
            "apiserver-kubelet-client.crt": kubelet_client, "apiserver-kubelet-client.key": kubelet_key,
            **_account_keys(authority), "egress.yaml": yaml.safe_dump(self._egress()).encode(),
        }.items():  # fmt: skip
            _write(self.path / name, data)

    def _egress(self) -> dict[str, object]:
        transport = {"uds": {"udsName": str(self.egress)}}
        nodes = {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}
        return {
            "apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration", "egressSelections": [nodes]
        }  # fmt: skip

    def _write_kubeconfigs(self) -> None:
        server = {
            "server": f"https://{HOST}:{self.port}", "certificate-authority-data": _base64(self.authority.authority),
        }  # fmt: skip
        for name, (user, groups) in _USERS.items():
            certificate, key = self.authority.client(user, groups)
            credentials = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
            config = {
                "apiVersion": "v1", "kind": "Config", "current-context": "local",
                "clusters": [{"name": "local", "cluster": server}],
                "users": [{"name": user, "user": credentials}],
                "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
            }  # fmt: skip
            _write(self.path / f"{name}.conf", yaml.safe_dump(config, sort_keys=False).encode())


def _account_keys(authority: Certificates) -> dict[str, bytes]:
    """The key pair by which tokens of ServiceAccounts are signed: that of a certificate nobody is shown."""
    _, pem = authority.client("service-accounts")
    key = serialization.load_pem_private_key(pem, None)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"sa.key": pem, "sa.pub": public}


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(data)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
