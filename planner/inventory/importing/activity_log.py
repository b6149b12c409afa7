"""Lines of the activity log that show a session's start, its handshake, or both.

References
----------
`domain.md` section 7.3 d and e; ANR0406I, ANR0407I and ANR0408I are inferred.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from planner.domain.fleet import AccountKind
from planner.domain.observations import ObservedSession

_START: Final = re.compile(
    r"ANR(?:0406|0407|0408|0839)I Session ([\d.,]{1,16}) started for "
    r"(node|administrator|server) (\S{1,256})(?: \(([^()]{0,64})\))? ?"
    r"\((.{0,300}?)\)(?: on [^()]{0,256}|\.|\s|$)"
)
_HANDSHAKE: Final = re.compile(
    r"ANR8592I Session ([\d.,]{1,16}) connection is using protocol ([\w.]{1,16}), "
    r"cipher specification [^,]{0,128}, certificate (.{1,256}?)\.\s"
)
_KINDS: Final = {
    "node": AccountKind.NODE,
    "administrator": AccountKind.ADMIN,
    "server": AccountKind.SERVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What one line of the activity log says of a session: how it started, or its handshake."""

    session: int
    start: ObservedSession | None = None
    protocol: str = ""
    certificate: str = ""


def read_message(message: str, *, server: str, day: str, file: str, line: int) -> LogLine | None:
    """Return what a message says of a session; None where it is none of those looked for.

    Examples
    --------
    >>> text = "ANR0839I Session 4,075 started for node DB2 (Linux x86-64) (SSL 10.1.3.9:352) on a."
    >>> read_message(text, server="A", day="", file="a.txt", line=1).start.host
    '10.1.3.9'
    """
    if "Session" not in message:
        return None
    if found := _HANDSHAKE.search(f"{message} "):
        return LogLine(
            session=_number(found[1]), protocol=found[2].upper(), certificate=found[3].strip()
        )
    if (found := _START.search(message)) is None:
        return None
    transport, host = _connection(found[5])
    return LogLine(
        session=_number(found[1]),
        start=ObservedSession(
            server=server,
            account=found[3],
            kind=_KINDS[found[2]],
            host=host,
            transport=transport,
            day=day,
            file=file,
            line=line,
        ),
    )


def _number(text: str) -> int:
    digits = re.sub(r"\D", "", text, flags=re.ASCII)
    return int(digits) if digits else -1


def _connection(text: str) -> tuple[str, str]:
    """Transport and host of `Tcp/Ip host(1234)`, `SSL 10.1.1.1:1234` or `ShMem`."""
    transport, _, rest = text.strip().partition(" ")
    if transport.casefold() == "named":
        return text.strip(), ""
    host = rest.strip().partition("(")[0]
    head, colon, port = host.rpartition(":")
    return transport, head if colon and port.isdecimal() else host


def sessions_of(lines: Iterable[LogLine]) -> tuple[ObservedSession, ...]:
    """Join starts and handshakes by the session's number, which a restarted server uses again.

    The handshake comes before or after the start; one belongs to the nearest start of its number
    that has none.
    """
    sessions: list[ObservedSession] = []
    started: dict[int, int] = {}
    waiting: dict[int, LogLine] = {}
    for line in lines:
        if line.start is not None:
            handshake = waiting.pop(line.session, None)
            started[line.session] = len(sessions)
            sessions.append(line.start if handshake is None else _with(line.start, handshake))
            continue
        place = started.pop(line.session, None)
        if place is None or sessions[place].protocol:
            waiting[line.session] = line
        else:
            sessions[place] = _with(sessions[place], line)
    return tuple(sessions)


def _with(start: ObservedSession, handshake: LogLine) -> ObservedSession:
    return replace(start, protocol=handshake.protocol, certificate=handshake.certificate)
