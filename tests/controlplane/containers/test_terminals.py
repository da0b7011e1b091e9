"""What one types to a container, and what it says to that: its own program, and shells beside it."""

from __future__ import annotations

import pytest

from autograder.controlplane.clock import Clock
from autograder.controlplane.containers import images
from autograder.controlplane.containers.configs import ContainerConfig, SandboxConfig
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.terminals import Attachment, Shell, is_shell


@pytest.fixture
def machines() -> Machines:
    machines = Machines(Clock())
    machines.add_host("worker-1", "10.250.0.11")
    return machines


def start(machines: Machines, *argv: str, stdin: bool = True, tty: bool = False, once: bool = False) -> str:
    """Start a BusyBox that can be typed to; gives the container's id."""
    found = images.find("busybox:1.36")
    assert found is not None
    machines.run_sandbox(SandboxConfig("uid", "default", "pod", "worker-1", "pod"))
    config = ContainerConfig(
        "c", found, "busybox:1.36", found.id, argv or ("sh",), {}, "/", (), 0, stdin=stdin, tty=tty, stdin_once=once
    )
    container = machines.create_container("uid", config)
    machines.start_container(container.id)
    return container.id


def said(terminal: Attachment | Shell, typed: str = "") -> str:
    """What is printed after something was typed."""
    if typed:
        terminal.type(typed)
    return "".join(text for _, text in terminal.poll())


def test_a_shell_waits_for_commands_and_runs_each(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines))
    assert terminal.exit_code is None
    assert said(terminal, "cd /tmp\n") == ""
    assert said(terminal, "pwd; name=x") == ""
    assert said(terminal, "\necho $name\n") == "/tmp\nx\n"
    assert said(terminal, "exit 3\n") == ""
    assert terminal.exit_code == 3


def test_with_a_terminal_it_shows_where_it_is(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines, tty=True))
    assert said(terminal) == "/ # "
    assert said(terminal, "cd /tmp\n") == "/tmp # "
    assert said(terminal, "for i in 1 2\n") == "> "
    assert said(terminal, "do echo $i; done\n") == "1\n2\n/tmp # "
    assert said(terminal, "fi\n").startswith("sh: syntax error")


def test_who_comes_later_sees_what_comes_later(machines: Machines) -> None:
    container = start(machines)
    first = Attachment(machines, container)
    assert said(first, "echo one\n") == "one\n"
    second = Attachment(machines, container)
    assert said(second, "echo two\n") == "two\n"
    assert said(first) == "two\n"
    assert "".join(line.text for line in machines.containers[container].log) == "one\ntwo\n"


def test_commands_take_their_time(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines))
    assert said(terminal, "sleep 5; echo slept\n") == ""
    machines.clock.now += 5_000_000
    while timer := machines.clock.pop_due():
        machines.fire(timer.key)
    assert said(terminal) == "slept\n"


def test_the_end_of_what_is_typed_ends_a_shell_that_is_typed_to_once(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines, once=True))
    terminal.type("false")
    terminal.hang_up()
    assert terminal.exit_code == 1


def test_a_shell_that_is_typed_to_more_than_once_waits_for_the_next_one(machines: Machines) -> None:
    container = start(machines)
    Attachment(machines, container).hang_up()
    assert said(Attachment(machines, container), "echo back\n") == "back\n"


def test_without_input_a_shell_ends_at_once(machines: Machines) -> None:
    assert Attachment(machines, start(machines, stdin=False)).exit_code == 0


def test_cat_repeats_each_line_until_the_end(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines, "cat", once=True))
    assert said(terminal, "one\ntw") == "one\n"
    terminal.type("o")
    terminal.hang_up()
    assert (said(terminal), terminal.exit_code) == ("two", 0)


def test_a_script_reads_what_is_typed(machines: Machines) -> None:
    terminal = Attachment(machines, start(machines, "sh", "-c", 'while read line; do echo "<$line>"; done', once=True))
    assert said(terminal, "a\nb\n") == "<a>\n<b>\n"
    terminal.hang_up()
    assert terminal.exit_code == 0


def test_a_fork_reads_on_by_itself(machines: Machines) -> None:
    container = start(machines)
    Attachment(machines, container).type("x=1\n")
    twin = machines.fork(machines.clock.fork())
    assert said(Attachment(twin, container), "echo $x\n") == "1\n"
    assert machines.containers[container].log == ()


# ---------------------------------------------------------------- shells of one's own


def test_a_shell_beside_the_program_remembers_what_it_was_told(machines: Machines) -> None:
    container = start(machines, "sleep", "100")
    shell = Shell(machines, container, ("sh",))
    assert said(shell) == "/ # "
    assert said(shell, "cd /tmp\n") == "/tmp # "
    assert said(shell, "x=1; f() { echo f$x; }\nf\n") == "/tmp # f1\n/tmp # "
    assert said(shell, "echo hi > file\ncat file\n") == "/tmp # hi\n/tmp # "
    assert said(shell, 'echo "a\n') == "> "
    assert said(shell, 'b"\n') == "a\nb\n/tmp # "
    assert said(shell, "cat <<END\n") == "> "
    assert said(shell, "x is $x\nEND\n") == "> x is 1\n/tmp # "
    assert said(shell, "exit 4\n") == ""
    assert shell.exit_code == 4
    assert machines.containers[container].log == ()


def test_what_would_go_on_for_ever_is_given_up_and_the_shell_goes_on(machines: Machines) -> None:
    shell = Shell(machines, start(machines, "sleep", "100"), ("sh",))
    said(shell, "while true; do :; done\n")
    assert shell.exit_code is None
    assert said(shell, "echo still here\n") == "still here\n/ # "


def test_a_shell_ends_with_its_container(machines: Machines) -> None:
    container = start(machines, "sleep", "100")
    shell = Shell(machines, container, ("sh",))
    machines.kill(container)
    assert shell.exit_code == 137


@pytest.mark.parametrize(
    ("command", "shell"),
    [("sh", True), ("/bin/bash", True), ("bash -l", True), ("sh -c ls", False), ("sh script", False), ("ls", False)],
)
def test_what_is_a_shell_that_reads_what_is_typed(command: str, shell: bool) -> None:
    assert is_shell(tuple(command.split())) is shell
