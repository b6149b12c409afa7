"""The primary document, sentence by sentence, on the completed plan of data/eight-cases.

The document is "Configuring the client without automatic certificate distribution". A test is
named after what its sentence says; its docstring is the sentence. Steps of use cases 1, 3, 5, 7
and 8 that are lost from the document and known from its sister pages are marked "Recovered".
"""

import numpy as np
import pytest

import planner
from planner.cli import main
from planner.domain.calendar import ALWAYS, iso
from planner.domain.findings import Severity
from planner.domain.fleet import Authentication, Fleet
from planner.domain.levels import Era
from planner.domain.options import OPTIONS, SSL, SSLACCEPTCERTFROMSERV, SSLREQUIRED
from planner.domain.plan import Action, Plan, PlannedAction
from planner.domain.rules import RULES, Mode, Reason, Rule
from planner.engine.timeline import Timeline
from planner.engine.use_cases import use_cases
from planner.reporting.run import Run
from tests.builders import day as day_of
from tests.golden.tables import DATA, assert_golden, eight_cases

FIRST_DAY = "2027-03-01"
LAST_DAY = "2027-08-01"
SERVER_NEW = {
    "server-first": "2027-04-13",
    "server-later": "2027-06-08",
    "server-last": "2027-06-22",
    "server-ldap": "2027-07-13",
    "server-new": FIRST_DAY,
}
"""First day of the plan on which each server is new."""

# --- reading the result ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run() -> Run:
    return eight_cases()


def session_of(fleet: Fleet, client: str, server: str) -> int:
    endpoint, number = fleet.find_endpoint(client), fleet.servers.name.find(server)
    rows = (fleet.sessions.client == endpoint) & (fleet.sessions.server == number)
    (session,) = np.flatnonzero(rows)
    return int(session)


def rule_on(timeline: Timeline, client: str, server: str, day: str) -> Rule:
    session = session_of(timeline.plan.fleet, client, server)
    return RULES[int(timeline.rule_on(day_of(day))[session])]


def mode_on(timeline: Timeline, client: str, server: str, day: str) -> Mode:
    return rule_on(timeline, client, server, day).mode


def history(timeline: Timeline, client: str, server: str) -> list[str]:
    """Return a session's segments as `first day, mode, TLS level, rule`."""
    session = session_of(timeline.plan.fleet, client, server)
    rows = range(timeline.first[session], timeline.first[session + 1])
    rules = [RULES[timeline.rule[row]] for row in rows]
    return [
        " ".join(
            part for part in (iso(timeline.day[row]), rule.mode.label, rule.tls, rule.id) if part
        )
        for row, rule in zip(rows, rules, strict=True)
    ]


def refusal(timeline: Timeline, client: str, server: str) -> list[tuple[str, str, Reason]]:
    """Return the stretches in which a session is refused: first day, first day after, reason."""
    session = session_of(timeline.plan.fleet, client, server)
    until = timeline.until()
    return [
        (iso(timeline.day[row]), iso(until[row]), RULES[timeline.rule[row]].reason)
        for row in range(timeline.first[session], timeline.first[session + 1])
        if RULES[timeline.rule[row]].mode is Mode.REFUSED
    ]


def steps(plan: Plan, client: str) -> list[str]:
    """Return what a plan does to a client: `day action` and what it is about."""
    return [
        " ".join(
            part
            for part in (
                iso(row.day),
                row.action.label,
                row.certificate,
                row.option,
                row.value,
                f"for {row.server}" if row.server else "",
            )
            if part
        )
        for row in plan.rows()
        if row.client == client
    ]


def deadline(run: Run, client: str, certificate: str) -> dict[str, str]:
    """Return the one row of trust_deadlines.csv of a client and an anchor."""
    table = run.deadlines.to_frame().astype(object).fillna("").astype(str)
    chosen = table[(table["client"] == client) & (table["certificate"] == certificate)]
    (row,) = chosen.to_dict("records")
    return {str(name): str(cell) for name, cell in row.items()}


def commands(run: Run, client: str, action: str) -> list[str]:
    table = planner.schedule(run.plan)
    chosen = (table["client"] == client) & (table["action"] == action)
    return [str(command) for command in table.loc[chosen, "command"]]


def case_of(run: Run, client: str, server: str) -> int:
    return int(use_cases(run.timeline)[session_of(run.fleet, client, server)])


def clients_of_case(run: Run, number: int) -> list[str]:
    sessions = np.flatnonzero(use_cases(run.timeline) == number)
    return [
        f"{run.fleet.endpoint_name(int(run.fleet.sessions.client[session]))} -> "
        f"{run.fleet.servers.name[int(run.fleet.sessions.server[session])]}"
        for session in sessions
    ]


def same_states(ours: Timeline, theirs: Timeline) -> bool:
    return all(
        np.array_equal(getattr(ours, column), getattr(theirs, column))
        for column in ("first", "day", "rule")
    )


# --- changing the plan ----------------------------------------------------------------------------


def changed(plan: Plan, *actions: PlannedAction) -> Timeline:
    return planner.simulate(plan.with_actions(actions))


def setting(day: str, client: str, option: str, value: str, server: str = "") -> PlannedAction:
    return PlannedAction(
        day=day_of(day),
        action=Action.SET_OPTION,
        client=client,
        server=server,
        option=option,
        value=value,
    )


def everywhere(fleet: Fleet, option: str, value: str, *, once_new: bool) -> list[PlannedAction]:
    """Set an option of every session, on the first day or on that on which its server is new."""
    pairs = zip(fleet.sessions.client, fleet.sessions.server, strict=True)
    return [
        setting(
            SERVER_NEW[fleet.servers.name[server]] if once_new else FIRST_DAY,
            fleet.endpoint_name(int(client)),
            option,
            value,
            fleet.servers.name[server],
        )
        for client, server in pairs
    ]


def removal(day: str, client: str, certificate: str) -> PlannedAction:
    return PlannedAction(
        day=day_of(day),
        action=Action.REMOVE_CERTIFICATE,
        client=client,
        certificate=certificate,
    )


def without_imports(plan: Plan, client: str) -> Plan:
    rows = plan.where(action="import-certificate", client=client)
    assert len(rows)
    return plan.without(rows)


# --- the scenario ---------------------------------------------------------------------------------


def test_the_scenario_is_about_clients_without_automatic_distribution(run: Run) -> None:
    """This scenario details the configuration options that impact the security of the client when
    automatic distribution of certificates from the server is not acceptable.
    """
    assert not run.fleet.automatic_distribution
    assert len(run.timeline.distributed.day) == 0
    assert not (run.fleet.sessions.options & SSLACCEPTCERTFROMSERV.mask).any()


def test_automatic_distribution_does_not_work_with_ldap_authentication(run: Run) -> None:
    """Automatic distribution of certificates from the server is not acceptable if the server is
    configured to use LDAP authentication [...]
    """
    accounts, session = run.fleet.accounts, session_of(run.fleet, "uc7-ldap", "server-ldap")
    assert run.fleet.servers.ldap[run.fleet.servers.name.find("server-ldap")]
    account = run.fleet.sessions.account[session]
    assert accounts.authentication[account] == Authentication.OF_SERVER
    timeline = changed(
        run.plan,
        removal("2027-07-13", "uc7-ldap", "company-root"),
        setting("2027-07-13", "uc7-ldap", "SSLACCEPTCERTFROMSERV", "Yes"),
    )
    assert (
        rule_on(timeline, "uc7-ldap", "server-ldap", "2027-07-13").id == "both-new.untrusted-ldap"
    )
    assert refusal(timeline, "uc7-ldap", "server-ldap") == [
        ("2027-07-13", "2027-08-02", Reason.UNTRUSTED)
    ]


def test_automatic_distribution_of_a_ca_signed_certificate_is_an_error(run: Run) -> None:
    """[...] or it is necessary that certificates are signed by a certificate authority."""
    plan = without_imports(run.plan, "uc3-client-first").with_actions(
        [setting("2027-04-06", "uc3-client-first", "SSLACCEPTCERTFROMSERV", "Yes")]
    )
    timeline = planner.simulate(plan)
    (finding,) = planner.check(timeline).of("automatic-distribution")
    assert finding.severity is Severity.ERROR
    assert (iso(finding.day), finding.subject) == (
        "2027-06-08",
        "uc3-client-first -> server-later as uc3-client-first",
    )
    assert mode_on(timeline, "uc3-client-first", "server-later", "2027-06-08") is Mode.TLS_PARTIAL


def test_every_other_option_keeps_its_default(run: Run) -> None:
    """Note: In this scenario, you can accept the default values for most of the session-security
    options, except for the SSLACCEPTCERTFROMSERV option.
    """
    options = run.fleet.sessions.options
    assert not (options & ~np.uint16(SSL.mask)).any()
    changes = {(row.option, row.value) for row in run.plan.rows() if row.option}
    assert changes == {("SSLACCEPTCERTFROMSERV", "No"), ("SSL", "Yes")}
    wants_ssl = {row.client for row in run.plan.rows() if row.option == "SSL"}
    assert wants_ssl == {
        run.fleet.endpoint_name(int(client))
        for client in run.fleet.sessions.client[run.fleet.sessions.encrypt_data]
    }


# --- client options -------------------------------------------------------------------------------


def test_sslrequired_default_keeps_connections_to_old_servers_and_moves_to_tls(run: Run) -> None:
    """SSLREQUIRED. The default value Default enables existing session-security connections to
    servers earlier than V8.1.2, and automatically configures the client to securely connect to a
    V8.1.2 or newer server by using TLS for authentication.
    """
    assert SSLREQUIRED.default == "Default"
    for client, before, after in (
        ("uc3-client-first", Mode.PLAINTEXT, Mode.TLS_PARTIAL),
        ("uc4-client-first-ssl", Mode.LEGACY_SSL, Mode.TLS_FULL),
    ):
        assert mode_on(run.timeline, client, "server-later", "2027-06-07") is before
        assert mode_on(run.timeline, client, "server-later", "2027-06-08") is after
    required = changed(run.plan, setting(FIRST_DAY, "uc3-client-first", "SSLREQUIRED", "Yes"))
    assert refusal(required, "uc3-client-first", "server-later") == [
        (FIRST_DAY, "2027-06-08", Reason.SSL_REQUIRED_BY_CLIENT)
    ]


def test_sslacceptcertfromserv_no_accepts_no_self_signed_certificate_unseen(run: Run) -> None:
    """SSLACCEPTCERTFROMSERV. Set this value to No to ensure that the client does not automatically
    accept a self-signed public certificate from the server when the client first connects to a
    V8.1.2 or later server.
    """
    plan = without_imports(run.plan, "uc1-server-first")
    refused = planner.simulate(plan)
    assert rule_on(refused, "uc1-server-first", "server-first", "2027-05-04").id == (
        "both-new.untrusted-not-accepted"
    )
    assert len(refused.distributed.day) == 0
    accepted = changed(
        plan, setting("2027-05-04", "uc1-server-first", "SSLACCEPTCERTFROMSERV", "Yes")
    )
    assert rule_on(accepted, "uc1-server-first", "server-first", "2027-05-04").id == (
        "both-new.automatic-tls-partial-3"
    )
    assert [iso(day) for day in accepted.distributed.day] == ["2027-05-04"]


def test_ssl_no_encrypts_nothing_with_an_old_server(run: Run) -> None:
    """SSL. The default value No indicates that encryption is not used when data is transferred
    between the client and a server earlier than V8.1.2.
    """
    assert SSL.default == "No"
    for client, server, day in (
        ("uc1-server-first", "server-first", "2027-04-12"),
        ("uc3-client-first", "server-later", "2027-06-07"),
        ("uc5-many-servers-plain", "server-last", "2027-06-21"),
        ("uc8-new-install", "server-later", "2027-06-07"),
    ):
        rule = rule_on(run.timeline, client, server, day)
        assert (rule.mode, rule.tls, rule.id) == (Mode.PLAINTEXT, "", "old-server.plaintext")


def test_ssl_no_leaves_object_data_clear_with_a_new_server(run: Run) -> None:
    """When the client connects to a V8.1.2 or later server, the default value No indicates that
    object data is not encrypted.
    """
    for client, server, day in (
        ("uc1-server-first", "server-first", "2027-05-04"),
        ("uc3-client-first", "server-later", "2027-06-08"),
        ("uc6-new-install", "server-new", "2027-04-07"),
    ):
        assert mode_on(run.timeline, client, server, day) is Mode.TLS_PARTIAL
    unset = planner.simulate(run.plan.without(run.plan.where(option="SSL")))
    clear = planner.check(unset).of("encryption-not-reached")
    assert {row.subject.split(" -> ")[0] for row in clear} == {
        "uc1-encrypt", "uc3-encrypt", "uc5-many-servers", "uc6-encrypt", "uc8-encrypt"
    }  # fmt: skip


def test_everything_but_object_data_is_encrypted_with_a_new_server(run: Run) -> None:
    """All other information is encrypted, when the client communicates with the server."""
    for client, server, day in (
        ("uc1-server-first", "server-first", "2027-05-04"),
        ("uc3-client-first", "server-later", "2027-06-08"),
        ("uc6-new-install", "server-new", "2027-04-07"),
    ):
        rule = rule_on(run.timeline, client, server, day)
        assert rule.tls == "TLS 1.3"
        assert "encrypts everything but object data (SSL No)" in rule.sentence


def test_ssl_yes_encrypts_all_information_with_a_new_server(run: Run) -> None:
    """When the client connects to a V8.1.2 or later server, the value Yes indicates that SSL is
    used to encrypt all information, including object data, when the client communicates with the
    server.
    """
    for client, server, day in (
        ("uc1-encrypt", "server-first", "2027-05-12"),
        ("uc2-server-first-ssl", "server-first", "2027-05-11"),
        ("uc3-encrypt", "server-later", "2027-06-08"),
        ("uc7-ldap", "server-ldap", "2027-07-13"),
    ):
        rule = rule_on(run.timeline, client, server, day)
        assert (rule.mode, rule.id) == (Mode.TLS_FULL, "both-new.tls-full-3")
        assert "encrypts everything (SSL Yes)" in rule.sentence


def test_sslfipsmode_no_needs_no_fips_library_and_changes_no_state(run: Run) -> None:
    """SSLFIPSMODE. The default value No indicates that a Federal Information Processing Standards
    (FIPS) certified SSL library is not needed.
    """
    (fips,) = (option for option in OPTIONS if option.name == "SSLFIPSMODE")
    assert fips.default == "No"
    yes = changed(run.plan, *everywhere(run.fleet, "SSLFIPSMODE", "Yes", once_new=False))
    assert same_states(yes, run.timeline)


IGNORED_BY_NEW_SERVERS = (
    ("SSLDISABLELEGACYTLS", "Yes"),
    ("LANFREESSL", "Yes"),
    ("REPLSSLPORT", "1553"),
)


def test_three_options_apply_only_with_ssl_to_an_old_server(run: Run) -> None:
    """In addition, the following options apply only when the client uses SSL connections to a
    server earlier than V8.1.2.
    """
    actions = [
        action
        for option, value in IGNORED_BY_NEW_SERVERS
        for action in everywhere(run.fleet, option, value, once_new=False)
    ]
    timeline = changed(run.plan, *actions)
    differs = [
        pair
        for pair in zip(run.fleet.sessions.client, run.fleet.sessions.server, strict=True)
        if history(timeline, *_names(run.fleet, pair))
        != history(run.timeline, *_names(run.fleet, pair))
    ]
    assert [_names(run.fleet, pair) for pair in differs] == [
        ("uc4-client-first-ssl", "server-later"),
        ("uc7-new-install-ssl", "server-later"),
    ]
    for pair in differs:
        session = session_of(run.fleet, *_names(run.fleet, pair))
        assert run.fleet.sessions.options[session] & SSL.mask


def _names(fleet: Fleet, pair: tuple[np.int32, np.int32]) -> tuple[str, str]:
    return fleet.endpoint_name(int(pair[0])), fleet.servers.name[int(pair[1])]


@pytest.mark.parametrize(("option", "value"), IGNORED_BY_NEW_SERVERS)
def test_they_are_ignored_with_a_new_server(run: Run, option: str, value: str) -> None:
    """They are ignored when the client connects to a V8.1.2 or later server."""
    timeline = changed(run.plan, *everywhere(run.fleet, option, value, once_new=True))
    assert len(timeline.plan) == len(run.plan) + len(run.fleet.sessions)
    assert same_states(timeline, run.timeline)


def test_ssldisablelegacytls_no_allows_tls_1_1_and_lower_with_old_servers(run: Run) -> None:
    """SSLDISABLELEGACYTLS. The default value No indicates that connections at TLS 1.1 and lower SSL
    protocols are allowed when the client communicates with a server V8.1.1 and earlier V8 levels,
    and V7.1.7 and earlier levels.
    """
    rule = rule_on(run.timeline, "uc4-client-first-ssl", "server-later", "2027-06-07")
    assert (rule.mode, rule.tls) == (Mode.LEGACY_SSL, "TLS 1.1 or lower")
    yes = changed(
        run.plan,
        setting(FIRST_DAY, "uc4-client-first-ssl", "SSLDISABLELEGACYTLS", "Yes"),
        setting(FIRST_DAY, "uc4-ldap", "SSLDISABLELEGACYTLS", "Yes"),
    )
    assert refusal(yes, "uc4-client-first-ssl", "server-later") == [
        (FIRST_DAY, "2027-06-08", Reason.TLS_LEVEL)
    ]
    # server-ldap, old as well, has TLS 1.2 switched on.
    assert refusal(yes, "uc4-ldap", "server-ldap") == []


def test_lanfreessl_concerns_the_way_to_the_storage_agent_alone(run: Run) -> None:
    """LANFREESSL. Specifies whether the client uses SSL communication with the Storage Agent when
    LAN-free data transfer is configured.
    """
    timeline = changed(run.plan, *everywhere(run.fleet, "LANFREESSL", "Yes", once_new=False))
    assert same_states(timeline, run.timeline)
    table = planner.schedule(timeline.plan)
    assert set(table.loc[table["option"] == "LANFREESSL", "command"]) == {"LANFREESSL Yes"}


def test_replsslport_is_a_port_for_the_replication_target_alone(run: Run) -> None:
    """REPLSSLPORT. Specifies the TCP/IP port address that is enabled for SSL when the client
    communicates with the replication target server.
    """
    timeline = changed(run.plan, *everywhere(run.fleet, "REPLSSLPORT", "1553", once_new=False))
    assert same_states(timeline, run.timeline)
    table = planner.schedule(timeline.plan)
    assert set(table.loc[table["option"] == "REPLSSLPORT", "command"]) == {"REPLSSLPORT 1553"}


# --- use case 1 -----------------------------------------------------------------------------------


def test_case_1_the_server_is_upgraded_then_a_client_without_ssl(run: Run) -> None:
    """First, the server is upgraded to V8.1.2. Then, the client is upgraded. The existing client is
    not using SSL communications:
    """
    assert clients_of_case(run, 1) == [
        "uc1-server-first -> server-first",
        "uc1-encrypt -> server-first",
    ]
    assert history(run.timeline, "uc1-server-first", "server-first") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-04-13 plaintext old-client.plaintext",
        "2027-05-04 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]


def test_case_1_the_account_stays_transitional_and_the_old_client_goes_on(run: Run) -> None:
    """Recovered: the server becomes new; the node remains transitional, and the old client goes on
    with the old protocol.
    """
    account = run.fleet.sessions.account[session_of(run.fleet, "uc1-server-first", "server-first")]
    assert iso(run.timeline.strictness.from_day[account]) == "2027-05-04"
    rule = rule_on(run.timeline, "uc1-server-first", "server-first", "2027-05-03")
    assert (rule.mode, rule.id) == (Mode.PLAINTEXT, "old-client.plaintext")


def test_case_1_sslacceptcertfromserv_is_set_to_no(run: Run) -> None:
    """Recovered: "Use the client configuration wizard to set the SSLACCEPTCERTFROMSERV option with
    the value No", between the client's upgrade and its first session.
    """
    assert "2027-05-04 set-option SSLACCEPTCERTFROMSERV No" in steps(run.plan, "uc1-server-first")
    early = changed(
        run.plan, setting("2027-05-03", "uc1-server-first", "SSLACCEPTCERTFROMSERV", "No")
    )
    (finding,) = planner.check(early).of("option-unknown-to-client")
    assert iso(finding.day) == "2027-05-03"


def test_case_1_the_certificate_is_obtained_from_the_server_or_the_ca(run: Run) -> None:
    """Recovered: obtain the certificate from the server or from a certificate authority."""
    row = deadline(run, "uc1-server-first", "server-first-cert256")
    assert row["opens"] == "2021-06-14"
    assert row["opens"] <= row["planned"]


def test_case_1_the_certificate_is_imported_before_the_first_new_session(run: Run) -> None:
    """Recovered: import the certificate, before the first session of the upgraded client."""
    row = deadline(run, "uc1-server-first", "server-first-cert256")
    assert (row["needed"], row["latest_safe"], row["planned"], row["verdict"]) == (
        "2027-05-04",
        "2027-04-27",
        "2027-04-27",
        "ok",
    )
    refused = planner.simulate(without_imports(run.plan, "uc1-server-first"))
    assert refusal(refused, "uc1-server-first", "server-first") == [
        ("2027-05-04", "2027-08-02", Reason.UNTRUSTED)
    ]


def test_case_1_ssl_yes_only_if_object_data_must_be_encrypted(run: Run) -> None:
    """Recovered: set SSL Yes only if object data must be encrypted."""
    assert steps(run.plan, "uc1-server-first") == [
        "2027-04-27 import-certificate server-first-cert256",
        "2027-05-04 upgrade-client 8.1.27",
        "2027-05-04 set-option SSLACCEPTCERTFROMSERV No",
    ]
    assert "2027-05-12 set-option SSL Yes for server-first" in steps(run.plan, "uc1-encrypt")
    assert history(run.timeline, "uc1-encrypt", "server-first")[-1] == (
        "2027-05-12 tls-full TLS 1.3 both-new.tls-full-3"
    )


# --- use case 2 -----------------------------------------------------------------------------------


def test_case_2_the_server_is_upgraded_then_a_client_with_ssl(run: Run) -> None:
    """First, the server is upgraded to V8.1.2. Then, the client is upgraded. The existing client is
    using SSL communications:
    """
    assert clients_of_case(run, 2) == ["uc2-server-first-ssl -> server-first"]
    assert history(run.timeline, "uc2-server-first-ssl", "server-first") == [
        "2027-03-01 legacy-ssl TLS 1.2 old-server.legacy-ssl-tls12",
        "2027-04-13 legacy-ssl TLS 1.2 old-client.legacy-ssl",
        "2027-05-11 tls-full TLS 1.3 both-new.tls-full-3",
    ]


def test_case_2_no_changes_to_the_client_security_options_are_needed(run: Run) -> None:
    """No changes are needed to the client security options."""
    assert steps(run.plan, "uc2-server-first-ssl") == ["2027-05-11 upgrade-client 8.1.22"]


def test_case_2_with_a_certificate_sslacceptcertfromserv_does_not_apply(run: Run) -> None:
    """If the client already has a server certificate for SSL communication, the
    SSLACCEPTCERTFROMSERV option does not apply.
    """
    yes = changed(
        run.plan, setting("2027-05-11", "uc2-server-first-ssl", "SSLACCEPTCERTFROMSERV", "Yes")
    )
    assert same_states(yes, run.timeline)
    assert len(yes.distributed.day) == 0


def test_case_2_the_existing_certificate_continues_to_be_used(run: Run) -> None:
    """SSL communication with existing server public certificate continues to be used."""
    row = deadline(run, "uc2-server-first-ssl", "server-first-cert256")
    assert (row["needed"], row["planned"], row["verdict"]) == (FIRST_DAY, "", "in-place")
    lost = changed(run.plan, removal("2027-05-20", "uc2-server-first-ssl", "server-first-cert256"))
    assert refusal(lost, "uc2-server-first-ssl", "server-first") == [
        ("2027-05-20", "2027-08-02", Reason.UNTRUSTED)
    ]


def test_case_2_the_tls_level_rises_to_what_the_server_needs(run: Run) -> None:
    """SSL communication is automatically enhanced to use the TLS level that is needed by the
    server.
    """
    days = ("2027-04-12", "2027-04-13", "2027-05-10", "2027-05-11")
    rules = [rule_on(run.timeline, "uc2-server-first-ssl", "server-first", day) for day in days]
    assert [rule.tls for rule in rules] == ["TLS 1.2", "TLS 1.2", "TLS 1.2", "TLS 1.3"]


# --- use case 3 -----------------------------------------------------------------------------------


def test_case_3_a_client_without_ssl_is_upgraded_then_the_server(run: Run) -> None:
    """First, the client is upgraded to V8.1.2. Then, the server is upgraded later. The existing
    client is not using SSL communications:
    """
    assert clients_of_case(run, 3) == [
        "uc3-client-first -> server-later",
        "uc3-encrypt -> server-later",
    ]
    assert history(run.timeline, "uc3-client-first", "server-later") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-06-08 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]


def test_case_3_sslacceptcertfromserv_is_set_to_no(run: Run) -> None:
    """Use the client configuration wizard to set the SSLACCEPTCERTFROMSERV option with the value
    No.
    """
    assert steps(run.plan, "uc3-client-first")[:2] == [
        "2027-04-06 upgrade-client 8.1.27",
        "2027-04-06 set-option SSLACCEPTCERTFROMSERV No",
    ]


def test_case_3_the_existing_protocol_continues_with_old_servers(run: Run) -> None:
    """Existing authentication protocol continues to be used to servers at levels earlier than
    V8.1.2.
    """
    for day in ("2027-04-05", "2027-04-06", "2027-06-07"):
        rule = rule_on(run.timeline, "uc3-client-first", "server-later", day)
        assert (rule.mode, rule.id) == (Mode.PLAINTEXT, "old-server.plaintext")


def test_case_3_the_certificate_is_due_before_the_server_is_new(run: Run) -> None:
    """Before the client connects to an 8.1.2 or later server:"""
    row = deadline(run, "uc3-client-first", "company-root")
    assert (row["needed"], row["latest_safe"], row["use_case"]) == ("2027-06-08", "2027-06-01", "3")
    refused = planner.simulate(without_imports(run.plan, "uc3-client-first"))
    assert refusal(refused, "uc3-client-first", "server-later") == [
        ("2027-06-08", "2027-08-02", Reason.UNTRUSTED)
    ]


def test_case_3_the_certificate_is_obtained_and_imported_with_dsmcert(run: Run) -> None:
    """Recovered: obtain the certificate; import it with the dsmcert utility."""
    row = deadline(run, "uc3-client-first", "company-root")
    assert row["opens"] <= row["planned"] == "2027-06-01"
    assert (row["verdict"], row["tool"]) == ("ok", "dsmcert")
    assert deadline(run, "uc3-encrypt", "company-root")["key_database"] == "api"


def test_case_3_ssl_yes_must_wait_for_the_new_server(run: Run) -> None:
    """Recovered: set SSL Yes if all data must be encrypted, after the server's upgrade."""
    assert "2027-06-08 set-option SSL Yes for server-later" in steps(run.plan, "uc3-encrypt")
    assert history(run.timeline, "uc3-encrypt", "server-later") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-06-08 tls-full TLS 1.3 both-new.tls-full-3",
    ]
    early = changed(run.plan, setting("2027-04-15", "uc3-encrypt", "SSL", "Yes"))
    assert refusal(early, "uc3-encrypt", "server-later") == [
        ("2027-04-15", "2027-06-08", Reason.SSL_PORT)
    ]
    (finding,) = planner.check(early).of("ssl-before-server-new")
    assert (finding.severity, iso(finding.day)) == (Severity.ERROR, "2027-04-15")


# --- use case 4 -----------------------------------------------------------------------------------


def test_case_4_a_client_with_ssl_is_upgraded_then_the_server(run: Run) -> None:
    """First, the client is upgraded to V8.1.2. Then, the server is upgraded later. The existing
    client is using SSL communications:
    """
    assert clients_of_case(run, 4) == [
        "uc4-client-first-ssl -> server-later",
        "uc4-ldap -> server-ldap",
    ]
    assert history(run.timeline, "uc4-client-first-ssl", "server-later") == [
        "2027-03-01 legacy-ssl TLS 1.1 or lower old-server.legacy-ssl",
        "2027-06-08 tls-full TLS 1.3 both-new.tls-full-3",
    ]
    assert history(run.timeline, "uc4-ldap", "server-ldap") == [
        "2027-03-01 legacy-ssl TLS 1.2 old-server.legacy-ssl-tls12",
        "2027-07-13 tls-full TLS 1.3 both-new.tls-full-3",
    ]


def test_case_4_no_changes_to_the_client_security_options_are_needed(run: Run) -> None:
    """No changes are needed to the client security options."""
    assert steps(run.plan, "uc4-client-first-ssl") == ["2027-04-20 upgrade-client 8.1.27"]
    assert steps(run.plan, "uc4-ldap") == ["2027-06-02 upgrade-client 8.1.27"]


def test_case_4_with_a_certificate_sslacceptcertfromserv_does_not_apply(run: Run) -> None:
    """If the client already has a server certificate for SSL communication, the
    SSLACCEPTCERTFROMSERV option does not apply.
    """
    clients = ("uc4-client-first-ssl", "uc4-ldap")
    yes = changed(
        run.plan,
        *(setting("2027-06-08", client, "SSLACCEPTCERTFROMSERV", "Yes") for client in clients),
    )
    assert same_states(yes, run.timeline)
    assert len(yes.distributed.day) == 0


def test_case_4_the_existing_certificate_continues_to_be_used_with_old_servers(run: Run) -> None:
    """SSL communication with existing server public certificate continues to be used with servers
    at levels earlier than V8.1.2.
    """
    row = deadline(run, "uc4-client-first-ssl", "company-root")
    assert (row["needed"], row["planned"], row["verdict"]) == (FIRST_DAY, "", "in-place")
    lost = changed(run.plan, removal("2027-05-04", "uc4-client-first-ssl", "company-root"))
    assert refusal(lost, "uc4-client-first-ssl", "server-later")[0] == (
        "2027-05-04",
        "2027-06-08",
        Reason.UNTRUSTED,
    )


def test_case_4_the_tls_level_rises_after_the_servers_update(run: Run) -> None:
    """SSL communication is automatically enhanced to use the TLS level that is needed by the server
    after the server is updated to V8.1.2 or later.
    """
    days = ("2027-04-19", "2027-04-20", "2027-06-07", "2027-06-08")
    rules = [rule_on(run.timeline, "uc4-client-first-ssl", "server-later", day) for day in days]
    assert [rule.tls for rule in rules] == [*["TLS 1.1 or lower"] * 3, "TLS 1.3"]


# --- use case 5 -----------------------------------------------------------------------------------


def test_case_5_a_client_is_upgraded_then_several_servers_on_different_days(run: Run) -> None:
    """First, the client is upgraded to V8.1.2. Then, the client connects to multiple servers. The
    servers are upgraded to V8.1.2 at different times:
    """
    assert clients_of_case(run, 5) == [
        "uc5-many-servers -> server-later",
        "uc5-many-servers -> server-last",
        "uc5-many-servers-plain -> server-later",
        "uc5-many-servers-plain -> server-last",
    ]
    assert history(run.timeline, "uc5-many-servers-plain", "server-later") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-06-08 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]
    assert history(run.timeline, "uc5-many-servers-plain", "server-last") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-06-22 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]


def test_case_5_sslacceptcertfromserv_is_set_to_no_in_every_stanza(run: Run) -> None:
    """Use the client configuration wizard to set the SSLACCEPTCERTFROMSERV option with the value
    No.
    """
    for client, day in (
        ("uc5-many-servers", "2027-04-22"),
        ("uc5-many-servers-plain", "2027-05-20"),
    ):
        (row,) = run.plan.where(client=client, option="SSLACCEPTCERTFROMSERV")
        action = run.plan.row(row)
        assert (iso(action.day), action.value) == (day, "No")
        assert (action.server, action.account, action.key_database) == ("", "", "")


def test_case_5_the_existing_protocol_continues_with_old_servers(run: Run) -> None:
    """Existing authentication protocol continues to be used to servers at levels earlier than
    V8.1.2.
    """
    for server in ("server-later", "server-last"):
        for day in ("2027-05-19", "2027-05-20", "2027-06-07"):
            rule = rule_on(run.timeline, "uc5-many-servers-plain", server, day)
            assert (rule.mode, rule.id) == (Mode.PLAINTEXT, "old-server.plaintext")


def test_case_5_certificates_are_due_per_server_or_earlier_where_ssl_is_needed(run: Run) -> None:
    """Before the client connects to an 8.1.2 or later server, or when SSL communication is needed
    at any server level:
    """
    plain, mixed = "uc5-many-servers-plain", "uc5-many-servers"
    assert deadline(run, plain, "company-root")["needed"] == "2027-06-08"
    assert deadline(run, plain, "server-last-cert256")["needed"] == "2027-06-22"
    assert deadline(run, mixed, "company-root")["needed"] == "2027-06-08"
    assert deadline(run, mixed, "server-last-cert256")["needed"] == FIRST_DAY


def test_case_5_each_servers_certificate_is_imported_with_dsmcert_under_its_name(run: Run) -> None:
    """Recovered: obtain each server's certificate, and import it with dsmcert under its name."""
    assert commands(run, "uc5-many-servers-plain", "import-certificate") == [
        "dsmcert -add -server server-later -file company-root.arm",
        "dsmcert -add -server server-last -file server-last-cert256.arm",
    ]
    for certificate, day in (("company-root", "2027-06-01"), ("server-last-cert256", "2027-06-15")):
        row = deadline(run, "uc5-many-servers-plain", certificate)
        assert (row["planned"], row["tool"], row["verdict"]) == (day, "dsmcert", "ok")


def test_case_5_ssl_yes_in_the_stanza_of_the_server_that_must_encrypt_all(run: Run) -> None:
    """Recovered: set SSL Yes in the stanza of servers for which everything must be encrypted."""
    assert [step for step in steps(run.plan, "uc5-many-servers") if " SSL " in step] == [
        "2027-06-08 set-option SSL Yes for server-later"
    ]
    assert history(run.timeline, "uc5-many-servers", "server-later") == [
        "2027-03-01 plaintext old-server.plaintext",
        "2027-06-08 tls-full TLS 1.3 both-new.tls-full-3",
    ]


def test_case_5_the_client_moves_to_tls_when_it_first_meets_each_new_server(run: Run) -> None:
    """The client uses existing authentication and session security protocol to servers at versions
    earlier than V8.1.2, and automatically upgrades to use TLS authentication when initially
    connecting to a server at V8.1.2 or later.
    """
    for server, before, first in (
        ("server-later", "2027-06-07", "2027-06-08"),
        ("server-last", "2027-06-21", "2027-06-22"),
    ):
        client = "uc5-many-servers-plain"
        assert mode_on(run.timeline, client, server, before) is Mode.PLAINTEXT
        assert mode_on(run.timeline, client, server, first) is Mode.TLS_PARTIAL
        account = run.fleet.sessions.account[session_of(run.fleet, client, server)]
        assert iso(run.timeline.strictness.from_day[account]) == first


def test_case_5_session_security_is_managed_per_server(run: Run) -> None:
    """Session security is managed per server."""

    def modes(client: str, day: str) -> tuple[Mode, Mode]:
        servers = ("server-later", "server-last")
        later, last = (mode_on(run.timeline, client, server, day) for server in servers)
        return later, last

    # On one day plain text to one server, and SSL or TLS to the other.
    assert modes("uc5-many-servers", "2027-05-03") == (Mode.PLAINTEXT, Mode.LEGACY_SSL)
    assert modes("uc5-many-servers", "2027-06-10") == (Mode.TLS_FULL, Mode.LEGACY_SSL)
    assert modes("uc5-many-servers-plain", "2027-06-10") == (Mode.TLS_PARTIAL, Mode.PLAINTEXT)


# --- use case 6 -----------------------------------------------------------------------------------


def test_case_6_a_new_client_meets_a_new_server(run: Run) -> None:
    """New client installation, server is at V8.1.2 or later:"""
    assert clients_of_case(run, 6) == [
        "uc6-new-install -> server-new",
        "uc6-encrypt -> server-first",
    ]
    assert history(run.timeline, "uc6-new-install", "server-new") == [
        "2027-03-01 inactive inactive",
        "2027-04-07 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]


def test_case_6_the_client_is_configured_as_a_new_installation(run: Run) -> None:
    """Configure the client according to a new client installation."""
    assert "2027-04-07 install-client 8.1.27" in steps(run.plan, "uc6-new-install")
    assert run.fleet.endpoint_level(run.fleet.find_endpoint("uc6-new-install")) is None


def test_case_6_sslacceptcertfromserv_is_set_to_no(run: Run) -> None:
    """Use the client configuration wizard to set the SSLACCEPTCERTFROMSERV option with the value
    No.
    """
    assert "2027-04-07 set-option SSLACCEPTCERTFROMSERV No" in steps(run.plan, "uc6-new-install")
    assert "2027-05-26 set-option SSLACCEPTCERTFROMSERV No" in steps(run.plan, "uc6-encrypt")


def test_case_6_the_certificate_comes_from_a_trusted_source(run: Run) -> None:
    """Obtain the necessary certificate from a trusted source."""
    row = deadline(run, "uc6-new-install", "company-root")
    assert (row["needed"], row["planned"], row["verdict"]) == ("2027-04-07", "2027-03-31", "ok")
    table = run.deadlines.to_frame()
    assert (table["opens"] <= table["needed"]).all()
    assert len(run.timeline.distributed.day) == 0


def test_case_6_the_certificate_is_imported_with_dsmcert(run: Run) -> None:
    """Use the dsmcert utility to import the certificate for client use."""
    for client, certificate in (
        ("uc6-new-install", "company-root"),
        ("uc6-encrypt", "server-first-cert256"),
    ):
        assert deadline(run, client, certificate)["tool"] == "dsmcert"
        refused = planner.simulate(without_imports(run.plan, client))
        server = "server-new" if client == "uc6-new-install" else "server-first"
        ((_, end, reason),) = refusal(refused, client, server)
        assert (end, reason) == ("2027-08-02", Reason.UNTRUSTED)


def test_case_6_the_schedule_gives_the_command_in_full(run: Run) -> None:
    """See Configuring IBM Spectrum Protect client/server communication with Secure Sockets Layer
    for details.
    """
    assert commands(run, "uc6-new-install", "import-certificate") == [
        "dsmcert -add -server server-new -file company-root.arm"
    ]
    assert commands(run, "uc6-encrypt", "set-option") == ["SSLACCEPTCERTFROMSERV No", "SSL Yes"]


def test_case_6_ssl_yes_if_all_data_transfers_must_be_encrypted(run: Run) -> None:
    """Set the SSL parameter to the Yes value if encryption of all data transfers between the client
    and the server is needed.
    """
    assert "2027-05-26 set-option SSL Yes for server-first" in steps(run.plan, "uc6-encrypt")
    assert mode_on(run.timeline, "uc6-encrypt", "server-first", "2027-05-26") is Mode.TLS_FULL
    assert not any(" SSL " in step for step in steps(run.plan, "uc6-new-install"))
    assert mode_on(run.timeline, "uc6-new-install", "server-new", LAST_DAY) is Mode.TLS_PARTIAL


# --- use case 7 -----------------------------------------------------------------------------------


def test_case_7_a_new_client_needs_ssl_with_an_old_server(run: Run) -> None:
    """New client installation, server is at a version earlier than V8.1.2, SSL-encrypted sessions
    are needed:
    """
    assert clients_of_case(run, 7) == [
        "uc7-new-install-ssl -> server-later",
        "uc7-ldap -> server-ldap",
    ]
    assert history(run.timeline, "uc7-new-install-ssl", "server-later") == [
        "2027-03-01 inactive inactive",
        "2027-04-27 legacy-ssl TLS 1.1 or lower old-server.legacy-ssl",
        "2027-06-08 tls-full TLS 1.3 both-new.tls-full-3",
    ]
    assert history(run.timeline, "uc7-ldap", "server-ldap") == [
        "2027-03-01 inactive inactive",
        "2027-05-19 legacy-ssl TLS 1.2 old-server.legacy-ssl-tls12",
        "2027-07-13 tls-full TLS 1.3 both-new.tls-full-3",
    ]


def test_case_7_the_client_is_configured_as_a_new_installation(run: Run) -> None:
    """Recovered: configure the client according to a new client installation."""
    assert "2027-04-27 install-client 8.1.27" in steps(run.plan, "uc7-new-install-ssl")


def test_case_7_sslacceptcertfromserv_is_set_to_no(run: Run) -> None:
    """Recovered: set the SSLACCEPTCERTFROMSERV option with the value No."""
    assert "2027-04-27 set-option SSLACCEPTCERTFROMSERV No" in steps(
        run.plan, "uc7-new-install-ssl"
    )


def test_case_7_the_certificate_is_imported_with_dsmcert_before_the_first_session(run: Run) -> None:
    """Recovered: obtain the certificate and import it with dsmcert, before the first session, as
    SSL starts at once.
    """
    row = deadline(run, "uc7-new-install-ssl", "company-root")
    assert (row["needed"], row["planned"], row["verdict"], row["tool"]) == (
        "2027-04-27",
        "2027-04-20",
        "ok",
        "dsmcert",
    )
    refused = planner.simulate(without_imports(run.plan, "uc7-new-install-ssl"))
    assert refusal(refused, "uc7-new-install-ssl", "server-later") == [
        ("2027-04-27", "2027-06-08", Reason.UNTRUSTED),
        ("2027-06-08", "2027-08-02", Reason.UNTRUSTED),
    ]


def test_case_7_ssl_is_yes_and_the_port_is_the_servers_ssl_port(run: Run) -> None:
    """Recovered: set SSL Yes, and TCPPORT to the server's SSLTCPPORT."""
    session = session_of(run.fleet, "uc7-new-install-ssl", "server-later")
    server = run.fleet.sessions.server[session]
    assert run.fleet.sessions.options[session] & SSL.mask
    assert run.fleet.sessions.port[session] == run.fleet.servers.ssltcpport[server] == 1543
    plain = changed(run.plan, setting("2027-04-27", "uc7-new-install-ssl", "TCPPORT", "1500"))
    assert refusal(plain, "uc7-new-install-ssl", "server-later") == [
        ("2027-04-27", "2027-06-08", Reason.SSL_PORT)
    ]


def test_case_7_the_tls_level_rises_with_the_servers_upgrade(run: Run) -> None:
    """Recovered: the TLS level is raised automatically at the server's upgrade."""
    days = ("2027-06-07", "2027-06-08")
    rules = [rule_on(run.timeline, "uc7-new-install-ssl", "server-later", day) for day in days]
    assert [rule.tls for rule in rules] == ["TLS 1.1 or lower", "TLS 1.3"]


# --- use case 8 -----------------------------------------------------------------------------------


def test_case_8_a_new_client_needs_no_ssl_with_an_old_server(run: Run) -> None:
    """New client installation, server is at a version earlier than V8.1.2, SSL-encrypted sessions
    are not needed:
    """
    assert clients_of_case(run, 8) == [
        "uc8-new-install -> server-later",
        "uc8-encrypt -> server-last",
    ]
    assert history(run.timeline, "uc8-new-install", "server-later") == [
        "2027-03-01 inactive inactive",
        "2027-05-04 plaintext old-server.plaintext",
        "2027-06-08 tls-partial TLS 1.3 both-new.tls-partial-3",
    ]


def test_case_8_the_client_is_configured_as_a_new_installation(run: Run) -> None:
    """Configure the client according to a new client installation."""
    assert "2027-05-04 install-client 8.1.22" in steps(run.plan, "uc8-new-install")


def test_case_8_sslacceptcertfromserv_is_set_to_no(run: Run) -> None:
    """Use the client configuration wizard to set the SSLACCEPTCERTFROMSERV option with the value
    No.
    """
    assert "2027-05-04 set-option SSLACCEPTCERTFROMSERV No" in steps(run.plan, "uc8-new-install")


def test_case_8_the_old_protocol_is_used_until_the_server_is_upgraded(run: Run) -> None:
    """Non-SSL authentication protocol is used until the server is upgraded to V8.1.2 or later."""
    for day in ("2027-05-04", "2027-06-07"):
        rule = rule_on(run.timeline, "uc8-new-install", "server-later", day)
        assert (rule.mode, rule.id) == (Mode.PLAINTEXT, "old-server.plaintext")
    assert (
        mode_on(run.timeline, "uc8-new-install", "server-later", "2027-06-08") is Mode.TLS_PARTIAL
    )


def test_case_8_the_certificate_is_due_before_the_server_is_new(run: Run) -> None:
    """Before the client connects to an 8.1.2 or later server:"""
    row = deadline(run, "uc8-new-install", "company-root")
    assert (row["needed"], row["latest_safe"], row["use_case"]) == ("2027-06-08", "2027-06-01", "8")
    refused = planner.simulate(without_imports(run.plan, "uc8-new-install"))
    assert refusal(refused, "uc8-new-install", "server-later") == [
        ("2027-06-08", "2027-08-02", Reason.UNTRUSTED)
    ]


def test_case_8_the_certificate_is_obtained_and_imported_with_dsmcert(run: Run) -> None:
    """Recovered: obtain the certificate; import it with the dsmcert utility."""
    for client, certificate, day in (
        ("uc8-new-install", "company-root", "2027-06-01"),
        ("uc8-encrypt", "server-last-cert256", "2027-06-15"),
    ):
        row = deadline(run, client, certificate)
        assert row["opens"] <= row["planned"] == day
        assert (row["verdict"], row["tool"]) == ("ok", "dsmcert")


def test_case_8_ssl_yes_if_wanted_after_the_servers_upgrade(run: Run) -> None:
    """Recovered: set SSL Yes if wanted, after the server's upgrade."""
    assert "2027-06-22 set-option SSL Yes for server-last" in steps(run.plan, "uc8-encrypt")
    assert history(run.timeline, "uc8-encrypt", "server-last")[1:] == [
        "2027-05-25 plaintext old-server.plaintext",
        "2027-06-22 tls-full TLS 1.3 both-new.tls-full-3",
    ]


def test_case_8_turns_into_case_7_where_an_old_server_uses_ldap(run: Run) -> None:
    """Recovered: not possible when the old server uses LDAP, where SSLREQUIRED Default makes SSL
    compulsory; the case turns into use case 7.
    """
    plain = changed(run.plan, setting("2027-05-19", "uc7-ldap", "SSL", "No"))
    assert refusal(plain, "uc7-ldap", "server-ldap") == [
        ("2027-05-19", "2027-07-13", Reason.SSL_REQUIRED_BY_CLIENT)
    ]
    (finding,) = planner.check(plain).of("ldap-without-ssl")
    assert iso(finding.day) == "2027-05-19"
    assert finding.what.startswith("use case 8 turns into 7: ")


# --- the completed plan as a whole ----------------------------------------------------------------


def test_the_servers_become_new_on_the_days_that_these_tests_name(run: Run) -> None:
    upgrades = {
        row.server: iso(row.day) for row in run.plan.rows() if row.action is Action.UPGRADE_SERVER
    }
    assert {**upgrades, "server-new": FIRST_DAY} == SERVER_NEW
    new = run.fleet.endpoint_level(run.fleet.find_endpoint("server-new"))
    assert new is not None
    assert new.era is Era.NEW


def test_all_eight_use_cases_are_in_the_schedule(run: Run) -> None:
    cells = ";".join(planner.schedule(run.plan)["use_case"])
    assert set(cells.split(";")) - {""} == set("12345678")


def test_each_clients_name_says_which_use_case_it_shows(run: Run) -> None:
    sessions = run.fleet.sessions
    for client, server in zip(sessions.client, sessions.server, strict=True):
        name, server_name = _names(run.fleet, (client, server))
        assert name.startswith(f"uc{case_of(run, name, server_name)}-")


def test_no_session_is_refused_after_completion(run: Run) -> None:
    assert Mode.REFUSED not in {Mode(mode) for mode in run.timeline.mode()}
    assert run.measures.refused_session_days == 0


def test_the_draft_refuses_the_sessions_that_completion_saves(run: Run) -> None:
    draft = planner.simulate(run.fleet.draft_plan())
    assert Mode.REFUSED in {Mode(mode) for mode in draft.mode()}


def test_no_finding_is_an_error_or_a_warning_after_completion(run: Run) -> None:
    assert not run.findings.has_errors
    assert {(row.rule, row.severity) for row in run.findings} == {
        ("transitional-account", Severity.NOTE)
    }


def test_the_check_ends_with_exit_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(DATA / "eight-cases")]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_every_import_is_ok_or_in_place(run: Run) -> None:
    table = run.deadlines.to_frame()
    assert table["verdict"].value_counts().to_dict() == {"ok": 13, "in-place": 4}
    assert (run.deadlines.planned == ALWAYS).sum() == 4


def test_every_session_ends_with_tls_and_encrypts_what_it_must(run: Run) -> None:
    modes = run.timeline.mode_on(day_of(LAST_DAY))
    assert set(modes.tolist()) == {Mode.TLS_PARTIAL, Mode.TLS_FULL}
    assert (modes[run.fleet.sessions.encrypt_data] == Mode.TLS_FULL).all()


def test_completing_the_completed_plan_changes_nothing(run: Run) -> None:
    again = planner.complete(run.plan)
    assert planner.schedule(again).equals(planner.schedule(run.plan))


@pytest.mark.parametrize("table", ["schedule", "session_states", "trust_deadlines"])
def test_the_tables_are_the_golden_ones(table: str) -> None:
    assert_golden(f"eight-cases/{table}.csv")
