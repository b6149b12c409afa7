"""Core values as tables: the cells of every CSV file of a run."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from planner.domain.calendar import ALWAYS, NEVER, to_day
from planner.domain.findings import Finding, Findings, Severity
from planner.domain.rules import DEADLINE_RULES, RULES, Mode
from planner.engine.deadlines import deadlines
from planner.engine.timeline import Timeline, simulate
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.schema import SESSIONS
from planner.reporting import tables
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.golden.tables import DATA, eight_cases
from tests.oracle import Case

NEW = "8.1.13"


def timeline_of(built: Case, folder: Path) -> Timeline:
    return simulate(read_case(built, folder))


def migration() -> Case:
    """Build two clients that follow their server, one with its import, one without."""
    return case(
        servers=[server("SRV1")],
        clients=[client("BA01"), client("BA02")],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action("2025-03-10", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-20", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-13", "import-certificate", client="BA01", certificate="SRV1"),
        ],
    )


def lines(csv: str) -> list[str]:
    return csv.splitlines()


def test_session_states_has_a_row_for_each_segment_with_mode_reason_rule_and_message(
    tmp_path: Path,
) -> None:
    frame = tables.session_states(timeline_of(migration(), tmp_path))

    assert lines(frame.to_csv(index=False)) == [
        "client,server,account,key_database,start,end,mode,reason,tls,rule,message",
        "BA01,SRV1,BA01,default,2025-03-03,2025-03-10,plaintext,,,old-server.plaintext,",
        "BA01,SRV1,BA01,default,2025-03-10,2025-03-17,plaintext,,,old-client.plaintext,",
        "BA01,SRV1,BA01,default,2025-03-17,2025-03-31,tls-partial,,TLS 1.3,both-new.tls-partial-3,",
        "BA02,SRV1,BA02,default,2025-03-03,2025-03-10,plaintext,,,old-server.plaintext,",
        "BA02,SRV1,BA02,default,2025-03-10,2025-03-20,plaintext,,,old-client.plaintext,",
        "BA02,SRV1,BA02,default,2025-03-20,2025-03-31,refused,untrusted,,"
        "both-new.untrusted-not-accepted,ANS1592E",
    ]


def test_trust_deadlines_leaves_empty_what_does_not_apply(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client("held", NEW), client("late"), client("never")],
        sessions=[session(name, "SRV1") for name in ("held", "late", "never")],
        certificates=[certificate("SRV1", not_before="2020-01-01")],
        trust=[trust("held", "SRV1")],
        plan=[
            action("2025-03-17", "upgrade-client", client="late", value=NEW),
            action("2025-03-17", "upgrade-client", client="never", value=NEW),
            action("2025-03-13", "import-certificate", client="late", certificate="SRV1"),
        ],
    )

    frame = tables.trust_deadlines(deadlines(timeline_of(built, tmp_path)))

    assert lines(frame.to_csv(index=False)) == [
        "client,key_database,certificate,servers,use_case,opens,needed,latest_safe,planned,"
        "slack_days,verdict,tool,rule",
        "held,default,SRV1,SRV1,,2020-01-01,2025-03-03,2025-02-24,,,in-place,,deadline.in-place",
        "late,default,SRV1,SRV1,1,2020-01-01,2025-03-17,2025-03-10,2025-03-13,-3,tight,"
        "gsk8capicmd,deadline.tight",
        "never,default,SRV1,SRV1,1,2020-01-01,2025-03-17,2025-03-10,,,missing,gsk8capicmd,"
        "deadline.missing",
    ]


def test_trust_deadlines_are_sorted_by_day_needed_then_by_code_points(tmp_path: Path) -> None:
    greek = "\N{GREEK SMALL LETTER ALPHA}"
    built = case(
        servers=[server("Z", NEW), server("Y", NEW)],
        clients=[client("old"), *(client(name, NEW) for name in (greek, "b", "a", "C"))],
        sessions=[
            session("old", "Y"),
            session(greek, "Z"),
            session("b", "Z"),
            session("b", "Y"),
            session("a", "Z"),
            session("a", "Z", key_database="api"),
            session("C", "Z"),
        ],
        plan=[action("2025-03-04", "upgrade-client", client="old", value=NEW)],
    )

    frame = tables.trust_deadlines(deadlines(timeline_of(built, tmp_path)))

    assert frame[["client", "key_database", "certificate"]].to_numpy().tolist() == [
        ["C", "default", "Z"],
        ["a", "api", "Z"],
        ["a", "default", "Z"],
        ["b", "default", "Y"],
        ["b", "default", "Z"],
        [greek, "default", "Z"],
        ["old", "default", "Y"],
    ]


def test_a_name_that_looks_like_a_formula_is_neutralised_and_a_number_never(
    tmp_path: Path,
) -> None:
    built = case(
        servers=[server("@SRV", NEW)],
        clients=[client("=1+1")],
        sessions=[session("=1+1", "@SRV", key_database="-kdb")],
        plan=[
            action("2025-03-17", "upgrade-client", client="=1+1", value=NEW),
            action(
                "2025-03-14",
                "import-certificate",
                client="=1+1",
                key_database="-kdb",
                certificate="@SRV",
            ),
        ],
    )
    found = deadlines(timeline_of(built, tmp_path))

    row = tables.trust_deadlines(found).iloc[0]
    assert (row["client"], row["key_database"], row["servers"]) == ("'=1+1", "'-kdb", "'@SRV")
    assert row["slack_days"] == -4
    assert ",-4,tight," in tables.trust_deadlines(found).to_csv(index=False)
    assert set(tables.session_states(found.timeline)["account"]) == {"'=1+1"}


def test_findings_without_day_or_line_have_empty_cells() -> None:
    def finding(day: int, line: int) -> Finding:
        return Finding(
            rule="a-rule",
            severity=Severity.WARNING,
            day=day,
            subject="-x",
            what='a "quoted" thing, here',
            why="because",
            fix="mend it",
            file="plan.csv",
            line=line,
        )

    rows = Findings((finding(NEVER, 0), finding(ALWAYS, 3), finding(to_day(date(2025, 3, 4)), 7)))

    text = '"a ""quoted"" thing, here"'
    assert lines(tables.findings(rows).to_csv(index=False)) == [
        "rule,severity,date,subject,what,why,fix,file,line",
        f"a-rule,warning,,'-x,{text},because,mend it,plan.csv,",
        f"a-rule,warning,,'-x,{text},because,mend it,plan.csv,3",
        f"a-rule,warning,2025-03-04,'-x,{text},because,mend it,plan.csv,7",
    ]


def test_no_findings_make_a_table_with_headings_only() -> None:
    frame = tables.findings(Findings(()))

    assert frame.to_csv(index=False) == "rule,severity,date,subject,what,why,fix,file,line\n"


def test_daily_counts_every_session_on_every_day(tmp_path: Path) -> None:
    frame = tables.daily(timeline_of(migration(), tmp_path))

    assert list(frame) == ["date", *(mode.label for mode in Mode)]
    assert list(frame["date"])[:: len(frame) - 1] == ["2025-03-03", "2025-03-30"]
    assert (frame.drop(columns="date").sum(axis=1) == 2).all()
    assert frame.set_index("date")["tls-partial"].loc["2025-03-16":"2025-03-17"].tolist() == [0, 1]


def test_imports_are_counted_by_iso_week_and_certificate_inside_the_horizon(
    tmp_path: Path,
) -> None:
    built = migration()
    assert built.plan is not None
    more = [
        action("2025-03-10", "import-certificate", client="BA02", certificate="other"),
        action("2025-03-20", "import-certificate", client="BA02", certificate="SRV1"),
        action("2025-03-20", "import-certificate", client="BA02", certificate="zzz"),
        action("2025-03-31", "import-certificate", client="BA02", certificate="SRV1"),
    ]
    built = replace(built, plan=[*built.plan, *more])

    frame = tables.imports(deadlines(timeline_of(built, tmp_path)))

    assert lines(frame.to_csv(index=False)) == [
        "week,certificate,imports,same_day",
        "2025-03-10,SRV1,1,0",
        "2025-03-10,other,1,0",
        "2025-03-17,SRV1,1,1",
        "2025-03-17,zzz,1,0",
    ]


def test_sessions_have_every_default_filled_in_and_read_back_as_the_same_fleet(
    tmp_path: Path,
) -> None:
    fleet = read_fleet(DATA / "eight-cases")
    frame = tables.sessions(fleet)

    assert list(frame) == [column.name for column in SESSIONS]
    plain = frame.iloc[0]
    assert (plain["kind"], plain["ssl"], plain["commmethod"]) == ("backup", "No", "TCPIP")
    assert (plain["tcpport"], plain["key_database"]) == (1500, "default")
    assert not frame.drop(columns=["replsslport"]).isna().any().any()

    again = tmp_path / "again"
    shutil.copytree(DATA / "eight-cases", again)
    frame.to_csv(again / "sessions.csv", index=False, lineterminator="\n")
    reread = read_fleet(again).sessions
    for column in ("client", "server", "account", "key_database", "kind", "options", "weight"):
        np.testing.assert_array_equal(getattr(reread, column), getattr(fleet.sessions, column))


def test_the_rule_table_has_every_rule_once_with_its_source() -> None:
    frame = tables.rules()

    state_rules, deadline_rules = [rule.id for rule in RULES], [row.id for row in DEADLINE_RULES]
    assert list(frame["id"]) == state_rules + deadline_rules
    assert frame["id"].is_unique
    assert set(frame["status"]) == {"documented", "inferred"}
    assert (frame["source"] != "").all()
    assert list(frame["table"].unique()) == [
        "free",
        "old-server",
        "old-client",
        "both-new",
        "deadline",
    ]


def test_coverage_counts_the_segments_of_every_rule() -> None:
    timeline = eight_cases().timeline
    frame = tables.coverage(timeline)

    assert len(frame) == len(RULES)
    assert frame["segments"].sum() == len(timeline)


def test_each_core_value_has_the_table_of_its_csv() -> None:
    found = eight_cases().deadlines
    timeline, plan = found.timeline, found.timeline.plan

    assert tables.frame(plan.fleet).equals(tables.sessions(plan.fleet))
    assert tables.frame(timeline).equals(tables.session_states(timeline))
    assert tables.frame(found).equals(tables.trust_deadlines(found))
    assert list(tables.frame(plan))[:2] == ["date", "action"]
    assert len(tables.frame(Findings(()))) == 0
    with pytest.raises(TypeError, match="str has no table"):
        tables.frame("a text")


def test_html_shows_the_key_numbers_and_the_first_rows_escaped(tmp_path: Path) -> None:
    names = [f"<b>{number}" for number in range(25)]
    built = case(
        servers=[server("SRV1")],
        clients=[client(name) for name in names],
        sessions=[session(name, "SRV1") for name in names],
    )
    timeline = timeline_of(built, tmp_path)

    html = tables.html(timeline)

    assert "Timeline(25 sessions" in html
    assert "&lt;b&gt;0" in html
    assert "<b>" not in html
    assert html.count("<tr>") == tables.HEAD_ROWS
    assert "... and 5 more rows" in html
    assert "more rows" not in tables.html(Findings(()))
