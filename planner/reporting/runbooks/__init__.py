"""Runbooks: for each client and server what to do on which day, for the one who does it.

Every step has its commands in order, what to expect, how to check it, when to stop and the way
back; what cannot be taken back is said with its day.
"""

from collections.abc import Iterable

from planner.domain.version import MADE_BY
from planner.engine.deadlines import Deadlines
from planner.reporting.bundles import endpoint_file_name
from planner.reporting.runbooks.book import Book
from planner.reporting.runbooks.client import client_runbook
from planner.reporting.runbooks.server import server_runbook


def runbooks(deadlines: Deadlines) -> dict[str, str]:
    """Return every runbook as Markdown, by its file name below `runbooks/`.

    Clients and servers with nothing to do in the horizon have none.

    Notes
    -----
    Linear in actions, deadlines and sessions, apart from sorting.
    """
    book, fleet = Book.of(deadlines), deadlines.timeline.plan.fleet
    found = {}
    for endpoint in range(fleet.n_endpoints):
        server = endpoint - len(fleet.clients)
        own = _in_horizon(book, book.rows_of_endpoint.get(endpoint, ()))
        if server >= 0:
            own += _in_horizon(book, book.rows_of_server.get(server, ()))
            ends = [row for row in book.replacements if row.server == server]
            text = server_runbook(book, server, sorted(own), ends) if own or ends else ""
        else:
            text = client_runbook(book, endpoint, own) if own else ""
        if text:
            name = f"{endpoint_file_name(deadlines, endpoint)}.md"
            found[name] = f"{text}\n*Made by {MADE_BY}.*\n"
    return found


def _in_horizon(book: Book, rows: Iterable[int]) -> list[int]:
    fleet = book.plan.fleet
    return [row for row in rows if fleet.start <= book.plan.day[row] < fleet.end]
