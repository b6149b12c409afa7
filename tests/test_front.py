from __future__ import annotations

from pathlib import Path

import planner
from planner.domain.fleet import Fleet
from planner.ordering.front import Front, front
from planner.ordering.stopping import Stop
from tests.builders import client, server, session
from tests.ordering import fleet_of

NEW = {"target_level": "8.1.13"}
QUICK = Stop(iterations=3)


def one_server(folder: Path) -> Fleet:
    names = [f"c{number}" for number in range(6)]
    return fleet_of(
        folder,
        servers=[server("srv", **NEW)],
        clients=[client(name, **NEW) for name in names],
        sessions=[session(name, "srv") for name in names],
        plan=None,
        end="2025-05-05",
        capacity={"clients_per_week": 6, "servers_per_week": 1, "imports_per_week": 6},
    )


def test_less_import_work_costs_exposure(tmp_path: Path) -> None:
    fleet = one_server(tmp_path)
    found = front(fleet, peaks=[3, 2, 1], finishes=[], stop=QUICK)
    exposures = [result.measures.exposure for result in found]
    peaks = [result.measures.peak_imports_per_week for result in found]
    assert peaks == sorted(peaks, reverse=True)
    assert exposures == sorted(exposures)
    assert len(found) == len(found.to_frame()) > 2
    for result in found:
        assert len(planner.check_order(result.best)) == 0
        assert result.bound is not None
        assert result.bound <= result.value
    assert repr(found).startswith(f"Front({len(found)} orders, exposure ")
    assert "<table" in found._repr_html_()


def test_limits_that_no_order_keeps_have_no_order(tmp_path: Path) -> None:
    fleet = one_server(tmp_path)
    found = front(fleet, peaks=[], finishes=[fleet.start], stop=QUICK)
    assert len(found) == 1


def test_no_order_of_a_front_beats_another(tmp_path: Path) -> None:
    keys = [
        (r.measures.exposure, r.measures.finish, r.measures.peak_imports_per_week)
        for r in front(one_server(tmp_path), stop=QUICK)
    ]
    for one in keys:
        assert not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in keys
        )


def test_an_empty_front_says_so() -> None:
    assert repr(Front(())) == "Front(0 orders)"
