"""The SELECTs that a site runs on each server, and the layout of their answers.

Each row begins with a tag, so it says by itself what it is: exports with and without headings, with
banners and messages between them, need no guessing. Columns that only some levels have stand in
SELECTs of their own; where one of these fails, the others still answer.

References
----------
Columns: `domain.md` section 7.2. Inferred: PROXYNODES, LIBRARIES, OPTIONS, and REPL_MODE of NODES.
"""

from dataclasses import dataclass
from typing import Final

TAG_START: Final = "PLANNER-"
_NAMES: Final = {"node": "NODE_NAME", "admin": "ADMIN_NAME", "server": "SERVER_NAME"}


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT: its tag, the columns that its rows show, and what follows FROM.

    `constant` is a text that stands behind the tag, for SELECTs that share one.
    """

    tag: str
    columns: tuple[str, ...]
    table: str
    constant: str = ""

    @property
    def select(self) -> str:
        """The SELECT as it is typed."""
        columns = [f"'{TAG_START}{self.tag}' AS RECORD", *self.columns]
        if self.constant:
            # SECURITY and COUNT show three tables alike.
            name = _NAMES[self.constant]
            shown = {"KIND": f"'{self.constant}' AS KIND", "NAME": name, "NUMBER": "COUNT(*)"}
            columns = [shown.get(column, column) for column in columns]
        return " ".join(["SELECT", ", ".join(columns), "FROM", self.table])


def _query(tag: str, columns: str, table: str, constant: str = "") -> Query:
    return Query(tag, tuple(columns.split()), table, constant)


QUERIES: Final = (
    _query("STATUS", "SERVER_NAME VERSION RELEASE LEVEL SUBLEVEL", "STATUS"),
    _query("OPTION", "OPTION_NAME OPTION_VALUE", "OPTIONS"),
    _query(
        "NODE",
        "NODE_NAME PLATFORM_NAME CLIENT_OS_NAME CLIENT_VERSION CLIENT_RELEASE CLIENT_LEVEL "
        "CLIENT_SUBLEVEL TCP_NAME TCP_ADDRESS LASTACC_TIME NODETYPE",
        "NODES",
    ),
    _query("ADMIN", "ADMIN_NAME AUTHENTICATION", "ADMINS"),
    _query("SERVER", "SERVER_NAME HL_ADDRESS LL_ADDRESS LASTACC_TIME SSL", "SERVERS"),
    _query("SECURITY", "KIND NAME SESSION_SECURITY", "NODES", "node"),
    _query("SECURITY", "KIND NAME SESSION_SECURITY", "ADMINS", "admin"),
    _query("SECURITY", "KIND NAME SESSION_SECURITY", "SERVERS", "server"),
    _query("COUNT", "KIND NUMBER", "NODES", "node"),
    _query("COUNT", "KIND NUMBER", "ADMINS", "admin"),
    _query("COUNT", "KIND NUMBER", "SERVERS", "server"),
    _query("REPLICA", "NODE_NAME REPL_MODE", "NODES WHERE REPL_MODE IS NOT NULL"),
    _query("PROXY", "TARGET_NODE_NAME AGENT_NODE_NAME", "PROXYNODES"),
    _query(
        "LIBRARY", "LIBRARY_NAME PRIMARY_LIB_MGR", "LIBRARIES WHERE PRIMARY_LIB_MGR IS NOT NULL"
    ),
    _query("SESSION", "SESSION_ID SESSION_TYPE CLIENT_PLATFORM CLIENT_NAME", "SESSIONS"),
    _query("LOG", "DATE_TIME MESSAGE", "ACTLOG WHERE MSGNO IN (406, 407, 408, 839, 8592)"),
)
"""What `planner import --show-queries` prints."""

COMMANDS: Final = ("QUERY STATUS", "QUERY NODE * FORMAT=DETAILED", "QUERY ADMIN * FORMAT=DETAILED")
"""What only a QUERY tells: the default authentication, and that of each node."""

COLUMNS: Final = {query.tag: query.columns for query in QUERIES}


def show_queries() -> str:
    """Return the text of `planner import --show-queries`: what to run on each server."""
    login = "dsmadmc -id=ADMIN -dataonly=yes"
    lines = [
        "* Run on each server, all output into one file, and give that file to `planner import`.",
        "* dsmadmc asks for the password; do not write it on the command line.",
        "* A SELECT whose columns a level does not have fails; the others are enough.",
        "",
        f"* {login} -commadelimited (or -tabdelimited):",
        *(query.select for query in QUERIES),
        "",
        f"* {login} -displaymode=list:",
        *COMMANDS,
        "",
    ]
    return "\n".join(lines)
