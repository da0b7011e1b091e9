"""Exercises: loading them, judging answers to them, proving that they judge rightly."""

from autograder.exercises.exercise import Answer, Bounds, Difficulty, Exercise, Form, Kind
from autograder.exercises.loading import BadExercise, exercise_ids, exercises_root, load
from autograder.exercises.running import Judgement, Runner, Unsupported, judge

__all__ = [
    "Answer",
    "BadExercise",
    "Bounds",
    "Difficulty",
    "Exercise",
    "Form",
    "Judgement",
    "Kind",
    "Runner",
    "Unsupported",
    "exercise_ids",
    "exercises_root",
    "judge",
    "load",
]
