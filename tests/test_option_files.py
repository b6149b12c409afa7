"""Option files in the layouts of domain.md sections 7.4 and 7.5; every file here is made up."""

import re

import pytest

from planner.domain.fleet import SessionKind
from planner.inventory.importing.evidence import Evidence, LineUse
from planner.inventory.importing.option_files import read_options
from planner.inventory.importing.option_words import Word, is_other, misspelt, word_of
from tests.test_dsmadmc import uses


def read(text: str, *, file: str = "dsm.sys", kind: SessionKind = SessionKind.BACKUP) -> Evidence:
    """Read an options file of the client `db1`."""
    return read_options(file, text, client="db1", kind=kind)


# --- Layouts of public samples -------------------------------------------------------------------

TEMPLATE = """\
************************************************************************
* Sample client system options
************************************************************************
   ***  indented stars are a comment too

DEFAULTServer  BACKUP
SErvername  BACKUP
   COMMMethod         TCPip
   TCPPort            1500
   TCPServeraddress   tsm1.example.org
   nodename           "DB1"
   PASSWORDAccess     generate
   MANAGEDServices    schedule webclient
   inclexcl           "/etc/tsm/inclexcl.lst"
   SCHEDLOGRETENTION  14,D
   ERRORLOGNAME       '"/var/log/dsm error.log"'
   VIRTUALMOUNTPOINT  /data/one
   VIRTUALMOUNTPOINT  /data/two

server  archive
   TCPS  tsm2.example.org
   tcpp  1601
   ssl   y
   sslreq serveronly
   lanfrees 1511
   enablelanfree yes
   lanfreecommmethod tcpip
   TCPADMINPORT 1602
   TESTFLAG disable_tls13
"""


def test_stanzas_are_read_with_abbreviations_quotes_and_any_case() -> None:
    found = read(TEMPLATE)
    backup, archive = found.stanzas
    assert (backup.alias, backup.address, backup.port) == ("BACKUP", "tsm1.example.org", "1500")
    assert backup.node == "DB1"
    assert backup.options == {"commmethod": "TCPIP"}
    assert (archive.alias, archive.port, archive.node) == ("archive", "1601", "")
    assert archive.options == {"ssl": "Yes", "sslrequired": "ServerOnly"}
    assert archive.source.line == 20
    assert (found.findings, found.faults) == ((), ())


def test_every_line_of_a_sample_is_accounted_for() -> None:
    found = read(TEMPLATE)
    assert len(uses(found)) == len(TEMPLATE.splitlines())
    aside = [one.what for one in found.lines if one.use is LineUse.ASIDE]
    assert aside == [
        "option DEFAULTSERVER",
        "option PASSWORDACCESS",
        "option MANAGEDSERVICES",
        "option INCLEXCL: a list of files, not followed",
        "option SCHEDLOGRETENTION",
        "option ERRORLOGNAME",
        "option VIRTUALMOUNTPOINT",
        "option LANFREES",
        "option ENABLELANFREE",
        "option LANFREECOMMMETHOD",
        "option TCPADMINPORT",
        "option TESTFLAG",
    ]
    assert uses(found)[:6] == [LineUse.COMMENT] * 5 + [LineUse.ASIDE]


LAYOUTS = {
    "the least that works": "SE a\nTCPS a.example\n",
    "tabs and CRLF": "SErvername\tA\r\n\tTCPServeraddress\ta.example\r\n\tTCPPort\t1500\r\n",
    "one blank before all": " SErvername A\n TCPServeraddress a.example\n\n \n* end",
    "no line feed at the end": "SErvername A\nTCPServeraddress a.example",
    "LAN-free": (
        "SErvername A\n  commmethod tcpip\n  tcpserveraddress a.example\n  enablelanfree yes\n"
        "  lanfreecommmethod sharedmem\n  lanfreeshmport 1510\n  lanfreetcpport 1502\n"
        "  lanfreetcpserveraddress 127.0.0.1\n  LANFREESSL no\n"
    ),
    "SSL of an old service": (
        "SERVERNAME A\n  TCPSERVERADDRESS a.example\n  TCPPORT 1600\n  TCPADMINPORT 1601\n"
        "  SSL yes\n  SSLREQUIRED yes\n  PASSWORDACCESS generate\n  PASSWORDDIR /etc/adsm\n"
        "  DEDUPLICATION yes\n  COMPRESSION yes\n  ENABLECLIENTENCRYPTKEY yes\n"
    ),
    "a sample with everything commented out": (
        "***********\n* IBM *\n***********\n* SErvername  server_a\n*    COMMMethod  TCPip\n"
        "SErvername  server_a\n   COMMMethod         TCPip\n   TCPPort            1500\n"
        "   TCPServeraddress   node.domain.company.COM\n"
    ),
    "globals first": (
        "DEFAULTServer A\nMIGRATEServer A\nERRORLOGName /var/log/e.log\nSCHEDLOGRetention 7 D\n"
        "SErvername A\n  TCPServeraddress a.example\n  INCLUDE.VM vm1 mc\n  EXCLUDE.DIR /tmp\n"
        "  DOMAIN ALL-LOCAL -/scratch\n  SCHEDCMDEXCEPTION x\n"
    ),
    "several nodes of one host": (
        "SErvername A\n  TCPServeraddress a.example\n  NODename N1\n  ASNODename CLUSTER\n"
        "SErvername A_DB\n  TCPServeraddress a.example\n  NODename N2\n"
    ),
    "LDAP words and IPv6": (
        "SErvername A\n  COMMMethod V6Tcpip\n  TCPServeraddress fe80::1\n  TXNBYTELIMIT 25600\n"
    ),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=list(LAYOUTS))
def test_layouts_that_occur_are_read_without_a_fault_and_each_line_counts(text: str) -> None:
    found = read(text)
    assert (found.faults, found.findings) == ((), ())
    assert len(uses(found)) == len(text.splitlines())
    assert len(found.stanzas) == len(re.findall(r"^\s*TCPS", text, re.IGNORECASE | re.MULTILINE))
    unknown = "an option that the kit does not know"
    assert unknown not in {one.what for one in found.lines}


def test_a_windows_options_file_is_one_way_to_one_server() -> None:
    text = (
        "* dsm.opt\r\nNODENAME db1\r\nTCPSERVERADDRESS 10.0.0.1\r\nSSL Yes\r\nTCPPORT 1543\r\n"
        "SSLACCEPTCERTFROMSERV No\r\nDOMAIN C: D:\r\n"
        "PRESCHEDULECMD '\"C:\\run it.cmd\" > x'\r\nCLUSTERNODE yes\r\n"
    )
    (stanza,) = read(text, file="dsm.opt").stanzas
    assert (stanza.alias, stanza.address, stanza.port) == ("", "10.0.0.1", "1543")
    assert stanza.options == {"ssl": "Yes", "sslacceptcertfromserv": "No"}


def test_the_user_options_of_unix_are_no_way_to_a_server() -> None:
    found = read("SERVERNAME backup\nSUBDIR yes\n", file="dsm.opt")
    assert (found.stanzas, found.findings) == ((), ())


def test_a_replication_block_is_no_stanza_and_makes_the_failover() -> None:
    text = (
        "*** These options should not be changed manually\n"
        "REPLSERVERNAME TARGET\n  REPLTCPSERVERADDRESS t.example\n  REPLTCPPORT 1505\n"
        "  REPLSSLPORT 1506\n  REPLSERVERGUID 91.0f\n"
        "*** end of automatically updated options\n"
        "SErvername A\n  TCPServeraddress a.example\n  NODEname N\n  SSL yes\n"
        "  MYREPLICATIONServer target\n  MYPRIMARYSERVERNAME A\n"
        "SErvername B\n  TCPServeraddress b.example\n  MYREPLICATIONServer TARGET\n"
    )
    found = read(text)
    assert [(one.alias, one.address, one.port, one.kind) for one in found.stanzas] == [
        ("A", "a.example", "", SessionKind.BACKUP),
        ("TARGET", "t.example", "1506", SessionKind.FAILOVER),
        ("B", "b.example", "", SessionKind.BACKUP),
        ("TARGET", "t.example", "1505", SessionKind.FAILOVER),
    ]
    failover = found.stanzas[1]
    assert failover.options == {"ssl": "Yes", "replsslport": "1506"}
    assert (failover.node, failover.is_failover) == ("N", True)


def test_a_storage_agent_names_its_server_without_an_address() -> None:
    found = read(
        "SERVERNAME SRV\nTCPPORT 1502\nDEVCONFIG devconfig.txt\n",
        file="dsmsta.opt",
        kind=SessionKind.STORAGE_AGENT,
    )
    assert [(one.alias, one.kind) for one in found.stanzas] == [("SRV", SessionKind.STORAGE_AGENT)]


def test_a_data_mover_makes_sessions_of_kind_vm() -> None:
    (stanza,) = read("SE A\nTCPS a\nVMCHOST vc\nVMCPW geheim\n").stanzas
    assert stanza.kind is SessionKind.VM


# --- Faults and findings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("SSLREQUIERD Yes", "the option is unknown; did you mean SSLREQUIRED?"),
        ("SSLACCEPTCERTFROMSRV No", "the option is unknown; did you mean SSLACCEPTCERTFROMSERV?"),
        ("SSLACCEPT No", "the option is unknown; did you mean SSLACCEPTCERTFROMSERV?"),
        ("TCPSEVERADDRESS x", "the option is unknown; did you mean TCPSERVERADDRESS?"),
        ("SSLX Yes", "the option is unknown; did you mean SSL?"),
        ("SSL perhaps", "SSL has no value that it takes; use one of No, Yes"),
        ("SSL", "SSL has no value that it takes"),
        ("TCPPORT 99999", "TCPPORT is not a port; write a number from 1 to 65535"),
        ("SERVERNAME", "SERVERNAME is followed by no name"),
        ("NODENAME two words", "NODENAME is followed by no value that it takes"),
        ("REPLTCPPORT x", "REPLTCPPORT is followed by no value that it takes"),
        ("X" * 70_000, "the line is longer than 65,536 characters"),
    ],
)
def test_a_security_option_that_is_wrong_is_a_fault_with_its_line(line: str, what: str) -> None:
    found = read(f"SE A\nREPLSERVERNAME R\n{line}\n")
    (fault,) = found.faults
    assert fault.line == 3
    assert what in str(fault)
    assert uses(found)[2] is LineUse.FAULT


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("SSL Yes\nSE A\nTCPS a\n", "option-outside-stanza", 1),
        ("SE A\nTCPS a\nSE a\nTCPS b\n", "duplicate-stanza", 3),
        ("SE A\nTCPS a\nSSL Yes\nSSL No\n", "duplicate-option", 4),
        ("SE A\nTCPS a\nTCPS b\n", "duplicate-option", 3),
        ("SE A\nNODE x\n", "stanza-without-address", 1),
        ("SE A\nTCPS a\nMYREPLICATIONS R\n", "replication-server-unknown", 3),
    ],
)
def test_what_the_manual_leaves_open_is_a_finding(text: str, rule: str, line: int) -> None:
    (finding,) = read(text).findings
    assert (finding.rule, finding.line, finding.subject) == (rule, line, "db1")


def test_the_first_of_repeated_options_counts() -> None:
    (stanza,) = read("SE A\nTCPS a\nSSL Yes\nSSL No\n").stanzas
    assert stanza.options == {"ssl": "Yes"}


def test_options_of_a_replication_server_outside_its_block_are_kept_aside() -> None:
    found = read("SE A\nTCPS a\nREPLTCPPORT 1500\nREPLSSLPORT 1501\n")
    assert uses(found)[2:] == [LineUse.ASIDE] * 2
    assert found.stanzas[0].options == {}


@pytest.mark.parametrize(
    "line",
    [
        "PASSWORD geheim",
        "pas geheim",
        'PASSWORD "geheim"',
        "KEYFILE geheim",
        "KEYFILEPASSWORD geheim",
        "VMCPW geheim",
        "NASPASSWORD geheim",
        "PASSWROD geheim",
        "SSL Yes PASSWORD geheim",
        "TCPPORT geheim",
        "NODENAME x PASSWORD geheim",
        "PRESCHEDULECMD run -password=geheim",
        "* PASSWORD geheim",
        "unheard geheim",
        "geheim",
    ],
)
def test_no_secret_leaves_the_reader(line: str) -> None:
    found = read(f"SE A\nTCPS a\n{line}\n")
    assert "geheim" not in repr(found)
    assert len(uses(found)) == 3


# --- Names of options ----------------------------------------------------------------------------


def test_names_that_begin_alike_are_told_apart() -> None:
    assert word_of("PASSWORD") is Word.SECRET
    assert word_of("PASSWORDACCESS") is None
    assert word_of("server") is word_of("SErver") is word_of("SERVERNAME") is Word.SERVERNAME
    assert word_of("SERVERX") is None
    assert is_other("PASSWORDA")
    assert is_other("httpport")
    assert not is_other("SSL")


@pytest.mark.parametrize("name", ["HTTPPORT", "LANFREETCPPORT", "SSLTCPPORT", "PASSWORDACCESS"])
def test_a_right_option_is_not_taken_for_a_misspelt_one(name: str) -> None:
    found = read(f"SE A\nTCPS a\n{name} 1\n")
    assert found.faults == ()


@pytest.mark.parametrize("name", ["FOO", "X", "MYOPTION"])
def test_an_unknown_option_like_no_other_is_kept_aside(name: str) -> None:
    assert misspelt(name) is None
    assert uses(read(f"{name} 1\n")) == [LineUse.ASIDE]
