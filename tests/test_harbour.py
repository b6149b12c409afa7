"""The completed plan of data/harbour is sound, and the first draft shows every mistake put into it.

What is expected here is what data/README.md says of the two plans.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cryptography import x509

from planner.cli import main
from planner.domain.calendar import Capacity, iso, to_date
from planner.domain.certificates import DEFAULT_SUBJECT
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import ClientKind, SessionKind
from planner.domain.options import LOCAL_BIT, SSL
from planner.domain.plan import Action
from planner.domain.rules import RULES, Mode, Reason
from planner.reporting.run import Run
from tests.builders import day as day_of
from tests.golden.tables import (
    DATA,
    TABLES,
    assert_golden,
    differing_rows,
    first_draft,
    harbour,
    table_of,
    text_of,
)

FOLDER = DATA / "harbour"
LAST_DAY = "2028-07-02"

# --- reading the result ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run() -> Run:
    return harbour()


@pytest.fixture(scope="module")
def draft() -> Run:
    return first_draft()


def finding_of(run: Run, rule: str, day: str, subject: str) -> Finding:
    """Return the one finding of a rule, a day and a subject."""
    (found,) = (
        row for row in run.findings.of(rule) if (iso(row.day), row.subject) == (day, subject)
    )
    return found


def refused(run: Run) -> dict[str, list[tuple[str, str, Reason]]]:
    """Return the stretches in which sessions are refused, by session."""
    timeline, until = run.timeline, run.timeline.until()
    stretches: dict[str, list[tuple[str, str, Reason]]] = {}
    for row in np.flatnonzero(timeline.mode() == Mode.REFUSED):
        session = run.fleet.session_text(int(timeline.session()[row]))
        reason = RULES[timeline.rule[row]].reason
        begin, end = iso(timeline.day[row]), iso(until[row])
        own = stretches.setdefault(session, [])
        if own and own[-1][1:] == (begin, reason):
            begin = own.pop()[0]
        own.append((begin, end, reason))
    return stretches


def refused_of(run: Run, client: str) -> dict[str, list[tuple[str, str, Reason]]]:
    return {
        session: stretches
        for session, stretches in refused(run).items()
        if session.startswith(f"{client} -> ")
    }


def upgrade_days(run: Run) -> dict[str, str]:
    """Return the day of each endpoint's first upgrade or installation."""
    actions = (Action.UPGRADE_SERVER, Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)
    days: dict[str, str] = {}
    for row in run.plan.rows():
        if row.action in actions:
            days.setdefault(row.client or row.server, iso(row.day))
    return days


# --- the story of the fleet -----------------------------------------------------------------------


def test_the_fleet_has_the_size_that_the_readme_tells(run: Run) -> None:
    fleet = run.fleet
    assert (len(fleet.servers), len(fleet.clients), len(fleet.sessions)) == (12, 442, 1304)
    assert set(fleet.servers.site) == {"lighthouse", "northquay", "southbasin", "oilpier"}
    assert (iso(fleet.start), iso(fleet.end)) == ("2027-01-04", "2028-07-03")


def test_the_name_of_a_client_begins_with_its_site(run: Run) -> None:
    clients = run.fleet.clients
    prefixes = {
        (name.split("-")[0], site) for name, site in zip(clients.name, clients.site, strict=True)
    }
    assert prefixes == {
        ("lh", "lighthouse"),
        ("nq", "northquay"),
        ("sb", "southbasin"),
        ("op", "oilpier"),
    }


def test_most_clients_have_two_to_four_sessions(run: Run) -> None:
    counts = np.bincount(run.fleet.sessions.client)
    assert np.count_nonzero((counts >= 2) & (counts <= 4)) > 0.8 * len(run.fleet.clients)


def test_the_hosts_of_one_id_are_upgraded_on_one_day(run: Run) -> None:
    sessions, days = run.fleet.sessions, upgrade_days(run)
    hosts: dict[str, set[str]] = {}
    for client, account in zip(sessions.client, sessions.account, strict=True):
        name = run.fleet.accounts.name[account]
        hosts.setdefault(name, set()).add(run.fleet.endpoint_name(int(client)))
    shared = {name: users for name, users in hosts.items() if len(users) > 1}
    assert {name: len(users) for name, users in shared.items()} == {
        "ops-desk": 6,
        "monitor": 4,
        "ops-northquay": 3,
        "ops-southbasin": 2,
        **dict.fromkeys(("script-lh", "script-nq", "script-sb"), 2),
        **dict.fromkeys(("adm-brandt", "adm-carstens", "adm-petersen", "adm-thomsen"), 2),
        **dict.fromkeys(("nq-gate", "nq-yard", "nq-rail", "sb-finance", "op-loading", "lh-erp"), 2),
    }
    assert all(len({days[user] for user in users}) == 1 for users in shared.values())


def test_storage_agents_are_upgraded_with_their_servers(run: Run) -> None:
    days, clients = upgrade_days(run), run.fleet.clients
    agents = np.flatnonzero(clients.kind == ClientKind.STORAGE_AGENT)
    own_server = {"nq": "bollard", "sb": "gantry"}
    assert len(agents) == 5
    for agent in agents:
        name = clients.name[int(agent)]
        assert days[name] == days[own_server[name[:2]]]


def test_servers_are_upgraded_in_the_order_in_which_they_depend_on_each_other(run: Run) -> None:
    days, sessions = upgrade_days(run), run.fleet.sessions
    assert days["bollard"] < days["foghorn"]
    library_clients = {
        run.fleet.endpoint_name(int(client))
        for client in sessions.client[sessions.kind == SessionKind.LIBRARY]
    }
    assert library_clients == {"lantern", "capstan", "gantry"}
    assert all(days["keeper"] < days[client] for client in library_clients)


def test_the_certificate_files_hold_what_the_readme_tells() -> None:
    files = sorted((FOLDER / "certs").iterdir())
    assert len(files) == 9
    for path in files:
        content = path.read_bytes()
        assert b"PRIVATE KEY" not in content
        if path.suffix == ".arm":
            subject = x509.load_pem_x509_certificate(content).subject.rfc4514_string()
            assert subject == DEFAULT_SUBJECT


# --- the completed plan ---------------------------------------------------------------------------


def test_the_job_ends_with_exit_status_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(FOLDER), "--out", str(tmp_path)]) == 0
    assert "Findings(0 errors, 3 warnings, 11 notes)" in capsys.readouterr().out


def test_the_completed_plan_has_no_errors_and_three_warnings(run: Run) -> None:
    assert not run.findings.has_errors
    assert Counter((row.severity, row.rule) for row in run.findings) == {
        (Severity.WARNING, "md5-certificate"): 1,
        (Severity.WARNING, "transitional-account"): 1,
        (Severity.WARNING, "certificate-expires"): 1,
        (Severity.NOTE, "transitional-account"): 11,
    }
    finding_of(run, "md5-certificate", "2027-01-04", "pipeline")
    finding_of(run, "transitional-account", "2027-01-04", "tugboat")
    finding_of(run, "certificate-expires", "2027-10-21", "tugboat-2017 of tugboat")


def test_the_completed_plan_refuses_no_session_on_any_day(run: Run) -> None:
    assert refused(run) == {}
    assert run.measures.refused_session_days == 0


def test_every_deadline_of_the_completed_plan_is_ok_or_in_place(run: Run) -> None:
    verdicts = run.deadlines.to_frame()["verdict"].value_counts().to_dict()
    assert verdicts == {"ok": 850, "in-place": 150}


def test_the_completed_plan_has_the_actions_that_the_readme_counts(run: Run) -> None:
    assert Counter(row.action for row in run.plan.rows()) == {
        Action.UPGRADE_SERVER: 11,
        Action.UPGRADE_CLIENT: 413,
        Action.INSTALL_CLIENT: 23,
        Action.IMPORT_CERTIFICATE: 850,
        Action.SET_OPTION: 493,
    }


def test_all_four_modes_occur(run: Run) -> None:
    modes = {Mode(mode) for mode in run.timeline.mode()}
    assert modes >= {Mode.PLAINTEXT, Mode.LEGACY_SSL, Mode.TLS_PARTIAL, Mode.TLS_FULL}
    assert Mode.REFUSED not in modes


def test_all_sessions_but_those_to_tugboat_and_a_local_one_end_with_tls(run: Run) -> None:
    fleet = run.fleet
    modes = Counter(Mode(mode) for mode in run.timeline.mode_on(day_of(LAST_DAY)))
    assert modes[Mode.TLS_PARTIAL] + modes[Mode.TLS_FULL] == 1287
    assert (modes[Mode.PLAINTEXT], modes[Mode.LOCAL], modes.total()) == (16, 1, 1304)
    to_tugboat = fleet.sessions.server == fleet.servers.name.find("tugboat")
    for day in ("2027-01-04", "2027-10-21", LAST_DAY):
        assert (run.timeline.mode_on(day_of(day))[to_tugboat] == Mode.PLAINTEXT).all()
    assert np.count_nonzero(fleet.sessions.options & LOCAL_BIT) == 1


def test_every_session_that_must_encrypt_its_object_data_ends_with_tls_full(run: Run) -> None:
    modes = run.timeline.mode_on(day_of(LAST_DAY))
    assert run.fleet.sessions.encrypt_data.any()
    assert (modes[run.fleet.sessions.encrypt_data] == Mode.TLS_FULL).all()


def test_the_control_room_gets_the_new_certificate_before_the_md5_default_goes(run: Run) -> None:
    table = run.deadlines.to_frame()
    rows = table[
        table["client"].str.startswith("op-hmi-") & (table["certificate"] == "pipeline-cert256")
    ]
    assert len(rows) == 10
    assert set(rows["needed"]) == {"2027-09-14"}
    assert set(rows["verdict"]) == {"ok"}
    assert (rows["planned"] >= "2027-03-01").all()


def test_the_ten_year_certificate_expires_without_refusing_a_session(run: Run) -> None:
    found = finding_of(run, "certificate-expires", "2027-10-21", "tugboat-2017 of tugboat")
    assert "still presents it" in found.what
    to_tugboat = run.fleet.sessions.server == run.fleet.servers.name.find("tugboat")
    assert not (run.fleet.sessions.options[to_tugboat] & SSL.mask).any()


def test_no_week_is_over_capacity(run: Run) -> None:
    limits = {"clients": 16, "servers": 1, "imports": 60}  # data/harbour/fleet.toml
    assert run.fleet.capacity == Capacity(
        **{f"{name}_per_week": limit for name, limit in limits.items()}
    )
    weeks: dict[str, Counter[tuple[int, int]]] = {}
    kind = {
        Action.UPGRADE_CLIENT: "clients",
        Action.INSTALL_CLIENT: "clients",
        Action.UPGRADE_SERVER: "servers",
        Action.IMPORT_CERTIFICATE: "imports",
    }
    for row in run.plan.rows():
        if row.action in kind:
            week = to_date(row.day).isocalendar()
            weeks.setdefault(kind[row.action], Counter())[week.year, week.week] += 1
    assert weeks.keys() == limits.keys()
    assert [name for name in limits if max(weeks[name].values()) > limits[name]] == []


# --- the mistakes of the first draft --------------------------------------------------------------


def test_the_draft_ends_with_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    plan = str(FOLDER / "first-draft.csv")
    assert main(["check", str(FOLDER), "--plan", plan]) == 1
    assert "Findings(28 errors, 15 warnings, 11 notes)" in capsys.readouterr().out


def test_shared_id_one_early_host_locks_the_five_others_out(draft: Run) -> None:
    for server in ("beacon", "chandler", "derrick"):
        found = finding_of(draft, "shared-account-lockout", "2027-02-02", f"ops-desk on {server}")
        assert found.severity is Severity.ERROR
        assert "lh-opsdesk-04" in found.what
    for host in ("01", "02", "03", "05", "06"):
        stretch = ("2027-02-02", "2027-02-09", Reason.STRICT_ACCOUNT)
        assert refused_of(draft, f"lh-opsdesk-{host}") == {
            f"lh-opsdesk-{host} -> {server} as ops-desk": [stretch]
            for server in ("beacon", "chandler", "derrick")
        }
    assert refused_of(draft, "lh-opsdesk-04") == {}


def test_reset_without_effect_the_id_is_strict_again_at_once(draft: Run) -> None:
    found = finding_of(
        draft, "reset-without-effect", "2027-02-03", "set-session-security beacon ops-desk"
    )
    assert found.severity is Severity.WARNING
    before, after = ("lh-opsdesk-01 -> beacon as ops-desk", "2027-02-03")
    ((begin, end, _),) = refused(draft)[before]
    assert begin < after < end


def test_before_available_a_certificate_is_imported_that_does_not_exist_yet(draft: Run) -> None:
    found = finding_of(
        draft,
        "import-before-available",
        "2027-02-10",
        "import-certificate op-app-04 pipeline-cert256",
    )
    assert found.severity is Severity.WARNING
    assert "2027-03-01" in found.what


@pytest.mark.parametrize(
    ("subject", "needed", "planned", "server"),
    [
        ("derrick-cert256 for op-file-08", "2027-03-04", "2027-03-10", "derrick"),
        ("nordkai-root for lh-app-29", "2027-07-20", "2027-07-23", "capstan"),
        ("foghorn-cert256 for nq-app-11", "2027-09-13", "2027-09-20", "foghorn"),
    ],
)
def test_late_import_sessions_are_refused_in_between(
    draft: Run, subject: str, needed: str, planned: str, server: str
) -> None:
    found = finding_of(draft, "deadline-late", needed, subject)
    assert found.severity is Severity.ERROR
    assert planned in found.what
    client = subject.rsplit(maxsplit=1)[-1]
    assert refused_of(draft, client) == {
        f"{client} -> {server} as {client}": [(needed, planned, Reason.UNTRUSTED)]
    }


def test_freeze_a_server_is_upgraded_inside_a_freeze(draft: Run) -> None:
    found = finding_of(draft, "in-freeze", "2027-03-30", "upgrade-server derrick")
    assert found.severity is Severity.ERROR
    assert "'Quarter close 2027-Q1 and Easter sailings'" in found.what


def test_downgrade_a_new_client_becomes_old_and_meets_a_strict_account(draft: Run) -> None:
    finding_of(draft, "security-downgrade", "2027-04-15", "upgrade-client op-scada-05")
    finding_of(draft, "shared-account-lockout", "2027-04-15", "op-scada-05 on derrick")
    level = draft.fleet.endpoint_level(draft.fleet.find_endpoint("op-scada-05"))
    assert level is not None
    assert level.vrl == (7, 1, 8)
    assert refused_of(draft, "op-scada-05") == {
        "op-scada-05 -> derrick as op-scada-05": [
            ("2027-04-15", "2027-05-13", Reason.STRICT_ACCOUNT)
        ]
    }


def test_ldap_without_ssl_case_8_turns_into_7_and_is_refused_until_the_server_is_new(
    draft: Run,
) -> None:
    session = "sb-customs-03 -> mooring as sb-customs-03"
    found = finding_of(draft, "ldap-without-ssl", "2027-04-29", session)
    assert found.what.startswith("use case 8 turns into 7: ")
    finding_of(draft, "encryption-not-reached", "2027-11-10", session)
    assert refused_of(draft, "sb-customs-03") == {
        session: [("2027-04-29", "2027-11-10", Reason.SSL_REQUIRED_BY_CLIENT)]
    }


def test_misspelt_a_client_that_does_not_exist_leaves_the_meant_one_old(draft: Run) -> None:
    finding_of(draft, "unknown-endpoint", "2027-07-28", "upgrade-client nq-flie-07")
    finding_of(
        draft,
        "option-unknown-to-client",
        "2027-07-28",
        "set-option nq-file-07 SSLACCEPTCERTFROMSERV",
    )
    assert "nq-file-07" not in upgrade_days(draft)


def test_replication_order_the_source_is_upgraded_after_its_target(draft: Run) -> None:
    found = finding_of(draft, "replication-order", "2027-08-18", "bollard -> foghorn")
    assert found.severity is Severity.WARNING
    days = upgrade_days(draft)
    assert (days["foghorn"], days["bollard"]) == ("2027-08-18", "2027-08-24")


@pytest.mark.parametrize(
    ("subject", "needed", "n_sessions"),
    [
        ("foghorn-cert256 for nq-file-33", "2027-09-13", 1),
        ("nordkai-root for lh-app-05", "2028-01-18", 3),
        ("bollard-cert256 for nq-app-48", "2028-03-22", 1),
        ("gantry-cert256 for sb-app-30", "2028-05-03", 2),
    ],
)
def test_missing_import_sessions_are_refused_from_that_day_to_the_end(
    draft: Run, subject: str, needed: str, n_sessions: int
) -> None:
    found = finding_of(draft, "deadline-missing", needed, subject)
    assert found.severity is Severity.ERROR
    stretches = [*refused_of(draft, subject.rsplit(maxsplit=1)[-1]).values()]
    assert stretches == [[(needed, "2028-07-03", Reason.UNTRUSTED)]] * n_sessions


def test_md5_the_upgrade_replaces_the_certificate_that_the_control_room_trusts(draft: Run) -> None:
    finding_of(draft, "md5-certificate", "2027-01-04", "pipeline")
    for number in range(1, 11):
        client = f"op-hmi-{number:02d}"
        subject = f"pipeline-cert256 for {client}"
        finding_of(draft, "deadline-missing", "2027-09-14", subject)
        assert refused_of(draft, client) == {
            f"{client} -> pipeline as {client}": [
                ("2027-09-14", "2028-07-03", Reason.WRONG_CERTIFICATE)
            ]
        }


def test_tight_import_the_import_is_inside_the_lead_time(draft: Run) -> None:
    found = finding_of(draft, "deadline-tight", "2027-10-12", "nordkai-root for sb-app-02")
    assert found.severity is Severity.WARNING
    assert "planned on 2027-10-08" in found.what
    assert "latest safe day 2027-10-05" in found.what
    assert refused_of(draft, "sb-app-02") == {}


def test_intermediate_holding_the_issuing_ca_is_not_trust(draft: Run) -> None:
    finding_of(draft, "deadline-missing", "2027-10-21", "nordkai-root for lh-app-43")
    stretches = refused_of(draft, "lh-app-43")
    finding_of(
        draft,
        "import-without-trust",
        "2027-10-11",
        "import-certificate lh-app-43 nordkai-issuing-1",
    )
    assert len(stretches) == 3
    assert {stretch for own in stretches.values() for stretch in own} == {
        ("2027-10-21", "2028-07-03", Reason.WRONG_CERTIFICATE)
    }


def test_twice_one_upgrade_is_listed_on_two_days(draft: Run) -> None:
    found = finding_of(draft, "repeated-action", "2027-10-27", "upgrade-client nq-app-09")
    assert "2027-10-13" in found.what


def test_capacity_one_week_has_a_client_too_many(draft: Run) -> None:
    found = finding_of(draft, "over-capacity", "2027-11-15", "client upgrades in week 2027-W46")
    assert found.what.startswith("17 client upgrades")
    assert found.what.endswith("16 are possible")


def test_ssl_too_early_the_session_calls_the_plain_port_of_an_old_server(draft: Run) -> None:
    found = finding_of(
        draft, "ssl-before-server-new", "2027-12-02", "set-option sb-app-32 gantry sb-app-32 SSL"
    )
    assert "1500" in found.what
    assert "1543" in found.what
    assert refused_of(draft, "sb-app-32") == {
        "sb-app-32 -> gantry as sb-app-32": [("2027-12-02", "2028-02-09", Reason.SSL_PORT)]
    }


@pytest.mark.parametrize(
    ("subject", "needed"),
    [
        ("gantry-cert256 for sb-app-21", "2028-02-09"),
        ("derrick-cert256 for op-app-09", "2028-03-23"),
        ("bollard-cert256 for nq-app-25", "2028-04-05"),
    ],
)
def test_same_day_import_is_a_warning_and_refuses_nothing(
    draft: Run, subject: str, needed: str
) -> None:
    found = finding_of(draft, "deadline-same-day", needed, subject)
    assert found.severity is Severity.WARNING
    assert refused_of(draft, subject.rsplit(maxsplit=1)[-1]) == {}


def test_window_a_client_is_upgraded_on_a_day_outside_its_sites_window(draft: Run) -> None:
    found = finding_of(draft, "outside-window", "2028-02-11", "upgrade-client op-file-15")
    assert "Friday" in found.what
    assert "Tue, Thu" in found.what


# --- the draft as a whole -------------------------------------------------------------------------


def test_the_draft_refuses_41_sessions_and_20_of_them_until_the_end(draft: Run) -> None:
    stretches = refused(draft)
    assert len(stretches) == 41
    assert sum(own[-1][1] == "2028-07-03" for own in stretches.values()) == 20
    assert draft.measures.refused_session_days == 5131
    reasons = Counter(reason for own in stretches.values() for _, _, reason in own)
    assert reasons == {
        Reason.STRICT_ACCOUNT: 16,
        Reason.WRONG_CERTIFICATE: 13,
        Reason.UNTRUSTED: 10,
        Reason.SSL_PORT: 1,
        Reason.SSL_REQUIRED_BY_CLIENT: 1,
    }


def test_every_refused_session_is_named_by_an_error_of_its_first_day(draft: Run) -> None:
    errors = [row for row in draft.findings if row.severity is Severity.ERROR]
    for session, own in refused(draft).items():
        client = session.split(" -> ", maxsplit=1)[0]
        for begin, _, _ in own:
            named = [row for row in errors if client in f"{row.subject} {row.what}"]
            assert begin in {iso(row.day) for row in named}, session


def mistakes_of_the_readme() -> list[tuple[str, str, str]]:
    """Return finding, day and subject of each row of the table of mistakes."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    section = text.split("### The mistakes in the first draft\n")[1].split("\n## ")[0]
    row = re.compile(
        r"^\| [\w-]+ \| ([\w-]+) \| (\d{4}-\d{2}-\d{2}) \| `([^`]+)` \| ", re.MULTILINE
    )
    return [(rule, day, subject) for rule, day, subject in row.findall(section)]


def test_the_readme_lists_the_mistakes_as_the_findings_show_them(draft: Run) -> None:
    mistakes = mistakes_of_the_readme()
    assert len(mistakes) == len(set(mistakes)) == 25
    for rule, day, subject in mistakes:
        finding_of(draft, rule, day, subject)


def test_the_rest_of_the_draft_is_sound(run: Run, draft: Run) -> None:
    def faults(of: Run) -> set[tuple[str, str, str]]:
        rows = (row for row in of.findings if row.severity is not Severity.NOTE)
        return {(row.rule, iso(row.day), row.subject) for row in rows}

    assert faults(draft) - faults(run) - set(mistakes_of_the_readme()) == {
        ("shared-account-lockout", "2027-02-02", "ops-desk on chandler"),
        ("shared-account-lockout", "2027-02-02", "ops-desk on derrick"),
        ("shared-account-lockout", "2027-04-15", "op-scada-05 on derrick"),
        (
            "option-unknown-to-client",
            "2027-07-28",
            "set-option nq-file-07 SSLACCEPTCERTFROMSERV",
        ),
        ("import-without-trust", "2027-10-11", "import-certificate lh-app-43 nordkai-issuing-1"),
        ("encryption-not-reached", "2027-11-10", "sb-customs-03 -> mooring as sb-customs-03"),
        *(
            ("deadline-missing", "2027-09-14", f"pipeline-cert256 for op-hmi-{number:02d}")
            for number in range(2, 11)
        ),
    }


def test_the_bollard_upgrade_is_ten_weeks_later_than_in_the_fleets_own_plan(
    run: Run, draft: Run
) -> None:
    own, drafted = upgrade_days(run), upgrade_days(draft)
    assert day_of(drafted["bollard"]) - day_of(own["bollard"]) == 70


# --- the golden findings --------------------------------------------------------------------------


def test_the_findings_of_the_draft_are_the_golden_ones() -> None:
    assert_golden("first_draft_findings.csv")


@pytest.mark.parametrize("name", TABLES)
def test_the_golden_helper_fails_on_a_change_of_one_value(name: str) -> None:
    table = table_of(name)
    assert differing_rows(table, text_of(table)) == []
    for place in (0, len(table) // 2, len(table) - 1):
        edited = table.astype(object)
        edited.iloc[place, 1] = "another value"
        rows = differing_rows(edited, text_of(table))
        assert [row[0] for row in rows] == ["-", "+"]
        assert "another value" in rows[1]
        with pytest.raises(AssertionError, match="another value"):
            assert_golden(name, edited)


@pytest.mark.parametrize("name", TABLES)
def test_the_golden_helper_fails_on_a_lost_row_and_on_a_further_one(name: str) -> None:
    table = table_of(name)
    with pytest.raises(AssertionError, match="differs in 1 rows"):
        assert_golden(name, table.iloc[1:])
    with pytest.raises(AssertionError, match="differs in 1 rows"):
        assert_golden(name, pd.concat([table, table.iloc[-1:]]))
