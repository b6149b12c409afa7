"""Steps that clients and servers share: imports, removals, options, and what is handed out."""

from collections.abc import Mapping, Sequence
from typing import Final

from planner.domain.calendar import iso
from planner.domain.platforms import Component, Platform
from planner.reporting.bundles import INCOMPLETE, Anchor, Bundle
from planner.reporting.runbooks.book import Book
from planner.reporting.runbooks.markdown import code, step, table, text

_CHECKS_OF_DIGESTS: Final[Mapping[Platform, str]] = {
    Platform.AIX: "openssl dgst -sha256 FILE",
    Platform.MACOS: "shasum -a 256 --check SHA256SUMS",
    Platform.WINDOWS: "certutil -hashfile FILE SHA256",
}


def bundle_lines(book: Book, endpoint: int) -> list[str]:
    """Return where the bundles of an endpoint are, and where they go."""
    own = book.bundles_of_endpoint.get(endpoint, [])
    if not own:
        return []
    names = book.plan.fleet.key_databases.name
    check = _CHECKS_OF_DIGESTS.get(own[0].place.platform, "sha256sum --check SHA256SUMS")
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
                _folder(bundle),
            )
            for bundle in own
        ),
    )
    remarks = dict.fromkeys(remark for bundle in own for remark in bundle.remarks)
    return lines + [line for remark in remarks for line in (text(remark), "")]


def _folder(bundle: Bundle) -> str:
    if bundle.place.component is Component.OPERATIONS_CENTER and not bundle.place.folder:
        return "ui/Liberty/usr/servers/guiServer of the installation"
    return bundle.place.folder or "not known; for a server its instance folder"


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
    anchor = _anchor_of(bundle, int(book.plan.certificate[row]))
    if anchor:
        command = anchor.command or command
        lines += [
            f"For {text(anchor.servers)}; needed on {iso(anchor.needed)}, latest safe day "
            f"{iso(anchor.latest_safe)}. Run it in the folder of the bundle.",
            "",
        ]
        if not anchor.is_trust:
            lines += [f"**No trust:** {INCOMPLETE}.", ""]
        elif not anchor.content:
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


def _anchor_of(bundle: Bundle | None, certificate: int) -> Anchor | None:
    anchors = bundle.anchors if bundle else ()
    return next((one for one in anchors if one.certificate == certificate), None)


def _bundle_of(book: Book, endpoint: int, key_database: str) -> Bundle | None:
    names, wanted = book.plan.fleet.key_databases.name, key_database.casefold()
    for bundle in book.bundles_of_endpoint.get(endpoint, ()):
        if names[bundle.key_database].casefold() == wanted:
            return bundle
    return None


def removals(book: Book, endpoint: int, rows: Sequence[int]) -> list[str]:
    """Return the removals of one day, each from the key database of its own place."""
    lines = [f"## {iso(book.plan.day[rows[0]])}: remove certificates", ""]
    lines += ["List first, since a certificate may stand there under another label.", ""]
    for row in rows:
        bundle = _bundle_of(book, endpoint, book.plan.row(row).key_database or "default")
        anchor = _anchor_of(bundle, int(book.plan.certificate[row]))
        if bundle and anchor:
            lines += code(bundle.listing, bundle.removal(anchor))
        else:
            lines += code(book.commands[row])
    return lines + step(
        "no message, and exit status 0 (inferred).",
        "the listing shows it no more, and the sessions of the next day run.",
        "the listing does not show the label, or a session is refused (ANS1592E, ANS1595E).",
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
