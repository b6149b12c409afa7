"""Certificates from wherever a user points: files, folders, bundles and fleets."""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from planner.domain.calendar import NEVER, iso, to_day
from planner.domain.certificates import OWN_ANCHOR, CertificateKind
from planner.domain.errors import CertificateError, Fault, InventoryError, PrivateKeyError
from planner.domain.findings import Finding, Severity, in_order
from planner.domain.fleet import Fleet
from planner.inventory.certificate_checks import check
from planner.inventory.certificate_inventory import CertificateEntry, CertificateInventory
from planner.inventory.certificate_table import split_address
from planner.inventory.chains import LIMITS, Limits, TrustJudge
from planner.inventory.files import read_bytes
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.hints import quoted
from planner.inventory.schema import SETTINGS_FILE
from planner.inventory.x509 import LARGEST_FILE, SUFFIXES, CertificateFile, read_certificates

MOST_FILES: Final = 5_000
"""Most certificate files of one folder that are read."""

_UNUSABLE: Final = "What cannot be read cannot be checked, nor handed out."
_PRIVATE_KEY: Final = "A private key belongs on its own host alone; planning needs none."


def certificates(
    *paths: str | Path | Fleet,
    start: datetime.date | None = None,
    end: datetime.date | None = None,
    limits: Limits = LIMITS,
) -> CertificateInventory:
    """Take stock of certificates: of files, folders and fleets together.

    Parameters
    ----------
    paths
        Certificate files in any form, folders of them, fleet folders, or fleets.
    start, end
        The horizon `[start, end)` that expiry is judged by; a fleet's own where none is given.
    limits
        How much work one chain may take.

    Returns
    -------
    The certificates in the order of the paths, each with its chain, and the findings about them.

    Raises
    ------
    InventoryError
        If a path is missing, a fleet folder cannot be used, or the horizon ends before it starts.
        A certificate file that cannot be used is a finding, so that the others are still listed.

    Notes
    -----
    Linear in the number of certificates; each chain is bounded by the limits.

    Examples
    --------
    >>> found = certificates("data/harbour/certs", end=datetime.date(2028, 7, 3))
    >>> found
    CertificateInventory(9 certificates, 5 self-signed or root, 9 with a whole chain, 0 errors, \
1 warnings)
    >>> str(found.trust("beacon-2026", held=["nordkai-root"]).rule)
    'chain-to-root'
    >>> [(row.rule, row.subject) for row in found.findings if row.severity == "warning"]
    [('expires', 'tugboat-2017')]
    """
    collected = _Collected()
    for path in paths:
        collected.add(path)
    if collected.faults:
        raise InventoryError(collected.faults)
    fleets = collected.fleets
    first = min((one.start for one in fleets), default=NEVER) if start is None else to_day(start)
    last = max((one.end for one in fleets), default=NEVER) if end is None else to_day(end)
    if first != NEVER and last <= first:
        starts = "the start" if start is not None else "the fleet's start"
        ends = "the end" if end is not None else "the fleet's end"
        what = f"{ends} {iso(last)} is not after {starts} {iso(first)}"
        raise InventoryError([Fault(file="horizon", what=what, cure="give a later end")])
    inventory = CertificateInventory(
        entries=_judged(collected.entries, limits),
        start=first,
        end=last,
        limits=limits,
    )
    return replace(inventory, findings=in_order([*collected.findings, *check(inventory)]))


class _Collected:
    """Entries in the order of the paths, under names of their own."""

    def __init__(self) -> None:
        self.entries: list[CertificateEntry] = []
        self.fleets: list[Fleet] = []
        self.findings: list[Finding] = []
        self.faults: list[Fault] = []
        self._names: set[str] = set()

    def add(self, path: str | Path | Fleet) -> None:
        """Take in what one path holds."""
        if isinstance(path, Fleet):
            self._add_fleet(path)
            return
        folder = Path(path)
        if (folder / SETTINGS_FILE).is_file():
            self._add_fleet(read_fleet(folder))
        elif folder.is_dir():
            files = sorted(one for one in folder.rglob("*") if _is_certificate_file(one))
            if len(files) > MOST_FILES:
                what = f"the folder holds {len(files):,} certificate files; {MOST_FILES:,} are read"
                self.faults.append(Fault(file=str(path), what=what, cure="name a smaller folder"))
            for file in files[:MOST_FILES]:
                self._add_file(file, within=folder)
            if not files:
                what = f"the folder holds no certificate file ({' '.join(SUFFIXES)})"
                cure = "name a file, or the folder that holds them"
                self.faults.append(Fault(file=str(path), what=what, cure=cure))
        elif folder.exists():
            self._add_file(folder, within=None)
        else:
            what, cure = "the file or folder is missing", "create it, or correct its name"
            self.faults.append(Fault(file=str(path), what=what, cure=cure))

    def _add_file(self, path: Path, *, within: Path | None) -> None:
        faults: list[Fault] = []
        if not path.name.isprintable():
            what = "the file name holds a character that cannot be printed"
            fault = Fault(file=quoted(str(path)), what=what, cure="rename the file")
            self._report("unusable-file", _UNUSABLE, [fault])
            return
        content = read_bytes(path, str(path), faults, largest=LARGEST_FILE, within=within)
        self._report("unusable-file", _UNUSABLE, faults)
        if content is None:
            return
        try:
            found = read_certificates(str(path), content)
        except PrivateKeyError as error:
            self._report("private-key", _PRIVATE_KEY, error.faults)
            return
        except CertificateError as error:
            self._report("unusable-file", _UNUSABLE, error.faults)
            return
        for number, one in enumerate(found, 1):
            stem = path.stem if number == 1 else f"{path.stem}-{number}"
            self._append(
                CertificateEntry(
                    name=stem if stem.casefold() not in self._names else one.file,
                    found=one,
                    kind=one.kind,
                    not_before=one.not_before,
                    not_after=one.not_after,
                    signature=one.signature,
                    file=one.file,
                )
            )

    def _report(self, rule: str, why: str, faults: Iterable[Fault]) -> None:
        self.findings.extend(
            Finding(
                rule=rule,
                severity=Severity.ERROR,
                day=NEVER,
                subject=fault.file,
                what=fault.what,
                why=why,
                fix=f"{fault.cure[0].upper()}{fault.cure[1:]}.",
                file=fault.file,
            )
            for fault in faults
        )

    def _add_fleet(self, fleet: Fleet) -> None:
        self.fleets.append(fleet)
        table, files = fleet.certificates, certificate_files(fleet)
        presented: dict[int, dict[str, str]] = {}
        for server, certificate in enumerate(fleet.servers.certificate.tolist()):
            own = {fleet.servers.name[server]: fleet.servers.address[server]}
            presented.setdefault(certificate, {}).update(own)
        for number, server in enumerate(table.server.tolist()):
            if server >= 0:
                own = {fleet.servers.name[server]: fleet.servers.address[server]}
                presented.setdefault(number, {}).update(own)
        for number, name in enumerate(table.name):
            if not table.described[number]:
                continue  # nothing is known of it but the name
            issuer = int(table.issuer[number])
            self._append(
                CertificateEntry(
                    name=name,
                    found=files.get(table.file[number]),
                    kind=CertificateKind(table.kind[number]),
                    not_before=int(table.not_before[number]),
                    not_after=int(table.not_after[number]),
                    signature=table.signature[number],
                    issuer=table.name[issuer] if issuer >= 0 else "",
                    addresses=presented.get(number, {}),
                    file=table.file[number] or "certificates.csv",
                    line=0 if table.file[number] else int(table.line[number]),
                )
            )

    def _append(self, entry: CertificateEntry) -> None:
        self._names.add(entry.name.casefold())
        self.entries.append(entry)


def certificate_files(fleet: Fleet) -> dict[str, CertificateFile]:
    """Return the certificates in the files of a fleet, by their addresses."""
    table = fleet.certificates
    wanted = {split_address(address)[0] for address in table.file if address}
    contents = fleet.origin.certificate_files
    return {
        one.file: one
        for file in contents
        if file in wanted
        for one in read_certificates(file, contents[file])
    }


def _is_certificate_file(path: Path) -> bool:
    return path.suffix.casefold() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _judged(entries: Iterable[CertificateEntry], limits: Limits) -> tuple[CertificateEntry, ...]:
    entries = tuple(entries)
    files = [one.found for one in entries if one.found]
    judge = TrustJudge([one for one in files if one.kind in OWN_ANCHOR], files, limits=limits)
    return tuple(
        replace(one, trust=judge.judge(one.found)) if one.found else one for one in entries
    )
