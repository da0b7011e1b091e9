"""Variants of right predictions, made by rule: in other writing, which may lose nothing, and wrong in one point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from autograder.exercises.questions import Question, said


def of(solution: str) -> dict[str, str]:
    """The predictions of a solution by the names of the questions."""
    return {str(name): said(value) for name, value in yaml.safe_load(solution).items()}


def equivalents(right: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The same predictions, written otherwise."""
    yield "as it is", _written(right)
    yield "the other way round", _written(dict(reversed(list(right.items()))))
    yield "lower case", _written({name: answer.lower() for name, answer in right.items()})
    yield "upper case", _written({name: answer.upper() for name, answer in right.items()})
    yield "quoted", "".join(f'{name}: "{answer}"\n' for name, answer in right.items())
    yield "with comments", "".join(f"# so:\n{name}:   {answer}   # I think\n" for name, answer in right.items())
    yield "Windows line ends", _written(right).replace("\n", "\r\n")
    yield "in one line", "{" + ", ".join(f"{name}: {answer}" for name, answer in right.items()) + "}\n"


def wrong(questions: Mapping[str, Question], right: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Which question is lost, a name for the answer, and the answer."""
    for name, question in questions.items():
        answer = right.get(name, "")
        for other in question.others(answer):
            yield name, f"{name}: {other}", _written({**right, name: other})
        yield name, f"{name}: no answer of those", _written({**right, name: "neither-of-them"})
        if len(right) > 1:
            yield name, f"{name} not predicted", _written({**right, name: ""})


def _written(answers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {answer}\n" for name, answer in answers.items())
