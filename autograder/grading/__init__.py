"""Grading a class: submitted notebooks in, verdicts and a filled gradebook out, without running a student's code."""
