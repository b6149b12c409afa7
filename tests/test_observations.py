"""What a log shows of a session, by the words that logs use."""

import pytest

from planner.domain.fleet import AccountKind
from planner.domain.observations import ObservedSession


def seen(transport: str, protocol: str = "") -> ObservedSession:
    return ObservedSession(
        server="S", account="A", kind=AccountKind.NODE, transport=transport, protocol=protocol
    )


@pytest.mark.parametrize(
    ("transport", "is_local", "is_encrypted"),
    [
        ("Tcp/Ip", False, False),
        ("", False, False),
        ("SSL", False, True),
        ("ssl", False, True),
        ("TLS", False, True),
        ("Tls 1.2", False, True),
        ("ShMem", True, False),
        ("SHM", True, False),
        ("Shared Memory", True, False),
        ("Named Pipe", True, False),
        ("NamePipe", True, False),
        ("tcp ssl", False, False),
    ],
)
def test_the_transport_says_whether_a_session_is_local_or_began_with_a_handshake(
    transport: str, is_local: bool, is_encrypted: bool
) -> None:
    assert seen(transport).is_local is is_local
    assert seen(transport).is_encrypted is is_encrypted


def test_a_protocol_proves_a_handshake_whatever_the_transport_is_called() -> None:
    assert seen("Tcp/Ip", "TLSV12").is_encrypted is True


def test_what_no_log_says_is_empty() -> None:
    bare = ObservedSession(server="S", account="A", kind=AccountKind.NODE)
    assert (bare.host, bare.client, bare.transport, bare.protocol) == ("", "", "", "")
    assert (bare.certificate, bare.day, bare.file, bare.line) == ("", "", "", 0)
