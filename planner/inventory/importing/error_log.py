"""Error logs of clients, `dsmerror.log` and `dsierror.log`: what refused their sessions.

References
----------
Layout: `domain.md` section 7.3 h. Messages: end of section 3 (MSG821, documented).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from planner.domain.findings import Finding, Severity
from planner.inventory.importing.evidence import (
    Evidence,
    LineAccount,
    LineUse,
    Source,
    finding_at,
)
from planner.inventory.importing.text import lines_of

_LINE: Final = re.compile(
    r"(\d{1,4}[-./]\d{1,2}[-./]\d{1,4}) {1,4}\d{1,2}[:.]\d{2}[:.]\d{2}(?: [AP]M)? {1,4}"
    r"(?:\(\d{1,9}\.\d{1,9}\) )?(ANS\d{4}[A-Z])\b"
)
_TRUST: Final = "Give the client its server's certificate before its next session."
_KEY_DATABASE: Final = "Let the user of the session read the key database and its stash file."
_TLS: Final = "Upgrade the older of client and server, or set SSL as the server demands it."

_MEANINGS: Final = {
    "ANS1333E": ("a node for which it acts has not yet connected by TLS", _TRUST),
    "ANS1579E": ("GSKit failed; other messages of that time tell why", _TRUST),
    "ANS1592E": ("TLS could not begin: the server's certificate is not held", _TRUST),
    "ANS1593E": ("the key database could not be opened", _KEY_DATABASE),
    "ANS1594E": ("the key database's password could not be read", _KEY_DATABASE),
    "ANS1595E": ("the server's certificate is not the one that is held", _TRUST),
    "ANS1596E": ("the client knows no TLS", _TLS),
    "ANS1599E": ("the library for TLS is missing", "Install the client's GSKit packages."),
    "ANS1692E": ("the server's certificate is not trusted", _TRUST),
    "ANS1693E": ("the server's certificate is not valid on that day", "Replace the certificate."),
    "ANS1694E": (
        "the server's certificate is of another name",
        "Compare TCPSERVERADDRESS with the names in the certificate.",
    ),
    "ANS1695E": ("the server's certificate is not valid", _TRUST),
    "ANS2027E": ("client and server have no version of TLS in common", _TLS),
    "ANS7524E": ("the client demands SSL, and the session has none", _TLS),
    "ANS7525E": ("the server demands SSL, and the session has none", _TLS),
}
"""Messages of session security: what each says, and its cure."""


@dataclass(slots=True)
class _Seen:
    """How often a message stands in a log, and where it does so first and last."""

    times: int
    first_day: str
    last_day: str
    last_line: int


def is_error_log(file_name: str, text: str) -> bool:
    """Whether a file is a client's error log, by its name or by how it begins.

    Examples
    --------
    >>> is_error_log("saved.txt", "04/26/2020 11:12:52 ANS1592E Failed to initialize SSL protocol.")
    True
    >>> is_error_log("answer.txt", "ANS8000I Server command: 'query node'")
    False
    """
    if re.search(r"ds[mi]error\b", file_name, re.IGNORECASE):
        return True
    begin = next((line for line in lines_of(text[: 1 << 12]) if line.strip()), "")
    return _LINE.match(begin) is not None


def read_error_log(file: str, text: str, *, client: str) -> Evidence:
    """Read the error log of a client: a finding for each message of session security.

    Parameters
    ----------
    file, text
        What the source is called, and its content.
    client
        Whose log it is.

    Notes
    -----
    Linear in the length of the text. Texts of messages are never repeated: names of files and
    users stand in them.
    """
    lines = lines_of(text)
    account = LineAccount(file, len(lines))
    seen: dict[str, _Seen] = {}
    for number, line in enumerate(lines, 1):
        found = _LINE.match(line)
        if found is None:
            if line.strip():
                account.note(number, LineUse.COMMENT, "no message")
            continue
        day, message = found.groups()
        if message not in _MEANINGS:
            account.note(number, LineUse.ASIDE, "a message that is not of session security")
            continue
        account.note(number, LineUse.USED, "error log", client)
        entry = seen.setdefault(message, _Seen(0, day, day, number))
        entry.times += 1
        entry.last_day, entry.last_line = day, number
    return Evidence(lines=account.lines(), findings=tuple(_findings(file, client, seen)))


def _findings(file: str, client: str, seen: dict[str, _Seen]) -> Iterator[Finding]:
    for message, entry in seen.items():
        meaning, cure = _MEANINGS[message]
        once = f"once, on {entry.first_day}"
        often = f"{entry.times:,} times, from {entry.first_day} to {entry.last_day}"
        yield finding_at(
            Source(file, entry.last_line),
            rule="refused-in-error-log",
            severity=Severity.WARNING,
            subject=client,
            what=f"{message}, {meaning}: {once if entry.times == 1 else often}",
            why="The client's own log shows sessions that failed for their security. "
            "[MSG821, documented]",
            fix=cure,
        )
