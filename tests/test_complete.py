"""Laws of completing: what is added, on which day, and that nothing else changes."""

import random
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from planner.domain.calendar import NEVER, iso, monday_of, to_date
from planner.domain.fleet import Fleet, SessionKind
from planner.domain.plan import Action, Plan, PlannedAction
from planner.domain.rules import VERDICTS, Mode, Reason, Verdict
from planner.engine.complete import complete
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.findings import check
from planner.engine.review import Refusals, Review
from planner.engine.timeline import simulate
from planner.inventory.fleet_folder import read_fleet
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case, Row
from tests.strategies import random_case

DATA = Path(__file__).parent.parent / "data"
NEW = "8.1.13"
UPGRADES = (
    Action.UPGRADE_SERVER,
    Action.UPGRADE_CLIENT,
    Action.INSTALL_CLIENT,
    Action.RETIRE_CLIENT,
)
DISTRIBUTED = (SessionKind.SERVER, SessionKind.LIBRARY, SessionKind.STORAGE_AGENT)


def added(plan: Plan) -> list[PlannedAction]:
    """Return what completing adds to a plan."""
    known = set(plan.rows())
    return [row for row in complete(plan).rows() if row not in known]


def texts(rows: list[PlannedAction]) -> list[str]:
    """Return actions as 'MM-DD action client ...'."""
    return [
        " ".join(
            part
            for part in (
                iso(row.day)[5:],
                row.action.label,
                row.client,
                row.server,
                row.key_database,
                row.certificate,
                row.option,
                row.value,
            )
            if part
        )
        for row in rows
    ]


def wants_trust(plan: Plan) -> tuple[Refusals, list[int], Deadlines]:
    """Return the refusals of a plan, those for want of trust among them, and its deadlines."""
    found = deadlines(simulate(plan))
    refusals = Review(found).refusals
    rows = np.flatnonzero(refusals.because_of(Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE))
    return refusals, rows.tolist(), found


def upgrades_only(seed: int) -> Plan:
    """Return a random plan of upgrades, installations and retirements alone."""
    with tempfile.TemporaryDirectory() as folder:
        plan = read_case(random_case(random.Random(seed)), Path(folder))
    kept = [row for row in plan.rows() if row.action in UPGRADES]
    return Plan.of(plan.fleet, kept)


# --- Use cases -----------------------------------------------------------------------------------


def one(
    *plan: Row,
    server_level: str = "8.1.0",
    client_level: str = "8.1.0",
    certificates: tuple[Row, ...] = (),
    held: tuple[str, ...] = (),
    **cells: str,
) -> Case:
    """Build one client with one session to one server."""
    return case(
        servers=[server("SRV1", server_level, tcpport="1500", ssltcpport="1543")],
        clients=[client("BA01", client_level)],
        sessions=[session("BA01", "SRV1", **cells)],
        certificates=certificates,
        trust=[trust("BA01", name) for name in held],
        plan=plan,
    )


SERVER_UP = action("2025-03-12", "upgrade-server", server="SRV1", value=NEW)
CLIENT_UP = action("2025-03-19", "upgrade-client", client="BA01", value=NEW)
INSTALL = action("2025-03-19", "install-client", client="BA01", value=NEW)
REFUSE = "03-19 set-option BA01 SSLACCEPTCERTFROMSERV No"


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (one(SERVER_UP, CLIENT_UP), ["03-12 import-certificate BA01 default SRV1", REFUSE]),
        (one(SERVER_UP, CLIENT_UP, ssl="Yes", held=("SRV1",)), []),
        (
            one(SERVER_UP, CLIENT_UP, ssl="Yes", held=("SRV1",), sslacceptcertfromserv="Yes"),
            [REFUSE],
        ),
        (one(CLIENT_UP), [REFUSE]),
        (one(CLIENT_UP, ssl="Yes", tcpport="1543", held=("SRV1",)), []),
        (
            one(INSTALL, server_level=NEW, client_level=""),
            ["03-12 import-certificate BA01 default SRV1", REFUSE],
        ),
        (
            one(INSTALL, client_level="", ssl="Yes", tcpport="1543"),
            ["03-12 import-certificate BA01 default SRV1", REFUSE],
        ),
        (one(INSTALL, client_level=""), [REFUSE]),
    ],
    ids=["1", "2", "2-accepting", "3", "4", "6", "7", "8"],
)
def test_each_use_case_gets_what_it_demands(
    tmp_path: Path, built: Case, expected: list[str]
) -> None:
    assert texts(added(read_case(built, tmp_path))) == expected


def test_an_option_of_some_sessions_is_not_yet_one_of_every_stanza(tmp_path: Path) -> None:
    option = action(
        "2025-03-19", "set-option", client="BA01", option="SSLACCEPTCERTFROMSERV", value="No"
    )
    of_account = read_case(one(SERVER_UP, CLIENT_UP, {**option, "account": "BA01"}), tmp_path)
    assert REFUSE in texts(added(of_account))
    of_all = read_case(one(SERVER_UP, CLIENT_UP, option), tmp_path / "all")
    assert REFUSE not in texts(added(of_all))


def test_what_is_added_stands_in_no_file_and_says_why(tmp_path: Path) -> None:
    built = one(SERVER_UP, CLIENT_UP, encrypt_data="Yes")
    built.servers.append(server("SRV2"))
    built.sessions.append(session("BA01", "SRV2"))
    rows = added(read_case(built, tmp_path))
    assert {(row.file, row.line) for row in rows} == {("", 0)}
    assert [row.note for row in rows] == [
        "needed on 2025-03-19",
        "use case 1, 3: in every stanza, before the first session",
        "object data must be encrypted; both ends are new from this day on",
    ]


def test_use_case_5_gets_one_import_for_each_server_and_one_option_for_all(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1"), server("SRV2")],
        clients=[client("BA01")],
        sessions=[session("BA01", "SRV1"), session("BA01", "SRV2")],
        plan=[
            action("2025-03-10", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-17", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-24", "upgrade-server", server="SRV2", value=NEW),
        ],
    )
    assert texts(added(read_case(built, tmp_path))) == [
        "03-10 import-certificate BA01 default SRV1",
        "03-10 set-option BA01 SSLACCEPTCERTFROMSERV No",
        "03-17 import-certificate BA01 default SRV2",
    ]


def test_a_client_that_was_new_and_accepts_certificates_refuses_them_from_the_first_day(
    tmp_path: Path,
) -> None:
    built = one(SERVER_UP, client_level=NEW, sslacceptcertfromserv="Yes")
    assert texts(added(read_case(built, tmp_path / "a"))) == [
        "03-03 set-option BA01 SSLACCEPTCERTFROMSERV No",
        "03-05 import-certificate BA01 default SRV1",
    ]
    built = one(SERVER_UP, client_level=NEW)
    assert texts(added(read_case(built, tmp_path / "b"))) == [
        "03-05 import-certificate BA01 default SRV1"
    ]


@pytest.mark.parametrize("first", ["server", "client"])
def test_ssl_yes_waits_until_both_ends_are_new(tmp_path: Path, first: str) -> None:
    plan = (SERVER_UP, CLIENT_UP)
    if first == "client":
        plan = ({**SERVER_UP, "date": "2025-03-19"}, {**CLIENT_UP, "date": "2025-03-12"})
    rows = added(read_case(one(*plan, encrypt_data="Yes"), tmp_path))
    options = [row for row in rows if row.option == "SSL"]
    assert texts(options) == ["03-19 set-option BA01 SRV1 default SSL Yes"]


def test_ssl_yes_is_not_set_where_an_end_stays_old_or_it_is_set_already(tmp_path: Path) -> None:
    for number, built in enumerate(
        (
            one(SERVER_UP, encrypt_data="Yes"),
            one(SERVER_UP, CLIENT_UP, ssl="Yes", encrypt_data="Yes"),
        )
    ):
        rows = added(read_case(built, tmp_path / str(number)))
        assert "SSL" not in {row.option for row in rows}


def test_an_md5_default_gets_its_successor_before_the_server_changes(tmp_path: Path) -> None:
    md5 = (certificate("SRV1", signature="md5WithRSAEncryption"),)
    built = one(
        {**SERVER_UP, "date": "2025-03-19"},
        ssl="Yes",
        tcpport="1543",
        certificates=md5,
        held=("SRV1",),
    )
    assert texts(added(read_case(built, tmp_path))) == [
        "03-12 import-certificate BA01 default SRV1-cert256"
    ]


# --- Days of imports -----------------------------------------------------------------------------


def test_an_import_whose_latest_safe_day_is_past_is_made_on_the_first_day(tmp_path: Path) -> None:
    built = one({**SERVER_UP, "date": "2025-03-05"}, client_level=NEW)
    assert texts(added(read_case(built, tmp_path))) == [
        "03-03 import-certificate BA01 default SRV1"
    ]


def test_an_import_waits_until_the_certificate_can_be_had(tmp_path: Path) -> None:
    late = (certificate("SRV1", available="2025-03-07"),)
    built = one(SERVER_UP, client_level=NEW, certificates=late)
    assert texts(added(read_case(built, tmp_path / "a"))) == [
        "03-07 import-certificate BA01 default SRV1"
    ]
    never = (certificate("SRV1", available="2025-04-07"),)
    built = one(SERVER_UP, client_level=NEW, certificates=never)
    assert not added(read_case(built, tmp_path / "b"))


def test_no_import_can_complete_a_chain_without_root(tmp_path: Path) -> None:
    loose = (certificate("SRV1", kind="leaf"),)
    assert not added(read_case(one(SERVER_UP, client_level=NEW, certificates=loose), tmp_path))


def test_an_import_follows_the_removal_that_would_undo_it(tmp_path: Path) -> None:
    removal = action("2025-03-07", "remove-certificate", client="BA01", certificate="SRV1")
    built = one(SERVER_UP, removal, client_level=NEW)
    plan = read_case(built, tmp_path / "a")
    assert texts(added(plan)) == ["03-08 import-certificate BA01 default SRV1"]
    assert not added(complete(plan))
    other = action("2025-03-07", "remove-certificate", client="BA01", certificate="other")
    plan = read_case(one(SERVER_UP, other, client_level=NEW), tmp_path / "b")
    assert texts(added(plan)) == ["03-05 import-certificate BA01 default SRV1"]


def crowd(n: int, limit: int, **cells: object) -> Case:
    """Build new clients whose server is upgraded on Wednesday 26 March: latest safe the 19th."""
    built = case(
        servers=[server("SRV1")],
        clients=[client(f"BA{number:02d}", NEW) for number in range(n)],
        sessions=[session(f"BA{number:02d}", "SRV1") for number in range(n)],
        plan=[{**SERVER_UP, "date": "2025-03-26"}],
        **cells,  # type: ignore[arg-type] # each is one of the tables that `case` takes
    )
    built.toml["capacity"] = {"imports_per_week": limit}
    return built


def import_days(plan: Plan) -> Counter[str]:
    """Return the count of imports of each day."""
    imports = plan.day[plan.action == Action.IMPORT_CERTIFICATE]
    return Counter(iso(day)[5:] for day in imports)


def test_imports_spread_over_the_weeks_before(tmp_path: Path) -> None:
    plan = complete(read_case(crowd(7, 3), tmp_path))
    assert import_days(plan) == {"03-19": 3, "03-14": 3, "03-07": 1}


def test_imports_that_no_week_can_take_stay_on_their_latest_day(tmp_path: Path) -> None:
    plan = complete(read_case(crowd(11, 3), tmp_path))
    assert import_days(plan) == {"03-19": 5, "03-14": 3, "03-07": 3}


def test_spread_imports_keep_out_of_freezes_and_days_off(tmp_path: Path) -> None:
    frozen = crowd(5, 2, freezes=[("2025-03-10", "2025-03-17")], holidays=["2025-03-07"])
    plan = complete(read_case(frozen, tmp_path))
    assert import_days(plan) == {"03-19": 3, "03-06": 2}


def test_spread_imports_wait_for_their_certificate(tmp_path: Path) -> None:
    late = crowd(5, 2, certificates=[certificate("SRV1", available="2025-03-15")])
    # The 15th is a Saturday: no week before that of the 19th is open to them.
    assert import_days(complete(read_case(late, tmp_path))) == {"03-19": 5}


def test_a_week_that_is_all_frozen_lends_no_day_of_the_week_before(tmp_path: Path) -> None:
    frozen = crowd(
        5,
        2,
        freezes=[("2025-03-10", "2025-03-17")],
        working_days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    )
    assert import_days(complete(read_case(frozen, tmp_path))) == {"03-21": 3, "03-09": 2}


def test_a_removal_elsewhere_delays_no_import(tmp_path: Path) -> None:
    elsewhere = crowd(2, 9)
    assert elsewhere.plan is not None
    removal = action("2025-03-24", "remove-certificate", client="BA01", certificate="SRV1")
    elsewhere.plan.append(removal)
    plan = complete(read_case(elsewhere, tmp_path))
    imports = plan.where(action="import-certificate")
    days = {plan.row(row).client: iso(int(plan.day[row])) for row in imports.tolist()}
    assert days == {"BA00": "2025-03-19", "BA01": "2025-03-25"}


def test_an_option_that_one_client_has_already_is_given_to_the_next(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1")],
        clients=[client("BA01"), client("BA02")],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            *(
                action("2025-03-17", "upgrade-client", client=name, value=NEW)
                for name in ("BA01", "BA02")
            ),
            action(
                "2025-03-17",
                "set-option",
                client="BA01",
                option="SSLACCEPTCERTFROMSERV",
                value="No",
            ),
        ],
    )
    plan = complete(read_case(built, tmp_path))
    rows = plan.where(option="SSLACCEPTCERTFROMSERV").tolist()
    assert [plan.row(row).client for row in rows] == ["BA01", "BA02"]


def test_the_note_of_an_option_names_its_use_cases(tmp_path: Path) -> None:
    plan = complete(read_case(one(SERVER_UP, CLIENT_UP), tmp_path))
    (row,) = plan.where(option="SSLACCEPTCERTFROMSERV").tolist()
    assert plan.row(row).note == "use case 1: in every stanza, before the first session"


def test_imports_that_are_planned_already_take_room(tmp_path: Path) -> None:
    built = crowd(2, 2)
    assert built.plan is not None
    built.plan.extend(
        action("2025-03-18", "import-certificate", client="BA00", certificate=name)
        for name in ("one", "two")
    )
    plan = complete(read_case(built, tmp_path))
    assert import_days(plan) == {"03-18": 2, "03-14": 2}


# --- Laws ----------------------------------------------------------------------------------------

seeds = st.integers(min_value=0, max_value=2**32 - 1)
law = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@law
@given(seeds)
def test_completing_changes_nothing_that_is_planned_and_is_done_once(seed: int) -> None:
    plan = upgrades_only(seed)
    completed = complete(plan)
    assert Counter(plan.rows()) <= Counter(completed.rows())
    assert list(complete(completed).rows()) == list(completed.rows())


@law
@given(seeds)
@example(7)
def test_a_completed_plan_refuses_nobody_for_want_of_trust(seed: int) -> None:
    plan = complete(upgrades_only(seed))
    refusals, rows, found = wants_trust(plan)
    # What no import cures, and what trust.csv itself has too late, is left to `check`.
    excused = {
        (database, anchor)
        for database, anchor, verdict, is_complete in zip(
            found.key_database().tolist(),
            found.anchor.tolist(),
            found.verdict.tolist(),
            found.timeline.compiled.is_complete[found.anchor].tolist(),
            strict=True,
        )
        if VERDICTS[verdict] in (Verdict.IMPOSSIBLE, Verdict.LATE) or not is_complete
    }
    trusting = Review(deadlines(simulate(trusting_everything(plan, found)))).refusals
    for row in rows:
        session, day = int(refusals.session[row]), int(refusals.start[row])
        key = (int(plan.fleet.sessions.key_database[session]), int(refusals.anchor[row]))
        # Or the session would be refused with all trust in the world, say before its server's
        # certificate is valid.
        hopeless = (trusting.session == session) & (trusting.start <= day) & (day < trusting.end)
        assert key in excused or hopeless.any()


def trusting_everything(plan: Plan, found: Deadlines) -> Plan:
    """Return a plan with every anchor in every key database from the first day on."""
    fleet, names = plan.fleet, found.timeline.compiled.certificates.name
    databases = fleet.key_databases
    return plan.with_actions(
        PlannedAction(
            day=fleet.start,
            action=Action.IMPORT_CERTIFICATE,
            client=fleet.endpoint_name(int(databases.endpoint[database])),
            key_database=databases.name[database],
            certificate=name,
        )
        for database in range(len(databases))
        for name in names
    )


@law
@given(seeds)
def test_imports_keep_the_days_that_they_must(seed: int) -> None:
    plan = upgrades_only(seed)
    fleet, completed = plan.fleet, complete(plan)
    found = deadlines(simulate(completed))
    opens, safe = found.opens(), found.latest_safe
    for row in range(len(found)):
        planned = int(found.planned[row])
        if planned == NEVER or found.has_verdict(Verdict.IN_PLACE)[row]:
            continue
        own = completed.where(action="import-certificate", date=iso(planned))
        if not len(own):
            continue  # trust.csv has it later
        assert fleet.start <= planned < fleet.end
        assert planned >= opens[row]
        assert planned == max(int(safe[row]), fleet.start, int(opens[row]))


def _room_before(fleet: Fleet, row: PlannedAction, weeks: Counter[int], opens: int) -> list[int]:
    """Return earlier weeks with room, open to an import."""
    limit = fleet.capacity.imports_per_week
    assert limit is not None
    return [
        week
        for week in range(monday_of(max(opens, fleet.start)), monday_of(row.day), 7)
        if weeks[week] < limit
        and any(
            fleet.calendar.is_open(day) for day in range(max(week, opens, fleet.start), week + 7)
        )
    ]


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("seed", range(8))
def test_no_week_is_over_capacity_while_an_earlier_one_has_room(
    tmp_path: Path, seed: int, limit: int
) -> None:
    rng = random.Random(seed)
    built = case(
        servers=[server(f"SRV{n}") for n in range(6)],
        clients=[client(f"BA{n}", NEW) for n in range(8)],
        sessions=[session(f"BA{n}", f"SRV{k}") for n in range(8) for k in range(6)],
        certificates=[
            certificate(f"SRV{n}", available=f"2025-03-{rng.randint(1, 28):02d}") for n in range(6)
        ],
        plan=[
            action(
                to_date(20150 + rng.randint(10, 70)).isoformat(),
                "upgrade-server",
                server=f"SRV{n}",
                value=NEW,
            )
            for n in range(6)
        ],
        end="2025-06-30",
        freezes=[("2025-03-12", "2025-03-20")],
    )
    built.toml["capacity"] = {"imports_per_week": limit}
    plan = complete(read_case(built, tmp_path))
    fleet = plan.fleet
    weeks = Counter(monday_of(row.day) for row in plan.rows() if row.certificate)
    found = deadlines(simulate(plan))
    opens = dict(
        zip(
            (found.timeline.compiled.certificates.name[anchor] for anchor in found.anchor),
            found.opens().tolist(),
            strict=True,
        )
    )
    for row in plan.rows():
        if row.certificate and weeks[monday_of(row.day)] > limit:
            assert not _room_before(fleet, row, weeks, opens[row.certificate])


# --- Deleting one import -------------------------------------------------------------------------


def refused_by_deleting(plan: Plan, row: int) -> tuple[set[int], set[int], int]:
    """Return the sessions refused without an import, those expected to be, and the first day."""
    fleet, planned = plan.fleet, plan.row(row)
    found = deadlines(simulate(plan))
    database = next(
        number
        for number in fleet.key_databases_of_endpoint.of(fleet.find_endpoint(planned.client))
        if fleet.key_databases.name[number] == planned.key_database
    )
    anchor = found.timeline.compiled.certificates.name.index(planned.certificate)
    (of_row,) = np.flatnonzero((found.key_database() == database) & (found.anchor == anchor))
    pairs, sessions = found.needing()
    expected = set(sessions[pairs == of_row].tolist())
    refusals, rows, _ = wants_trust(plan.without(np.array([row], dtype=np.int32)))
    first = min((int(refusals.start[r]) for r in rows), default=NEVER)
    assert first in (NEVER, int(found.needed[of_row]))
    return {int(refusals.session[r]) for r in rows}, expected, first


def check_deletion(plan: Plan, row: int) -> None:
    """Check that deleting an import refuses exactly the sessions that need it."""
    kinds = plan.fleet.sessions.kind
    refused, expected, _ = refused_by_deleting(plan, row)
    alone = {session for session in expected if kinds[session] not in DISTRIBUTED}
    if alone == expected:
        assert refused == expected
        return
    without = plan.without(np.array([row], dtype=np.int32))
    assert refused <= expected
    assert check(simulate(without)).of("automatic-distribution").rows


@pytest.fixture(scope="module")
def eight_cases() -> Plan:
    return complete(read_fleet(DATA / "eight-cases").draft_plan())


@pytest.fixture(scope="module")
def harbour() -> Plan:
    return complete(read_fleet(DATA / "harbour").draft_plan())


def test_the_completed_eight_cases_refuse_nobody(eight_cases: Plan) -> None:
    timeline = simulate(eight_cases)
    assert Mode.REFUSED not in timeline.mode()
    assert not check(timeline).has_errors


def test_deleting_any_import_of_the_eight_cases_refuses_those_that_need_it(
    eight_cases: Plan,
) -> None:
    imports = eight_cases.where(action="import-certificate")
    assert len(imports)
    for row in imports.tolist():
        refused, expected, first = refused_by_deleting(eight_cases, row)
        assert refused == expected
        assert refused
        assert first != NEVER


def test_an_import_one_day_after_it_is_needed_refuses_its_sessions(eight_cases: Plan) -> None:
    for row in eight_cases.where(action="import-certificate").tolist():
        found = deadlines(simulate(eight_cases))
        planned = eight_cases.row(row)
        needed = next(
            int(found.needed[k])
            for k, anchor in enumerate(found.anchor)
            if found.timeline.compiled.certificates.name[anchor] == planned.certificate
            and eight_cases.fleet.endpoint_name(int(found.endpoint()[k])) == planned.client
        )
        one_row = np.array([row], dtype=np.int32)
        in_time = wants_trust(eight_cases.moved(one_row, needed))[1]
        refusals, late, _ = wants_trust(eight_cases.moved(one_row, needed + 1))
        assert not in_time
        assert {(int(refusals.start[r]), int(refusals.end[r])) for r in late} == {
            (needed, needed + 1)
        }


def test_deleting_imports_of_the_harbour_refuses_those_that_need_them(harbour: Plan) -> None:
    imports = harbour.where(action="import-certificate")
    for row in random.Random(8).sample(imports.tolist(), 60):
        check_deletion(harbour, row)
