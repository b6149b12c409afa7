"""The import job: what goes round the site's exports and back, and what is written."""

import datetime
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.domain.errors import InventoryError
from planner.inventory.importing.evidence import LineUse
from planner.inventory.importing.refresh import ChangeKind
from planner.inventory.schema import FILES
from planner.reporting import tables
from planner.reporting.import_run import Import
from tests import exports
from tests.exports import Site
from tests.golden.tables import DATA, harbour

HARBOUR = DATA / "harbour"
NAMES = ["client", "server", "account", "key_database"]
START, END = datetime.date(2027, 1, 4), datetime.date(2028, 7, 3)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the files that the site of data/harbour hands out."""
    return Site(HARBOUR).write(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def imported(exported: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Import:
    """Return the import of these files into a new folder."""
    out = tmp_path_factory.mktemp("imported") / "fleet"
    return planner.import_fleet(*exported, out=out, start=START, end=END)


def without_spelling(states: pd.DataFrame) -> pd.DataFrame:
    """Return session states in one order, with names that differ by letter case made equal."""
    states = states.copy()
    for column in NAMES:
        states[column] = states[column].str.casefold()
    return states.sort_values(list(states.columns)).reset_index(drop=True)


def states_of_imported(imported: Import, schedule: Path) -> pd.DataFrame:
    """Return the session states of harbour's completed plan on the imported fleet."""
    harbour().plan.to_frame().to_csv(schedule, index=False, encoding="utf-8")
    fleet = planner.read_fleet(imported.fleet.origin.folder)
    return planner.simulate(planner.read_plan(schedule, fleet)).to_frame()


# --- Round trip ----------------------------------------------------------------------------------


def test_harbour_exported_and_imported_simulates_to_the_same_session_states(
    imported: Import, tmp_path: Path
) -> None:
    states = states_of_imported(imported, tmp_path / "schedule.csv")
    pd.testing.assert_frame_equal(
        without_spelling(states), without_spelling(harbour().timeline.to_frame())
    )


def test_a_single_level_imported_wrongly_changes_the_states(
    imported: Import, tmp_path: Path
) -> None:
    folder = Path(imported.fleet.origin.folder)
    text = (folder / "clients.csv").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("lh-file-01,"))
    wrong = line.replace(",7.1.4.2,", ",8.1.22,")
    assert wrong != line
    for path in folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "certs").mkdir()
    for path in (folder / "certs").iterdir():
        (tmp_path / "certs" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "clients.csv").write_text(text.replace(line, wrong), encoding="utf-8")
    harbour().plan.to_frame().to_csv(tmp_path / "schedule.csv", index=False)
    fleet = planner.read_fleet(tmp_path)
    states = planner.simulate(planner.read_plan(tmp_path / "schedule.csv", fleet)).to_frame()
    assert not without_spelling(states).equals(without_spelling(harbour().timeline.to_frame()))


def test_tabs_instead_of_commas_make_the_same_fleet(imported: Import, tmp_path: Path) -> None:
    files = Site(HARBOUR, delimiter="\t").write(tmp_path / "site")
    again = planner.import_fleet(*files, out=tmp_path / "fleet", start=START, end=END)
    for table in (tables.sessions, lambda fleet: pd.DataFrame({"level": map(str, fleet.levels)})):
        pd.testing.assert_frame_equal(table(again.fleet), table(imported.fleet))


def test_the_sessions_have_the_kinds_and_key_databases_of_the_site(imported: Import) -> None:
    columns = ["client", "server", "account", "kind", "key_database"]
    got = imported.fleet.to_frame()[columns].apply(lambda column: column.str.casefold())
    want = (
        planner.read_fleet(HARBOUR).to_frame()[columns].apply(lambda column: column.str.casefold())
    )
    assert set(got.itertuples(index=False)) == set(want.itertuples(index=False))


def test_the_logs_agree_with_the_engine(imported: Import) -> None:
    assert imported.as_is.n_compared == 215
    assert imported.as_is.rate == 1.0
    assert imported.as_is.findings.rows == ()


# --- What is written -----------------------------------------------------------------------------


def test_every_line_of_every_file_is_accounted_for_once(
    imported: Import, exported: list[Path]
) -> None:
    seen: dict[str, list[int]] = {}
    for one in imported.lines:
        seen.setdefault(one.file, []).extend(range(one.first, one.last + 1))
    texts = [path for path in _files(exported) if path.suffix in (".txt", ".sys", ".opt")]
    assert len(texts) > 900
    for path in texts:
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        assert seen[path.as_posix()] == list(range(1, n_lines + 1))


def test_no_password_reaches_any_file_or_message(imported: Import, exported: list[Path]) -> None:
    given = b"".join(path.read_bytes() for path in _files(exported))
    assert exports.PASSWORD.encode() in given
    folder = Path(imported.fleet.origin.folder)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert exports.PASSWORD.encode() not in path.read_bytes()
    assert exports.PASSWORD not in repr(imported.findings.rows)
    assert exports.PASSWORD not in repr(imported.lines)


def test_the_reports_are_the_tables_of_the_import(imported: Import) -> None:
    folder = Path(imported.fleet.origin.folder)
    report = pd.read_csv(folder / "import_report.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(report, imported.to_frame(), check_dtype=False)
    findings = (folder / "import_findings.csv").read_text(encoding="utf-8")
    assert findings == imported.findings.to_frame().to_csv(index=False, lineterminator="\n")
    assert not (folder / "import_changes.csv").exists()


def test_a_row_of_the_fleet_leads_back_to_its_line(imported: Import) -> None:
    source = imported.source_of(
        "sessions.csv", client="lh-hr-db-01", server="chandler", account="LH-HR-DB-01_DB2",
        key_database="api",
    )  # fmt: skip
    assert source is not None
    path = Path(source.file)
    assert path.parts[-3:] == ("lh-hr-db-01", "api", "dsm.sys")
    line = path.read_text(encoding="utf-8").splitlines()[source.line - 1]
    assert line == "SErvername CHANDLER"
    assert imported.source_of("clients.csv", client="nobody") is None


def test_every_row_of_the_fleet_has_a_line(imported: Import) -> None:
    folder = Path(imported.fleet.origin.folder)
    n_rows = 0
    for name in FILES:
        for row in exports.rows_of(folder, name):
            source = imported.source_of(name, **row)
            assert source is not None, (name, row)
            assert Path(source.file).is_file()
            n_rows += 1
    assert n_rows > 2000


def test_the_import_says_its_key_numbers(imported: Import) -> None:
    used = Counter({use: imported.count(use) for use in LineUse})
    assert used[LineUse.FAULT] == 0
    assert repr(imported) == (
        f"Import(1304 sessions, new fleet; lines: {used[LineUse.USED]} used, "
        f"{used[LineUse.COMMENT]} comment, {used[LineUse.ASIDE]} kept aside, 0 fault)"
    )
    assert "Import(1304 sessions" in imported._repr_html_()


def test_a_fault_writes_nothing_and_is_told_with_its_line(tmp_path: Path) -> None:
    options = tmp_path / "db1" / "dsm.sys"
    options.parent.mkdir()
    options.write_text("SErvername A\n TCPServeraddress a\n SSLREQUIERD Yes\n PASSWORD geheim\n")
    with pytest.raises(InventoryError) as error:
        planner.import_fleet(tmp_path / "db1", out=tmp_path / "fleet", start=START)
    assert str(error.value) == (
        f"{options.as_posix()}:3: the option is unknown; did you mean SSLREQUIRED? The client "
        "stops at an option that it does not know"
    )
    assert not (tmp_path / "fleet").exists()


# --- Refresh -------------------------------------------------------------------------------------


def test_importing_the_same_again_changes_nothing(exported: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "fleet"
    first = planner.import_fleet(*exported, out=out, start=START, end=END)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = planner.import_fleet(*exported, out=out)
    assert not again.is_new
    assert again.changes == ()
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    pd.testing.assert_frame_equal(again.fleet.to_frame(), first.fleet.to_frame())


def test_a_refreshed_harbour_keeps_what_the_planner_wrote_into_it(
    exported: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "fleet"
    planner.write_fleet(planner.read_fleet(HARBOUR), out)
    made = planner.import_fleet(*exported, out=out)
    old, new = planner.read_fleet(HARBOUR), planner.read_fleet(out)
    assert [*new.clients.site] == [*old.clients.site]
    assert new.clients.upgrade.tolist() == old.clients.upgrade.tolist()
    assert new.sessions.weight.tolist() == old.sessions.weight.tolist()
    assert (new.start, new.end, new.calendar) == (old.start, old.end, old.calendar)
    assert [*new.clients.kind] == [*old.clients.kind]
    assert made.n_changes(ChangeKind.GONE) == 0
    # Each of two servers that call each other defines the other one: an account without sessions.
    assert {change.table for change in made.changes if change.kind is ChangeKind.NEW} == {"account"}


def _files(given: list[Path]) -> list[Path]:
    """Return all files behind the arguments of an import."""
    paths = [Path(str(path).partition("=")[2] or path) for path in given]
    return [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]
