"""Predictions: the questions of an exercise, and judging what a student predicts by what a cluster really does.

    questions:
      phase: {answers: [Pending, Running, Failed], points: 2, leads: Which component starts containers?}
      pods: {answers: number, points: 1, leads: Who makes new Pods, and is it running?}

The right answers stand nowhere: the exercise's experiment finds them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder.checks import Check, Failed, Review, Role
from autograder.manifests.suggestions import closest

#: In the place of a list of answers: a whole number, or one word of the student's own.
NUMBER: Final = "number"
WORD: Final = "word"
FIELDS: Final = frozenset({"answers", "points", "leads"})


class BadQuestion(ValueError):
    """A question is declared wrongly; the message says to its author how."""


class WrongExperiment(Exception):
    """An experiment does not answer the questions of its exercise: a mistake of the author."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be predicted.

    ``answers`` is what may be answered, empty for a number or a word.  ``leads`` is shown to those who predict wrongly:
    it says where to look, and not what is to be seen there.
    """

    name: str
    kind: str
    answers: tuple[str, ...]
    points: float
    leads: str

    @classmethod
    def parse(cls, name: str, declared: Any) -> Question:
        """The question that the front matter declares; ``BadQuestion`` if it cannot be one."""
        if not isinstance(declared, dict) or declared.keys() != FIELDS:
            has = ", ".join(map(repr, declared)) if isinstance(declared, dict) else "none"
            fields = ", ".join(sorted(FIELDS))
            raise BadQuestion(
                f"question {name}: a question has the fields {fields}, and this one has {has}; quote texts with commas"
            )
        answers, points, leads = declared["answers"], declared["points"], declared["leads"]
        listed = isinstance(answers, list) and len(answers) >= 2
        if not listed and answers not in (NUMBER, WORD):
            raise BadQuestion(f"question {name}: `answers` is a list of at least two, or `number`, or `word`")
        if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
            raise BadQuestion(f"question {name}: `points` must be a number above 0")
        if not isinstance(leads, str) or not leads.strip() or "{{" in leads:
            raise BadQuestion(f"question {name}: `leads` is a text without parameters")
        allowed = tuple(said(answer) for answer in answers) if listed else ()
        return cls(name, "" if listed else answers, allowed, points, " ".join(leads.split()))

    @property
    def expected(self) -> str:
        """What may be answered, in words: ``Pending, Running or Failed``."""
        if self.answers:
            return f"{', '.join(self.answers[:-1])} or {self.answers[-1]}"
        return "a whole number" if self.kind == NUMBER else "one word"

    def allows(self, answer: str) -> bool:
        """Whether this can be an answer at all."""
        if self.answers:
            return answer.casefold() in {allowed.casefold() for allowed in self.answers}
        return answer.isdecimal() if self.kind == NUMBER else bool(answer) and not answer.split()[1:]

    def others(self, answer: str) -> Iterator[str]:
        """Answers that may be given and are not this one."""
        if self.answers:
            yield from (allowed for allowed in self.answers if allowed.casefold() != answer.casefold())
        elif self.kind == NUMBER:
            yield from (str(other) for other in (int(answer) + 1, int(answer) - 1) if other >= 0)
        else:
            yield f"{answer}x"

    @property
    def check(self) -> Check:
        """The criterion that judges the prediction."""
        return Check(self.name, Role.CRITERION, self.points, self.leads, self.judge)

    def judge(self, review: Review) -> None:
        """Fail unless the student predicted what the experiment found."""
        if self.name not in review.case.outcome:
            raise WrongExperiment(f"the experiment says nothing about {self.name!r}")
        really = said(review.case.outcome[self.name])
        if not self.allows(really):
            raise WrongExperiment(f"the experiment found {really!r}, which is no answer to {self.name!r}")
        predicted, where = review.case.predictions.get(self.name, ("", None))
        if not predicted:
            raise Failed(f"there is no prediction yet; answer {self.expected}", found="nothing", where=where)
        if not self.allows(predicted):
            meant = closest(predicted, self.answers)
            near = f" (did you mean {meant}?)" if meant else ""
            raise Failed(f"{predicted!r} is no answer here: {self.expected}{near}", found=predicted, where=where)
        if predicted.casefold() != really.casefold():
            raise Failed(
                f"the cluster does something else than {predicted}", wanted=really, found=predicted, where=where
            )
        review.proved(f"{self.name} is {really} in the cluster too")


def starter(questions: Mapping[str, Question]) -> str:
    """What a student finds to begin with: each question with an empty answer."""
    return "".join(f"{question.name}:   # {question.expected}\n" for question in questions.values())


def said(value: Any) -> str:
    """A value of YAML as it is compared: ``yes`` and ``no`` are what YAML takes for truth values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).strip()
