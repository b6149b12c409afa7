"""Bundles: for each client and key database the very files to hand out, with their commands.

A bundle holds the trust anchors of all servers that the client ever needs there over the horizon,
old and new together during a replacement, and nothing else: the fewest that will do.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from planner.domain import views
from planner.domain.calendar import ALWAYS, iso
from planner.domain.certificates import Certificates
from planner.domain.fleet import ClientKind
from planner.domain.levels import LevelFact
from planner.domain.platforms import Component, Place, Platform, place_of, platform_of
from planner.engine.deadlines import Deadlines
from planner.inventory.certificate_paths import certificate_files
from planner.inventory.files import safe_name
from planner.reporting import commands
from planner.reporting.schedule import kept_as, name_servers

if TYPE_CHECKING:
    import pandas as pd

MANIFEST: Final = "SHA256SUMS"
COMMANDS: Final = "commands.txt"
INCOMPLETE: Final = (
    "its chain ends at no root that is known, and holding it alone is no trust (ANS1692E); get the "
    "certificates of its issuers from the CA, add them to the fleet and plan again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One trust anchor of a bundle.

    Parameters
    ----------
    certificate
        Certificate number of `timeline.compiled.certificates`.
    file
        Its name in the bundle.
    content
        The certificate alone, in PEM; empty where the fleet has no file of it, or holding it would
        be no trust.
    is_trust
        Whether holding it is trust; else its chain is incomplete, and nothing is handed out.
    servers
        For which servers it is needed, `;`-joined.
    needed, latest_safe, planned
        Days; `planned` is `ALWAYS` where it is in place, `NEVER` where no import is planned.
    tool
        `dsmcert` or `gsk8capicmd`.
    label
        The name under which the import keeps it.
    command
        The import; empty where the certificate is in place, or no trust.
    """

    certificate: int
    file: str
    content: bytes
    is_trust: bool
    servers: str
    needed: int
    latest_safe: int
    planned: int
    tool: str
    label: str
    command: str

    @property
    def sha256(self) -> str:
        """Digest of the file; empty where there is none."""
        return hashlib.sha256(self.content).hexdigest() if self.content else ""

    @property
    def is_in_place(self) -> bool:
        """Whether the key database holds it from the first day on."""
        return self.planned == ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What one key database must hold.

    Parameters
    ----------
    endpoint, key_database
        Numbers of the fleet.
    folder
        Where the bundle lies below `bundles/`.
    place
        Where the key database lies on its host.
    database
        Name of its file.
    """

    endpoint: int
    key_database: int
    folder: str
    place: Place
    database: str
    anchors: tuple[Anchor, ...]

    @property
    def listing(self) -> str:
        """The command that shows what the key database holds."""
        if self.place.component is Component.OPERATIONS_CENTER:
            return commands.list_truststore(place=self.place)
        return commands.list_certificates(database=self.database, place=self.place)

    def removal(self, anchor: Anchor) -> str:
        """Return the command that takes an anchor out again."""
        if self.place.component is Component.OPERATIONS_CENTER:
            return commands.remove_by_keytool(anchor.label, place=self.place)
        return commands.remove(anchor.label, database=self.database, place=self.place)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of the key database before anything is imported."""
        if self.place.component is Component.OPERATIONS_CENTER:
            return (
                "An Operations Center keeps its certificates in a truststore of its own, in "
                "ui/Liberty/usr/servers/guiServer of its installation; keytool lies in ui/jre/bin "
                "and asks for the truststore's password. Copy the files there first, and start the "
                "Operations Center anew afterwards. (TN; inferred)",
            )
        imports = [anchor for anchor in self.anchors if not anchor.is_in_place]
        is_makeable = self.database == commands.CLIENT_DATABASE
        if is_makeable and any(anchor.tool == "gsk8capicmd" for anchor in imports):
            command = commands.make_database(database=self.database, place=self.place)
            return (f"Where there is no key database yet, make it first (inferred): {command}",)
        return ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bundles:
    """The bundles of all key databases that ever need an anchor, in the order of the fleet."""

    deadlines: Deadlines
    rows: tuple[Bundle, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Bundle]:
        return iter(self.rows)

    @property
    def certificates(self) -> Certificates:
        """What the certificate numbers stand for."""
        return self.deadlines.timeline.compiled.certificates

    def of(self, client: str) -> "Bundles":
        """Return the bundles of one client, in any letter case."""
        endpoint = self.deadlines.timeline.plan.fleet.find_endpoint(client)
        rows = tuple(row for row in self.rows if row.endpoint == endpoint)
        return Bundles(deadlines=self.deadlines, rows=rows)

    def __repr__(self) -> str:
        anchors = [anchor for bundle in self.rows for anchor in bundle.anchors]
        lacking = sum(not anchor.content for anchor in anchors)
        place = sum(anchor.is_in_place for anchor in anchors)
        return (
            f"Bundles({len(self)} key databases, {len(anchors)} anchors, {place} in place, "
            f"{lacking} without a file)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each anchor of each bundle."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def bundles(deadlines: Deadlines) -> Bundles:
    """Say which files each key database must get, and by which commands.

    Notes
    -----
    Linear in deadlines; each certificate file is read once.
    """
    timeline = deadlines.timeline
    fleet, certificates = timeline.plan.fleet, timeline.compiled.certificates
    contents = _contents(deadlines)
    servers, _ = deadlines.texts()
    name_server = name_servers(deadlines, deadlines.needing())
    uses_dsmcert = deadlines.uses_dsmcert()
    endpoint, latest_safe = deadlines.endpoint(), deadlines.latest_safe
    facts = deadlines.level_facts()

    def anchor(row: int, place: Place, database: str) -> Anchor:
        number = int(deadlines.anchor[row])
        name, server = certificates.name[number], name_server[row]
        file = f"{safe_name(name)}.arm"
        is_dsmcert = bool(uses_dsmcert[row]) and place.is_standard
        planned, is_trust = int(deadlines.planned[row]), certificates.is_anchor(number)
        label = kept_as(fleet, server, name) if is_dsmcert and planned != ALWAYS else name
        tool = "dsmcert" if is_dsmcert else "gsk8capicmd"
        if place.component is Component.OPERATIONS_CENTER:
            tool, command = "keytool", commands.import_by_keytool(label, file, place=place)
        elif is_dsmcert:
            command = commands.import_by_dsmcert(label, file, place=place)
        else:
            command = commands.import_by_gsk8capicmd(label, file, database=database, place=place)
        return Anchor(
            certificate=number,
            file=file,
            content=contents.get(number, b"") if is_trust else b"",
            is_trust=is_trust,
            servers=servers[row],
            needed=int(deadlines.needed[row]),
            latest_safe=int(latest_safe[row]),
            planned=planned,
            tool=tool,
            label=label,
            command=command if is_trust and planned != ALWAYS else "",
        )

    found = []
    for number in range(len(fleet.key_databases)):
        rows = range(deadlines.first[number], deadlines.first[number + 1])
        if not rows:
            continue
        client, name = int(endpoint[rows.start]), fleet.key_databases.name[number]
        is_recent = bool(facts[rows.start] & LevelFact.OVERLAPS)
        place = key_database_place(deadlines, client, name, is_storage_protect=is_recent)
        is_client = not fleet.is_server(client) and place.component is not Component.STORAGE_AGENT
        database = commands.CLIENT_DATABASE if is_client else commands.SERVER_DATABASE
        ordered = sorted(
            rows, key=lambda row: (deadlines.needed[row], certificates.name[deadlines.anchor[row]])
        )
        found.append(
            Bundle(
                endpoint=client,
                key_database=number,
                folder=f"{endpoint_file_name(deadlines, client)}/{safe_name(name)}",
                place=place,
                database=database,
                anchors=tuple(anchor(row, place, database) for row in ordered),
            )
        )
    return Bundles(deadlines=deadlines, rows=tuple(found))


def key_database_place(
    deadlines: Deadlines, endpoint: int, name: str, *, is_storage_protect: bool
) -> Place:
    """Return where a key database lies; the instance folder of a server is not known."""
    fleet = deadlines.timeline.plan.fleet
    if fleet.is_server(endpoint):
        return place_of(Platform.UNKNOWN, ClientKind.SERVER, name)
    return place_of(
        platform_of(fleet.clients.platform[endpoint]),
        ClientKind(fleet.clients.kind[endpoint]),
        name,
        is_storage_protect=is_storage_protect,
    )


def endpoint_file_name(deadlines: Deadlines, endpoint: int) -> str:
    """Name of an endpoint's files; a server that shares a client's name is told apart."""
    fleet = deadlines.timeline.plan.fleet
    name = fleet.endpoint_name(endpoint)
    is_shared = fleet.is_server(endpoint) and fleet.clients.name.find(name) >= 0
    return f"{safe_name(name)}@server" if is_shared else safe_name(name)


def _contents(deadlines: Deadlines) -> dict[int, bytes]:
    """PEM of each certificate that the fleet has a file of; the public part, and nothing else."""
    certificates = deadlines.timeline.compiled.certificates
    files = certificate_files(deadlines.timeline.plan.fleet)
    return {
        number: files[address].as_pem().encode("ascii")
        for number, address in enumerate(certificates.file)
        if address in files
    }


def bundle_files(bundle: Bundle, names: Certificates) -> dict[str, bytes]:
    """Return the files of a bundle by their names below `bundles/`: anchors, commands, manifest."""
    files = {anchor.file: anchor.content for anchor in bundle.anchors if anchor.content}
    files[COMMANDS] = _commands(bundle, names).encode()
    files[MANIFEST] = manifest(files)
    return {f"{bundle.folder}/{name}": content for name, content in files.items()}


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the digests of files, as `sha256sum --check` reads them."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return "".join(lines).encode()


def _commands(bundle: Bundle, names: Certificates) -> str:
    """Return the commands of a bundle, to be run in its folder; notes have lines of their own."""
    is_windows = bundle.place.platform is Platform.WINDOWS

    def note(words: str) -> str:
        # The prompt of Windows looks for variables and further commands even in a remark.
        return f"REM {re.sub(r'[%&|<>^]', '?', words)}" if is_windows else f"# {words}"

    lines = [note("Run in the folder of these files, as the owner of the key database.")]
    lines += map(note, bundle.remarks)
    for anchor in bundle.anchors:
        name = names.name[anchor.certificate]
        lines += ["", note(f"{name}: for {anchor.servers}, needed on {iso(anchor.needed)}")]
        if anchor.is_in_place:
            lines.append(note("in place already; nothing to do"))
            continue
        if not anchor.is_trust:
            lines.append(note(f"NO TRUST: {INCOMPLETE}"))
            continue
        if not anchor.content:
            lacks = "NOT HERE: the fleet has no file of it; put it here as the command names it"
            lines.append(note(lacks))
        lines.append(anchor.command)
    listing = note("What the key database holds then (inferred):")
    return "\n".join([*lines, "", listing, bundle.listing, ""])
