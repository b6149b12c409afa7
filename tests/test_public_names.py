"""What `import planner` offers, and what it does not load."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import planner

GOLDEN = Path(__file__).parent / "golden" / "public_names.txt"
# files.md section 5, as far as it is built.
PROMISED = {
    "read_fleet",
    "read_plan",
    "complete",
    "simulate",
    "deadlines",
    "check",
    "compare",
    "plots",
}
HEAVY = ("matplotlib", "ipywidgets", "pandas", "numba")


def in_fresh_process(code: str) -> object:
    """Return what a line of code prints as JSON in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys; import planner; print(json.dumps({code}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_public_names_are_the_golden_ones() -> None:
    assert planner.__all__ == GOLDEN.read_text(encoding="utf-8").split()
    assert set(planner.__all__) >= PROMISED


def test_the_names_are_sorted_and_listed() -> None:
    assert planner.__all__ == sorted(planner.__all__)
    assert dir(planner) == sorted([*planner.__all__, "__version__"])


@pytest.mark.parametrize("name", planner.__all__)
def test_every_public_name_is_there_and_has_a_docstring(name: str) -> None:
    value = getattr(planner, name)
    assert inspect.getdoc(value)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__


@pytest.mark.parametrize("name", planner.__all__)
def test_public_methods_have_docstrings(name: str) -> None:
    value = getattr(planner, name)
    if not inspect.isclass(value):
        return
    for method, function in vars(value).items():
        if not method.startswith("_") and inspect.isfunction(function):
            assert function.__doc__, f"{name}.{method}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'planner' has no attribute 'dance'"):
        planner.dance  # noqa: B018


def test_import_alone_loads_nothing_heavy() -> None:
    assert in_fresh_process(f"[name for name in {HEAVY!r} if name in sys.modules]") == []


def test_every_name_can_be_imported_alone() -> None:
    assert (
        in_fresh_process("[name for name in planner.__all__ if not hasattr(planner, name)]") == []
    )
    assert in_fresh_process("planner.plan.__module__") == "planner.reporting.run"
