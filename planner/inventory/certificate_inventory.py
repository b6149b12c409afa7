"""The inventory of certificates: each with its chain, and what is wrong with it."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.domain import views
from planner.domain.calendar import NEVER, iso, to_day
from planner.domain.certificates import OWN_ANCHOR, CertificateKind
from planner.domain.errors import CertificateError, Fault
from planner.domain.findings import Findings, Severity
from planner.inventory.certificate_facts import is_default, key_text
from planner.inventory.chains import LIMITS, Limits, Trust, TrustJudge
from planner.inventory.hints import did_you_mean, printable, quoted
from planner.inventory.x509 import CertificateFile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEntry:
    """One certificate of the inventory.

    Parameters
    ----------
    found
        What a file says; None where a fleet describes the certificate without a file.
    kind, not_before, not_after, signature
        As `Certificates` has them.
    issuer
        Name of the issuing entry, where a fleet or a file tells it.
    addresses
        Servers that present it, and where they are reached; the address may be empty.
    file, line
        Where it came from.
    trust
        Whether holding every self-signed certificate and root of the inventory makes it trusted;
        None without a file.
    """

    name: str
    found: CertificateFile | None
    kind: CertificateKind
    not_before: int
    not_after: int
    signature: str
    issuer: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    line: int = 0
    trust: Trust | None = None

    @property
    def is_own_anchor(self) -> bool:
        """Whether it is self-signed or a root."""
        return self.kind in OWN_ANCHOR

    def details(self) -> tuple[str, ...]:
        """Return in words what tells this certificate from others of its subject."""
        if self.found is None:
            return ()
        marks = {True: "marked as a CA", False: "marked as no CA", None: "no mark of a CA"}
        facts = [marks[self.found.is_ca]]
        if is_default(self.found):
            facts.append("a server's own default certificate")
        if self.addresses:
            facts.append(f"presented by {', '.join(self.addresses)}")
        subject, issuer = printable(self.found.subject), printable(self.found.issuer_subject)
        return (
            f"subject {subject}",
            f"issuer {'itself' if self.is_own_anchor else issuer}",
            f"SHA-256 {self.found.fingerprint}",
            "; ".join(facts),
        )

    def __str__(self) -> str:
        valid = f"{iso(self.not_before)}..{iso(self.not_after)}"
        key = key_text(self.found) if self.found else ""
        verdict = "not judged, it has no file" if self.trust is None else str(self.trust)
        facts = [self.kind.label, valid, key, self.signature]
        return f"{self.name}: {', '.join(filter(None, facts))}: {verdict}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CertificateInventory:
    """Certificates with their chains, and the findings about them.

    Parameters
    ----------
    start, end
        The horizon `[start, end)`, days; `NEVER` where nobody gave one, and then nothing is said
        about expiry.
    """

    entries: tuple[CertificateEntry, ...]
    start: int = NEVER
    end: int = NEVER
    findings: Findings = field(default_factory=lambda: Findings(()))
    limits: Limits = LIMITS

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[CertificateEntry]:
        return iter(self.entries)

    def entry(self, name: str) -> CertificateEntry:
        """Return the certificate of a name, in any letter case.

        Raises
        ------
        CertificateError
            If there is none.
        """
        by_name = {one.name.casefold(): one for one in self.entries}
        found = by_name.get(name.casefold())
        if found is None:
            names = [one.name for one in self.entries]
            cure = did_you_mean(name, names, "the column certificate of the table lists the names")
            what = f"there is no certificate {quoted(name)}"
            raise CertificateError([Fault(file="certificates", what=what, cure=cure)])
        return found

    def trust(self, name: str, *, held: Iterable[str], on: datetime.date | None = None) -> Trust:
        """Say whether a key database that holds some certificates trusts another one, and why.

        Parameters
        ----------
        name
            The certificate that a server presents.
        held
            Names of what lies in the key database.
        on
            The day on which all of the chain must be valid; None leaves validity aside.

        Raises
        ------
        CertificateError
            If a name is unknown, or its certificate has no file.
        """
        known = [one.found for one in self.entries if one.found]
        judge = TrustJudge([self._file(one) for one in held], known, limits=self.limits)
        return judge.judge(self._file(name), on=None if on is None else to_day(on))

    def _file(self, name: str) -> CertificateFile:
        entry = self.entry(name)
        if entry.found is None:
            what = f"certificate {quoted(entry.name)} has no file"
            cure = "put its file into certs/; a chain is judged by the certificates themselves"
            raise CertificateError(
                [Fault(file=entry.file, line=entry.line or None, what=what, cure=cure)]
            )
        return entry.found

    def __repr__(self) -> str:
        findings = self.findings
        own = sum(entry.is_own_anchor for entry in self.entries)
        trusted = sum(bool(entry.trust) for entry in self.entries)
        return (
            f"CertificateInventory({len(self)} certificates, {own} self-signed or root, {trusted} "
            f"with a whole chain, {findings.count(Severity.ERROR)} errors, "
            f"{findings.count(Severity.WARNING)} warnings)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of the certificates."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)
