"""The files of one run: every one of them, or none."""

import csv
import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from planner.domain.calendar import iso, to_day
from planner.domain.findings import Severity
from planner.domain.rules import RULES, VERDICTS, Verdict
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.distribution import distribution
from planner.engine.findings import check_deadlines
from planner.engine.measures import measures
from planner.engine.timeline import simulate
from planner.inventory.fleet_folder import read_fleet
from planner.reporting import plots, tables
from planner.reporting.results import TABLE_TWINS, write_results
from planner.reporting.schedule import schedule
from tests.golden.tables import DATA, eight_cases

TABLES = (
    "schedule.csv",
    "session_states.csv",
    "trust_deadlines.csv",
    "findings.csv",
    "daily.csv",
    "imports.csv",
    "waves.csv",
)
FILES = (
    *TABLES,
    "summary.json",
    *(f"{name}.{form}" for name in TABLE_TWINS for form in plots.FORMATS),
    "plots.json",
)


@pytest.fixture(scope="module")
def found() -> Deadlines:
    """Return the deadlines of the completed plan of data/eight-cases."""
    return eight_cases().deadlines


@pytest.fixture(scope="module")
def folder(found: Deadlines, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the results of that plan."""
    out = tmp_path_factory.mktemp("results") / "deep" / "out"
    write(out, found)
    return out


def write(out: Path, found: Deadlines) -> list[Path]:
    timeline = found.timeline
    return write_results(out, timeline.plan, timeline, found, check_deadlines(found))


def json_of(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_every_file_is_there_and_no_other(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_the_files_are_told_to_the_observer_in_their_order_and_returned(
    found: Deadlines, tmp_path: Path
) -> None:
    told: list[str] = []
    timeline = found.timeline
    paths = write_results(
        tmp_path, timeline.plan, timeline, found, check_deadlines(found), observer=told.append
    )

    assert tuple(told) == FILES
    assert paths == [tmp_path / name for name in FILES]


def test_each_csv_file_is_the_table_of_its_value(found: Deadlines, folder: Path) -> None:
    timeline = found.timeline
    frames: dict[str, pd.DataFrame] = {
        "schedule.csv": schedule(timeline.plan),
        "session_states.csv": timeline.to_frame(),
        "trust_deadlines.csv": found.to_frame(),
        "findings.csv": check_deadlines(found).to_frame(),
        "daily.csv": tables.daily(timeline),
        "imports.csv": tables.imports(found),
        "waves.csv": tables.waves(distribution(found)),
    }
    for name in TABLES:
        assert (folder / name).read_bytes().decode() == frames[name].to_csv(index=False)
    assert (folder / "schedule.csv").read_text() == timeline.plan.to_frame().to_csv(index=False)


def test_the_summary_holds_counts_measures_verdicts_and_coverage(
    found: Deadlines, folder: Path
) -> None:
    plan, measured = found.timeline.plan, measures(found)
    content = json_of(folder / "summary.json")

    assert content["schema"] == 1
    assert content["fleet"] == "The eight use cases"
    assert content["fleet_sha256"] == plan.fleet.origin.sha256
    assert (content["start"], content["end"]) == ("2027-03-01", "2027-08-02")
    assert content["counts"] == {
        "servers": 5,
        "clients": 15,
        "sessions": 17,
        "actions": len(plan),
    }
    values = content["measures"]
    assert isinstance(values, dict)
    assert values["exposure"] == measured.exposure
    assert values["finish"] == iso(measured.finish)
    assert sum(values["imports_by_day"].values()) == 13
    assert values["imports_by_day"]["2027-03-31"] == 1
    assert set(values["slack_quantiles"]) == {"25 %", "50 %", "75 %"}
    assert content["verdicts"] == {verdict: found.count(verdict) for verdict in VERDICTS}
    assert content["findings"] == {
        severity: check_deadlines(found).count(severity) for severity in Severity
    }
    rules = content["rules"]
    assert isinstance(rules, dict)
    assert set(rules) == {rule.id for rule in RULES}
    assert sum(rules.values()) == len(found.timeline)


def test_a_plan_that_never_finishes_has_no_finish_day(tmp_path: Path) -> None:
    fleet = read_fleet(DATA / "eight-cases")
    plan = fleet.draft_plan()
    write(tmp_path, deadlines(simulate(plan.moved(plan.where(), to_day(date(2030, 1, 1))))))

    values = json_of(tmp_path / "summary.json")["measures"]
    assert isinstance(values, dict)
    assert values["finish"] is None
    assert values["slack_minimum"] is None
    assert values["slack_quantiles"] == {}


def test_each_figure_has_its_words_and_a_table_that_is_there(
    found: Deadlines, folder: Path
) -> None:
    described = json_of(folder / "plots.json")

    assert set(described) == set(TABLE_TWINS)
    for name, entry in described.items():
        assert isinstance(entry, dict)
        assert (folder / entry["table"]).is_file()
        value = {
            "deadlines": found,
            "gantt": found.timeline.plan,
            "waves": distribution(found),
        }.get(name, found.timeline)
        assert entry["alternative_text"] == plots.alternative_text(name, value)


def test_writing_twice_gives_the_same_bytes(found: Deadlines, folder: Path, tmp_path: Path) -> None:
    write(tmp_path, found)

    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_no_file_names_the_machine_or_holds_other_line_ends(folder: Path) -> None:
    for name in FILES:
        content = (folder / name).read_bytes()
        assert str(folder).encode() not in content
        if not name.endswith(".png"):
            assert b"\r" not in content
            content.decode("utf-8")


def test_a_failure_leaves_the_folder_as_it_was(found: Deadlines, tmp_path: Path) -> None:
    (tmp_path / "daily.csv").write_text("of an earlier run\n")

    def stop(name: str) -> None:
        if name == "fleet.svg":
            raise InterruptedError(name)

    timeline = found.timeline
    for out in (tmp_path, tmp_path / "new"):
        with pytest.raises(InterruptedError):
            write_results(
                out, timeline.plan, timeline, found, check_deadlines(found), observer=stop
            )

    assert [path.name for path in tmp_path.iterdir()] == ["daily.csv"]
    assert (tmp_path / "daily.csv").read_text() == "of an earlier run\n"


def test_files_of_an_earlier_run_are_replaced_and_others_stay(
    found: Deadlines, tmp_path: Path
) -> None:
    (tmp_path / "daily.csv").write_text("of an earlier run\n")
    (tmp_path / "notes.txt").write_text("mine\n")

    write(tmp_path, found)

    assert (tmp_path / "daily.csv").read_text().startswith("date,inactive,")
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


def test_values_of_different_plans_are_refused(found: Deadlines, tmp_path: Path) -> None:
    other = simulate(found.timeline.plan)
    with pytest.raises(ValueError, match="another plan"):
        write_results(tmp_path / "out", other.plan, other, found, check_deadlines(found))

    assert not list(tmp_path.iterdir())


def test_a_csv_file_can_be_read_by_any_reader(folder: Path) -> None:
    with (folder / "trust_deadlines.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 17
    in_place = [row for row in rows if row["verdict"] == Verdict.IN_PLACE]
    assert len(in_place) == 4
    assert all(row["planned"] == row["slack_days"] == row["tool"] == "" for row in in_place)
