"""Doctests are sought in every module here; those that need mutmut only where it is installed."""

from importlib.util import find_spec

if find_spec("mutmut") is None:
    collect_ignore = ["__main__.py", "mutants.py", "survey.py", "trials.py"]
