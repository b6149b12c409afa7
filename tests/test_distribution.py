"""How imports reach their clients, and how many that makes in a week."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.engine.deadlines import deadlines
from planner.engine.distribution import Distribution, Reach, distribution
from planner.engine.timeline import simulate
from planner.reporting import tables
from tests.builders import action, case, client, server, session
from tests.comparison import read_case
from tests.oracle import Row

DAY = "2025-03-17"


def imported(
    folder: Path,
    *clients: Row,
    kind: str = "backup",
    plan: tuple[Row, ...] = (),
    capacity: int | None = None,
    day: str = DAY,
    **cells: str,
) -> Distribution:
    """Let each client import the certificate of SRV1 on a day."""
    built = case(
        servers=[server("SRV1", "8.1.0"), server("SRV2", "8.1.13")],
        clients=list(clients),
        sessions=[session(row["client"], "SRV1", kind=kind, **cells) for row in clients]
        + [session("SRV2", "SRV1", kind="server")],
        plan=[
            *plan,
            *(
                action(day, "import-certificate", client=row["client"], certificate="SRV1")
                for row in (*clients, {"client": "SRV2"})
            ),
        ],
    )
    if capacity is not None:
        built.toml["capacity"] = {"imports_per_week": capacity}
    return distribution(deadlines(simulate(read_case(built, folder))))


def reach_of(found: Distribution) -> tuple[str, str]:
    row = found.to_frame().iloc[0]
    return row["reach"], row["because"]


@pytest.mark.parametrize(
    ("cells", "kind", "reach", "because"),
    [
        ({}, "backup", Reach.SCHEDULER, "backs up by its scheduler"),
        ({"kind": "vm"}, "vm", Reach.SCHEDULER, "backs up by its scheduler"),
        ({"kind": "api"}, "api", Reach.OWN_TOOL, "no session of a scheduler"),
        ({"kind": "admin"}, "admin", Reach.BY_HAND, "administrators"),
        ({"kind": "storage-agent"}, "storage-agent", Reach.BY_HAND, "storage agents"),
        ({"kind": "operations-center"}, "admin", Reach.BY_HAND, "Operations Center"),
        ({"kind": "server"}, "server", Reach.BY_HAND, "other servers"),
        ({"platform": "NAS"}, "backup", Reach.BY_HAND, "NAS"),
        ({"level": ""}, "backup", Reach.BY_HAND, "never connected"),
    ],
)
def test_the_way_follows_from_what_a_client_is(
    cells: dict[str, str], kind: str, reach: Reach, because: str, tmp_path: Path
) -> None:
    found = imported(tmp_path, client("BA01", **cells), kind=kind)
    assert reach_of(found) == (str(reach), because)


def test_servers_that_open_sessions_are_reached_by_hand(tmp_path: Path) -> None:
    row = imported(tmp_path, client("BA01")).to_frame().set_index("client").loc["SRV2"]
    assert (row["reach"], row["because"]) == ("by-hand", "other servers")


def test_a_client_that_is_not_installed_yet_has_never_connected(tmp_path: Path) -> None:
    install = action("2025-03-18", "install-client", client="BA01", value="8.1.13")
    found = imported(tmp_path, client("BA01", level=""), plan=(install,))
    assert reach_of(found) == ("by-hand", "never connected")


def test_a_scheduler_that_is_refused_carries_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, client("BA01"), sslrequired="Yes")
    assert reach_of(found) == ("own-tool", "its scheduler is refused at that time")


@pytest.mark.parametrize(
    ("day", "reach"), [("2025-03-16", "client-scheduler"), ("2025-03-17", "own-tool")]
)
def test_the_eve_of_the_import_decides_whether_a_scheduler_runs(
    day: str, reach: str, tmp_path: Path
) -> None:
    frees = action(day, "set-option", client="BA01", option="SSLREQUIRED", value="No")
    found = imported(tmp_path, client("BA01"), plan=(frees,), sslrequired="Yes")
    assert reach_of(found)[0] == reach


def test_weeks_are_counted_against_the_capacity(tmp_path: Path) -> None:
    clients = [client(f"BA{number:02}") for number in range(3)]
    found = imported(tmp_path, *clients, capacity=2)
    assert repr(found) == ("Distribution(4 imports: 3 client-scheduler, 0 own-tool, 1 by-hand)")
    assert tables.waves(found).to_numpy().tolist() == [["2025-03-17", 3, 0, 1, 4, 2, 2]]
    free = tables.waves(imported(tmp_path / "free", *clients))
    assert free.to_csv(index=False).splitlines()[1] == "2025-03-17,3,0,1,4,,0"


def test_a_plan_without_imports_has_no_weeks(tmp_path: Path) -> None:
    found = imported(tmp_path, client("BA01"), day="2024-01-01")
    assert len(found) == 0
    assert len(tables.waves(found)) == 0
    assert "<p>" in found._repr_html_()


def test_an_import_of_a_client_that_no_file_knows_reaches_nobody(tmp_path: Path) -> None:
    ghost = action(DAY, "import-certificate", client="ghost", certificate="SRV1")
    found = imported(tmp_path, client("BA01"), plan=(ghost,))
    assert found.to_frame()["client"].tolist() == ["BA01", "SRV2"]


def test_the_weeks_of_the_example_fleet_add_up_to_its_imports() -> None:
    run = planner.plan(Path(__file__).parents[1] / "data" / "harbour")
    found = planner.distribution(run.deadlines)
    waves = tables.waves(found)
    assert waves["imports"].sum() == len(found) == 850
    assert (waves["imports"] <= waves["capacity"]).all()
    by_week = tables.imports(run.deadlines).groupby("week")["imports"].sum()
    assert waves.set_index("week")["imports"].to_dict() == by_week.to_dict()
