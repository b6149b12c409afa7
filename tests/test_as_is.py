"""The as-is check: logs that agree with the engine, and each way in which they do not."""

from dataclasses import replace

import pandas as pd
import pytest

import planner
from planner.domain.calendar import iso
from planner.domain.fleet import AccountKind
from planner.domain.observations import ObservedSession
from planner.engine.as_is import AsIs, as_is
from tests.builders import case, certificate, client, server, session, trust
from tests.comparison import plan_of_case

TLS = ObservedSession(
    server="new",
    account="BA01",
    kind=AccountKind.NODE,
    host="ba01.example",
    transport="SSL",
    protocol="TLSV13",
    certificate="TSM Self-Signed Certificate",
    file="a.txt",
    line=3,
)
PLAIN = replace(TLS, server="OLD", transport="Tcp/Ip", protocol="", certificate="")
FLEET = case(
    servers=[
        server("NEW", "8.1.27", certificate="own"),
        server("CA", "8.1.27", certificate="issued"),
        server("OLD", "8.1.0"),
    ],
    clients=[client("ba01", "8.1.27"), client("ba02", "8.1.27"), client("ba03", "8.1.0")],
    sessions=[
        session("ba01", "NEW"),
        session("ba01", "CA"),
        session("ba01", "OLD"),
        session("ba02", "NEW", account="BA01"),
        session("ba03", "NEW", commmethod="SHAREDMEM"),
        session("ba02", "OLD", account="shared"),
        session("ba03", "OLD", account="shared"),
    ],
    certificates=[
        certificate("own"),
        certificate("issued", issuer="root"),
        certificate("root", kind="root"),
    ],
    trust=[trust("ba01", "own"), trust("ba01", "root")],
)


def check(*observed: ObservedSession) -> AsIs:
    """Compare sessions of a log with the first day of the small fleet."""
    return as_is(planner.simulate(plan_of_case(FLEET)), observed)


def test_what_the_log_shows_agrees_by_transport_protocol_and_certificate() -> None:
    local = replace(TLS, account="ba03", host="", transport="ShMem", protocol="", certificate="")
    found = check(TLS, TLS, PLAIN, local, replace(TLS, server="CA", certificate="ca.example"))
    assert (found.n_compared, found.n_agreeing, found.rate) == (5, 5, 1.0)
    assert found.findings.rows == ()
    assert [row.times for row in found.rows] == [2, 1, 1, 1]
    assert repr(found) == (
        "AsIs(5 logged sessions compared, 100.0% as computed, 0 without a session of the fleet)"
    )


@pytest.mark.parametrize(
    ("seen", "shown", "computed"),
    [
        (replace(TLS, transport="Tcp/Ip", protocol=""), "plain", "tls-partial (TLS 1.3)"),
        (replace(TLS, protocol="TLSV12"), "TLSV12", "tls-partial (TLS 1.3)"),
        (replace(PLAIN, transport="SSL"), "SSL", "plaintext"),
        (replace(PLAIN, transport="Named Pipe"), "local", "plaintext"),
        (replace(TLS, host="ba02"), "TLSV13", "refused"),
    ],
)
def test_a_disagreement_is_a_finding_at_the_line_of_the_log(
    seen: ObservedSession, shown: str, computed: str
) -> None:
    found = check(seen, seen)
    assert (found.n_compared, found.n_agreeing, found.rate) == (2, 0, 0.0)
    (finding,) = found.findings
    assert finding.rule == "as-is-disagreement"
    assert finding.what == f"the log shows it as {shown}, 2 times; computed is {computed}"
    assert (finding.file, finding.line) == ("a.txt", 3)


def test_a_certificate_of_another_kind_is_a_finding() -> None:
    found = check(replace(TLS, certificate="ca.example"), replace(TLS, server="CA"))
    assert found.rate == 1.0
    assert [(one.rule, one.subject) for one in found.findings] == [
        ("as-is-certificate", "CA"),
        ("as-is-certificate", "NEW"),
    ]
    assert (
        "one that a CA signed; the fleet says that it presents own" in found.findings.rows[1].what
    )


def test_a_certificate_that_nobody_described_proves_nothing() -> None:
    old = replace(PLAIN, account="shared", host="ba02")
    assert check(old).findings.rows == ()
    seen = replace(TLS, server="OLD", certificate="ca.example")
    assert [finding.rule for finding in check(seen).findings] == ["as-is-disagreement"]


def test_a_protocol_below_tls_1_2_agrees_with_ssl_of_an_old_server_alone() -> None:
    old = case(
        servers=[server("OLD", "8.1.0"), server("SWITCHED", "8.1.0", tls12="yes")],
        clients=[client("ba01", "8.1.0")],
        sessions=[session("ba01", "OLD", ssl="Yes"), session("ba01", "SWITCHED", ssl="Yes")],
        trust=[trust("ba01", "OLD"), trust("ba01", "SWITCHED")],
    )
    seen = replace(TLS, server="OLD", host="", protocol="TLSV11", certificate="")
    timeline = planner.simulate(plan_of_case(old))
    found = as_is(
        timeline, [seen, replace(seen, server="SWITCHED"), replace(seen, protocol="TLSV12")]
    )
    assert (found.n_compared, found.n_agreeing) == (3, 1)
    assert [one.what.split("computed is ")[1] for one in found.findings] == [
        "legacy-ssl (TLS 1.1 or lower)",
        "legacy-ssl (TLS 1.2)",
    ]


def test_sessions_of_an_account_are_told_apart_by_the_client_or_its_host() -> None:
    assert check(replace(TLS, host="elsewhere")).unknown == 1
    assert check(replace(TLS, host="10.1.1.1", client="BA01")).rate == 1.0
    alike = replace(PLAIN, account="shared", host="elsewhere")
    assert check(alike).n_compared == 1


def test_sessions_that_the_fleet_does_not_have_are_counted_and_lists_say_nothing() -> None:
    listed = replace(TLS, transport="", protocol="", certificate="")
    found = check(replace(TLS, account="NOBODY"), listed)
    assert (found.unknown, len(found), found.rate) == (1, 0, 1.0)
    assert check(listed, TLS).n_compared == 1


def test_the_comparison_is_a_table() -> None:
    table = check(TLS, PLAIN).to_frame()
    pd.testing.assert_frame_equal(
        table,
        pd.DataFrame(
            {
                "session": pd.array(["ba01 -> NEW as ba01", "ba01 -> OLD as ba01"], dtype="str"),
                "seen": pd.array(["TLSV13", "plain"], dtype="str"),
                "certificate": pd.array(["TSM Self-Signed Certificate", ""], dtype="str"),
                "computed": pd.array(["tls-partial (TLS 1.3)", "plaintext"], dtype="str"),
                "times": [1, 1],
                "agrees": [True, True],
            }
        ),
    )
    assert "ba01 -&gt; NEW" in check(TLS)._repr_html_()


def test_findings_say_how_often_why_and_what_to_do() -> None:
    (once,) = check(replace(TLS, protocol="TLSV12")).findings
    assert once.what == "the log shows it as TLSV12, once; computed is tls-partial (TLS 1.3)"
    assert once.why.endswith(" A level, an option, or what the client trusts is not as imported.")
    assert once.fix == (
        "Check the levels of both ends, SSL in the stanza, and what the key database holds."
    )
    (own,) = check(replace(TLS, server="CA")).findings
    assert own.what == (
        "the log shows its own self-signed one; the fleet says that it presents issued"
    )
    assert own.why == "What the server presents decides which anchor every client needs."
    assert own.fix == (
        "Correct the column certificate in servers.csv, or give the server's own file."
    )
    assert (own.severity, own.file, own.line) == ("warning", "a.txt", 3)
    assert [iso(finding.day) for finding in (once, own)] == ["2025-03-03", "2025-03-03"]
