"""Students' machines run Linux, macOS and Windows: what only some of these have is asked for late, and guarded.

Windows is played here by taking away from Python what it lacks there.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import autograder
from autograder.cli import main
from autograder.clusters import ClusterError, open_cluster
from autograder.exercises import sandbox

PACKAGE: Final = Path(autograder.__file__).parent
MODULES: Final = frozenset({"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"})
#: Names of ``os``, ``signal`` and ``socket`` that Windows does not have.
NAMES: Final = {
    "os": "O_NOFOLLOW O_NONBLOCK WNOHANG chown fork forkpty getegid geteuid getgid getpgid getuid kill killpg lchown "
    "mkfifo nice pidfd_open posix_spawn sched_getaffinity setgid setsid setuid sysconf sysconf_names uname wait "
    "waitid".split(),
    "signal": "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 SIGXCPU alarm pthread_kill "
    "setitimer sigwait".split(),
    "socket": "AF_UNIX AF_NETLINK recv_fds send_fds socketpair_unix".split(),
}
#: Windows has these, and they do something else there: `os.kill(pid, 0)` ends a process.
OTHERWISE: Final = frozenset({"kill"})
#: A program for other processes, which is never imported; the sandbox that starts it exists on Linux alone.
PROGRAMS: Final = frozenset({"autograder/exercises/sandbox_inside.py"})

#: Where what Windows lacks is used, and what guards it.
GUARDED: Final = {
    "autograder/clusters/doctor.py": "hasattr",
    "autograder/clusters/kind/provision.py": "no kind cluster is opened or deleted on Windows",
    "autograder/clusters/kubectl.py": "sys.platform; how long a process has worked is asked only where /proc tells",
    "autograder/clusters/leftovers.py": "sys.platform",
    "autograder/clusters/local/keeper.py": "no local cluster is opened on Windows",
    "autograder/clusters/local/kubelet_server.py": "no local cluster is opened on Windows",
    "autograder/clusters/scratch.py": "sys.platform",
    "autograder/controlplane/fronts/serve.py": "ImportError",
    "autograder/exercises/sandbox.py": "nothing is run where the walls do not hold",
    "autograder/exercises/sandbox_walls.py": "nothing is run where the walls do not hold",
    "autograder/exercises/sandbox_watch.py": "nothing is run where the walls do not hold",
    "autograder/grading/commands.py": "hasattr",
    "autograder/grading/pool.py": "os.name",
    "autograder/grading/exchange.py": "nbgrader has no exchange on Windows",
    "autograder/grading/footprint.py": "hasattr; limits are set only where /proc tells the size of a process",
}

IMPORT_ALL: Final = """
import builtins, importlib, os, signal, socket, sys
modules, names, wanted = eval(sys.argv[1])
for name in wanted:
    importlib.import_module(name)  # with all that they need of others, which may use what there is
for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
    del sys.modules[name]
for module, missing in names.items():
    for name in missing:
        vars(sys.modules[module]).pop(name, None)
ordinary = builtins.__import__
def without(name, globals=None, *rest):
    if name.partition(".")[0] in modules and (globals or {}).get("__name__", "").startswith("autograder"):
        raise ImportError(f"{globals['__name__']} imports {name}, which Windows does not have")
    return ordinary(name, globals, *rest)
builtins.__import__ = without
for name in wanted:
    importlib.import_module(name)
print(len(wanted))
"""


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE.parent).as_posix()
        if name not in PROGRAMS:
            yield name, path


def module_of(source: str) -> str:
    return source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def uses(tree: ast.AST) -> Iterator[str]:
    """What Windows lacks, as it is named in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ({node.module or ""} & MODULES)
            yield from (
                f"{node.module}.{name.name}" for name in node.names if name.name in NAMES.get(node.module or "", ())
            )
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in NAMES.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Attribute) and node.attr == "add_signal_handler":
            yield node.attr


def test_every_module_can_be_imported_on_windows() -> None:
    wanted = [module_of(name) for name, _ in sources() if not name.endswith("__main__.py")]
    taken = {module: [name for name in names if name not in OTHERWISE] for module, names in NAMES.items()}
    given = repr((set(MODULES), taken, wanted))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_ALL, given], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(wanted) > 300


def test_what_windows_lacks_is_used_only_where_it_is_guarded() -> None:
    found = {name: sorted(set(uses(ast.parse(path.read_text(encoding="utf-8"))))) for name, path in sources()}
    using = {name: names for name, names in found.items() if names}
    unguarded = {name: names for name, names in using.items() if name not in GUARDED}
    assert not unguarded, "guard it, so that Windows gets a clear message, and say in GUARDED how"
    assert using.keys() == GUARDED.keys(), "GUARDED has a module that needs no guard any more"


def test_texts_are_opened_in_utf_8_whatever_the_machine_prefers() -> None:
    """Windows prefers a code page, which cannot hold what students write."""
    careless = []
    for name, path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("read_text", "write_text") and not any(k.arg == "encoding" for k in node.keywords):
                careless.append(f"{name}:{node.lineno}")
    assert careless == []


def test_what_the_terminal_cannot_show_is_written_in_ascii(tmp_path: Path) -> None:
    """As when the output of a Windows program goes into a file."""
    path = tmp_path / "Łukasz ☸.yaml"
    path.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "versions", str(path)], capture_output=True, env=environment, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u0141ukasz \u2638.yaml:1: v1 ConfigMap x: accepted by" in done.stdout


@pytest.mark.parametrize("spec", ["kind", "kind:mine", "local"])
def test_a_cluster_that_windows_cannot_have_says_what_can_be_used(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ClusterError, match=r"needs Linux or macOS.* WSL .*embedded"):
        open_cluster(spec)


def test_deleting_a_kind_cluster_on_windows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["cluster", "delete", "kind"]) == 2
    assert "needs Linux or macOS" in capsys.readouterr().err


def test_no_program_of_a_student_runs_where_there_are_no_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(sandbox.CannotConfine, match="only run on Linux"):
        sandbox.walls.__wrapped__()
