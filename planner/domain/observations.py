"""What a server's activity log shows of the sessions that really took place."""

from dataclasses import dataclass

from planner.domain.fleet import AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSession:
    """One session of a server's activity log.

    Parameters
    ----------
    server, account, kind
        Where it was, and with which account.
    host
        The client's host name or address; empty where the log does not say.
    client
        The client at that host, where it is known.
    transport
        As the log has it: `Tcp/Ip`, `SSL`, `ShMem`, `Named Pipe`.
    protocol
        `TLSV12` and the like; empty where no line of the log shows a handshake.
    certificate
        The name in the certificate that the server presented; empty likewise.
    file, line
        The line that shows the session's start.
    """

    server: str
    account: str
    kind: AccountKind
    host: str = ""
    client: str = ""
    transport: str = ""
    protocol: str = ""
    certificate: str = ""
    day: str = ""
    file: str = ""
    line: int = 0

    @property
    def is_local(self) -> bool:
        """Whether it stayed on the host: shared memory or a named pipe."""
        folded = self.transport.casefold()
        return folded.startswith(("shm", "shared", "name"))

    @property
    def is_encrypted(self) -> bool:
        """Whether it began with a handshake."""
        return bool(self.protocol) or self.transport.casefold().startswith(("ssl", "tls"))
