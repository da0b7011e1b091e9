"""The commands of simulated containers: what BusyBox's applets do, as far as lessons need it.

Each takes a ``Call`` and gives an exit status or what the process does next.  ``APPLETS`` is the table of all; here are
those that print something, wait, look at processes or run other commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Exec, Interact, Outcome, Sleep
from autograder.controlplane.containers.conditions import test
from autograder.controlplane.containers.file_applets import FILE_APPLETS
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.network_clients import NETWORK_CLIENTS
from autograder.controlplane.containers.programs import PROGRAMS
from autograder.controlplane.containers.text_applets import TEXT_APPLETS, read, unescape

FOREVER: Final = 10**10 * SECOND

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _echo(call: Call) -> Outcome:
    args = list(call.args)
    newline, escapes = True, False
    while args and re.fullmatch("-[neE]+", args[0]):
        flags = args.pop(0)
        newline = newline and "n" not in flags
        escapes = escapes or "e" in flags
    text = " ".join(args)
    call.out((unescape(text) if escapes else text) + ("\n" if newline else ""))
    return 0


def _printf(call: Call) -> Outcome:
    if not call.args:
        return call.fail("missing operand")
    form, values = unescape(call.args[0]), list(call.args[1:])

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value = values.pop(0) if values else ""
        if match[2] in "di":
            return f"%{match[1]}d" % (integers.read(value) or 0)
        return f"%{match[1]}s" % (unescape(value) if match[2] == "b" else value)

    while True:
        before = len(values)
        call.out(re.sub(r"%%|%(-?0?\d{0,3})([sdib])", fill, form))
        if not values or len(values) == before:
            return 0


def _sleep(call: Call) -> Outcome:
    if not call.args:
        return call.fail("missing operand")
    total = 0.0
    for arg in call.args:
        if arg in ("infinity", "inf"):
            return Sleep(FOREVER, forever=True)
        match = _DURATION.fullmatch(arg)
        if match is None:
            return call.fail(f"invalid number '{arg}'")
        total += float(match[1]) * _UNITS[match[2]]
    return Sleep(int(min(total * SECOND, FOREVER)), forever=total >= 86400 * 30)


def _env(call: Call) -> Outcome:
    args = list(call.args)
    variables = []
    while args and "=" in args[0] and not args[0].startswith("-"):
        name, _, value = args.pop(0).partition("=")
        variables.append((name, value))
    if args:
        return Exec(tuple(args), tuple(variables))
    for name, value in {**call.shell.variables, **dict(variables)}.items():
        if name != "!":
            call.out(f"{name}={value}\n")
    return 0


def _printenv(call: Call) -> Outcome:
    if not call.args:
        return _env(call)
    status = 0
    for name in call.args:
        if name in call.shell.variables:
            call.out(call.shell.variables[name] + "\n")
        else:
            status = 1
    return status


def _date(call: Call) -> Outcome:
    now = datetime.fromtimestamp(call.system.now / SECOND, UTC)
    form = next((arg[1:] for arg in call.args if arg.startswith("+")), None)
    if form is None:
        form = "%a %b %e %H:%M:%S UTC %Y"
    known = {
        "s": str(call.system.now // SECOND),
        "N": f"{call.system.now % SECOND:06d}000",
        "n": "\n",
        "T": f"{now:%H:%M:%S}",
        "F": f"{now:%Y-%m-%d}",
        "e": f"{now.day:2d}",
        "D": f"{now:%m/%d/%y}",
        "Z": "UTC",
        "R": f"{now:%H:%M}",
    }

    def field(match: re.Match[str]) -> str:
        letter = match[1]
        return known.get(letter) or (now.strftime("%" + letter) if letter in "aAbBcdHIjmMpSuwyY%" else match[0])

    call.out(re.sub(r"%(.)", field, form) + "\n")
    return 0


def _shell(call: Call) -> Outcome:
    args = list(call.args)
    flags = ""
    while args and args[0].startswith("-") and len(args[0]) > 1:
        flags += args.pop(0)[1:]
    if "c" in flags:
        if not args:
            return call.fail("-c requires an argument", 2)
        return Exec(tuple(args[2:]), script=args[0])
    if args:
        try:
            return Exec(tuple(args[1:]), script=read(call, args[0]))
        except FileError:
            return call.fail(f"can't open '{args[0]}': No such file or directory", 2)
    if call.stdin:
        return Exec((), script=call.stdin)
    return Interact() if call.shell.listens else 0


def _xargs(call: Call) -> Outcome:
    args = list(call.args)
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag in ("-n", "-I", "-P") and args:
            args.pop(0)
    return Exec((*(args or ["echo"]), *call.stdin.split()))


def _timeout(call: Call) -> Outcome:
    args = list(call.args)
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag in ("-s", "-t", "-k") and args and flag != "-t":
            args.pop(0)
    return Exec(tuple(args[1:])) if len(args) > 1 else call.fail("missing operand")


def _kill(call: Call) -> Outcome:
    args = list(call.args)
    signal = "TERM"
    numbers = {"9": "KILL", "15": "TERM", "2": "INT", "1": "HUP", "3": "QUIT", "0": "0"}
    if args and args[0].startswith("-"):
        flag = args.pop(0)[1:]
        signal = args.pop(0) if flag == "s" and args else flag
        signal = numbers.get(signal, signal.upper().removeprefix("SIG"))
    status = 0
    for arg in args:
        pid = integers.read(arg)
        if pid is None or not call.system.signal(pid, signal):
            call.err(f"sh: can't kill pid {arg}: No such process\n")
            status = 1
    return status


def _ps(call: Call) -> Outcome:
    call.out("PID   USER     TIME  COMMAND\n")
    user = "root" if call.system.container.user == 0 else str(call.system.container.user)
    visible = call.system.visible()
    for process in visible:
        call.out(f"{process.pid:5d} {user:8s}  0:00 {' '.join(process.argv)}\n")
    shift = visible[-1].pid - own[-1].pid if (own := call.system.processes()) else 0
    call.out(f"{call.system.container.next_pid + shift:5d} {user:8s}  0:00 {' '.join(call.argv)}\n")
    return 0


def _id(call: Call) -> Outcome:
    user = call.system.container.user
    if call.args[:1] == ("-u",):
        call.out(f"{user}\n")
    else:
        call.out("uid=0(root) gid=0(root) groups=0(root)\n" if user == 0 else f"uid={user} gid={user}\n")
    return 0


def _which(call: Call) -> Outcome:
    found = [name for name in call.args if name in call.system.container.image.tools]
    call.out("".join(f"/bin/{name}\n" for name in found))
    return 0 if len(found) == len(call.args) else 1


def _prints(text: Callable[[Call], str]) -> Applet:
    """A command that only prints something."""

    def applet(call: Call) -> Outcome:
        call.out(text(call) + "\n")
        return 0

    return applet


def _busybox(call: Call) -> Outcome:
    return Exec(call.args) if call.args else call.fail("applet name expected")


def _yes(call: Call) -> Outcome:
    call.out((" ".join(call.args) or "y") + "\n")
    return Sleep(SECOND, again=call.argv, forever=True)


def _uname(call: Call) -> str:
    if "-a" in call.args:
        return f"Linux {call.system.container.hostname} 6.12.0 #1 SMP x86_64 GNU/Linux"
    return {"-r": "6.12.0", "-n": call.system.container.hostname, "-m": "x86_64"}.get("".join(call.args[:1]), "Linux")


APPLETS: Final[dict[str, Applet]] = (
    PROGRAMS
    | NETWORK_CLIENTS
    | TEXT_APPLETS
    | FILE_APPLETS
    | {
        "[": test,
        "basename": _prints(lambda call: call.args[0].rstrip("/").rpartition("/")[2] if call.args else ""),
        "bash": _shell,
        "busybox": _busybox,
        "date": _date,
        "dirname": _prints(lambda call: (call.args[0].rpartition("/")[0] or ".") if call.args else "."),
        "echo": _echo,
        "env": _env,
        "false": lambda call: 1,
        "hostname": _prints(lambda call: call.system.container.hostname),
        "id": _id,
        "kill": _kill,
        "nohup": lambda call: Exec(call.args),
        "printenv": _printenv,
        "printf": _printf,
        "ps": _ps,
        "pwd": _prints(lambda call: call.shell.cwd),
        "sh": _shell,
        "sleep": _sleep,
        "test": test,
        "timeout": _timeout,
        "true": lambda call: 0,
        "uname": _prints(_uname),
        "which": _which,
        "xargs": _xargs,
        "yes": _yes,
    }
)
