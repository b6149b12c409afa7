"""What dsmadmc prints: delimited rows, lists of `Label: value`, log lines, banners and noise.

References
----------
Layouts: `domain.md` sections 7.1 to 7.3.
"""

import csv
import itertools
import re
from collections.abc import Sequence
from typing import Final

from planner.inventory.importing.evidence import Evidence, LineAccount, LineUse
from planner.inventory.importing.queries import COLUMNS
from planner.inventory.importing.rows import AUTHENTICATIONS, Records, Row, RowError
from planner.inventory.importing.text import LONGEST_LINE, is_name, level_text, lines_of

_TAG: Final = re.compile(r'\s*"?PLANNER-([A-Z]{3,10})"?\s*([,\t])')
_MESSAGE: Final = re.compile(r"A(?:NR|NS)\d{4}[A-Z] ")
_SHOWS_SESSION: Final = re.compile(r"ANR(?:0406|0407|0408|0839|8592)I ")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\b")
_SESSION_WITH: Final = re.compile(r"Session established with server (\S{1,64}?):")
_LEVEL: Final = re.compile(
    r"(Server |Client |)Version (\d+), Release (\d+), Level (\d+)(?:\.(\d+))?", re.IGNORECASE
)
_LIST: Final = re.compile(r"\s*([A-Za-z][\w ./()&#-]{0,60}?)\??:\s{0,4}(.*)")
_HEADING: Final = re.compile(r'\s*"?[A-Z][A-Z0-9_]{2,40}"?([,\t]"?[A-Z][A-Z0-9_]{1,40}"?)+,?\s*')
_STATUS_FIELDS: Final = 40
"""Least number of fields of a delimited QUERY STATUS; the sample has 68."""
_MOST_PARTS: Final = 12
"""Most lines over which a table display breaks one message."""

_KEY_COLUMNS: Final = (
    ("NODE", ("NODE_NAME", "CLIENT_VERSION")),
    ("SERVER", ("SERVER_NAME", "HL_ADDRESS")),
    ("STATUS", ("SERVER_NAME", "VERSION")),
    ("ADMIN", ("ADMIN_NAME",)),
    ("LOG", ("DATE_TIME", "MESSAGE")),
)
"""Which table a heading is of: the first one whose columns it has."""

_LISTS: Final = {
    "node name": "NODE",
    "node_name": "NODE",
    "administrator name": "ADMIN",
    "admin_name": "ADMIN",
    "server name": "SERVER",
    "server_name": "SERVER",
}
"""With which label a record of a list begins."""
_NAME_COLUMNS: Final = {"NODE": "NODE_NAME", "ADMIN": "ADMIN_NAME", "SERVER": "SERVER_NAME"}
_LABELS: Final = {
    "platform": "PLATFORM_NAME",
    "client os name": "CLIENT_OS_NAME",
    "tcp/ip name": "TCP_NAME",
    "tcp/ip address": "TCP_ADDRESS",
    "last access date/time": "LASTACC_TIME",
    "node type": "NODETYPE",
    "authentication": "AUTHENTICATION",
    "session security": "SESSION_SECURITY",
    "session_security": "SESSION_SECURITY",
    "ssl": "SSL",
    "ssl required": "SSLREQUIRED",
    "high-level address": "HL_ADDRESS",
    "hl_address": "HL_ADDRESS",
    "low-level address": "LL_ADDRESS",
    "ll_address": "LL_ADDRESS",
    "replication mode": "REPL_MODE",
    "default authentication": "DEFAULT_AUTHENTICATION",
    "server host name or ip address": "SERVER_HLA",
    "server tcp/ip port number": "SERVER_LLA",
    "client version": "LEVEL",
}
"""Labels of lists by the column of the same meaning; others are kept aside."""


def read_export(file: str, text: str, *, server: str = "", client: str = "") -> Evidence:
    """Read what dsmadmc printed, of one server or of several after each other.

    Parameters
    ----------
    file, text
        What the source is called, and its content.
    server
        The server's name, where the file does not say it; it wins over what the file says.
    client
        The client whose program printed it, for `Client Version 8, Release 1, ...`.

    Notes
    -----
    Linear in the length of the text. What is no record is a comment and is never repeated: a
    command that was typed with its password may stand in it.
    """
    lines = lines_of(text)
    records = Records(file, server=server, first_server="", client=client)
    found = _read(file, lines, records)
    if records.has_nameless and records.first_server:
        # Rows stood before the first name: now it is known, and they are read with it.
        first = records.first_server
        return _read(file, lines, Records(file, server="", first_server=first, client=client))
    return found


def _read(file: str, lines: Sequence[str], records: Records) -> Evidence:
    reader = _Reader(file, lines, records)
    place = 0
    while place < len(lines):
        place += reader.take(place)
    return reader.evidence()


class _Reader:
    """Reads line by line; a row belongs to the server that was named last before it."""

    def __init__(self, file: str, lines: Sequence[str], records: Records) -> None:
        self._lines = lines
        self._account = LineAccount(file, len(lines))
        self._records = records
        self._layout: tuple[str, str, tuple[str, ...]] | None = None
        self._list: dict[str, str] = {}
        self._list_kind = ""
        self._list_line = 0

    def evidence(self) -> Evidence:
        """Return what was found, when all lines are read."""
        self._close_list()
        return self._records.evidence(self._account)

    def take(self, place: int) -> int:
        """Read the line at a place and those that belong to it; returns how many."""
        line, number = self._lines[place], place + 1
        if tag := _TAG.match(line):
            self._close_list()
            self._tagged(number, line, tag[1], tag[2])
        elif not line.strip():
            self._close_list()
        elif len(line) > LONGEST_LINE:
            what = f"the line is longer than {LONGEST_LINE:,} characters"
            self._note(number, LineUse.ASIDE, what)
        elif _MESSAGE.search(line):
            return self._message(place)
        elif _HEADING.fullmatch(line):
            self._heading(number, line)
        elif (
            self._is_banner(number, line)
            or self._is_under_heading(number, line)
            or self._is_list(number, line)
            or self._is_query_status(number, line)
        ):
            pass
        elif line.count(",") > 1 or line.count("\t") > 1:
            self._note(number, LineUse.ASIDE, "a row that no tag or heading explains")
        else:
            self._note(number, LineUse.COMMENT, "no record")
        return 1

    def _note(self, number: int, use: LineUse, what: str, subject: str = "") -> None:
        self._account.note(number, use, what, subject)

    def _row(self, number: int, tag: str, cells: dict[str, str]) -> None:
        """Hand over a row, its missing cells empty, and account for its line."""
        blank = dict.fromkeys(COLUMNS[tag], "")
        try:
            subject = self._records.take(Row(line=number, tag=tag, cells=blank | cells))
        except RowError as error:
            self._damaged(number, str(error))
        else:
            use = LineUse.USED if subject else LineUse.ASIDE
            self._note(number, use, tag.casefold(), subject)

    def _damaged(self, number: int, what: str) -> None:
        self._note(number, LineUse.FAULT, what)
        self._records.report_damage(number, what)

    # --- Delimited rows ---

    def _tagged(self, number: int, line: str, tag: str, delimiter: str) -> None:
        columns = COLUMNS.get(tag)
        if columns is None:
            self._damaged(number, "the row has a tag that no query of the kit has")
            return
        if len(line) > LONGEST_LINE:
            self._damaged(number, f"the row is longer than {LONGEST_LINE:,} characters")
            return
        _, *cells = _cells(line, delimiter)
        n = len(columns)
        if len(cells) < n or any(cells[n:]):
            self._damaged(number, f"the row has {len(cells)} of its query's {n} values")
            return
        self._row(number, tag, dict(zip(columns, cells, strict=False)))

    def _heading(self, number: int, line: str) -> None:
        self._close_list()
        delimiter = "\t" if "\t" in line else ","
        titles = tuple(_cells(line, delimiter))
        self._layout = None
        self._note(number, LineUse.COMMENT, "heading")
        if "RECORD" in titles:
            return  # its rows have tags
        for tag, keys in _KEY_COLUMNS:
            if set(keys) <= set(titles):
                self._layout = (tag, delimiter, titles)
                return

    def _is_under_heading(self, number: int, line: str) -> bool:
        if self._layout is None:
            return False
        tag, delimiter, titles = self._layout
        cells = _cells(line, delimiter)
        if len(cells) < len(titles) or any(cells[len(titles) :]):
            return False
        if all(set(cell) <= {"-"} for cell in cells):
            self._note(number, LineUse.COMMENT, "heading")
        else:
            self._row(number, tag, dict(zip(titles, cells, strict=False)))
        return True

    def _is_query_status(self, number: int, line: str) -> bool:
        """Take name, port and authentication of a delimited QUERY STATUS (sample a of 7.3)."""
        delimiter = "\t" if "\t" in line else ","
        if line.count(delimiter) < _STATUS_FIELDS:
            return False
        cells = _cells(line, delimiter)
        found = [
            cell
            for before, cell in itertools.pairwise(cells)
            if before in ("Yes", "No") and cell.casefold() in AUTHENTICATIONS
        ]
        if not is_name(cells[0]) or not found:
            return False
        row = {
            "SERVER_NAME": cells[0],
            "SERVER_HLA": cells[1],
            "SERVER_LLA": cells[2],
            "DEFAULT_AUTHENTICATION": found[0],
        }
        self._row(number, "STATUS", row)
        return True

    # --- Messages and banners ---

    def _message(self, place: int) -> int:
        """Read a message of the log; a table display breaks it over indented lines."""
        self._close_list()
        parts = [self._lines[place]]
        is_wanted = _SHOWS_SESSION.search(parts[0]) is not None
        for line in self._lines[place + 1 : place + _MOST_PARTS] if is_wanted else ():
            if not line.startswith(" " * 8) or not line.strip() or _MESSAGE.search(line):
                break
            parts.append(line.strip())
        message = " ".join(part[:LONGEST_LINE] for part in parts)
        day = _DAY.search(parts[0])
        cells = {"DATE_TIME": day[0] if day else "", "MESSAGE": message}
        subject = self._records.take(Row(line=place + 1, tag="LOG", cells=cells))
        for number in range(place + 1, place + 1 + len(parts)):
            if subject:
                self._note(number, LineUse.USED, "log", subject)
            else:
                self._note(number, LineUse.COMMENT, "a message that shows no session")
        return len(parts)

    def _is_banner(self, number: int, line: str) -> bool:
        """Take what a banner says: the server's name and level, or the client's own level."""
        if named := _SESSION_WITH.search(line):
            self._row(number, "STATUS", {"SERVER_NAME": named[1]})
            return True
        found = _LEVEL.search(line)
        if found is None or not found[1]:
            return False
        level = level_text(found[2], found[3], found[4], found[5] or "")
        subject = self._records.take_banner(number, found[1].strip().casefold(), level)
        if subject:
            self._note(number, LineUse.USED, "banner", subject)
        return bool(subject)

    # --- Lists ---

    def _is_list(self, number: int, line: str) -> bool:
        """Take a line `Label: value`; a record of a list begins with its name."""
        found = _LIST.fullmatch(line)
        if found is None:
            return False
        label = " ".join(found[1].casefold().split())
        kind = _LISTS.get(label, "")
        if kind and (kind != self._list_kind or label in self._list):
            self._close_list()
            self._list_kind, self._list_line = kind, number
        if not self._list_kind:
            return False
        self._list[label] = found[2].strip()
        is_known = bool(kind) or label in _LABELS
        self._note(number, LineUse.USED if is_known else LineUse.ASIDE, "list")
        return True

    def _close_list(self) -> None:
        """Turn the list read so far into a row; it is told of at its first line."""
        labels, kind, line = self._list, self._list_kind, self._list_line
        self._list, self._list_kind = {}, ""
        if not labels:
            return
        cells = {_LABELS[label]: value for label, value in labels.items() if label in _LABELS}
        cells[_NAME_COLUMNS[kind]] = next(iter(labels.values()))
        if kind == "SERVER" and "HL_ADDRESS" not in cells:
            kind = "STATUS"
        if level := _LEVEL.search(cells.pop("LEVEL", "")):
            parts = ("CLIENT_VERSION", "CLIENT_RELEASE", "CLIENT_LEVEL", "CLIENT_SUBLEVEL")
            cells |= dict(zip(parts, (part or "" for part in level.groups()[1:]), strict=True))
        self._row(line, kind, cells)


def _cells(line: str, delimiter: str) -> list[str]:
    """Cells of one delimited line, without the blanks around them."""
    row = next(csv.reader([line], delimiter=delimiter), [])
    return [cell.strip() for cell in row]
