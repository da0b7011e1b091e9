"""The command line. A command is a row of a table; what it needs is imported when it is run, and not before."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

PROGRAM: Final = "autograder"
CONTROL: Final = "autograder.clusters.control_commands:control"
#: As shells say it of a program that ended at Ctrl-C.
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Command:
    """One command: ``target`` is ``module:function``, a function from parsed options to an exit code.

    ``arguments`` adds the command's own arguments to its parser.
    """

    help: str
    target: str
    arguments: Callable[[argparse.ArgumentParser], None]

    def run(self, options: argparse.Namespace) -> int:
        """Import what is needed, and do it."""
        module, _, function = self.target.partition(":")
        code: int = getattr(importlib.import_module(module), function)(options)
        return code


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _cluster_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", metavar="FILE", type=Path, required=True, help="is written for kubectl")
    parser.add_argument("--nodes", metavar="FILE", type=Path, help="Node manifests, instead of the usual three nodes")
    parser.add_argument(
        "--without", metavar="COMPONENT,...", default="", help="components that do not run, such as kube-scheduler"
    )
    parser.add_argument("--port", type=_port, default=0, help="0, the default, picks a free one")
    parser.add_argument(
        "--clock",
        choices=("wall", "manual"),
        default="wall",
        help="what makes time pass: the wall clock and clients that wait, or (manual) only the latter",
    )
    parser.add_argument(
        "--etcd",
        metavar="PATH",
        nargs="?",
        const="etcd",
        help="keep the cluster in a real etcd of its own: this binary, or the one that is installed",
    )
    parser.add_argument("--load", metavar="FILE", type=Path, help="begin with the cluster that was saved in FILE")
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input ends, with the process that started this one"
    )
    parser.add_argument(
        "--cluster",
        metavar="SPEC",
        default="embedded",
        help="which kind is served: embedded (the default), local, kind[:NAME], or a room in kubeconfig:PATH[#CONTEXT]",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same names, addresses and order")


def _control(parser: argparse.ArgumentParser) -> None:
    chosen = os.environ.get("KUBECONFIG")
    parser.add_argument(
        "--kubeconfig", metavar="FILE", type=Path, required=not chosen, default=Path(chosen) if chosen else None,
        help="what `cluster serve` wrote (default: that of $KUBECONFIG)",
    )  # fmt: skip


def _control_seconds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("seconds", metavar="SECONDS", type=_seconds, help="how much time passes")
    _control(parser)


def _control_component(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="COMPONENT", help="such as kube-scheduler")
    _control(parser)


def _control_node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="NODE", help="such as worker-1")
    _control(parser)


def _cluster_delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="kind[:NAME]", help="the cluster, as it is written after --cluster")


def _cluster_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cluster",
        metavar="SPEC",
        default=os.environ.get("AUTOGRADER_CLUSTER", "embedded"),
        help="embedded (the default), local, kind[:NAME] or kubeconfig:PATH[#CONTEXT]",
    )


def _python_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-python", action="store_true", default=os.environ.get("AUTOGRADER_ALLOW_PYTHON") == "1",
        help="run answers that are Python programs, locked in (default: $AUTOGRADER_ALLOW_PYTHON is 1, or the "
        "course's settings)",
    )  # fmt: skip


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exercise", metavar="EXERCISE", help="such as pods/first-pod, or the folder of one")
    parser.add_argument("files", metavar="FILE", nargs="+", help="the files of the answer")
    _cluster_choice(parser)
    _python_choice(parser)
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "--versions", action="store_true", help="say also which versions of Kubernetes accept the manifests"
    )


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exercises", metavar="EXERCISE", nargs="*", help="exercises to prove; without any, all")
    _cluster_choice(parser)
    parser.add_argument(
        "--workers", metavar="N", type=_count, default=os.cpu_count() or 1, help="processes; as many as processors"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def _parity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exercises", metavar="EXERCISE", nargs="*", help="exercises to compare; without any, all")
    _cluster_choice(parser)
    parser.add_argument(
        "--mutants", metavar="N", type=_number, help="only the solution and N wrong answers of each exercise"
    )
    parser.add_argument(
        "--longest-wait",
        metavar="SECONDS",
        type=_seconds,
        help="bounds each wait on a cluster that is known to be quick",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: 1 or more")
    return int(text)


def _grade(parser: argparse.ArgumentParser) -> None:
    _course(parser)
    parser.add_argument("--assignment", metavar="NAME", help="only this one, such as 07-pods")
    parser.add_argument("--workers", metavar="N", type=_count, help="processes; as many as processors if left out")
    parser.add_argument(
        "--executor", metavar="WHERE", default="local", help="local (the default), or dask:ADDRESS for a Dask cluster"
    )
    parser.add_argument("--fresh", action="store_true", help="judge every answer, also those that were judged before")
    _cluster_choice(parser)
    _python_choice(parser)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all verdicts there")


def _course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--course", metavar="DIR", type=Path, help="the course's folder; otherwise it is looked for")


def _assign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 07-pods")
    parser.add_argument("--students", metavar="NAME", nargs="+", default=[], help="for whom")
    parser.add_argument(
        "--roster", metavar="CSV", type=Path, help="a table whose first column, or `id`, names students"
    )
    _course(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("student", metavar="STUDENT", nargs="?", help="the name of the student's folder")
    parser.add_argument("exercise", metavar="EXERCISE", nargs="?", help="such as pods/first-pod")
    parser.add_argument("--bundle", metavar="FILE", type=Path, help="write a zip that reproduces the verdict elsewhere")
    parser.add_argument("--from", metavar="FILE", type=Path, dest="from_", help="judge what such a zip holds")
    _course(parser)
    _cluster_choice(parser)
    _python_choice(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    importlib.import_module("autograder.grading.reports.command").add_arguments(parser)


def _versions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="manifests, YAML or JSON")
    parser.add_argument("--from", metavar="VERSION", dest="first", default="", help="the oldest to ask, such as 1.25")
    parser.add_argument("--to", metavar="VERSION", dest="last", default="", help="the newest to ask")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _regrade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exercise", metavar="EXERCISE", help="such as pods/first-pod")
    parser.add_argument(
        "--since", metavar="DATE|DIGEST", default="",
        help="only verdicts given from then on: a date, or a time such as '2026-11-20 12:00 Europe/Berlin', or the "
        "version of the exercise that they were first given by",
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the new points; otherwise they are only shown")
    parser.add_argument("--json", action="store_true", help="print the changes as JSON")
    parser.add_argument("--workers", metavar="N", type=_count, help="processes; as many as processors if left out")
    _course(parser)
    _cluster_choice(parser)
    _python_choice(parser)


#: All commands by name; a name of two words is a command of a group.
COMMANDS: Final[dict[str, Command]] = {
    "cluster serve": Command("run a cluster in the foreground", "autograder.clusters.serving:serve", _cluster_serve),
    "cluster advance": Command("let time pass in a served cluster", CONTROL, _control_seconds),
    "cluster settle": Command("let everything happen that is due now", CONTROL, _control),
    "cluster stop": Command("kill a component", CONTROL, _control_component),
    "cluster start": Command("start a component again", CONTROL, _control_component),
    "cluster power-off": Command("cut the power of a node", CONTROL, _control_node),
    "cluster power-on": Command("give a node its power back", CONTROL, _control_node),
    "cluster status": Command("what runs in a served cluster, and what time it is there", CONTROL, _control),
    "cluster delete": Command("delete a kind cluster", "autograder.clusters.kind.commands:delete", _cluster_delete),
    "check": Command("judge one answer to an exercise", "autograder.exercises.commands:check", _check),
    "versions": Command(
        "say which versions of Kubernetes accept manifests, and why others refuse them",
        "autograder.manifests.versions_command:versions",
        _versions,
    ),
    "grade": Command("grade a class and fill the gradebook", "autograder.grading.commands:grade", _grade),
    "secret": Command(
        "make the secret that individual values are drawn from", "autograder.grading.individual:secret", _course
    ),
    "assign": Command("write each student's copy of an assignment", "autograder.grading.assigning:assign", _assign),
    "explain": Command(
        "show step by step how one verdict came about", "autograder.grading.explaining:explain", _explain
    ),
    "report": Command(
        "write pages, tables and exports of a graded class", "autograder.grading.reports.command:report", _report
    ),
    "regrade": Command(
        "show whose points change after an exercise was mended, and write it",
        "autograder.grading.regrading:regrade",
        _regrade,
    ),
    "audit": Command("prove that exercises judge rightly", "autograder.exercises.commands:audit", _audit),
    "doctor": Command(
        "say what is installed, and what each kind of cluster still needs",
        "autograder.clusters.doctor:doctor",
        lambda parser: None,
    ),
    "parity": Command(
        "compare the verdicts of two kinds of cluster", "autograder.exercises.parity_command:parity", _parity
    ),
}


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; parsed options have the command's name as ``command``."""
    top = argparse.ArgumentParser(PROGRAM, description="Kubernetes exercises: clusters, checks, grades.")
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {
        "": top.add_subparsers(metavar="COMMAND", required=True)
    }
    for name, command in COMMANDS.items():
        group, _, last = name.rpartition(" ")
        if group not in groups:
            members = ", ".join(other for other in COMMANDS if other.startswith(f"{group} "))
            parent = groups[""].add_parser(group, help=f"see {members}")
            groups[group] = parent.add_subparsers(metavar="COMMAND", required=True)
        own = groups[group].add_parser(last, help=command.help, description=command.help)
        command.arguments(own)
        own.set_defaults(command=name)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that ``arguments`` (else those of the process) name; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that a Windows code page lacks is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    options = read(arguments)
    with _ended_in_order():
        try:
            return COMMANDS[options.command].run(options)
        except KeyboardInterrupt:
            print(f"{PROGRAM} {options.command}: interrupted", file=sys.stderr)
            return INTERRUPTED


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options that ``arguments`` (else those of the process) say; exits if they make no sense."""
    options = parser().parse_args(arguments)
    if "workers" in options and options.cluster.partition(":")[0] == "kind":
        options.workers = 1  # all would share one cluster, and miss what the answer of another has stopped in it
    return options


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Whoever ends this process meanwhile ends it as Ctrl-C does, so that it takes what it has made along.

    The second time it ends at once: then the next run takes it along.
    """
    names = ("SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}

    def end(number: int, frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_DFL)
        raise KeyboardInterrupt

    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # `nohup` ignores one of them, and means it
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
