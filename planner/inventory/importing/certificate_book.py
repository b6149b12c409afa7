"""Certificates: their names in the fleet, which server presents which, and who holds them."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final

from planner.domain.calendar import NEVER, iso
from planner.domain.certificates import DEFAULT_SUBJECT, CertificateKind
from planner.domain.findings import Finding, Severity
from planner.inventory.certificate_facts import host_names, names_host
from planner.inventory.files import safe_name
from planner.inventory.importing.evidence import (
    CertificateFound,
    Evidence,
    HeldCertificate,
    Source,
    finding_at,
)
from planner.inventory.importing.server_book import Row, ServerBook
from planner.inventory.schema import CERTIFICATE_FOLDER
from planner.inventory.x509 import SUFFIXES, CertificateFile

_COMMON_STEMS: Final = frozenset(
    ("cert", "cert256", "cert512", "certificate", "server", "tls", "ssl", "default", "ca")
)
"""Stems that the files of many servers have."""
_DEFAULT_LABELS: Final = {
    "tsm server selfsigned sha key": "cert256",
    "tsm server selfsigned key": "cert",
}
"""Labels that every server uses, and the file of that certificate."""
_PRESENTED: Final = (CertificateKind.LEAF, CertificateKind.SELF_SIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCertificate:
    """A certificate that the fleet has already; `found` is None for one without a file."""

    name: str
    server: str
    found: CertificateFile | None


@dataclass(slots=True, kw_only=True)
class Described:
    """A certificate that listings alone show, or what they add to a file."""

    name: str
    server: str = ""
    held: HeldCertificate | None = None
    file: str = ""
    source: Source = field(default_factory=Source)

    @property
    def is_found(self) -> bool:
        """Whether this import says anything of it."""
        return bool(self.server or self.file or self.held)


class CertificateBook:
    """Certificates by name; files first, as they say most, then the servers' own listings.

    Parameters
    ----------
    known
        The certificates that the fleet has already.
    """

    def __init__(
        self,
        evidence: Evidence,
        servers: ServerBook,
        known: Iterable[KnownCertificate],
    ) -> None:
        self.findings: list[Finding] = []
        self.files: dict[str, bytes] = {}
        self.trust: dict[tuple[str, str, str], Row] = {}
        self.trust_sources: dict[tuple[str, ...], Source] = {}
        self._servers = servers
        self._described: dict[str, Described] = {}
        self._by_digest: dict[str, str] = {}
        self._subjects: dict[str, str] = {}
        self._candidates: dict[str, dict[int, dict[str, Source]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for old in known:
            self._described[old.name.casefold()] = Described(name=old.name, server=old.server)
            if old.found is not None:
                self._learn(old.found.der, old.found.subject, old.name)
        self._take_files(evidence.certificates)
        for one in evidence.held:
            if self._is_own(one):
                self._take_own(one)
        for one in evidence.held:
            if not self._is_own(one):
                self._take_held(one)
        self._present()

    def rows(self) -> list[Row]:
        """Return the rows of certificates.csv."""
        return [self._row(one) for one in self._described.values() if one.is_found]

    def sources(self) -> dict[tuple[str, ...], Source]:
        """Return where each certificate was found, by its folded name."""
        return {(folded,): one.source for folded, one in self._described.items() if one.is_found}

    # --- Files ---

    def _take_files(self, found: Iterable[CertificateFound]) -> None:
        best: dict[str, CertificateFound] = {}
        for one in found:
            known = best.setdefault(one.parts[0].fingerprint, one)
            longer = one if len(one.parts) > len(known.parts) else known
            server = known.server or one.server
            best[one.parts[0].fingerprint] = replace(longer, server=server)
            self._report_server(one)
        named = [(self._name_of_file(one), one) for one in best.values()]
        for name, one in named:
            self._learn(one.parts[0].der, one.parts[0].subject, name)
        for name, one in named:
            for number, part in enumerate(one.parts[1:], 2):
                self._learn(part.der, part.subject, f"{name}-{number}")

    def _name_of_file(self, found: CertificateFound) -> str:
        """Name the first certificate of a file, and keep the file under that name."""
        path = PurePosixPath(found.file)
        has_suffix = path.suffix.casefold() in SUFFIXES
        suffix = path.suffix if has_suffix else ".pem"
        server, rank = self._server_of(found)
        kind = found.parts[0].kind
        is_presented = bool(server) and (kind in _PRESENTED or bool(found.server))
        known = self._by_digest.get(found.parts[0].fingerprint)
        if known is not None:
            if is_presented:
                self._candidates[server.casefold()][rank][known] = found.source
                own = self._described.get(known.casefold())
                if own is not None and kind in _PRESENTED:
                    own.server = own.server or server
            return known
        stem = path.stem if has_suffix else path.name
        if server and (stem.casefold() in _COMMON_STEMS or stem.casefold() in self._described):
            stem = f"{server}-{stem}"
        name = self._free_name(stem)
        file = f"{CERTIFICATE_FOLDER}/{safe_name(name)}{suffix.casefold()}"
        self.files[file] = found.content
        self._described[name.casefold()] = Described(
            name=name,
            server=server if kind in _PRESENTED else "",
            file=file,
            source=found.source,
        )
        if is_presented:
            self._candidates[server.casefold()][rank][name] = found.source
        return name

    def _server_of(self, found: CertificateFound) -> tuple[str, int]:
        """Server that presents a file's certificate, and how sure that is: 1 given, 3 by name."""
        if found.server and found.server in self._servers:
            return self._servers.name(found.server), 1
        names = host_names(found.parts[0])
        for row in self._servers.rows.values():
            address = row.get("address", "")
            if address and names_host(names, address):
                return row["server"], 2
        path = PurePosixPath(found.file)
        if path.parent.name in self._servers:
            return self._servers.name(path.parent.name), 3
        parts = re.split(r"[-_.]", path.stem)
        for n in range(len(parts), 0, -1):
            for sign in "-_.":
                if (name := sign.join(parts[:n])) in self._servers:
                    return self._servers.name(name), 3
        return "", 0

    def _free_name(self, name: str) -> str:
        number, free = 1, name
        while free.casefold() in self._described:
            number += 1
            free = f"{name}-{number}"
        return free

    def _learn(self, der: bytes, subject: str, name: str) -> None:
        for digest in (hashlib.sha256(der), hashlib.sha1(der, usedforsecurity=False)):
            self._by_digest.setdefault(digest.hexdigest(), name)
        self._subjects.setdefault(_folded(subject), name)

    # --- Listings ---

    def _is_own(self, held: HeldCertificate) -> bool:
        """Whether a server's own key database holds it as a certificate of that server."""
        return held.owner in self._servers and (held.is_personal or held.is_default)

    def _known(self, held: HeldCertificate) -> str:
        """Name of a listed certificate, by its digest; empty where it is not known."""
        return self._by_digest.get(held.sha256) or self._by_digest.get(held.sha1) or ""

    def _take_own(self, held: HeldCertificate) -> None:
        """Take a certificate of a server's own key database; its default is presented."""
        server = self._servers.name(held.owner)
        name = self._known(held)
        if not name:
            stem = _DEFAULT_LABELS.get(held.label.casefold())
            wanted = f"{server}-{stem}" if stem else held.label
            known = self._described.get(wanted.casefold())
            name = known.name if known else self._describe(wanted, held, server)
        described = self._described.get(name.casefold())
        if described is not None:
            described.server = described.server or server
        if held.is_default:
            self._candidates[server.casefold()][0][name] = held.source

    def _describe(self, name: str, held: HeldCertificate, server: str = "") -> str:
        name = self._free_name(name)
        self._described[name.casefold()] = Described(
            name=name, server=server, held=held, source=held.source
        )
        for digest in filter(None, (held.sha256, held.sha1)):
            self._by_digest.setdefault(digest, name)
        if held.subject and _folded(held.subject) != _folded(DEFAULT_SUBJECT):
            self._subjects.setdefault(_folded(held.subject), name)
        return name

    def _take_held(self, held: HeldCertificate) -> None:
        """Take a certificate that somebody trusts: by its digest, its name, or its server's."""
        name = self._known(held)
        if not name and not held.sha256 and not held.sha1:
            described = self._described.get(held.label.casefold())
            name = described.name if described else self._by_server(held)
        if not name:
            if not held.subject:
                self._report_label(held)
                return
            name = self._describe(held.label, held)
        database = held.key_database or "default"
        key = (held.owner.casefold(), database.casefold(), name.casefold())
        self.trust_sources[key] = held.source
        self.trust[key] = {
            "client": held.owner,
            "key_database": held.key_database,
            "certificate": name,
        }

    def _by_server(self, held: HeldCertificate) -> str:
        """Name of the only certificate known of the server after which a label is named."""
        if held.label not in self._servers:
            return ""
        folded = held.label.casefold()
        own = {one.name for one in self._described.values() if one.server.casefold() == folded}
        if len(own) != 1:
            return ""
        name = own.pop()
        self.findings.append(
            finding_at(
                held.source,
                rule="trust-by-label",
                severity=Severity.NOTE,
                subject=held.owner,
                what=f"label {held.label} was taken for {name}, the only certificate known of it",
                why="A label says under which name a certificate is kept, not which one it is.",
                fix="Give the listing with -details, which shows its digest.",
            )
        )
        return name

    # --- Who presents what ---

    def _present(self) -> None:
        for folded, ranks in self._candidates.items():
            row = self._servers.rows[folded]
            names = ranks[min(ranks)]
            if len(names) > 1:
                source = next(iter(names.values()))
                self.findings.append(
                    finding_at(
                        source,
                        rule="several-certificates",
                        severity=Severity.WARNING,
                        subject=row["server"],
                        what=f"it may present any of {', '.join(sorted(names))}",
                        why="Nothing shows which one is its default.",
                        fix=f"Give it as {row['server']}=FILE, or the listing of its key database.",
                    )
                )
            else:
                row["certificate"] = next(iter(names))

    def _row(self, one: Described) -> Row:
        row = {"certificate": one.name, "server": one.server, "file": one.file}
        held = one.held
        if held is None or not held.subject:
            return row
        issuer, kind = "", CertificateKind.SELF_SIGNED
        is_issuer = self._issues(one.name)
        if held.issuer and _folded(held.issuer) != _folded(held.subject):
            issuer = self._subjects.get(_folded(held.issuer), "")
            kind = CertificateKind.INTERMEDIATE if is_issuer else CertificateKind.LEAF
        elif is_issuer:
            kind = CertificateKind.ROOT
        return row | {
            "kind": kind.label,
            "issuer": issuer,
            "not_before": "" if held.not_before == NEVER else iso(held.not_before),
            "not_after": iso(held.not_after),
            "signature": held.signature,
        }

    def _issues(self, name: str) -> bool:
        """Whether a listed certificate is the issuer of another one."""
        own = self._described[name.casefold()].held
        return own is not None and any(
            other.held is not None
            and other.name != name
            and _folded(other.held.issuer) == _folded(own.subject)
            for other in self._described.values()
        )

    # --- What is remarkable ---

    def _report_server(self, found: CertificateFound) -> None:
        if found.server and found.server not in self._servers:
            self.findings.append(
                finding_at(
                    found.source,
                    rule="certificate-without-server",
                    severity=Severity.WARNING,
                    subject=found.server,
                    what="the certificate was given for this server, which nothing else names",
                    why="It is kept, and no server presents it.",
                    fix="Correct the name before the =, or export the server.",
                )
            )

    def _report_label(self, held: HeldCertificate) -> None:
        self.findings.append(
            finding_at(
                held.source,
                rule="unknown-label",
                severity=Severity.WARNING,
                subject=held.owner,
                what=f"no certificate is known that the label {held.label} could mean",
                why="It does not count as trust.",
                fix="Give the certificate file of that name, or the listing with -details.",
            )
        )


def _folded(subject: str) -> str:
    """Return a subject without regard to letter case and blanks around its parts."""
    return ",".join(part.strip() for part in subject.casefold().split(","))
