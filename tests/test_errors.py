"""Errors say where, what and what to do; a flood of faults ends in one line."""

import pytest

from planner.domain import errors
from planner.domain.errors import Fault, Faults, InventoryError


def test_a_fault_says_where_what_and_what_to_do() -> None:
    assert str(Fault(file="a.csv", line=0, what="x", cure="y")) == "a.csv:0: x; y"
    assert str(Fault(file="a.csv", what="x", cure="y")) == "a.csv: x; y"


def test_an_error_tells_all_faults_and_keeps_them() -> None:
    faults = [Fault(file="a", line=1, what="x", cure="y"), Fault(file="b", what="v", cure="w")]
    error = InventoryError(fault for fault in faults)
    assert str(error) == "a:1: x; y\nb: v; w"
    assert error.faults == tuple(faults)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_faults_above_the_most_are_one(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr(errors, "MOST_FAULTS", 2)
    faults = Faults()
    faults.extend(Fault(file="a", line=number, what="x", cure="y") for number in range(n))
    assert [str(fault) for fault in faults] == [
        "a:0: x; y",
        "a:1: x; y",
        "a: further faults are not listed; correct these first",
    ][:n]
    assert [fault.line for fault in faults] == [0, 1, None][:n]
