"""What a user is told when a local control plane does not come up; and that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from standins import failing, server, write
from waiting import comes

from autograder.clusters import ClusterError, open_cluster, scratch
from autograder.clusters.doctor import report
from autograder.clusters.local import folders, keeper, processes
from autograder.clusters.local.control_plane import NAMES, ControlPlane

ETCD, API = "etcd", "kube-apiserver"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but stand-ins that get ready, and a place of its own for temporary files."""
    folder, temporary = tmp_path / "bin", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    for name in NAMES:
        server(folder, name)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(processes, "AT_ONCE_SECONDS", float("inf"))  # however slow this machine is
    return folder


def left(programs: Path) -> list[Path]:
    """Folders of runs that are there, and processes that work in them."""
    temporary = programs.parent / "tmp"
    running = keeper.processes_of(temporary)
    return [*temporary.iterdir(), *(Path(f"/proc/{process}") for process in running)]


def refusal() -> str:
    with pytest.raises(ClusterError) as caught:
        open_cluster("local")
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_program_that_is_missing_is_named_with_how_to_get_it(programs: Path, name: str) -> None:
    (programs / name).unlink()
    assert f"needs {name}, which is not on PATH; get it by: conda install" in refusal()
    assert left(programs) == []


def test_a_program_that_cannot_be_run_is_named(programs: Path) -> None:
    (programs / API).write_bytes(b"\x7fELF for another machine")
    assert f"{programs / API} cannot be run (Exec format error)" in refusal()
    assert left(programs) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_program_that_ends_at_once_is_quoted_and_the_others_are_stopped(programs: Path, name: str) -> None:
    failing(programs, name, "first\n\nit has no heart for it")
    said = refusal()
    assert f"{name} ended before it was ready; it said last:\n    first\n    it has no heart for it" in said
    assert left(programs) == []


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("write /data: no space left on device", "make room"),
        ("runtime: out of memory: cannot allocate 4096-byte block", "about 1 GiB"),
        ("fork/exec: cannot allocate memory", "about 1 GiB"),
        ("accept: too many open files", "ulimit -n"),
        ("Error: unknown flag: --egress-selector-config-file", "v1.36"),
    ],
)
def test_known_reasons_come_with_what_to_do(programs: Path, said: str, advice: str) -> None:
    failing(programs, API, said)
    assert advice in refusal()


def test_a_program_that_was_killed_is_said_to_have_been(programs: Path) -> None:
    write(programs, API, "import os\nos.kill(os.getpid(), 9)")
    said = refusal()
    assert "killed, perhaps for want of memory" in said
    assert "said nothing" in said
    assert left(programs) == []


def test_a_program_that_is_never_ready_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = processes.Process.wait

    def impatient(process: processes.Process) -> None:
        if process.name == API:  # the others have all the time that they need
            monkeypatch.setattr(processes, "START_SECONDS", 3)
        wait(process)

    monkeypatch.setattr(processes.Process, "wait", impatient)
    write(programs, API, "import time\nprint('thinking', flush=True)\ntime.sleep(600)")
    said = refusal()
    assert "kube-apiserver was not ready within 3 seconds" in said
    assert "    thinking" in said
    assert left(programs) == []


def test_a_program_that_gives_up_after_a_while_is_started_again(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "AT_ONCE_SECONDS", 0.5)
    mark = programs / "tried"
    once = f"""
if not os.path.exists({str(mark)!r}):
    open({str(mark)!r}, "w").close()
    time.sleep(1)
    sys.exit("unable to initialize roles: timed out waiting for the condition")
"""
    server(programs, API, f"import time\n{once}")
    control_plane = ControlPlane()
    control_plane.start()
    assert control_plane.running() == list(NAMES)
    assert mark.exists()
    control_plane.close()


def test_a_program_that_ignores_the_signal_is_killed(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.5)
    server(programs, ETCD, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    control_plane = ControlPlane()
    control_plane.start()
    control_plane.close()
    assert left(programs) == []


def test_other_ports_are_tried_when_one_was_taken(programs: Path) -> None:
    mark = programs / "tried"
    once = f"""
if not os.path.exists({str(mark)!r}):
    open({str(mark)!r}, "w").close()
    print("listen tcp 127.0.0.1:2379: bind: address already in use", file=sys.stderr)
    sys.exit(1)
"""
    server(programs, API, once)
    control_plane = ControlPlane()
    control_plane.start()
    assert control_plane.running() == list(NAMES)
    control_plane.close()


def test_ports_that_are_always_taken_are_told(programs: Path) -> None:
    failing(programs, ETCD, "bind: address already in use")
    assert "a port that it was given was taken" in refusal()
    assert left(programs) == []


def test_a_component_is_killed_and_started_on_its_port(programs: Path) -> None:
    control_plane = ControlPlane()
    control_plane.start()
    port = control_plane.port
    control_plane.stop_one(API)
    assert control_plane.running() == [name for name in NAMES if name != API]
    control_plane.start_one(API)
    assert (control_plane.running(), control_plane.port) == (list(NAMES), port)
    control_plane.close()
    assert left(programs) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as only Linux shows them")
def test_an_api_server_whose_etcd_was_away_is_started_anew_with_it(programs: Path) -> None:
    control_plane = ControlPlane()
    control_plane.start()
    (before,) = (one for one in keeper.processes_of(control_plane.path) if is_program(one, API))
    control_plane.stop_one(ETCD)
    os.kill(before, signal.SIGSTOP)  # it may hang
    control_plane.start_one(ETCD)
    (after,) = (one for one in keeper.processes_of(control_plane.path) if is_program(one, API))
    assert control_plane.running() == list(NAMES)
    assert before != after
    control_plane.stop_one(API)
    control_plane.stop_one(ETCD)
    control_plane.start_one(ETCD)
    assert API not in control_plane.running()
    control_plane.close()


def is_program(process: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        return f"/{name}\0" in Path(f"/proc/{process}/cmdline").read_text()
    return False


def test_a_program_that_ends_by_itself_later_is_told(programs: Path) -> None:
    mark = programs / "end"
    die = f"""
import threading
def watch():
    while not os.path.exists({str(mark)!r}):
        time.sleep(0.05)
    print("fatal error: runtime: out of memory", file=sys.stderr, flush=True)
    os._exit(2)
threading.Thread(target=watch, daemon=True).start()
"""
    server(programs, "kube-scheduler", die)
    control_plane = ControlPlane()
    control_plane.start()
    control_plane.check()
    mark.touch()
    assert comes(lambda: "kube-scheduler" not in control_plane.running())
    with pytest.raises(ClusterError, match=r"kube-scheduler has ended by itself \(there is not enough memory"):
        control_plane.check()
    control_plane.stop_one("kube-scheduler")
    control_plane.check()
    control_plane.close()


def test_components_are_left_out_on_demand(programs: Path) -> None:
    control_plane = ControlPlane()
    control_plane.start(without=["kube-scheduler"])
    assert "kube-scheduler" not in control_plane.running()
    control_plane.close()


RUN = """
import pathlib, sys, time
from autograder.clusters.local.control_plane import ControlPlane
control_plane = ControlPlane()
pathlib.Path(sys.argv[1]).write_text(str(control_plane._folder._keeper.pid))
print("made", flush=True)
control_plane.start()
print("started", flush=True)
time.sleep(600)
"""


def begun(programs: Path, line: str) -> subprocess.Popen[str]:
    """A run in a process of its own, once it has printed a line."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(programs.parent / "keeper")], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    while run.stdout.readline().strip() != line:
        assert run.poll() is None
    run.stdout.close()
    return run


@pytest.mark.parametrize(
    ("when", "how"),
    [("made", signal.SIGKILL), ("started", signal.SIGKILL), ("started", signal.SIGTERM), ("started", signal.SIGINT)],
)
def test_what_a_run_leaves_that_was_cut_off_is_removed_at_once(programs: Path, when: str, how: signal.Signals) -> None:
    run = begun(programs, when)
    run.send_signal(how)
    run.wait()
    assert comes(lambda: left(programs) == [])


@pytest.mark.parametrize("seconds", sorted(random.Random(7).uniform(0.1, 5) for _ in range(6)))
def test_a_run_that_is_killed_at_any_moment_leaves_nothing(programs: Path, seconds: float) -> None:
    command = [sys.executable, "-c", RUN, str(programs.parent / "keeper")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        time.sleep(seconds)
        run.kill()
    time.sleep(0.2)  # the keeper has time to begin; it need not have come to its end
    folders.clean()
    assert comes(lambda: left(programs) == [])


def test_the_next_run_removes_what_not_even_the_keeper_could(programs: Path) -> None:
    run = begun(programs, "started")
    os.kill(int((programs.parent / "keeper").read_text()), signal.SIGKILL)
    run.kill()
    run.wait()
    time.sleep(0.3)
    assert left(programs) != []
    folders.clean()
    assert comes(lambda: left(programs) == [])


def test_what_a_living_run_uses_is_left_alone(programs: Path) -> None:
    run = begun(programs, "started")
    before = left(programs)
    assert folders.clean() == []
    assert left(programs) == before != []
    run.kill()
    run.wait()
    assert comes(lambda: left(programs) == [])


def test_a_run_whose_folder_was_removed_by_somebody_says_so_and_leaves_nothing(programs: Path) -> None:
    control_plane = ControlPlane()
    control_plane.start()
    shutil.rmtree(control_plane.path)
    with pytest.raises(ClusterError, match="somebody has removed the folder of this cluster"):
        control_plane.check()
    control_plane.close()
    assert left(programs) == []


@pytest.mark.parametrize("with_the_lock", [False, True])
def test_the_keeper_needs_nothing_of_what_it_keeps(programs: Path, with_the_lock: bool) -> None:
    run = begun(programs, "started")
    for path in (programs.parent / "tmp").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif with_the_lock:
            path.unlink()
    run.kill()
    run.wait()
    assert comes(lambda: left(programs) == [])


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system that tells where processes work")
def test_programs_whose_folder_is_gone_are_ended_once_nobody_holds_its_lock(programs: Path) -> None:
    run = begun(programs, "started")
    os.kill(int((programs.parent / "keeper").read_text()), signal.SIGKILL)
    folder = next(path for path in (programs.parent / "tmp").iterdir() if path.is_dir())
    shutil.rmtree(folder)
    folders.clean()
    assert len(keeper.processes_of(folder)) == len(NAMES)
    run.kill()
    run.wait()
    folders.clean()
    assert comes(lambda: left(programs) == [])


def test_folders_of_others_and_of_other_versions_are_left_alone(programs: Path) -> None:
    temporary = programs.parent / "tmp"
    old = temporary / "autograder-local-old"
    old.mkdir()
    (old / "lock").touch()
    (temporary / "autograder-course").mkdir()
    (temporary / "autograder-local-link").symlink_to(temporary / "autograder-course")
    os.utime(old, (0, 0))
    assert folders.clean() == []
    assert len(list(temporary.iterdir())) == 3
    assert scratch.unknown(folders.KIND) == [old]
    assert f"  {old}" in report()
