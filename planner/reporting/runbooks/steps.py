"""Steps that clients and servers share: imports, removals, options, and what is handed out."""

from collections.abc import Sequence

from planner.domain.calendar import iso
from planner.domain.platforms import Platform
from planner.reporting.bundles import Bundle
from planner.reporting.runbooks.book import Book
from planner.reporting.runbooks.markdown import code, step, table, text


def bundle_lines(book: Book, endpoint: int) -> list[str]:
    """Return where the bundles of an endpoint are, and where they go."""
    own = book.bundles_of_endpoint.get(endpoint, [])
    if not own:
        return []
    names = book.plan.fleet.key_databases.name
    is_windows = own[0].place.platform is Platform.WINDOWS
    check = "certutil -hashfile FILE SHA256" if is_windows else "sha256sum --check SHA256SUMS"
    lines = [
        "## Files to hand out",
        "",
        f"Copy each folder to the host, and compare the digests there: `{check}`.",
        "",
    ]
    lines += table(
        ("key database", "folder", "where it lies on the host"),
        (
            (
                names[bundle.key_database],
                f"bundles/{bundle.folder}/",
                bundle.place.folder or "not known; for a server its instance folder",
            )
            for bundle in own
        ),
    )
    return lines


def imports(book: Book, endpoint: int, rows: Sequence[int]) -> list[str]:
    """Return the imports of one day into the key databases of an endpoint."""
    lines = [f"## {iso(book.plan.day[rows[0]])}: import trust anchors", ""]
    for row in rows:
        lines += _import(book, endpoint, row)
    return lines


def _import(book: Book, endpoint: int, row: int) -> list[str]:
    action = book.plan.row(row)
    database = action.key_database or "default"
    lines = [f"### {text(action.certificate)} into key database {text(database)}", ""]
    command, listing = book.commands[row], "the listing of the key database shows it"
    bundle = _bundle_of(book, endpoint, database)
    for anchor in bundle.anchors if bundle else ():
        if anchor.certificate != book.plan.certificate[row]:
            continue
        command = anchor.command or command
        lines += [
            f"For {text(anchor.servers)}; needed on {iso(anchor.needed)}, latest safe day "
            f"{iso(anchor.latest_safe)}. Run it in the folder of the bundle.",
            "",
        ]
        if not anchor.content:
            lines += [
                "**The fleet has no file of it.** Get it from its server or CA, and name it "
                f"`{anchor.file}`.",
                "",
            ]
    if bundle:
        listing = f"{listing}: `{bundle.listing}` (inferred)"
    return [
        *lines,
        *code(command),
        *step(
            "no message, and exit status 0 (inferred).",
            f"{listing}.",
            "the command reports an error, or the digest of the file differs: do not go on to the "
            "upgrade.",
            "none is needed: a trust anchor that nobody uses does no harm.",
        ),
    ]


def _bundle_of(book: Book, endpoint: int, key_database: str) -> Bundle | None:
    names, wanted = book.plan.fleet.key_databases.name, key_database.casefold()
    for bundle in book.bundles_of_endpoint.get(endpoint, ()):
        if names[bundle.key_database].casefold() == wanted:
            return bundle
    return None


def removals(book: Book, rows: Sequence[int]) -> list[str]:
    """Return the removals of one day."""
    lines = [f"## {iso(book.plan.day[rows[0]])}: remove certificates", ""]
    lines += code(*(book.commands[row] for row in rows))
    return lines + step(
        "no message, and exit status 0 (inferred).",
        "the sessions of the next day run.",
        "a session is refused (ANS1592E, ANS1595E).",
        "import the certificate again from the bundle.",
    )


def options(book: Book, rows: Sequence[int]) -> list[str]:
    """Return the option changes of one day."""
    plan = book.plan
    lines = [
        f"## {iso(plan.day[rows[0]])}: set options",
        "",
        "Save the options file first. On Unix each line stands in the stanza of its server in "
        "dsm.sys, on Windows in the option file of that server.",
        "",
    ]
    lines += table(
        ("server", "line"),
        ((plan.row(row).server or "every server", book.commands[row]) for row in rows),
    )
    return lines + step(
        "the client starts without ANS1036S.",
        "`dsmc query options` shows the values (inferred).",
        "ANS1036S, invalid option: the client is too old for the line, or the line is misspelt.",
        "put the saved options file back.",
    )
