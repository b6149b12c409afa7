"""Checks of certificates: each is one function that names the certificate and the cure."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from planner.domain.calendar import NEVER, iso
from planner.domain.certificates import OWN_ANCHOR, CertificateKind
from planner.domain.findings import Finding, Severity
from planner.inventory.certificate_facts import (
    SMALLEST_CURVE,
    SMALLEST_RSA,
    has_weak_key,
    host_names,
    is_default,
    key_text,
    names_host,
    weak_hash,
)
from planner.inventory.certificate_inventory import CertificateEntry, CertificateInventory
from planner.inventory.chains import Obstacle
from planner.inventory.hints import quoted
from planner.inventory.x509 import CertificateFile

_OBSTACLES: Final[Mapping[Obstacle, tuple[str, str]]] = {
    Obstacle.INVALID: (
        "Every path to a root has a fault, so no client can trust the certificate (ANS1692E). "
        "[MSG821, documented]",
        "Have the CA issue it anew, or put the right issuing certificates here.",
    ),
    Obstacle.EXPIRED: (
        "A chain is trusted only while all of it is valid (ANS1693E). [MSG821, documented]",
        "Renew the certificates of the chain so that their validity overlaps.",
    ),
    Obstacle.TOO_LONG: (
        "Chains are followed to a depth that no site needs; a longer one is a mistake.",
        "Shorten the chain, or leave the file out.",
    ),
    Obstacle.TOO_COSTLY: (
        "The work for one chain is limited, so that no file can stop the planner.",
        "Leave out the certificates that have nothing to do with it, or the file itself.",
    ),
}


def check(inventory: CertificateInventory) -> Iterator[Finding]:
    """Return every fault of an inventory's certificates."""
    for check_for in CHECKS:
        yield from check_for(inventory)


def _finding(
    entry: CertificateEntry,
    rule: str,
    severity: Severity,
    *,
    what: str,
    why: str,
    fix: str,
    day: int = NEVER,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        day=day,
        subject=entry.name,
        what=what,
        why=why,
        fix=fix,
        file=entry.file,
        line=entry.line,
    )


def check_for_default_certificates(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report certificates that servers made for themselves, the MD5-signed ones as a warning."""
    for entry in inventory:
        if entry.found is None or not is_default(entry.found):
            continue
        if weak_hash(entry.signature) == "MD5":
            yield _finding(
                entry,
                "md5-default",
                Severity.WARNING,
                what="it is the MD5-signed default certificate of a server (cert.arm)",
                why="Clients at 7.1.8, 8.1.2 and 8.1.3 refuse it, and servers from 7.1.9 and "
                "8.1.4 on replace it at their start. [TN, documented]",
                fix="Hand out the server's SHA certificate (cert256.arm) before that.",
            )
        else:
            yield _finding(
                entry,
                "default-certificate",
                Severity.NOTE,
                what="it is the self-signed default certificate of a server",
                why="Its subject is the same on all servers and names no host: only the "
                "fingerprint tells whose it is. [EMPALIS, documented]",
                fix="Name the file after its server, and compare the fingerprint with the server.",
            )


def check_for_weak_signatures(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report MD5 and SHA-1 signatures; of an anchor the signature is of no consequence."""
    for entry in inventory:
        found = weak_hash(entry.signature)
        is_md5_default = found == "MD5" and entry.found is not None and is_default(entry.found)
        if not found or is_md5_default:
            continue
        yield _finding(
            entry,
            "weak-signature",
            Severity.NOTE if found == "SHA-1" and entry.is_own_anchor else Severity.WARNING,
            what=f"its signature uses {found} ({entry.signature})",
            why=f"{found} signatures can be forged; newer clients may refuse them. "
            "[TN for MD5, documented; SHA-1 inferred]",
            fix="Have it signed anew with SHA-256.",
        )


def check_for_weak_keys(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report keys that are smaller than allowed."""
    for entry in inventory:
        if entry.found is None or not has_weak_key(entry.found):
            continue
        yield _finding(
            entry,
            "weak-key",
            Severity.WARNING,
            what=f"its key is {key_text(entry.found)}",
            why=f"Keys below {SMALLEST_RSA} bit RSA and {SMALLEST_CURVE} bit EC are no longer "
            "safe. [NIST SP 800-131A; for this product inferred]",
            fix="Have it issued anew with a larger key.",
        )


def check_for_expiry(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report certificates that are not valid throughout the horizon."""
    start, end = inventory.start, inventory.end
    for entry in inventory:
        first, last = entry.not_before, entry.not_after
        if first >= last:
            yield _finding(
                entry,
                "never-valid",
                Severity.WARNING,
                what=f"not_after {iso(last)} is not after not_before {iso(first)}",
                why="It is valid from not_before on, up to the day before not_after.",
                fix="Have it issued anew.",
            )
        elif start != NEVER and last <= start:
            yield _finding(
                entry,
                "expired",
                Severity.ERROR if entry.addresses else Severity.WARNING,
                day=last,
                what=f"it expired on {iso(last)}, before the horizon starts on {iso(start)}",
                why="Every session that checks it is refused (ANS1693E). [MSG821, documented]",
                fix="Replace it, and import the anchor of the new one first.",
            )
        elif end != NEVER and last < end:
            yield _finding(
                entry,
                "expires",
                Severity.WARNING,
                day=last,
                what=f"it expires on {iso(last)}, before the horizon ends on {iso(end)}",
                why="No warning comes before a certificate expires. [EMPALIS, documented]",
                fix=f"Plan its replacement before {iso(last)}.",
            )
        if start != NEVER and first < last and first > start:
            yield _finding(
                entry,
                "not-yet-valid",
                Severity.NOTE,
                day=first,
                what=f"it is valid only from {iso(first)} on",
                why="A session that checks it before is refused (ANS1693E). [MSG821, documented]",
                fix="Present it from that day on, not earlier.",
            )


def check_for_chains(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report certificates whose chain ends in no root, leads round in a circle, or has a fault."""
    by_subject: dict[str, list[CertificateFile]] = {}
    for entry in inventory:
        if entry.found:
            by_subject.setdefault(entry.found.subject, []).append(entry.found)
    for entry in inventory:
        if entry.found is None or entry.trust is None or entry.trust or entry.is_own_anchor:
            continue
        obstacle = entry.trust.obstacle
        if obstacle is Obstacle.NOT_HELD:
            yield _open_end(entry, entry.found, by_subject)
        elif obstacle is not None:
            why, fix = _OBSTACLES[obstacle]
            what = f"its chain does not hold: {entry.trust.detail}"
            yield _finding(entry, obstacle, Severity.ERROR, what=what, why=why, fix=fix)


def _open_end(
    entry: CertificateEntry,
    start: CertificateFile,
    by_subject: Mapping[str, list[CertificateFile]],
) -> Finding:
    """Say where a chain that reaches no root ends: at a missing certificate, or in a circle."""
    at, seen = start, {start.subject}
    finding = partial(_finding, entry, severity=Severity.ERROR)
    why = (
        "A client trusts a chain by its root, and needs every certificate between (ANS1692E). "
        "[MSG821, documented]"
    )
    while issuers := by_subject.get(at.issuer_subject):
        if any(one.kind in OWN_ANCHOR for one in issuers):
            # A namesake of the issuer, by its key identifier or its marks not the issuer.
            return finding(
                rule="missing-root",
                what=f"the {quoted(at.issuer_subject)} that is here did not issue "
                f"{quoted(at.subject)}",
                why=why,
                fix="Put the certificate of the right issuer here; compare the key identifiers.",
            )
        at = issuers[0]
        if at.subject in seen:
            return finding(
                rule="circular-issuers",
                what=f"the issuers lead round in a circle at {quoted(at.subject)}",
                why=why,
                fix="Put the self-signed root of one of them here.",
            )
        seen.add(at.subject)
    is_leaf = at.kind is CertificateKind.LEAF
    return finding(
        rule="missing-intermediate" if is_leaf else "missing-root",
        what=f"{quoted(at.issuer_subject)}, which issued {quoted(at.subject)}, is not here",
        why=why,
        fix=f"Get the certificate {quoted(at.issuer_subject)} from the CA and put it here"
        + (", and what issued it, up to the root." if is_leaf else "."),
    )


def check_for_missing_files(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report certificates that a fleet describes without a file."""
    for entry in inventory:
        if entry.found is None:
            yield _finding(
                entry,
                "no-file",
                Severity.NOTE,
                what="there is no file of it, so its chain cannot be checked",
                why="It counts as certificates.csv describes it, and cannot be put into a bundle.",
                fix="Put its file into certs/, and name it in the column file.",
            )


def check_for_duplicates(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report certificates that occur twice, and anchors of one subject and key."""
    by_der: dict[bytes, CertificateEntry] = {}
    by_key: dict[tuple[str, bytes], CertificateEntry] = {}
    for entry in inventory:
        if entry.found is None:
            continue
        first = by_der.setdefault(entry.found.der, entry)
        if first is not entry:
            yield _finding(
                entry,
                "same-certificate",
                Severity.WARNING,
                what=f"it is the same certificate as {first.name}",
                why="Trust goes by names; one certificate with two names counts as two.",
                fix="Remove one of the two, and use one name throughout.",
            )
            continue
        if not entry.is_own_anchor:
            continue
        first = by_key.setdefault((entry.found.subject, entry.found.public_key), entry)
        if first is not entry:
            yield _finding(
                entry,
                "duplicate-anchor",
                Severity.WARNING,
                what=f"it has the subject and the key of {first.name}",
                why="Two issues of one anchor look alike in a key database; a chain to either "
                "holds, an exact match does not.",
                fix="Hand out the one that expires later, and leave the other out.",
            )


def check_for_ca_flags(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report issuers without the mark of a CA, and server certificates with it."""
    issuers = {link.der for entry in inventory if entry.trust for link in entry.trust.chain[1:]}
    for entry in inventory:
        found = entry.found
        if found is None:
            continue
        if found.der in issuers and not found.is_ca:
            yield _finding(
                entry,
                "issuer-without-ca-flag",
                Severity.WARNING,
                what="it issued another certificate and is not marked as a CA",
                why="Only a root of the oldest form may do without the mark; newer clients may "
                "refuse the chain. [RFC 5280; for this product inferred]",
                fix="Have the CA's own certificate issued anew with basicConstraints CA:TRUE.",
            )
        if found.is_ca and entry.addresses:
            yield _finding(
                entry,
                "server-with-ca-flag",
                Severity.WARNING,
                what=f"{', '.join(entry.addresses)} presents it, and it is marked as a CA",
                why="A client that trusts it also trusts whatever is issued with its key. "
                "[RFC 5280; for this product inferred]",
                fix="Present a certificate without the mark, unless the server made it itself.",
            )


def check_for_host_names(inventory: CertificateInventory) -> Iterator[Finding]:
    """Report CA-signed certificates that do not name their server's address."""
    for entry in inventory:
        if entry.found is None or entry.is_own_anchor:
            continue
        names = host_names(entry.found) if entry.addresses else frozenset()
        for server, address in entry.addresses.items():
            if address and not names_host(names, address):
                yield _finding(
                    entry,
                    "host-name",
                    Severity.WARNING,
                    what=f"it does not name {address}, where {server} is reached",
                    why="A client that compares names refuses the session (ANS1694E); the "
                    "self-signed certificates of this product name no host, so it is not known "
                    "to be the default. [MSG821; inferred]",
                    fix=f"Have it issued with the subject alternative name {address}.",
                )


CHECKS: Final[tuple[Callable[[CertificateInventory], Iterator[Finding]], ...]] = (
    check_for_default_certificates,
    check_for_weak_signatures,
    check_for_weak_keys,
    check_for_expiry,
    check_for_chains,
    check_for_missing_files,
    check_for_duplicates,
    check_for_ca_flags,
    check_for_host_names,
)
