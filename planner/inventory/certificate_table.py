"""All certificates that a fleet folder names: rows of certificates.csv, and files in `certs/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.certificates import OWN_ANCHOR, CertificateKind, Certificates
from planner.domain.errors import CertificateError, Fault
from planner.domain.findings import Finding, Severity
from planner.domain.names import NameRegister
from planner.inventory.cells import Cells, Choices, parse_day
from planner.inventory.csv_tables import Table
from planner.inventory.hints import did_you_mean, quoted
from planner.inventory.x509 import (
    SUFFIXES,
    CertificateFile,
    is_issued_by,
    read_certificates,
    refuse_private_key,
)

FILE: Final = "certificates.csv"
_KINDS: Final = Choices({kind.label: int(kind) for kind in CertificateKind})
_remark = partial(Finding, day=NEVER)


@dataclass(slots=True, kw_only=True)
class _Facts:
    """What is known of one certificate while the folder is read.

    `kind` is -1 until something says it; `issuer` is a name; `line` is 0 without a row; `found` is
    the certificate itself where a file holds it.
    """

    name: str
    kind: int = -1
    issuer: str = ""
    not_before: int = ALWAYS
    not_after: int = NEVER
    signature: str = ""
    server: int = -1
    available: int = ALWAYS
    line: int = 0
    found: CertificateFile | None = None

    @property
    def is_own_anchor(self) -> bool:
        """Whether it stands for itself: of an unknown kind only without an issuer."""
        return self.kind in OWN_ANCHOR or (self.kind < 0 and not self.issuer)


class CertificateTable:
    """Collects certificates by name: described by rows and files, or only referred to."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._register = NameRegister()
        self._facts: list[_Facts] = []
        self._in_files: set[str] = set()
        self.remarks: list[Finding] = []

    def number(self, name: str) -> int:
        """Return the number of a certificate; one that nothing describes is self-signed."""
        number = self._register.number(name)
        if number == len(self._facts):
            self._facts.append(_Facts(name=name))
        return number

    def read(
        self, table: Table, files: Mapping[str, bytes], find_server: Callable[[str], int]
    ) -> None:
        """Read certificates.csv and the certificate files; what a file says wins.

        Parameters
        ----------
        table
            The rows.
        files
            Contents of `certs/` by path, in order.
        find_server
            Number of a server; raises `CellError` for an unknown one.
        """
        facts_of_row = self._read_rows(table, find_server)
        found = self._read_files(files)
        named = self._named_by_rows(table, facts_of_row, found, files)
        self._name_the_rest(found, named)
        self._take_over_files()
        for facts in list(self._facts):
            if facts.issuer:
                self.number(facts.issuer)
        self._remark_on_intervals(facts_of_row)
        self._check_loops()

    def _read_rows(self, table: Table, find_server: Callable[[str], int]) -> list[_Facts | None]:
        cells = self._cells
        names = cells.names(table, "certificate", is_required=True)
        issuers = cells.names(table, "issuer")
        kinds = cells.parsed(table, "kind", _KINDS.code, -1)
        not_before = cells.parsed(table, "not_before", parse_day, ALWAYS)
        not_after = cells.parsed(table, "not_after", parse_day, NEVER)
        available = cells.parsed(table, "available", parse_day, ALWAYS)
        servers = cells.parsed(table, "server", find_server, -1)
        facts_of_row: list[_Facts | None] = []
        for row, name in enumerate(names):
            facts = self._facts[self.number(name)] if name else None
            if facts and facts.line:
                what = f"certificate {quoted(name)} stands in line {facts.line} already"
                cells.fault(table, row, what, "give a renewed certificate a new name")
                facts = None
            if facts:
                facts.kind, facts.issuer = kinds[row], issuers[row]
                facts.not_before, facts.not_after = not_before[row], not_after[row]
                facts.available, facts.server = available[row], servers[row]
                facts.signature = table["signature"][row]
                facts.line = table.lines[row]
            facts_of_row.append(facts)
        return facts_of_row

    def _read_files(self, files: Mapping[str, bytes]) -> dict[str, CertificateFile]:
        """Return every certificate of the files by its address."""
        found = {}
        for file, content in files.items():
            try:
                if PurePosixPath(file).suffix.casefold() not in SUFFIXES:
                    refuse_private_key(file, content)
                    self._remark_on_other_file(file)
                    continue
                found.update({one.file: one for one in read_certificates(file, content)})
            except CertificateError as error:
                self._cells.faults.extend(error.faults)
        return found

    def _named_by_rows(
        self,
        table: Table,
        facts_of_row: list[_Facts | None],
        found: Mapping[str, CertificateFile],
        files: Mapping[str, bytes],
    ) -> set[str]:
        """Give each row the certificate of its `file` cell; return the addresses given."""
        address_of = {address.casefold(): address for address in (*files, *found)}
        rows: dict[str, int] = {}
        for row, (facts, cell) in enumerate(zip(facts_of_row, table["file"], strict=True)):
            if not cell:
                continue
            address = address_of.get(_normal(cell).casefold())
            if address is None:
                otherwise = "put the file into certs/, and write it as certs/<its name>"
                cure = did_you_mean(_normal(cell), address_of.values(), otherwise)
                self._cells.fault(table, row, f"file {quoted(cell)} is not in the folder", cure)
            elif address in rows:
                what = f"file {quoted(cell)} stands in line {rows[address]} already"
                self._cells.fault(table, row, what, "name each file in one row")
            else:
                rows[address] = table.lines[row]
                if facts and address in found:
                    facts.found = found[address]
        return set(rows)

    def _name_the_rest(self, found: Mapping[str, CertificateFile], named: set[str]) -> None:
        """Name the certificates without a row of their own: by the stem, in a bundle with a number.

        A further certificate of a bundle that another file holds too has the name that it has
        there.
        """
        name_of = {facts.found.der: facts.name for facts in self._facts if facts.found}
        rest = [one for one in found.values() if one.file not in named]
        for one in sorted(rest, key=lambda one: split_address(one.file)[1] > 1):
            path, number = split_address(one.file)
            name = PurePosixPath(path).stem.strip()
            if number > 1:
                if one.der in name_of:
                    continue
                name = f"{name}-{number}"
            facts = self._facts[self.number(name)]
            if facts.found is None:
                facts.found = one
                self._remark_on_same_certificate(facts, name_of.setdefault(one.der, name))
            elif facts.found.der != one.der:
                what = f"{facts.found.file} holds another certificate of the name {quoted(name)}"
                fault = Fault(file=path, what=what, cure="rename one of the two files")
                self._cells.faults.append(fault)

    def _take_over_files(self) -> None:
        by_subject: dict[str, list[_Facts]] = {}
        self._in_files = {facts.name.casefold() for facts in self._facts if facts.found}
        for facts in self._facts:
            if facts.found:
                by_subject.setdefault(facts.found.subject, []).append(facts)
        for facts in self._facts:
            if facts.found:
                issuers = by_subject.get(facts.found.issuer_subject, [])
                self._merge(facts, facts.found, issuers)

    def _merge(self, facts: _Facts, file: CertificateFile, namesakes: list[_Facts]) -> None:
        """Take over what a file says; `namesakes` bear the name of its issuer."""
        said = [
            ("not_before", iso(facts.not_before), iso(file.not_before)),
            ("not_after", iso(facts.not_after), iso(file.not_after)),
        ]
        if facts.signature.casefold() not in file.signature.casefold():
            said.append(("signature", facts.signature, file.signature))
        # A row may call a certificate that issued itself self-signed or root.
        if not (facts.kind in OWN_ANCHOR and file.kind in OWN_ANCHOR):
            row_says = CertificateKind(facts.kind).label if facts.kind >= 0 else ""
            said.append(("kind", row_says, file.kind.label))
            facts.kind = file.kind
        issuer = self._issuer(facts, file, namesakes)
        if issuer.casefold() != facts.issuer.casefold():
            said.append(("issuer", facts.issuer, issuer or file.issuer_subject))
            facts.issuer = issuer
        for column, row_says, file_says in said:
            if row_says and row_says != file_says:
                self._remark_on_contradiction(facts, file, column, row_says, file_says)
        facts.not_before, facts.not_after = file.not_before, file.not_after
        facts.signature = file.signature

    def _issuer(self, facts: _Facts, file: CertificateFile, namesakes: list[_Facts]) -> str:
        """Name of the issuer: that of the row unless files contradict it, else what files say."""
        if file.kind in OWN_ANCHOR:
            return ""
        issuers = [
            other.name
            for other in namesakes
            if other is not facts and other.found and is_issued_by(file, other.found)
        ]
        folded = facts.issuer.casefold()
        if folded in {name.casefold() for name in issuers}:
            return facts.issuer
        if issuers:
            return issuers[0]
        return "" if folded in self._in_files else facts.issuer

    def _remark_on_intervals(self, facts_of_row: list[_Facts | None]) -> None:
        for facts in facts_of_row:
            if not facts or facts.found or facts.not_before < facts.not_after:
                continue
            self.remarks.append(
                _remark(
                    rule="never-valid",
                    severity=Severity.WARNING,
                    subject=facts.name,
                    what=f"not_after {iso(facts.not_after)} is not after not_before "
                    f"{iso(facts.not_before)}, so the certificate is valid on no day",
                    why="It is valid from not_before on, up to the day before not_after.",
                    fix="Correct one of the two dates in certificates.csv.",
                    file=FILE,
                    line=facts.line,
                )
            )

    def _check_loops(self) -> None:
        done: set[int] = set()
        for start in range(len(self._facts)):
            path: dict[int, None] = {}
            at = start
            while at not in done and at not in path and not self._facts[at].is_own_anchor:
                path[at] = None
                if not self._facts[at].issuer:
                    break
                at = self.number(self._facts[at].issuer)
            if at in path and self._facts[at].issuer:
                circle = [self._facts[number].name for number in path]
                circle = circle[list(path).index(at) :]
                shown = ", ".join(map(quoted, (circle + circle[:1])[:6]))
                facts = self._facts[at]
                file, line = (FILE, facts.line) if facts.line else (self._file(facts), None)
                what = f"the issuers lead round in a circle: {shown}"
                cure = "correct the column issuer, or make one of them a root"
                self._cells.faults.append(Fault(file=file, line=line, what=what, cure=cure))
            done.update(path)

    def _remark_on_contradiction(
        self, facts: _Facts, file: CertificateFile, column: str, row_says: str, file_says: str
    ) -> None:
        self.remarks.append(
            _remark(
                rule="certificate-contradiction",
                severity=Severity.WARNING,
                subject=facts.name,
                what=f"{column} is {row_says} in certificates.csv and {file_says} in {file.file}",
                why="What the certificate file says is what servers and clients will see; it wins.",
                fix=f"Correct {column} in certificates.csv, or put the right file there.",
                file=FILE,
                line=facts.line,
            )
        )

    def _remark_on_same_certificate(self, facts: _Facts, other: str) -> None:
        if other == facts.name:
            return
        self.remarks.append(
            _remark(
                rule="same-certificate",
                severity=Severity.WARNING,
                subject=facts.name,
                what=f"{self._file(facts)} holds the certificate that is named {other} already",
                why="Trust goes by names; one certificate with two names counts as two.",
                fix="Remove one of the two, and use one name throughout.",
                file=self._file(facts),
            )
        )

    def _remark_on_other_file(self, file: str) -> None:
        self.remarks.append(
            _remark(
                rule="other-file",
                severity=Severity.NOTE,
                subject=file,
                what="the file has no certificate's suffix and was not read",
                why=f"Certificate files end in {' '.join(SUFFIXES)}.",
                fix="Rename it if it is a certificate, else move it away.",
                file=file,
            )
        )

    @staticmethod
    def _file(facts: _Facts) -> str:
        return facts.found.file if facts.found else ""

    def columns(self) -> Certificates:
        """Return the columns of every certificate named so far."""
        facts = self._facts

        def kind(fact: _Facts) -> int:
            if fact.kind >= 0:
                return fact.kind
            return CertificateKind.LEAF if fact.issuer else CertificateKind.SELF_SIGNED

        issuers = [self.number(fact.issuer) if fact.issuer else -1 for fact in facts]
        return Certificates(
            name=tuple(self._register.names()),
            kind=np.array([kind(fact) for fact in facts], dtype=np.uint8),
            issuer=np.array(issuers, dtype=np.int32),
            not_before=np.array([fact.not_before for fact in facts], dtype=np.int32),
            not_after=np.array([fact.not_after for fact in facts], dtype=np.int32),
            signature=tuple(fact.signature for fact in facts),
            server=np.array([fact.server for fact in facts], dtype=np.int32),
            available=np.array([fact.available for fact in facts], dtype=np.int32),
            file=tuple(self._file(fact) for fact in facts),
            described=np.array(
                [fact.line > 0 or fact.found is not None for fact in facts], dtype=np.bool_
            ),
            line=np.array([fact.line for fact in facts], dtype=np.int32),
        )


def _normal(file: str) -> str:
    return str(PurePosixPath(file.replace("\\", "/")))


def split_address(address: str) -> tuple[str, int]:
    """Return path and place of a certificate's address."""
    path, sign, number = address.rpartition("#")
    if sign and number.isdecimal() and PurePosixPath(path).suffix.casefold() in SUFFIXES:
        return path, int(number)
    return address, 1
