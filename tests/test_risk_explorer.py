"""The risk explorer, the picture, the files and the command, without a browser."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import planner
from planner import cli
from planner.domain.plan import Action, Plan
from planner.engine.policies import imports_earlier
from planner.reporting import plots, tables
from planner.widgets import RiskExplorer
from tests.builders import action, case, client, server, session, write_case

SLIPS = "action,delay\nimport-certificate,empirical 3:1\n,none\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    folder.mkdir()
    write_case(
        case(
            start="2025-02-03",
            end="2025-06-02",
            servers=[server("alpha", level="8.1.13", certificate="alpha-root")],
            clients=[client("db1")],
            sessions=[session("db1", "alpha", sslacceptcertfromserv="No")],
            plan=[
                action("2025-02-10", "import-certificate", client="db1", certificate="alpha-root"),
                action("2025-02-12", "upgrade-client", client="db1", value="8.1.13"),
            ],
        ),
        folder,
    )
    return folder


@pytest.fixture
def plan(folder: Path) -> Plan:
    return planner.read_plan(folder / "plan.csv", planner.read_fleet(folder))


def test_controls_change_the_slips_and_the_plan(plan: Plan) -> None:
    explorer = RiskExplorer(plan)
    explorer.upgrades.value = 0
    explorer.imports.value = 6
    before = explorer.value
    assert repr(explorer) == f"RiskExplorer({explorer.summary})"
    assert 0.0 < before.probability < 1.0
    assert explorer.panel.view.headline == explorer.summary
    assert explorer.panel.view.table["title"].startswith(
        "1 actions whose slip is part of a refusal"
    )
    explorer.earlier.value = 5
    assert explorer.value.probability < before.probability
    explorer.imports.value = 0
    assert explorer.value.probability == 0.0
    assert explorer.panel.view.table["title"].startswith("No slip refuses a session for")


def test_imports_are_made_earlier_by_working_days_on_open_days(plan: Plan) -> None:
    def first(n: int) -> str:
        moved = imports_earlier(plan, n)
        return str(np.datetime64(int(moved.day[moved.action == Action.IMPORT_CERTIFICATE][0]), "D"))

    assert [first(n) for n in (0, 1, 2, 5, 9)] == [
        "2025-02-10",
        "2025-02-07",
        "2025-02-06",
        "2025-02-03",
        "2025-02-03",
    ]


def test_the_chart_counts_the_imports_that_a_lead_is_enough_for(plan: Plan) -> None:
    risk = planner.slip(plan, runs=40, seed=1)
    ax = plots.lead_chart(risk)
    policy = plan.fleet.calendar.lead_days
    (lead,) = risk.leads.tolist()
    (bars,) = ax.collections
    corners = [np.asarray(path.vertices) for path in bars.get_paths()]
    drawn = [((one[:, 0].min() + one[:, 0].max()) / 2, one[:, 1].max()) for one in corners]
    # From its lead on it is enough.
    assert drawn == [pytest.approx((days, 1)) for days in range(lead, policy + 2)]
    every_import, own_lead = ax.lines
    assert np.asarray(every_import.get_ydata()).tolist() == [1, 1]
    assert np.asarray(own_lead.get_xdata()).tolist() == [policy, policy]
    assert f"A lead of {policy} working days is enough for 1 of 1 import" in plots.alternative_text(
        "leads", risk
    )


def test_the_command_writes_all_results(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slips.csv").write_text(SLIPS)
    out = tmp_path / "out"
    arguments = ["risk", str(folder), "--runs", "20", "--slips", str(tmp_path / "slips.csv")]
    assert cli.main([*arguments, "--out", str(out)]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("some session is refused in 20 runs: probability 100.0%")
    leads = pd.read_csv(out / "lead_times.csv")
    assert leads[["client", "certificate", "lead_days"]].to_numpy().tolist() == [
        ["db1", "alpha-root", 3]
    ]
    assert {path.name for path in out.iterdir()} >= {
        *("risk.csv", "criticality.csv", "risk.txt", "leads.png", "leads.svg"),
    }
    assert (out / "risk.txt").read_text().splitlines()[:5] == lines[:5]


def test_the_command_takes_the_delays_so_far(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    happened = tmp_path / "happened.csv"
    happened.write_text(
        "date,action,client,certificate,value\n2025-02-13,import-certificate,db1,alpha-root,\n"
        "2025-02-12,upgrade-client,db1,,8.1.13\n"
    )
    assert cli.main(["risk", str(folder), "--runs", "5", "--actuals", str(happened)]) == cli.FINE
    assert "some session is refused in 5 runs" in capsys.readouterr().out


@pytest.mark.parametrize("runs", ["0", "-1", "many"])
def test_a_count_that_is_none_is_told(
    folder: Path, runs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["risk", str(folder), "--runs", runs])
    assert f"{runs!r} is no count; write 1 or more" in capsys.readouterr().err


def test_the_tables_stand_where_users_look_for_them(plan: Plan) -> None:
    found = planner.slip(plan, runs=3, seed=0)
    pd.testing.assert_frame_equal(found.to_frame(), tables.risk(found))
    assert tables.lead_times(found).columns[0] == "client"
    assert tables.criticality(found).columns[0] == "date"
