"""What dsmadmc prints, in the layouts of domain.md section 7.3: records, and every line's use."""

import itertools

import pytest

from planner.domain.findings import Severity
from planner.domain.fleet import AccountKind
from planner.inventory.importing.dsmadmc import read_export
from planner.inventory.importing.evidence import Evidence, LineUse
from planner.inventory.importing.queries import QUERIES, show_queries

STATUS = "PLANNER-STATUS,SP03,8,1,27,0,"
NODE = "PLANNER-NODE,{name},Linux x86-64,LNX,8,1,13,2,host1,10.1.1.1,2026-07-20 10:00:00.0,CLIENT,"


def read(*lines: str, server: str = "", client: str = "") -> Evidence:
    """Read the lines of one file."""
    return read_export("a.txt", "\n".join(lines) + "\n", server=server, client=client)


def uses(evidence: Evidence) -> list[LineUse]:
    """Return the use of each line."""
    return list(
        itertools.chain.from_iterable(
            [one.use] * (one.last - one.first + 1) for one in evidence.lines
        )
    )


# --- Delimited rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("end", ["", "DELIMITER"])
def test_a_tagged_row_is_read_with_any_delimiter_and_end(delimiter: str, end: str) -> None:
    rows = [STATUS.rstrip(","), NODE.format(name="N1").rstrip(",")]
    found = read(
        *(row.replace(",", delimiter) + end.replace("DELIMITER", delimiter) for row in rows)
    )
    (node,) = found.nodes
    assert (node.server, node.name, node.level, node.platform) == ("SP03", "N1", "8.1.13.2", "LNX")
    assert (node.tcp_name, node.tcp_address, node.node_type) == ("host1", "10.1.1.1", "client")
    assert node.source.line == 2
    assert uses(found) == [LineUse.USED] * 2


def test_quoted_cells_hold_delimiters_and_thousands() -> None:
    found = read(
        STATUS,
        'PLANNER-OPTION,TCPPort,"1,543",',
        "PLANNER-OPTION,SSLTCPPort,1.544,",
        "PLANNER-OPTION,ExpInterval,24",
        'PLANNER-COUNT,node,"1,234",',
        '"PLANNER-NODE","N1","Linux, any","","8","1","13","2","h","a","","",',
    )
    assert [one.tcpport or one.ssltcpport for one in found.servers[1:]] == ["1543", "1544"]
    assert found.counts[0].number == 1234
    assert found.nodes[0].platform == "Linux, any"
    assert uses(found)[3] is LineUse.ASIDE


def test_a_node_that_never_connected_has_no_level() -> None:
    found = read(STATUS, "PLANNER-NODE,N1,,,,,,,,,,,")
    assert found.nodes[0].level == ""
    assert found.findings == ()


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("PLANNER-NODE,N1,AIX", "the row has 2 of its query's 11 values"),
        ("PLANNER-NODE,N1,,,8,x,13,2,,,,,", "version, release and level are no product level"),
        ("PLANNER-NODE,,,,8,1,13,2,,,,,", "the name is empty or holds a blank"),
        ("PLANNER-ADMIN,A B,Local,", "the name is empty or holds a blank"),
        ("PLANNER-ADMIN,A,Kerberos,", "AUTHENTICATION is none of Local, LDAP"),
        ("PLANNER-SECURITY,robot,A,Strict,", "the row is of no kind of account"),
        ("PLANNER-SECURITY,node,A,Stri", "SESSION_SECURITY is none of Transitional, Strict"),
        ("PLANNER-COUNT,node,many,", "the count is no number"),
        ("PLANNER-PLANET,Mars,", "the row has a tag that no query of the kit has"),
        ("PLANNER-ADMIN,A,Local," + " " * 70_000, "the row is longer than 65,536 characters"),
    ],
)
def test_a_damaged_row_is_a_fault_and_the_rest_is_read(row: str, what: str) -> None:
    found = read(STATUS, row, NODE.format(name="N2"))
    assert uses(found) == [LineUse.USED, LineUse.FAULT, LineUse.USED]
    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("damaged-row", Severity.ERROR)
    assert (finding.file, finding.line) == ("a.txt", 2)
    assert what in finding.what
    assert [node.name for node in found.nodes] == ["N2"]


def test_rows_of_any_query_are_read() -> None:
    found = read(
        STATUS,
        "PLANNER-ADMIN,ADM,LDAP,",
        "PLANNER-SERVER,SP04,10.0.0.4,1500,2026-07-20 10:00:00.000000,Yes,",
        "PLANNER-SECURITY,node,N1,Strict,",
        "PLANNER-REPLICA,N1,SYNCRECEIVE,",
        "PLANNER-PROXY,TARGET,AGENT1 AGENT2,",
        "PLANNER-LIBRARY,LIB,SP01,",
        "PLANNER-LIBRARY,OWN,,",
        "PLANNER-SESSION,12,Admin,DSMAPI,ADM,",
        "PLANNER-LOG,2026-07-20 10:00:00.0,ANR0407I Session 7 started for administrator ADM "
        "(AIX) (Tcp/Ip h1(4711)).  (SESSION: 7),",
        "PLANNER-LOG,2026-07-20 10:00:00.0,ANR0403I Session 7 ended.,",
    )
    assert [(one.name, one.kind.label) for one in found.accounts] == [
        ("ADM", "admin"),
        ("SP04", "server"),
        ("N1", "node"),
        ("N1", "node"),
    ]
    assert found.accounts[0].authentication == "LDAP"
    assert found.accounts[2].session_security == "Strict"
    assert found.accounts[3].is_replica
    (partner,) = found.partners
    assert (partner.address, partner.port, partner.ssl) == ("10.0.0.4", "1500", "Yes")
    assert [(one.target, one.agent) for one in found.proxies] == [
        ("TARGET", "AGENT1"),
        ("TARGET", "AGENT2"),
    ]
    assert [one.manager for one in found.libraries] == ["SP01"]
    assert [(one.account, one.kind, one.host) for one in found.observed] == [
        ("ADM", AccountKind.ADMIN, ""),
        ("ADM", AccountKind.ADMIN, "h1"),
    ]
    used, aside = [LineUse.USED], [LineUse.ASIDE]
    assert uses(found) == used * 7 + aside + used * 2 + aside


# --- The server's name ---------------------------------------------------------------------------


def test_rows_before_the_first_name_belong_to_it_and_later_ones_to_the_last() -> None:
    found = read(
        "PLANNER-ADMIN,A0,,",
        STATUS,
        "PLANNER-ADMIN,A1,,",
        "PLANNER-STATUS,SP04,7,1,9,300,",
        "PLANNER-ADMIN,A2,,",
    )
    assert [(one.server, one.name) for one in found.accounts] == [
        ("SP03", "A0"),
        ("SP03", "A1"),
        ("SP04", "A2"),
    ]
    assert [(one.name, one.level) for one in found.servers] == [
        ("SP03", "8.1.27.0"),
        ("SP04", "7.1.9.300"),
    ]


def test_the_name_that_is_given_wins_with_a_finding() -> None:
    found = read(STATUS, "PLANNER-ADMIN,A,,", server="BACKUP1")
    assert found.servers[0].name == found.accounts[0].server == "BACKUP1"
    assert found.findings[0].rule == "server-name-differs"
    assert read(STATUS, server="sp03").findings == ()


def test_rows_without_any_server_are_a_fault_with_its_cure() -> None:
    found = read("PLANNER-ADMIN,A,,")
    assert str(found.faults[0]) == (
        "a.txt: no row says which server the file is from; run all queries of --show-queries into "
        "it, or name it as SERVER=a.txt"
    )
    assert read("PLANNER-ADMIN,A,,", server="X").faults == ()
    assert read("nothing at all").faults == ()


# --- Layouts of the samples ----------------------------------------------------------------------


def test_a_delimited_query_status_gives_name_port_and_authentication() -> None:
    # Sample a: 68 fields, a trailing comma, quoted thousands, a blank line and noise before it.
    filler = ["Off", "Yes", "05/22/2019 13:26:41", '"2,096,671.99"', "30 Day(s)"] + ["On"] * 50
    row = ",".join(["SP03", "", "1500", *filler, "", "No", "LDAP", "", "365 Day(s)", ""])
    found = read("", "Ignore", row)
    (server,) = found.servers
    assert (server.name, server.tcpport, server.authentication) == ("SP03", "1500", "LDAP")
    assert uses(found) == [LineUse.COMMENT, LineUse.COMMENT, LineUse.USED]


def test_rows_of_other_queries_are_kept_aside() -> None:
    # Samples b and c: decimal commas, empty fields, a trailing comma.
    lines = [
        '/home,"59,94",SOMEUSER,3,"59,94","58,00",POOL',
        "/usr/data,,OTHER,592,,1000.0,POOL2",
        "NODE1,2026-07-20 10:00:00.000000,AIX,,,,",
        "8,1,27,0,2,2026-07-20 10:00:00.000000",
    ]
    found = read(*lines)
    assert uses(found) == [LineUse.ASIDE] * 4
    assert found.nodes == ()


def test_banners_headings_and_messages_are_comments_and_tell_the_server() -> None:
    # Sample b: the banner itself is delimited.
    found = read(
        "IBM Spectrum Protect",
        "Command Line Administrative Interface - Version 8\tRelease 1\tLevel 27.0",
        '"(c) Copyright by IBM Corporation and other(s) 1990","2020". All Rights Reserved.',
        "Session established with server SP03: AIX",
        "  Server Version 8, Release 1, Level 9.100",
        "ANS8000I Server command: 'SELECT 'PLANNER-NODE' AS RECORD, NODE_NAME FROM NODES'",
        "RECORD,NODE_NAME,PLATFORM_NAME",
        "ANR2034E SELECT: No match found using this criteria.",
        "ANS8001I Return code 11.",
    )
    assert [(one.name, one.level) for one in found.servers] == [("SP03", ""), ("SP03", "8.1.9.100")]
    assert uses(found) == [LineUse.COMMENT, LineUse.ASIDE, LineUse.COMMENT, LineUse.USED,
                           LineUse.USED, *[LineUse.COMMENT] * 4]  # fmt: skip


def test_a_table_under_headings_is_read_by_its_columns() -> None:
    found = read(
        STATUS,
        "CLIENT_VERSION\tCLIENT_RELEASE\tCLIENT_LEVEL\tCLIENT_SUBLEVEL\tNODE_NAME\tSESSION_SECURITY",
        "--------------\t--------------\t------------\t---------------\t---------\t----------------",
        "8\t1\t13\t0\tN1\tStrict",
        "",
        "ADMIN_NAME,AUTHENTICATION",
        "ADM,Local",
        "a line that is no row",
    )
    assert [(one.name, one.level) for one in found.nodes] == [("N1", "8.1.13.0")]
    assert [(one.name, one.session_security) for one in found.accounts] == [
        ("N1", "Strict"),
        ("ADM", ""),
    ]
    assert uses(found)[-1] is LineUse.COMMENT


def test_a_wrapped_heading_is_no_record() -> None:
    # Sample f: QUERY SERVER as a table.
    found = read(
        "Server     Comm.     High-level       Low-level     Days     Server     Virtual",
        "Name       Method    Address          Address       Since    Password   Volume",
        "                                                    Last     Set        Password",
        "---------  -------   -------------    ---------     ------   --------   --------",
        "SRC        TCPIP     10.0.0.1         1500          <1       Yes        Yes",
    )
    assert uses(found) == [LineUse.COMMENT] * 5


def test_lists_of_nodes_administrators_servers_and_the_status_are_read() -> None:
    # Sample g, and QUERY ... FORMAT=DETAILED.
    found = read(
        "",
        "                   Server Name: SP03",
        "Server host name or IP address: sp03.example",
        "     Server TCP/IP Port Number: 1500",
        "        Default Authentication: LDAP",
        "",
        "                     Node Name: N1",
        "                      Platform: Linux x86-64",
        "                Client Version: Version 8, release 1, level 13.2",
        "                TCP/IP Address: 10.1.1.1",
        "                  SSL Required: Default",
        "              Session Security: Strict",
        "              Replication Mode: Receive Data",
        "                       Locked?: No",
        "                     Node Name: N2",
        "            Administrator Name: ADM",
        "              Session Security: (?)",
        "",
        "   SERVER_NAME: SP04",
        "   HL_ADDRESS: 10.0.0.4",
        "   LL_ADDRESS: 1500",
        "   SESSION_SECURITY: Transitional",
        "   TRANSPORT_METHOD: Unknown",
        "   SSL: No",
    )
    (server,) = found.servers
    assert (server.name, server.address, server.authentication) == ("SP03", "sp03.example", "LDAP")
    assert [(one.name, one.level, one.tcp_address) for one in found.nodes] == [
        ("N1", "8.1.13.2", "10.1.1.1"),
        ("N2", "", ""),
    ]
    assert [(one.name, one.session_security, one.is_replica) for one in found.accounts] == [
        ("N1", "Strict", True),
        ("ADM", "", False),
        ("SP04", "Transitional", False),
    ]
    assert [(one.name, one.ssl) for one in found.partners] == [("SP04", "No")]
    assert uses(found)[13] is LineUse.ASIDE
    assert uses(found)[-2] is LineUse.ASIDE


def test_activity_log_lines_are_joined_over_broken_lines() -> None:
    # Samples d and e, as the table display breaks them.
    found = read(
        "08/16/2022 09:40:02      ANR8592I Session 136369 connection is using protocol",
        "                          TLSV12, cipher specification",
        "                          TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, certificate TSM",
        "                          Self-Signed Certificate.  (SESSION: 136369)",
        "08/16/2022 09:40:03      ANR0839I Session 136369 started for node DB2NODE (Linux",
        "                          x86-64) (SSL 10.10.3.93:35244) on sp-1:1500.",
        "08/16/2022 09:40:04      ANR0406I Session 136370 started for node N1 (AIX) (Tcp/Ip",
        "                          10.10.3.94(35244)).",
        "08/16/2022 09:40:05      ANR2017I Administrator ADM issued command: QUERY NODE",
        server="sp-1",
    )
    first, second = found.observed
    assert (first.account, first.host, first.protocol) == ("DB2NODE", "10.10.3.93", "TLSV12")
    assert first.certificate == "TSM Self-Signed Certificate"
    assert first.is_encrypted
    assert (second.account, second.host, second.transport) == ("N1", "10.10.3.94", "Tcp/Ip")
    assert not second.is_encrypted
    assert uses(found) == [LineUse.USED] * 8 + [LineUse.COMMENT]


def test_a_list_right_behind_a_message_is_no_part_of_it() -> None:
    found = read(
        STATUS,
        "ANS8000I Server command: 'QUERY NODE * FORMAT=DETAILED'",
        "                     Node Name: N1",
        "              Session Security: Strict",
    )
    assert [(one.name, one.session_security) for one in found.accounts] == [("N1", "Strict")]


def test_a_clients_own_banner_gives_its_level() -> None:
    lines = ["IBM Spectrum Protect", "  Client Version 8, Release 1, Level 13.2 ", "Node Name: N1"]
    found = read(*lines, client="db1")
    assert [(one.client, one.level) for one in found.levels] == [("db1", "8.1.13.2")]
    assert read(*lines[:2]).levels == ()


def test_noise_is_never_repeated() -> None:
    found = read(STATUS, "dsmadmc -id=admin -password=geheim q stat", "a,geheim,b,c")
    assert "geheim" not in repr(found)


# --- The queries ---------------------------------------------------------------------------------


def test_the_queries_fit_into_a_command_line_and_print_what_is_read() -> None:
    text = show_queries()
    assert {line.split("'")[1] for line in text.splitlines() if line.startswith("SELECT")} == {
        f"PLANNER-{query.tag}" for query in QUERIES
    }
    for query in QUERIES:
        assert query.select in text
        assert len(query.select) < 512
        assert query.select.count(",") == len(query.columns) + query.select.count("(406") * 4
