"""Lines of the activity log, and sessions joined of them."""

import pytest

from planner.domain.fleet import AccountKind
from planner.domain.observations import ObservedSession
from planner.inventory.importing.activity_log import LogLine, read_message, sessions_of


def read(message: str) -> LogLine | None:
    """Read one message of the server A."""
    return read_message(message, server="A", day="2027-01-04", file="a.txt", line=7)


def started(session: int, name: str) -> LogLine:
    """Return the line of a session's start."""
    start = ObservedSession(server="A", account=name, kind=AccountKind.NODE)
    return LogLine(session=session, start=start)


@pytest.mark.parametrize(
    ("message", "account", "kind", "host", "transport"),
    [
        (
            "ANR0406I Session 12 started for node N1 (Linux x86-64) (Tcp/Ip 10.1.1.1(4711)).",
            "N1",
            AccountKind.NODE,
            "10.1.1.1",
            "Tcp/Ip",
        ),
        (
            "ANR0407I Session 1,234 started for administrator ADM (AIX) (Tcp/Ip h.example(4711)).",
            "ADM",
            AccountKind.ADMIN,
            "h.example",
            "Tcp/Ip",
        ),
        (
            "ANR0408I Session 5 started for server SP4 (AIX) (Tcp/Ip) for library sharing.",
            "SP4",
            AccountKind.SERVER,
            "",
            "Tcp/Ip",
        ),
        (
            "ANR0839I Session 42075 started for node DB_DB2 (Linux x86-64) (SSL 10.1.3.9:352) on a",
            "DB_DB2",
            AccountKind.NODE,
            "10.1.3.9",
            "SSL",
        ),
        (
            "ANR0406I Session 9 started for node N1 (AIX) (ShMem).",
            "N1",
            AccountKind.NODE,
            "",
            "ShMem",
        ),
        (
            "ANR0406I Session 9 started for node N1 (WinNT) (Named Pipe).",
            "N1",
            AccountKind.NODE,
            "",
            "Named Pipe",
        ),
    ],
)
def test_the_start_of_a_session_shows_account_host_and_transport(
    message: str, account: str, kind: AccountKind, host: str, transport: str
) -> None:
    line = read(message)
    assert line is not None
    assert line.start is not None
    assert (line.start.account, line.start.kind) == (account, kind)
    assert (line.start.host, line.start.transport) == (host, transport)
    assert (line.start.server, line.start.line) == ("A", 7)


@pytest.mark.parametrize(
    "message",
    ["", "ANR2017I Administrator A issued command: QUERY SESSION", "ANR0403I Session 1 ended.",
     "ANR0406I Session started", "ANR8592I Session 1 connection is using"],
)  # fmt: skip
def test_other_messages_show_no_session(message: str) -> None:
    assert read(message) is None


@pytest.mark.parametrize("certificate", ["TSM Self-Signed Certificate", "sp-1", "sp.example.org"])
def test_the_handshake_shows_protocol_and_certificate(certificate: str) -> None:
    line = read(
        "ANR8592I Session 1 connection is using protocol tlsv13, cipher specification "
        f"TLS_AES_256_GCM_SHA384, certificate {certificate}.  (SESSION: 1)"
    )
    assert line is not None
    assert (line.protocol, line.certificate, line.start) == ("TLSV13", certificate, None)


def test_a_handshake_belongs_to_the_nearest_start_of_its_number() -> None:
    def shake(session: int, protocol: str) -> LogLine:
        return LogLine(session=session, protocol=protocol, certificate="c")

    lines = [
        shake(1, "TLSV12"),
        started(1, "before"),
        started(2, "after"),
        shake(2, "TLSV13"),
        started(3, "plain"),
        started(1, "again"),  # the server was restarted and counts anew
        shake(9, "TLSV12"),
    ]
    found = [(one.account, one.protocol) for one in sessions_of(lines)]
    assert found == [("before", "TLSV12"), ("after", "TLSV13"), ("plain", ""), ("again", "")]
