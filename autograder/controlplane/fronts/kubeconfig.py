"""The file that tells kubectl and every other client how to reach the cluster."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any, Final

import yaml

CLUSTER: Final = "embedded"
USER: Final = "admin"


def document(
    server: str, token: str, authority: bytes | None, *, name: str = CLUSTER, user: str = USER, namespace: str = ""
) -> dict[str, Any]:
    """A kubeconfig with one cluster, user and context; ``authority`` is the CA certificate as PEM, None without TLS.

    The context is called as its cluster; without a ``token`` the user brings nothing.
    """
    cluster = {"server": server}
    place = {"namespace": namespace} if namespace else {}
    if authority is not None:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token} if token else {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user, **place}}],
        "current-context": name,
        "preferences": {},
    }


def write(path: Path, config: dict[str, Any]) -> None:
    """Write a kubeconfig that only its owner can read; whoever waits for the file never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    draft.write_text(yaml.dump(config, Dumper=dumper, sort_keys=False), encoding="utf-8")
    draft.replace(path)
