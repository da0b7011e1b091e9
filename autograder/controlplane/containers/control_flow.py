"""What a shell does with commands that hold others: lists, conditions, loops, groups, pipelines.

What is left to do stands on a stack of frames: ``("node", tree)`` runs a tree, the others go on after a part of one has
run, or put back what was changed for it.  ``_run_*`` are named for the kinds of trees, ``_do_*`` for those of frames.
"""

from __future__ import annotations

import fnmatch
from abc import abstractmethod

from autograder.controlplane.containers import tree
from autograder.controlplane.containers.builtin import BuiltinCommands


class ControlFlow(BuiltinCommands):
    """The part of a shell that knows what comes next."""

    functions: dict[str, tree.Command]

    @abstractmethod
    def spawn(self, command: tree.Command) -> None:
        """Run a command in the background."""

    def _do_node(self, node: tree.Command) -> None:
        getattr(self, "_run_" + type(node).__name__.lower())(node)

    def _do_sequence(self, items: tuple[tuple[tree.Command, bool], ...], index: int) -> None:
        command, background = items[index]
        if index + 1 < len(items):
            self.frames.append(("sequence", items, index + 1))
        if background:
            self.spawn(command)
        else:
            self.frames.append(("node", command))

    def _do_and_or(self, rest: tuple[tuple[str, tree.Command], ...]) -> None:
        while rest:
            (operator, command), rest = rest[0], rest[1:]
            if (self.status == 0) == (operator == "&&"):
                if rest:
                    self.frames.append(("and_or", rest))
                self.frames.append(("node", command))
                return

    def _do_if(self, node: tree.If, index: int) -> None:
        if self.status == 0:
            self.frames.append(("node", node.branches[index][1]))
        elif index + 1 < len(node.branches):
            self.frames += [("if", node, index + 1), ("node", node.branches[index + 1][0])]
        else:
            self.status = 0
            if node.otherwise:
                self.frames.append(("node", node.otherwise))

    def _do_loop(self, node: tree.Loop) -> None:
        if (self.status == 0) != node.until:
            self.frames += [("again", node), ("node", node.body)]
        else:
            self.status = 0

    def _do_again(self, node: tree.Loop) -> None:
        self.frames += [("loop", node), ("node", node.condition)]

    def _do_for(self, name: str, words: tuple[str, ...], body: tree.Sequence) -> None:
        if words:
            self.variables[name] = words[0]
            self.frames += [("for", name, words[1:], body), ("node", body)]

    def _do_outputs(self, outputs: tuple[str, str]) -> None:
        self.outputs = outputs

    def _do_stdin(self, stdin: str) -> None:
        self.stdin = stdin

    def _do_scope(self, variables: dict[str, str], cwd: str) -> None:
        self.variables, self.cwd = dict(variables), cwd

    def _do_parameters(self, parameters: tuple[str, ...]) -> None:
        self.parameters = parameters

    def _do_not(self) -> None:
        self.status = 0 if self.status else 1

    def _do_status(self, status: int) -> None:
        self.status = status

    def _do_words(self, argv: tuple[str, ...]) -> None:
        self.execute(argv, self.stdin)

    def _do_child(self) -> None:
        """The end of a script that another script runs."""

    def _run_sequence(self, node: tree.Sequence) -> None:
        if node.items:
            self._do_sequence(node.items, 0)

    def _run_andor(self, node: tree.AndOr) -> None:
        self.frames += [("and_or", node.rest), ("node", node.first)]

    def _run_if(self, node: tree.If) -> None:
        self.frames += [("if", node, 0), ("node", node.branches[0][0])]

    def _run_loop(self, node: tree.Loop) -> None:
        self._do_again(node)

    def _run_for(self, node: tree.For) -> None:
        words = self.parameters if node.words is None else tuple(self.expand(node.words))
        self._do_for(node.name, words, node.body)

    def _run_case(self, node: tree.Case) -> None:
        subject = self.join(node.word)
        for patterns, body in node.arms:
            if any(fnmatch.fnmatchcase(subject, self.join(pattern)) for pattern in patterns):
                self.frames.append(("node", body))
                return
        self.status = 0

    def _run_function(self, node: tree.Function) -> None:
        self.functions[node.name] = node.body
        self.status = 0

    def _run_group(self, node: tree.Group) -> None:
        if node.subshell:
            self.frames.append(("scope", dict(self.variables), self.cwd))
        before, before_stdin = self.outputs, self.stdin
        if node.redirects:
            outputs, stdin = self.redirected(node.redirects)
            if outputs is None:
                self.status = 1
                return
            self.frames += [("outputs", before), ("stdin", before_stdin)]
            self.outputs, self.stdin = outputs, self.stdin if stdin is None else stdin
        self.frames.append(("node", node.body))

    def _run_pipeline(self, node: tree.Pipeline) -> None:
        if node.negated:
            self.frames.append(("not",))
        if len(node.commands) == 1:
            self.frames.append(("node", node.commands[0]))
            return
        text = self.stdin
        for command in node.commands:
            text = self.output_of(command, text)
        self.emit(self.outputs[0], text)

    def _run_simple(self, node: tree.Simple) -> None:
        argv = tuple(self.expand(node.words))
        assigned = tuple((name, self.join(word)) for name, word in node.assignments)
        outputs, stdin = self.redirected(node.redirects)
        if outputs is None:
            self.status = 1
            return
        if not argv:
            self.variables.update(assigned)
            if not any(isinstance(part, tree.Substitution) for _, word in node.assignments for part in word):
                self.status = 0
            return
        if assigned:
            self.frames.append(("scope", dict(self.variables), self.cwd))
            self.variables.update(assigned)
        if outputs != self.outputs:
            self.frames.append(("outputs", self.outputs))
            self.outputs = outputs
        self.execute(argv, self.stdin if stdin is None else stdin)
