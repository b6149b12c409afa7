from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.domain.calendar import to_day
from planner.domain.fleet import Fleet
from planner.domain.plan import Action, Plan
from planner.ordering.checker import check_order
from planner.ordering.optimise import order
from planner.ordering.stopping import Stop
from tests.builders import account, client, rule, server, session
from tests.ordering import START, fleet_of

NEW = {"target_level": "8.1.13"}
QUICK = Stop(iterations=1)


def rich_fleet(folder: Path) -> Fleet:
    """A fleet with one of every constraint."""
    return fleet_of(
        folder,
        servers=[
            server("manager", site="quay", **NEW),
            server("source", site="quay", **NEW),
            server("target", site="quay", **NEW),
        ],
        clients=[
            client("pilot", **NEW),
            client("early", **NEW),
            client("late", **NEW),
            client("one", **NEW),
            client("two", **NEW),
            client("desk1", **NEW),
            client("desk2", **NEW),
            client("agent", kind="storage-agent", site="quay", **NEW),
            client("ancient", "6.2.5", **NEW),
            client("new", "", target_level="8.1.13", upgrade="2025-04-08"),
            client("fixed", **NEW),
        ],
        accounts=[account("source", "desk", kind="admin")],
        sessions=[
            session("source", "target", kind="server"),
            session("source", "manager", kind="library"),
            session("agent", "source", kind="storage-agent"),
            session("desk1", "source", account="desk", kind="admin"),
            session("desk2", "source", account="desk", kind="admin"),
            session("ancient", "target", sslrequired="No"),
            *(
                session(name, "source")
                for name in ("pilot", "early", "late", "one", "two", "new", "fixed")
            ),
        ],
        plan=None,
        end="2025-06-02",
        windows={"quay": ["Tue", "Wed"]},
        freezes=[("2025-03-19", "2025-03-22")],
        holidays=["2025-04-01"],
        capacity={"clients_per_week": 4, "servers_per_week": 1, "imports_per_week": 12},
        rules=[
            rule("pilot", "pilot", days="1"),
            rule("earliest", "early", "2025-04-02"),
            rule("latest", "late", "2025-04-25"),
            rule("before", "one", "two", days="3"),
            rule("together", "one", "two", days="21"),
            rule("fixed", "fixed", "2025-04-22"),
        ],
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return order(rich_fleet(tmp_path / "fleet"), strategy="by-weight", stop=QUICK).best


def on(text: str) -> int:
    return to_day(START.fromisoformat(text))


def moved(plan: Plan, name: str, text: str) -> Plan:
    """Return the plan with one upgrade on another day."""
    rows = [
        number
        for number, row in enumerate(plan.rows())
        if row.action <= Action.INSTALL_CLIENT and name in (row.client, row.server)
    ]
    return plan.moved(np.array(rows, dtype=np.int32), on(text))


def test_a_correct_order_passes(plan: Plan) -> None:
    assert [finding.what for finding in check_order(plan)] == []


def in_one_week(plan: Plan) -> Plan:
    for name in ("early", "one", "two", "desk1", "desk2"):
        plan = moved(plan, name, "2025-05-05")
    return plan


def imports_in_one_week(plan: Plan) -> Plan:
    return plan.moved(plan.where(action="import-certificate"), on("2025-03-03"))


def two_servers(plan: Plan) -> Plan:
    return moved(moved(plan, "source", "2025-05-13"), "target", "2025-05-14")


PLANTED: dict[str, Callable[[Plan], Plan]] = {
    "order-upgrades": lambda plan: plan.without(plan.where(action="upgrade-client", client="one")),
    "order-freeze": lambda plan: moved(plan, "target", "2025-03-19"),
    "order-holiday": lambda plan: moved(plan, "target", "2025-04-01"),
    "order-window": lambda plan: moved(plan, "target", "2025-05-08"),
    "order-clients": in_one_week,
    "order-servers": two_servers,
    "order-imports": imports_in_one_week,
    "order-earliest": lambda plan: moved(plan, "early", "2025-04-01"),
    "order-latest": lambda plan: moved(plan, "late", "2025-04-28"),
    "order-fixed": lambda plan: moved(plan, "fixed", "2025-04-23"),
    "order-before": lambda plan: moved(moved(plan, "one", "2025-05-07"), "two", "2025-05-09"),
    "order-together": lambda plan: moved(moved(plan, "one", "2025-04-07"), "two", "2025-05-05"),
    "order-pilot": lambda plan: moved(plan, "pilot", "2025-05-30"),
    "order-replication": lambda plan: moved(plan, "source", "2025-05-28"),
    "order-library": lambda plan: moved(plan, "manager", "2025-05-28"),
    "order-storage-agent": lambda plan: moved(plan, "agent", "2025-05-28"),
    "order-account": lambda plan: moved(plan, "desk2", "2025-05-28"),
    "order-lead": lambda plan: plan.without(plan.where(action="import-certificate", client="two")),
    "order-import-day": lambda plan: plan.moved(
        plan.where(action="import-certificate", client="two"), on("2025-03-08")
    ),
    "order-refused": lambda plan: plan.without(
        plan.where(action="import-certificate", client="late")
    ),
}


@pytest.mark.parametrize("rule", PLANTED)
def test_each_planted_violation_is_found(plan: Plan, rule: str) -> None:
    assert rule in {finding.rule for finding in check_order(PLANTED[rule](plan))}


def test_a_violation_names_who_when_and_what(plan: Plan) -> None:
    (finding,) = check_order(PLANTED["order-latest"](plan)).of("order-latest")
    assert (finding.subject, finding.day) == ("late", on("2025-04-28"))
    assert finding.what == "it is on 2025-04-28; latest is 2025-04-25"


def test_a_client_below_63_with_ssl_comes_before_its_server(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("srv", **NEW)],
        clients=[client("old", "6.2.5", **NEW)],
        sessions=[session("old", "srv", ssl="Yes")],
        trust=[{"client": "old", "certificate": "srv"}],
        plan=None,
    )
    good = order(fleet, strategy="server-first", stop=QUICK).best
    assert len(check_order(good)) == 0
    rules = {finding.rule for finding in check_order(moved(good, "old", "2025-03-27"))}
    assert "order-below-63" in rules


def test_an_approved_date_must_stay(plan: Plan) -> None:
    (row,) = plan.where(action="upgrade-client", client="early")
    status = len(plan.vocabulary.texts)
    words = replace(plan.vocabulary, texts=(*plan.vocabulary.texts, "Approved"))
    statuses = plan.status.copy()
    statuses[row] = status
    initial = replace(plan, vocabulary=words, status=statuses)
    assert len(check_order(plan, initial=initial)) == 0
    rules = Counter(
        f.rule for f in check_order(moved(plan, "early", "2025-05-28"), initial=initial)
    )
    assert rules["order-fixed"] == 1


def test_an_approved_date_may_stand_outside_windows_and_over_capacity(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("a", site="quay", **NEW), server("b", site="quay", **NEW)],
        clients=[],
        sessions=[],
        plan=None,
        windows={"quay": ["Tue"]},
        capacity={"servers_per_week": 1},
        rules=[rule("fixed", "a", "2025-03-12"), rule("fixed", "b", "2025-03-13")],
    )
    assert len(check_order(planner.optimise(fleet, stop=QUICK).best)) == 0


def test_the_first_draft_of_the_harbour_is_no_order(tmp_path: Path) -> None:
    data = Path(__file__).parent.parent / "data" / "harbour"
    fleet = planner.read_fleet(data)
    drafted = planner.complete(fleet.draft_plan())
    assert len(check_order(drafted)) == 0
    counts = Counter(
        finding.rule for finding in check_order(planner.read_plan(data / "first-draft.csv", fleet))
    )
    assert counts["order-freeze"] == counts["order-window"] == counts["order-replication"] == 1
    assert counts["order-refused"] >= 41
