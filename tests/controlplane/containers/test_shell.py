"""What a simulated container does with a script: the documented part of the shell, in virtual time."""

from __future__ import annotations

import tracemalloc

import pytest

from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.containers import images
from autograder.controlplane.containers.arithmetic import BadExpression, calculate
from autograder.controlplane.containers.configs import ContainerConfig, SandboxConfig
from autograder.controlplane.containers.machines import Machines, StartError
from autograder.controlplane.containers.records import Container, Mount


@pytest.fixture
def machines() -> Machines:
    machines = Machines(Clock())
    machines.add_host("worker-1", "10.250.0.11")
    return machines


def start(
    machines: Machines, *argv: str, image: str = "busybox:1.36", env: dict[str, str] | None = None,
    mounts: tuple[Mount, ...] = (), memory_limit: int = 0,
) -> str:  # fmt: skip
    """Start a container in a pod of its own; gives the container's id."""
    found = images.find(image)
    assert found is not None
    uid = f"uid-{len(machines.sandboxes)}"
    machines.run_sandbox(SandboxConfig(uid, "default", f"pod-{uid}", "worker-1", f"pod-{uid}"))
    words = argv or (*found.entrypoint, *found.command)
    config = ContainerConfig(
        "c", found, image, found.id, words, env or {}, found.workdir, mounts, 0, memory_limit=memory_limit
    )
    container = machines.create_container(uid, config)
    machines.start_container(container.id)
    return container.id


def advance(machines: Machines, seconds: float) -> None:
    end = machines.clock.now + round(seconds * SECOND)
    while (due := machines.clock.next_due()) is not None and due <= end:
        machines.clock.now = due
        while timer := machines.clock.pop_due():
            machines.fire(timer.key)
    machines.clock.now = end


def log(container: Container) -> str:
    return "".join(line.text for line in container.log)


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("echo a b", "a b\n"),
        ("echo -n a; echo b", "ab\n"),
        ("true && echo yes || echo no", "yes\n"),
        ("false && echo yes || echo no", "no\n"),
        ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3\n"),
        ("until test -f /tmp/x; do touch /tmp/x; done; echo found", "found\n"),
        ("if [ -d /nowhere ]; then echo a; elif [ 2 -gt 1 ]; then echo b; else echo c; fi", "b\n"),
        ("case web-1 in web-*) echo web;; *) echo other;; esac", "web\n"),
        ("echo hi > /tmp/f; echo there >> /tmp/f; cat /tmp/f", "hi\nthere\n"),
        ("NAME=x; echo ${NAME} ${NONE:-default} '$NAME' \"$NAME\"", "x default $NAME x\n"),
        ("echo $(echo inner) `echo old`", "inner old\n"),
        ("seq 1 60 | head -40 | tail -1", "40\n"),
        ("seq 1 60 | head | wc -l", "10\n"),
        ("echo one two | wc -w", "2\n"),
        ("printf '%s-%d\\n' a 5", "a-5\n"),
        ("wget --timeout=soon localhost 2>/dev/null; echo $?", "1\n"),
        ("cat <<EOF\nhello $NAME\nEOF", "hello \n"),
        ("greet() { echo hello $1; }; greet you", "hello you\n"),
        ("set -- a b; echo $# $2", "2 b\n"),
        ("(cd /tmp; pwd); pwd", "/tmp\n/\n"),
        ("false; echo $?", "1\n"),
        ("! false && echo turned", "turned\n"),
        ("x=web.default.svc; echo ${x%%.*} ${x#*.} ${#x}", "web default.svc 15\n"),
        ("for f in a b; do [ $f = b ] && break; echo $f; done; echo end", "a\nend\n"),
        ("sh -c 'exit 3'; echo $?", "3\n"),
        ("echo err >&2; echo out", "err\nout\n"),
        ("hostname", "pod-uid-0\n"),
        ("date +%Y-%m-%d", "2026-01-01\n"),
        ("seq 3 | tail -n 1", "3\n"),
        ("echo a,b | cut -d, -f2", "b\n"),
        ("printf '  b\n 10\n9\n-\n' | sort -n", "  b\n-\n9\n 10\n"),
        ("echo aXx | sed 's/x/_/gI'", "a__\n"),
        ("echo cab | tr a-c A-C", "CAB\n"),
    ],
)
def test_runs_the_documented_shell(machines: Machines, script: str, output: str) -> None:
    container = machines.containers[start(machines, "sh", "-c", script)]
    assert log(container) == output


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("true", 0), ("false", 1), ("nothing-here", 127), ("if", 2)]
)
def test_ends_with_the_exit_code_of_its_script(machines: Machines, script: str, code: int) -> None:
    container = machines.containers[start(machines, "sh", "-c", script)]
    assert not container.running
    assert container.exit_code == code
    assert container.reason == ("Completed" if code == 0 else "Error")


@pytest.mark.parametrize("number", ["--5", "+-5", "²", "9" * 400, "9" * 5000, "x"], ids=lambda number: number[:5])
@pytest.mark.parametrize(
    "command",
    [
        "curl -m {} localhost", "cut -f {} /etc/hostname", "echo ${{{}}}", "exit {}", "grep -A {} . /etc/hostname",
        "head -n {} /etc/hostname", "kill {}", "nc -z localhost {}", "nc -l -p {}", "printf %d {}", "return {}",
        "seq {}", "shift {}", "sleep {}", "tail -f --seen={} /etc/hostname", "test {} -eq 1", "wait {}",
        "echo {} | sort -n", "httpd -f -p {}", "echo a | sed 's/a/{}\\1/'", "timeout 5 sleep {}",
    ],
)  # fmt: skip
def test_no_number_stops_more_than_its_command(machines: Machines, command: str, number: str) -> None:
    container_id = start(machines, "sh", "-c", f"{command.format(number)} &\nsleep 1; echo on")
    advance(machines, 2)
    assert log(machines.containers[container_id]).endswith("on\n")


@pytest.mark.parametrize(
    ("image", "argv"),
    [
        ("nginx:1.27", ("sh", "-c", "echo 'listen {};' > /etc/nginx/conf.d/default.conf; nginx -g 'daemon off;'")),
        ("hashicorp/http-echo:1.0", ("/http-echo", "-listen=:{}")),
        ("python:3.12", ("python3", "-m", "http.server", "{}")),
        ("perl:5.34", ("perl", "-e", "print bpi({})")),
        ("polinux/stress:latest", ("stress", "--vm", "{}", "--vm-bytes", "{}", "--timeout", "{}")),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", ("/agnhost", "netexec", "--http-port={}")),
    ],
)
def test_no_number_of_a_program_stops_its_machine(machines: Machines, image: str, argv: tuple[str, ...]) -> None:
    start(machines, *(word.format("9" * 5000) for word in argv), image=image)
    advance(machines, 2)


def test_an_unknown_command_is_told_as_busybox_tells_it(machines: Machines) -> None:
    assert log(machines.containers[start(machines, "sh", "-c", "foo")]) == "sh: foo: not found\n"


def test_a_missing_program_cannot_be_started(machines: Machines) -> None:
    with pytest.raises(StartError, match='exec: "foo": executable file not found in \\$PATH'):
        start(machines, "foo")


def test_sleeps_in_virtual_time_and_stamps_its_lines(machines: Machines) -> None:
    begin = machines.clock.now
    container_id = start(machines, "sh", "-c", "while true; do echo tick; sleep 5; done")
    advance(machines, 12)
    assert [line.at - begin for line in machines.containers[container_id].log] == [0, 5 * SECOND, 10 * SECOND]


def test_a_loop_without_end_is_throttled(machines: Machines) -> None:
    container = machines.containers[start(machines, "sh", "-c", "while true; do :; done")]
    assert container.running


@pytest.mark.parametrize("expression", ["1/0", "2**99999999", "(" * 400, "1 +"])
def test_a_bad_expression_is_an_error_and_costs_nothing(expression: str) -> None:
    with pytest.raises((BadExpression, RecursionError)):
        calculate(expression, {})


@pytest.mark.parametrize(
    ("argv", "image", "code"),
    [
        (("sleep", "3600"), "busybox:1.36", None),
        (("sh", "-c", "echo up; sleep 3600"), "busybox:1.36", None),
        ((), "nginx:1.27", 0),
        (("sh", "-c", "hostname > /usr/share/nginx/html/index.html && nginx -g 'daemon off;'"), "nginx:1.27", 0),
        (("sh", "-c", "nginx -g 'daemon off;'; echo after"), "nginx:1.27", None),
        (("sh", "-c", "trap 'exit 7' TERM; sleep 100 & wait"), "busybox:1.36", 7),
    ],
)
def test_term_ends_what_handles_it_and_nothing_else(
    machines: Machines, argv: tuple[str, ...], image: str, code: int | None
) -> None:
    container_id = start(machines, *argv, image=image)
    machines.signal(container_id, "TERM")
    container = machines.containers[container_id]
    assert container.running == (code is None)
    machines.kill(container_id)
    assert machines.containers[container_id].exit_code == (137 if code is None else code)


def test_a_trap_waits_for_the_command_in_the_foreground(machines: Machines) -> None:
    container_id = start(machines, "sh", "-c", "trap 'echo bye; exit 0' TERM; while true; do sleep 3; done")
    advance(machines, 1)
    machines.signal(container_id, "TERM")
    assert machines.containers[container_id].running
    advance(machines, 2)
    assert log(machines.containers[container_id]) == "bye\n"


def test_a_container_that_takes_more_memory_than_its_limit_is_killed(machines: Machines) -> None:
    argv = ("stress", "--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1")
    mebi = 1024 * 1024
    container = machines.containers[start(machines, *argv, image="polinux/stress", memory_limit=100 * mebi)]
    assert (container.exit_code, container.reason) == (137, "OOMKilled")
    assert machines.containers[start(machines, *argv, image="polinux/stress", memory_limit=300 * mebi)].running


def test_containers_of_a_pod_share_a_volume(machines: Machines) -> None:
    mounts = (Mount("/work", "uid/shared"),)
    start(machines, "sh", "-c", "echo from init > /work/index.html", mounts=mounts)
    reader = start(machines, "sleep", "100", mounts=mounts)
    assert machines.exec(reader, ("cat", "/work/index.html")).stdout == "from init\n"


def test_a_read_only_mount_cannot_be_written(machines: Machines) -> None:
    container_id = start(machines, "sleep", "100", mounts=(Mount("/config", "uid/config", read_only=True),))
    result = machines.exec(container_id, ("sh", "-c", "echo x > /config/a"))
    assert result.exit_code == 1
    assert "Read-only file system" in result.stderr


def test_what_is_executed_at_once_counts_its_sleep(machines: Machines) -> None:
    container_id = start(machines, "sleep", "100")
    before = machines.clock.now
    result = machines.exec(container_id, ("sh", "-c", "sleep 5; echo done"))
    assert (result.stdout, result.elapsed, machines.clock.now) == ("done\n", 5 * SECOND, before)
    assert machines.exec(container_id, ("sleep", "5"), limit=SECOND).exit_code == 137


def test_a_fork_goes_on_as_its_parent_does(machines: Machines) -> None:
    container_id = start(machines, "sh", "-c", "for i in 1 2 3 4; do echo $i; sleep 2; done; exit 4")
    advance(machines, 3)
    clock = machines.clock.fork()
    twin = machines.fork(clock)
    advance(machines, 10)
    assert twin.containers[container_id].running
    advance(twin, 10)
    assert twin.containers[container_id] == machines.containers[container_id]
    assert twin.containers[container_id].exit_code == 4


@pytest.mark.parametrize(
    "script",
    [
        "x=0123456789; while true; do x=$x$x; done",
        "x=0123456789; while true; do x=\"$x $x\"; echo $x > /dev/null; done",
        "x=$(seq 1 10000); y=$x$x$x$x$x$x; z=$y$y$y$y$y$y; w=$z$z$z$z$z$z",
        "printf '%1000000000d' 1",
        "head -c 100000000000 /dev/zero",
        "dd if=/dev/zero of=/tmp/x bs=1G count=100",
        "yes | head -n 1000000000",
        "seq 1 1000000000000",
        "f() { f; }; f",
        "x=a; y=a; for i in 1 2 3 4 5 6 7 8 9; do x=$x$y; y=$x$x$x$x$x$x$x$x$x; done; echo ${#y}",
    ],
)  # fmt: skip
def test_scripts_that_want_all_memory_or_all_time_get_neither(machines: Machines, script: str) -> None:
    container_id = start(machines, "sleep", "1000000")
    tracemalloc.start()
    result = machines.exec(container_id, ("sh", "-c", script))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000_000
    assert len(result.stdout) < 1_000_000
