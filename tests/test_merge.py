"""Merging: one client, server, account and certificate from many sources, and contradictions."""

import datetime
from collections.abc import Mapping
from pathlib import Path

import pytest

import planner
from planner.domain.errors import InventoryError
from planner.domain.findings import Severity
from planner.inventory.importing.evidence import Evidence
from planner.inventory.importing.merge import Draft, key_of, merge
from planner.inventory.importing.server_book import Row
from planner.inventory.importing.sources import read_content
from tests.authorities import DEFAULT, Made, make, root

Content = str | bytes


def node(name: str, *, level: str = "8,1,13,0", host: str = "", access: str = "2026-07-01") -> str:
    """Return a row of the SELECT of nodes."""
    return f"PLANNER-NODE,{name},Linux,Linux,{level},{host},,{access},CLIENT,\n"


def status(name: str, level: str = "8,1,27,0") -> str:
    """Return a row of the SELECT of the status."""
    return f"PLANNER-STATUS,{name},{level},\n"


def stanza(alias: str, address: str, *lines: str) -> str:
    """Return a stanza of a dsm.sys."""
    return "\n ".join([f"SE {alias}", f"TCPS {address}", *lines]) + "\n"


def log(text: str) -> str:
    """Return a row of the activity log."""
    return f'PLANNER-LOG,2026-07-02 10:00:00.0,"{text}  (SESSION: 1)",\n'


def evidence_of(files: Mapping[str, Content]) -> Evidence:
    """Return the evidence of files by name; `NAME=file` gives a name."""
    parts = []
    for name, content in files.items():
        owner, _, file = name.rpartition("=")
        raw = content.encode() if isinstance(content, str) else content
        parts.append(read_content(file, raw, name=owner))
    evidence = Evidence.joined(parts)
    assert evidence.faults == ()
    return evidence


def merged(files: Mapping[str, Content]) -> Draft:
    """Merge files by name."""
    return merge(evidence_of(files))


def rules(draft: Draft) -> dict[str, str]:
    """Return the subject of the one finding of each rule, apart from that of unknown options."""
    found = [(one.rule, one.subject) for one in draft.findings if one.rule != "options-unknown"]
    assert len(found) == len(dict(found)), found
    return dict(found)


def rows(draft: Draft, file: str) -> list[Row]:
    """Return the rows of a table."""
    return list(draft.rows[file].values())


def sessions(draft: Draft) -> list[tuple[str, str, str, str]]:
    """Return client, server, account and kind of each session."""
    return [
        (row["client"], row["server"], row["account"], row["kind"])
        for row in rows(draft, "sessions.csv")
    ]


# --- Clients from several servers and their own files --------------------------------------------


def test_one_client_is_made_of_two_servers_and_its_options() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("DB1", host="db1"),
            "b.txt": status("B") + node("DB1_ARC", host="db1", access="2026-07-02"),
            "db1/dsm.sys": stanza("A", "a.example", "SSL Yes")
            + stanza("B", "b.example", "NO DB1_ARC"),
        }
    )
    assert sessions(draft) == [("db1", "A", "DB1", "backup"), ("db1", "B", "DB1_ARC", "backup")]
    (client,) = rows(draft, "clients.csv")
    assert (client["level"], client["platform"]) == ("8.1.13.0", "Linux")
    assert rows(draft, "sessions.csv")[0]["ssl"] == "Yes"
    assert draft.sources["clients.csv", ("db1",)].file == "db1/dsm.sys"
    assert draft.sources["sessions.csv", ("db1", "b", "db1_arc", "default")].line == 4


def test_a_node_without_option_files_is_a_client_of_its_name_on_all_servers() -> None:
    draft = merged({"a.txt": status("A") + node("N1"), "b.txt": status("B") + node("n1")})
    assert sessions(draft) == [("N1", "A", "N1", "backup"), ("N1", "B", "n1", "backup")]
    assert len(rows(draft, "clients.csv")) == 1
    assert draft.findings[0].rule == "options-unknown"


def test_a_node_joins_the_client_of_the_options_at_whose_host_it_logged_on() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("DB1", host="db1") + node("DB1_TDP", host="DB1.example"),
            "db1/dsm.sys": stanza("A", "a", "SSL Yes"),
        }
    )
    assert [session[0] for session in sessions(draft)] == ["db1", "db1"]
    # What one stanza says does not count for a node that it does not name.
    assert [row.get("ssl", "") for row in rows(draft, "sessions.csv")] == ["Yes", ""]


def test_levels_that_contradict_each_other_are_a_finding_and_the_newest_login_counts() -> None:
    files = {
        "a.txt": status("A") + node("N1", level="7,1,6,3", access="2026-01-01"),
        "b.txt": status("B") + node("N1", level="8,1,22,0", access="2026-07-01"),
    }
    draft = merged(files)
    assert rows(draft, "clients.csv")[0]["level"] == "8.1.22.0"
    (finding,) = [one for one in draft.findings if one.rule == "level-contradiction"]
    assert finding.what == "8.1.22.0 was taken as its level; here it is 7.1.6.3"
    assert (finding.file, finding.line) == ("a.txt", 2)


def test_a_clients_own_word_about_its_level_counts_before_all_logins() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("N1"),
            "N1/version.txt": "  Client Version 8, Release 1, Level 2.0\n",
        }
    )
    assert rows(draft, "clients.csv")[0]["level"] == "8.1.2.0"
    assert "level-contradiction" in rules(draft)


def test_the_login_of_a_shared_node_counts_for_the_client_at_its_host_alone() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("SHARED", host="H2.example"),
            "h1/dsm.sys": stanza("A", "a", "NODE SHARED"),
            "h2/dsm.sys": stanza("A", "a", "NODE SHARED"),
        }
    )
    assert [row["level"] for row in rows(draft, "clients.csv")] == ["", "8.1.13.0"]


def test_a_renamed_host_and_a_tcp_name_used_twice_are_findings() -> None:
    renamed = merged(
        {
            "a.txt": status("A") + node("N1", host="old"),
            "b.txt": status("B") + node("N1", host="new"),
        }
    )
    assert rules(renamed) == {"host-renamed": "N1"}
    twice = merged({"a.txt": status("A") + node("N1", host="h") + node("N2", host="h")})
    assert rules(twice) == {"duplicate-tcp-name": "h"}
    assert [row["client"] for row in rows(twice, "clients.csv")] == ["N1", "N2"]


def test_nodes_that_are_no_clients_are_told_and_left_out() -> None:
    draft = merged(
        {
            "a.txt": status("A")
            + node("FILER").replace("CLIENT", "NAS")
            + node("VIRTUAL").replace("CLIENT", "SERVER")
            + node("TARGET", level=",,,")
            + "PLANNER-PROXY,TARGET,AGENT,\n"
            + node("AGENT")
        }
    )
    assert [row["client"] for row in rows(draft, "clients.csv")] == ["AGENT"]
    found = [one.subject for one in draft.findings if one.rule == "node-without-client"]
    assert found == ["FILER on A", "TARGET on A"]


def test_a_replicated_node_and_a_tdp_have_their_kinds() -> None:
    draft = merged(
        {
            "a.txt": status("A")
            + node("N1")
            + "PLANNER-REPLICA,N1,RECEIVE,\n"
            + node("N2").replace("Linux", "TDP VMware")
            + node("N3").replace("Linux", "TDP MSSQL")
        }
    )
    assert [session[3] for session in sessions(draft)] == ["failover", "vm", "api"]
    assert [row["kind"] for row in rows(draft, "clients.csv")] == ["backup", "vm", "api"]


# --- Stanzas and servers -------------------------------------------------------------------------


def test_a_stanza_leads_to_the_server_of_its_address_whatever_its_name() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("N1"),
            "b.txt": status("B") + "PLANNER-SERVER,A,10.0.0.1,1500,,No,\n",
            "n1/dsm.sys": stanza("B", "10.0.0.1"),
        }
    )
    assert sessions(draft) == [("n1", "A", "N1", "backup")]
    assert "server-by-name" not in rules(draft)


def test_a_server_found_by_its_name_alone_is_told_once() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("N1") + node("N2"),
            "n1/dsm.sys": stanza("X", "a.example"),
            "n2/dsm.sys": stanza("A", "A.example"),
        }
    )
    (finding,) = [one for one in draft.findings if one.rule == "server-by-name"]
    assert (finding.severity, finding.line) == (Severity.NOTE, 1)
    assert rows(draft, "servers.csv")[0]["address"] == "a.example"


def test_a_name_with_another_address_than_the_servers_is_a_warning() -> None:
    text = "Server Name: A\nServer host name or IP address: real.example\n\n"
    draft = merged({"a.txt": text + node("N1"), "n1/dsm.sys": stanza("A", "other.example")})
    (finding,) = [one for one in draft.findings if one.rule == "server-by-name"]
    assert finding.severity is Severity.WARNING
    assert "its address is real.example" in finding.what


def test_servers_that_were_not_exported_are_told_and_one_address_is_one_server() -> None:
    draft = merged(
        {"n1/dsm.sys": stanza("OLD", "10.1.1.1"), "n2/dsm.sys": stanza("TSM", "10.1.1.1")}
    )
    assert [row["server"] for row in rows(draft, "servers.csv")] == ["OLD"]
    assert rules(draft) == {"server-not-exported": "OLD"}
    assert sessions(draft) == [("n1", "OLD", "n1", "backup"), ("n2", "OLD", "n2", "backup")]


def test_a_server_that_says_two_things_is_a_finding() -> None:
    draft = merged({"a.txt": status("A", "8,1,9,0") + status("A", "8,1,27,0")})
    assert rules(draft) == {"server-contradiction": "A"}
    assert rows(draft, "servers.csv")[0]["level"] == "8.1.9.0"


def test_two_stanzas_for_one_session_are_a_finding_where_they_differ() -> None:
    text = stanza("A", "a.example", "SSL Yes")
    files = {"a.txt": status("A") + node("N1"), "n1/dsm.sys": text + stanza("A2", "a.example")}
    draft = merged(files)
    assert [row["ssl"] for row in rows(draft, "sessions.csv")] == ["Yes"]
    (finding,) = [one for one in draft.findings if one.rule == "stanzas-differ"]
    assert (finding.file, finding.line, finding.subject) == ("n1/dsm.sys", 4, "n1")
    alike = merged({**files, "n1/dsm.sys": text + stanza("A2", "a.example", "SSL Yes")})
    assert "stanzas-differ" not in rules(alike)


def test_ports_come_from_the_stanza_and_stay_empty_where_they_are_the_servers() -> None:
    draft = merged(
        {
            "a.txt": status("A") + "PLANNER-OPTION,TCPPORT,1510,\n" + node("N1") + node("N2"),
            "n1/dsm.sys": stanza("A", "a", "TCPPORT 1510"),
            "n2/dsm.sys": stanza("A", "a"),
        }
    )
    assert [row.get("tcpport", "") for row in rows(draft, "sessions.csv")] == ["", "1500"]


def test_the_products_default_of_automatic_distribution_is_taken_where_nothing_is_given() -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("N1") + node("N2"),
            "n1/dsm.sys": stanza("A", "a", "SSLACCEPTCERTFROMSERV No"),
        }
    )
    values = [row["sslacceptcertfromserv"] for row in rows(draft, "sessions.csv")]
    assert values == ["No", "Yes"]


def test_a_stanza_whose_node_is_not_registered_makes_no_session() -> None:
    text = status("A") + node("OTHER") + "PLANNER-COUNT,node,1,\n"
    draft = merged({"a.txt": text, "n1/dsm.sys": stanza("A", "a", "NODE GONE")})
    assert rules(draft)["node-not-registered"] == "n1"
    assert sessions(draft) == [("OTHER", "A", "OTHER", "backup")]


def test_an_export_that_is_cut_off_is_an_error_and_proves_nothing_missing() -> None:
    text = status("A") + node("OTHER") + "PLANNER-COUNT,node,2,\n"
    draft = merged({"a.txt": text, "n1/dsm.sys": stanza("A", "a", "NODE LOST")})
    (finding,) = [one for one in draft.findings if one.rule == "export-incomplete"]
    assert finding.severity is Severity.ERROR
    assert finding.what == "the server has 2 accounts of the kind node; 1 were exported"
    assert ("n1", "A", "LOST", "backup") in sessions(draft)


# --- Administrators and partners -----------------------------------------------------------------


def test_an_administrator_has_sessions_from_the_hosts_of_the_log() -> None:
    start = "ANR0407I Session 1 started for administrator ADM (AIX) "
    draft = merged(
        {
            "a.txt": status("A")
            + "PLANNER-ADMIN,ADM,,\nPLANNER-ADMIN,UNSEEN,,\n"
            + node("N1", host="n1").replace(",,2026", ",10.1.1.9,2026")
            + log(f"{start}(Tcp/Ip desk.example(1)).")
            + log(f"{start}(SSL 10.1.1.9:1).")
            + log(f"{start}(Tcp/Ip stranger(1))."),
            "desk/dsm.sys": stanza("A", "a", "SSL Yes"),
        }
    )
    assert [session for session in sessions(draft) if session[3] == "admin"] == [
        ("desk", "A", "ADM", "admin"),
        ("N1", "A", "ADM", "admin"),
        ("stranger", "A", "ADM", "admin"),
    ]
    kinds = {row["client"]: row["kind"] for row in rows(draft, "clients.csv")}
    assert kinds == {"desk": "admin", "N1": "backup", "stranger": "admin"}
    assert rules(draft)["client-by-host"] == "stranger"
    assert rules(draft)["account-without-client"] == "UNSEEN on A"


def test_a_local_administrator_is_the_only_client_with_shared_memory() -> None:
    start = "ANR0407I Session 1 started for administrator ADM (AIX) (ShMem)."
    files = {
        "a.txt": status("A") + "PLANNER-ADMIN,ADM,,\nPLANNER-COUNT,node,0,\n" + log(start),
        "a-host/dsm.sys": stanza("A", "a", "COMMM sharedmem"),
    }
    (row,) = rows(merged(files), "sessions.csv")
    assert (row["client"], row["commmethod"]) == ("a-host", "SHAREDMEM")
    two = merged({**files, "b-host/dsm.sys": stanza("A", "a", "COMMM sharedmem")})
    assert sessions(two) == []


def test_the_operations_center_is_known_by_its_administrator() -> None:
    start = "ANR0407I Session 1 started for administrator IBM-OC-A (AIX) (Tcp/Ip oc(1))."
    draft = merged({"a.txt": status("A") + log(start)})
    assert rows(draft, "clients.csv")[0]["kind"] == "operations-center"


def test_servers_that_called_have_sessions_with_their_kinds_and_options() -> None:
    draft = merged(
        {
            "a.txt": status("A")
            + "PLANNER-SERVER,B,b.example,1500,2026-07-01 10:00:00.0,No,\n"
            + "PLANNER-SERVER,C,c.example,1500,2026-07-01 10:00:00.0,No,\n"
            + "PLANNER-SERVER,STA,s.example,1500,2026-07-01 10:00:00.0,No,\n"
            + "PLANNER-SERVER,NEVER,n.example,1500,,No,\n"
            + "PLANNER-SERVER,ALIEN,x.example,1500,2026-07-01 10:00:00.0,No,\n",
            "b.txt": status("B") + "PLANNER-SERVER,A,a.example,1510,,Yes,\n",
            "c.txt": status("C") + "PLANNER-LIBRARY,LIB,A,\n",
            "STA/dsmsta.opt": "SERVERNAME A\nTCPPORT 1502\n",
        }
    )
    assert sessions(draft) == [
        ("STA", "A", "STA", "storage-agent"),
        ("ALIEN", "A", "ALIEN", "server"),
        ("B", "A", "B", "server"),
        ("C", "A", "C", "library"),
    ]
    by_client = {row["client"]: row for row in rows(draft, "sessions.csv")}
    assert (by_client["B"]["ssl"], by_client["B"]["tcpport"]) == ("Yes", "1510")
    assert "tcpport" not in by_client["STA"]
    assert rules(draft) == {"partner-unknown": "ALIEN"}
    kinds = {row["client"]: row["kind"] for row in rows(draft, "clients.csv")}
    assert kinds == {"STA": "storage-agent", "ALIEN": "server"}


def test_a_node_and_an_administrator_of_one_name_are_one_account_on_the_careful_side() -> None:
    draft = merged(
        {
            "a.txt": status("A")
            + node("X")
            + "PLANNER-SECURITY,node,X,Transitional,\nPLANNER-SECURITY,admin,X,Strict,\n"
        }
    )
    (row,) = rows(draft, "accounts.csv")
    assert (row["kind"], row["session_security"]) == ("node", "Strict")
    assert rules(draft)["account-contradiction"] == "X on A"


# --- Certificates and trust ----------------------------------------------------------------------


def listing(*labels: str) -> str:
    """Return the list of a key database."""
    return "Certificates found\n" + "".join(f"{label}\n" for label in labels)


def details(label: str, made: Made) -> str:
    """Return the details of a certificate, by its digest."""
    from cryptography.hazmat.primitives import hashes

    digest = made.certificate.fingerprint(hashes.SHA256()).hex(" ").upper()
    name = made.certificate.subject.rfc4514_string()
    return (
        f"Label : {label}\nSubject : {name}\nIssuer : {name}\nFingerprint : SHA256 :\n  {digest}\n"
    )


@pytest.fixture(scope="module")
def own() -> Made:
    """Return a certificate that a server made for itself."""
    return make(DEFAULT)


def test_files_of_one_stem_are_named_after_their_servers(own: Made) -> None:
    other = make(DEFAULT, key_name="other")
    draft = merged(
        {
            "a.txt": status("A") + status("B"),
            "A=x/cert256.arm": own.pem,
            "B/cert256.arm": other.pem,
            "copies/cert256.arm": own.pem,
        }
    )
    presented = {row["server"]: row["certificate"] for row in rows(draft, "servers.csv")}
    assert presented == {"A": "A-cert256", "B": "B-cert256"}
    assert list(draft.certificate_files) == ["certs/A-cert256.arm", "certs/B-cert256.arm"]
    assert rules(draft) == {}


@pytest.mark.parametrize(
    "files", [("A=x/one.pem", "x/bundle.pem"), ("x/bundle.pem", "A=x/one.pem")]
)
def test_a_server_keeps_its_certificate_where_a_bundle_holds_the_same(
    own: Made, files: tuple[str, str]
) -> None:
    contents = {"A=x/one.pem": own.pem, "x/bundle.pem": own.pem + root("CA").pem}
    draft = merged({"a.txt": status("A"), **{name: contents[name] for name in files}})
    assert rows(draft, "servers.csv")[0]["certificate"] == "bundle"


def test_a_certificate_belongs_to_the_server_that_its_san_or_its_file_names() -> None:
    ca = root("CA")
    by_name = make("leaf", ca, hosts=["a.example"])
    by_file = make("leaf2", ca)
    text = "Server Name: A\nServer host name or IP address: a.example\n\n" + status("B")
    draft = merged(
        {"a.txt": text, "x/leaf.crt": by_name.pem, "x/b-2026.pem": by_file.pem, "x/ca.pem": ca.pem}
    )
    presented = {row["server"]: row["certificate"] for row in rows(draft, "servers.csv")}
    assert presented == {"A": "leaf", "B": "b-2026"}
    described = {row["certificate"]: row["server"] for row in rows(draft, "certificates.csv")}
    assert described == {"leaf": "A", "b-2026": "B", "ca": ""}


def test_the_default_of_the_servers_own_key_database_counts_most(own: Made) -> None:
    other = make(DEFAULT, key_name="other")
    draft = merged(
        {
            "a.txt": status("A"),
            "A=old.arm": other.pem,
            "A=kdb.txt": listing("*-\tTSM Server SelfSigned SHA Key", "!\tpartner")
            + details("TSM Server SelfSigned SHA Key", own)
            + details("partner", other),
            "new.arm": own.pem,
        }
    )
    (server,) = rows(draft, "servers.csv")
    assert server["certificate"] == "new"
    assert [(row["client"], row["certificate"]) for row in rows(draft, "trust.csv")] == [
        ("A", "old")
    ]


def test_a_servers_certificate_without_a_file_is_described_by_its_listing() -> None:
    issued = (
        "Label : a-2026\nSubject : CN=a\nIssuer : CN=Root\n"
        "Not Before : May 2, 2026 1:00:00 PM GMT\nNot After : May 2, 2029 1:00:00 PM GMT\n"
        "Signature Algorithm : SHA256WithRSASignature (1.2)\n"
    )
    draft = merged(
        {
            "a.txt": status("A"),
            "A=kdb.txt": listing("*-\ta-2026") + issued,
            "x/Root.pem": root("Root").pem,
        }
    )
    row = {row["certificate"]: row for row in rows(draft, "certificates.csv")}["a-2026"]
    assert row == {
        "certificate": "a-2026",
        "kind": "leaf",
        "issuer": "Root",
        "not_before": "2026-05-02",
        "not_after": "2029-05-02",
        "signature": "SHA256WithRSASignature",
        "server": "A",
        "file": "",
    }


def test_a_default_label_without_details_has_the_name_of_the_servers_file() -> None:
    draft = merged(
        {"a.txt": status("A"), "A=kdb.txt": listing('*-\t"TSM Server SelfSigned SHA Key"')}
    )
    assert rows(draft, "servers.csv")[0]["certificate"] == "A-cert256"


def test_several_certificates_of_one_server_are_a_finding_and_none_is_guessed(own: Made) -> None:
    other = make(DEFAULT, key_name="other")
    draft = merged({"a.txt": status("A"), "a-1.arm": own.pem, "a-2.arm": other.pem})
    assert "certificate" not in rows(draft, "servers.csv")[0]
    assert rules(draft) == {"several-certificates": "A"}


def test_trust_is_found_by_digest_then_by_name_then_by_the_only_one_of_a_server(own: Made) -> None:
    draft = merged(
        {
            "a.txt": status("A") + node("N1"),
            "A=a-cert256.arm": own.pem,
            "ca.pem": root("CA").pem,
            "n1/dsm.sys": stanza("A", "a"),
            "n1/api/dsmcert.txt": listing("!\tany") + details("any", own),
            "n1/dsmcert.txt": listing("!\tCA", "!\tA", "!\tmystery"),
        }
    )
    assert [
        (row["client"], row["key_database"], row["certificate"]) for row in rows(draft, "trust.csv")
    ] == [("n1", "api", "a-cert256"), ("n1", "", "ca"), ("n1", "", "a-cert256")]
    assert rules(draft) == {"server-by-name": "A", "trust-by-label": "n1", "unknown-label": "n1"}


def test_what_belongs_to_nobody_is_told(own: Made) -> None:
    draft = merged(
        {
            "a.txt": status("A"),
            "ca.pem": root("CA").pem,
            "ghost/dsmcert.txt": listing("!\tca"),
            "GHOST=own.arm": own.pem,
        }
    )
    assert rows(draft, "trust.csv") == []
    assert rules(draft) == {
        "listing-without-client": "ghost",
        "certificate-without-server": "GHOST",
    }


# --- Keys, and whole imports ---------------------------------------------------------------------


def test_keys_fill_in_defaults_and_fold_case() -> None:
    assert key_of("trust.csv", {"client": "A", "certificate": "C"}) == ("a", "default", "c")
    assert key_of("accounts.csv", {"server": "S", "account": "N"}) == ("s", "n")


def test_the_first_day_is_the_newest_that_the_files_show(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(
        status("A") + node("N1", access="2026-07-01 10:00:00.0") + node("N2", access="?")
    )
    made = planner.import_fleet(file, out=tmp_path / "fleet")
    assert (made.fleet.start, made.fleet.end - made.fleet.start) == (20635, 730)
    assert [one.rule for one in made.findings] == ["horizon-assumed", "options-unknown"]


def test_without_any_day_or_with_one_too_many_nothing_is_written(tmp_path: Path) -> None:
    file, out = tmp_path / "a.txt", tmp_path / "fleet"
    file.write_text(status("A") + node("N1", access=""))
    with pytest.raises(InventoryError, match="no file shows a day on which it was exported"):
        planner.import_fleet(file, out=out)
    day = datetime.date(2027, 1, 4)
    with pytest.raises(InventoryError, match="the horizon ends on 2027-01-04, before it starts"):
        planner.import_fleet(file, out=out, start=day, end=day)
    planner.import_fleet(file, out=out, start=day)
    with pytest.raises(InventoryError, match="the fleet has a horizon of its own"):
        planner.import_fleet(file, out=out, start=day)


def test_files_without_a_server_node_or_client_are_no_site(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("nothing\n")
    with pytest.raises(InventoryError, match="no file names a server, a node or a client"):
        planner.import_fleet(file, out=tmp_path / "fleet", start=datetime.date(2027, 1, 4))
    assert not (tmp_path / "fleet").exists()
