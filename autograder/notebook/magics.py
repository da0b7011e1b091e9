"""The magics of the course.

None of them raises for what a student writes: what is wrong is printed, and the cells below can still be run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand

from autograder.checks import Status, Verdict
from autograder.checks.rendering import as_html, as_text
from autograder.clusters import open_cluster
from autograder.exercises import Answer, BadExercise, Exercise, Judgement, Runner, Unsupported
from autograder.exercises.debrief import story
from autograder.exercises.sheets import feedback, load_own
from autograder.notebook import answers, kubectl, record
from autograder.notebook.home import Home, find_home
from autograder.notebook.server import EMBEDDED, ClusterTrouble, StudentCluster

#: How files with a saved cluster end.
SAVED: Final = ".cluster"

USAGE: Final = """%cluster new                 a fresh cluster
%cluster new SPEC            one of another kind: embedded, local, kind[:NAME], kubeconfig:PATH[#CONTEXT]
%cluster status              what runs, and how to reach it from a terminal
%cluster advance SECONDS     let time pass
%cluster settle              let everything happen that is due now
%cluster stop COMPONENT      kill a component, such as kube-scheduler
%cluster start COMPONENT     start it again
%cluster power-off NODE      cut the power of a node, such as worker-1
%cluster power-on NODE       give it back
%cluster save FILE.cluster   keep the cluster as it is
%cluster load FILE.cluster   go on from there
%cluster end                 end the cluster; in somebody else's, delete the namespaces that are yours"""

#: What a student is told who gets a cluster that is not embedded.
_WELCOME: Final = {
    "local": "A new cluster is up: the programs of a real control plane, as processes of this machine.",
    "kind": "The kind cluster is yours; it is put back as it was when you end.",
    "kubeconfig": "You have a room in the cluster of {rest}: its namespaces, `default` too, are yours and go with you.",
}
_REAL_TIME: Final = "Time is real there: `%cluster advance` waits, a minute at most."


@magics_class
class CourseMagics(Magics):
    """The magics, for one notebook."""

    def __init__(self, shell: InteractiveShell, home: Home | None = None) -> None:
        super().__init__(shell)
        self._display = shell.display_pub
        self._home = home or find_home()
        self.own_cluster = StudentCluster(self._home)
        self._runner: Runner | None = None

    @no_var_expand
    @line_cell_magic
    def kubectl(self, line: str, cell: str | None = None) -> None:
        """``%kubectl ARGS`` runs kubectl; the text of a cell ``%%kubectl ARGS`` is what it reads with ``-f -``."""
        try:
            self._kubectl(kubectl.arguments(line), cell or "")
        except (kubectl.NotAShell, ClusterTrouble) as trouble:
            _complain(trouble)

    @no_var_expand
    @cell_magic
    def manifest(self, line: str, cell: str) -> None:
        """``%%manifest NAME.yaml [--apply]`` keeps the text of the cell, says what is wrong with it, may apply it."""
        match line.split():
            case [name]:
                apply = False
            case [name, "--apply"]:
                apply = True
            case _:
                _complain("write %%manifest NAME.yaml, or %%manifest NAME.yaml --apply")
                return
        try:
            path = answers.keep(self._home.work, name, cell)
            if answers.is_blank(cell):
                print(f"{name} is empty so far")
                return
            manifest, problems = answers.read(name, path.read_text(encoding="utf-8"))
            if apply and self._kubectl(["apply", "-f", name]) == 0:
                return
        except (answers.BadName, ClusterTrouble) as trouble:
            _complain(trouble)
            return
        if not apply:
            print(f"{name} is kept: {answers.objects(manifest) or 'no object can be read'}")
        for problem in problems:
            print(*answers.explained(problem, cell), sep="\n")

    @no_var_expand
    @cell_magic
    def commands(self, line: str, cell: str) -> None:
        """``%%commands NAME.txt`` keeps lines of kubectl as an answer; ``check`` runs them on a cluster of its own."""
        self._keep(line, cell, answers.COMMANDS)

    @no_var_expand
    @cell_magic
    def prediction(self, line: str, cell: str) -> None:
        """``%%prediction NAME.yaml`` keeps what a student expects to happen as an answer."""
        self._keep(line, cell, answers.PREDICTIONS)

    @no_var_expand
    @cell_magic
    def program(self, line: str, cell: str) -> None:
        """``%%program NAME.py`` keeps a program as an answer; ``check`` calls it where it can do no harm."""
        self._keep(line, cell, answers.PROGRAMS)

    @no_var_expand
    @line_magic
    def cluster(self, line: str) -> None:
        """``%cluster new`` and what else one does to a cluster; without arguments, what there is."""
        verb, _, target = line.strip().partition(" ")
        handler = _CLUSTER.get(verb)
        if handler is None or bool(target.strip()) not in handler[0]:
            print(USAGE, file=sys.stderr if verb else sys.stdout)
            return
        try:
            handler[1](self, target.strip())
        except (ClusterTrouble, answers.BadName) as trouble:
            _complain(trouble)

    def check(self, exercise: str) -> float:
        """Judge the answer to an exercise on a cluster of its own, show the verdict, return the points.

        The cluster of the notebook is not touched.  Returns 0.0 for what cannot be judged, and says why.
        """
        try:
            task = load_own(exercise)
            judgement = self._judge(task)
        except (BadExercise, Unsupported) as error:
            _complain(error)
            return 0.0
        verdict = feedback(task, judgement.verdict)
        self._show(task, verdict, story(self._the_runner(), task, judgement) if verdict.is_full else [])
        if verdict.status is not Status.NOT_SUBMITTED:
            record.Record.read(self._home.progress).checked(task.id, verdict)
        return float(verdict.earned)

    def _keep(self, line: str, cell: str, endings: tuple[str, ...]) -> None:
        try:
            answers.keep(self._home.work, line.strip(), cell, endings)
        except answers.BadName as trouble:
            _complain(trouble)
            return
        print(f"{line.strip()} is {'empty so far' if answers.is_blank(cell) else 'kept'}")

    def _judge(self, exercise: Exercise) -> Judgement:
        return self._the_runner().judgement(exercise, Answer(answers.answer_to(exercise.id, self._home.work)))

    def _the_runner(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(open_cluster("embedded"), allow_python=True)
        return self._runner

    def _show(self, exercise: Exercise, verdict: Verdict, told: Sequence[str]) -> None:
        """Show a verdict as a table, and as text where there are no tables; after passing, what the cluster did."""
        headline = f"{exercise.title}: done." if verdict.is_full else f"{exercise.title}: not yet."
        details = (as_text(verdict), as_html(verdict))
        if verdict.status is Status.NOT_SUBMITTED:
            headline, details = f"{headline} There is no answer.", ("", "")
        elif answers.is_untouched(exercise, self._home.work):
            headline, details = f"{headline} The answer is still as you found it.", ("", "")
        after = ["What your cluster did:", *told] if told else []
        text = "\n".join(filter(None, [headline, details[0], *after]))
        page = f"<p>{escape(after[0])}</p><pre>{escape(chr(10).join(told))}</pre>" if told else ""
        self._display.publish({"text/plain": text, "text/html": f"<p>{escape(headline)}</p>{details[1]}{page}"})

    def _kubectl(self, args: list[str], stdin: str = "") -> int:
        self.own_cluster.ensure()
        ran = kubectl.run(args, self._home, stdin=stdin)
        for text, stream in ((ran.out, sys.stdout), (ran.err, sys.stderr)):
            stream.write(text)
            stream.flush()
        return ran.code

    def _new(self, spec: str) -> None:
        state = self.own_cluster.new(spec)
        kind, _, rest = state.get("cluster", EMBEDDED).partition(":")
        if kind == EMBEDDED:
            print(f"A new cluster is up. Its clock stands at {_clock(state)} until you let time pass.")
        else:
            print(f"{_WELCOME[kind].format(rest=rest)} {_REAL_TIME}")

    def _end(self, _: str) -> None:
        self.own_cluster.end()
        print("There is no cluster any more.")

    def _status(self, _: str) -> None:
        state = self.own_cluster.state()
        print(f"cluster  {state.get('cluster', EMBEDDED)}")
        print(f"clock    {_clock(state)}")
        print(f"running  {', '.join(state['running']) or '-'}")
        print(f"stopped  {', '.join(state['stopped']) or '-'}")
        print(f"process  {state['pid']}, which writes to {self._home.log}")
        setting = "set " if sys.platform == "win32" else "export "
        print(f"In a terminal:  {setting}KUBECONFIG={self._home.kubeconfig}")

    def _advance(self, seconds: str) -> None:
        try:
            amount = float(seconds.removesuffix("s"))
        except ValueError:
            raise ClusterTrouble(f"{seconds!r} is no number of seconds") from None
        state = self.own_cluster.post("advance", seconds=amount)
        print(f"It is {_clock(state)}.")
        if state.get("passed", amount) < amount:
            print(f"Only {state['passed']:g} of these {amount:g} seconds have passed: on this cluster one has to wait.")

    def _settle(self, _: str) -> None:
        state = self.own_cluster.post("settle")
        quiet = state.get("quiet", True)
        print(f"{'Nothing is left to do' if quiet else 'Something changes all the time'} at {_clock(state)}.")

    def _power_off(self, node: str) -> None:
        self.own_cluster.post("power_off", target=node)
        print(f"{node} has no power.")

    def _power_on(self, node: str) -> None:
        self.own_cluster.post("power_on", target=node)
        print(f"{node} has power again.")

    def _stop(self, component: str) -> None:
        self.own_cluster.post("stop", target=component)
        print(f"{component} is stopped.")

    def _start(self, component: str) -> None:
        self.own_cluster.post("start", target=component)
        print(f"{component} is started.")

    def _save(self, name: str) -> None:
        path = self._saved(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.own_cluster.saved()), encoding="utf-8")
        print(f"The cluster is kept in {name}.")

    def _load(self, name: str) -> None:
        path = self._saved(name)
        if not path.is_file():
            raise ClusterTrouble(f"there is no file {name}")
        print(f"The cluster of {name} is up. It is {_clock(self.own_cluster.load(path))}.")

    def _saved(self, name: str) -> Path:
        return self._home.work / answers.plain_name(name, (SAVED,))


def _clock(state: dict[str, Any]) -> str:
    return f"{datetime.fromisoformat(state['now']):%Y-%m-%d %H:%M:%S} UTC"


def _complain(what: object) -> None:
    sys.stdout.flush()
    print(what, file=sys.stderr, flush=True)


_ALONE, _WITH, _EITHER = {False}, {True}, {False, True}
#: What ``%cluster`` does: whether the verb has an argument, and what to do.
_CLUSTER: Final[dict[str, tuple[set[bool], Callable[[CourseMagics, str], None]]]] = {
    "new": (_EITHER, CourseMagics._new),
    "status": (_ALONE, CourseMagics._status),
    "advance": (_WITH, CourseMagics._advance),
    "settle": (_ALONE, CourseMagics._settle),
    "stop": (_WITH, CourseMagics._stop),
    "start": (_WITH, CourseMagics._start),
    "power-off": (_WITH, CourseMagics._power_off),
    "power-on": (_WITH, CourseMagics._power_on),
    "save": (_WITH, CourseMagics._save),
    "load": (_WITH, CourseMagics._load),
    "end": (_ALONE, CourseMagics._end),
}
