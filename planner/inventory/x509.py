"""Certificate files: `.pem .crt .cer .der .arm .p7b`, read with `cryptography`.

A file that holds a private key is refused whole: no part of a key may reach an output.
"""

import hashlib
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from asn1crypto import parser, pem
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from planner.domain.calendar import to_day
from planner.domain.certificates import DEFAULT_SUBJECT, CertificateKind
from planner.domain.errors import CertificateError, Fault, PrivateKeyError

SUFFIXES: Final = (".pem", ".crt", ".cer", ".der", ".arm", ".p7b")
LARGEST_FILE: Final = 1 << 20
"""Largest certificate file that is read [bytes]."""
MOST_CERTIFICATES: Final = 1_000
"""Most certificates of one file that are read."""

# However it is spelt: what another tool would still take for a key must not slip through.
_KEY_LABEL: Final = re.compile(
    rb"-----\s*BEGIN[A-Z0-9\s]*PRIVATE\s+KEY|PuTTY-User-Key-File|Private-Lines:", re.IGNORECASE
)
_INTEGER, _OCTETS, _OBJECT_ID, _SEQUENCE = 2, 4, 6, 16  # tags of ASN.1
_CERTIFICATE_LABELS: Final = ("CERTIFICATE", "X509 CERTIFICATE")
_SHORT_NAMES: Final = {
    "common_name": "CN",
    "organization_name": "O",
    "organizational_unit_name": "OU",
    "country_name": "C",
    "locality_name": "L",
    "state_or_province_name": "ST",
    "domain_component": "DC",
}
MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    NotImplementedError,
)
"""What `asn1crypto` raises for DER that is damaged in one way or another."""
_FAULTS: Final = (
    *MALFORMED,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFile:
    """What a certificate says of itself.

    `file` is its address: `certs/x.pem`, and `certs/x.pem#2` for the second one of a bundle.
    Days are the UTC dates of the certificate's times; on the day `not_after` it counts as expired.
    `is_ca` is None where it does not say whether it is a CA; `certificate` is None where
    `cryptography` refuses a rare form of it.
    """

    file: str
    kind: CertificateKind
    subject: str
    issuer_subject: str
    not_before: int
    not_after: int
    signature: str
    is_ca: bool | None
    der: bytes
    certificate: x509.Certificate | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def public_key(self) -> bytes:
        """The public key with its algorithm, in DER."""
        key: bytes = asn1.Certificate.load(self.der).public_key.dump()
        return key

    def as_pem(self) -> str:
        """Return the certificate alone, as the tools that import it take it."""
        text: str = pem.armor("CERTIFICATE", self.der).decode("ascii")
        return text


def read_certificates(file: str, content: bytes) -> tuple[CertificateFile, ...]:
    """Read every certificate of a file; the one that issued no other of a bundle comes first.

    Raises
    ------
    CertificateError
        If the file holds no certificate that can be read, too many of them, or a private key.
    """
    refuse_private_key(file, content)
    n_begun = content.count(b"-----BEGIN ")
    if n_begun > MOST_CERTIFICATES:
        what = (
            f"the file holds {n_begun:,} parts, more than the {MOST_CERTIFICATES:,} that are read"
        )
        raise CertificateError([Fault(file=file, what=what, cure="split it, or name its parts")])
    try:
        with warnings.catch_warnings():
            # The library deplores old certificates, which are what this kit is about.
            warnings.simplefilter("ignore")
            found = list(_load(file, content))
    except _FAULTS as error:
        reason = str(error).partition(". ")[0].partition("\n")[0][:120] or type(error).__name__
        what = f"the file holds no certificate that can be read ({reason})"
        cure = "export it again as PEM or DER"
        raise CertificateError([Fault(file=file, what=what, cure=cure)]) from error
    first = next((one for one in found if not any(_names_issuer(x, one) for x in found)), found[0])
    found.sort(key=lambda one: one is not first)
    return tuple(
        replace(one, file=f"{file}#{place}" if place > 1 else file)
        for place, one in enumerate(found, 1)
    )


def refuse_private_key(file: str, content: bytes) -> None:
    """Refuse a file that holds a private key.

    Raises
    ------
    PrivateKeyError
        If it holds one.
    """
    if holds_private_key(content):
        what = "the file holds a private key, so nothing of it is read"
        cure = "take the key out and export the certificate alone; a key belongs on its own host"
        raise PrivateKeyError([Fault(file=file, what=what, cure=cure)])


def holds_private_key(content: bytes) -> bool:
    """Whether a file holds a private key: any PEM form, PKCS#1, PKCS#8, SEC 1 or PKCS#12.

    Examples
    --------
    >>> holds_private_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    True
    """
    if _KEY_LABEL.search(content.replace(b"\0", b"")):  # UTF-16 has them between the letters
        return True
    try:
        tags = _tags(content)
        if tags[:1] == [_INTEGER]:  # a version; certificates and bundles begin otherwise
            return True
        # Encrypted PKCS#8: an algorithm, which begins with its name, and octets.
        return tags[:2] == [_SEQUENCE, _OCTETS]
    except ValueError:
        return False


def _tags(content: bytes) -> list[int]:
    """Tags of the first two elements in the sequence that a DER file is."""
    _, _, tag, _, inner, _ = parser.parse(content)
    tags: list[int] = []
    while tag == _SEQUENCE and inner and len(tags) < 2:
        _, _, found, header, element, trailer = parser.parse(inner)
        tags.append(found)
        inner = inner[len(header) + len(element) + len(trailer) :]
    return tags


def _load(file: str, content: bytes) -> Sequence[CertificateFile]:
    if b"-----BEGIN PKCS7-----" in content:
        found = pkcs7.load_pem_pkcs7_certificates(content)
        parts = [one.public_bytes(Encoding.DER) for one in found]
    elif b"-----BEGIN" in content:
        if content.count(b"-----BEGIN ") != content.count(b"-----END "):
            raise ValueError("a part of it is cut off")
        labelled = pem.unarmor(content, multiple=True)
        parts = [part for label, _, part in labelled if label in _CERTIFICATE_LABELS]
    elif PurePath(file).suffix.casefold() == ".p7b" or _tags(content)[:1] == [_OBJECT_ID]:
        found = pkcs7.load_der_pkcs7_certificates(content)
        parts = [one.public_bytes(Encoding.DER) for one in found]
    else:
        parts = [content]
    if not parts:
        raise ValueError("there is no certificate in it")
    if len(parts) > MOST_CERTIFICATES:
        raise ValueError(
            f"it holds {len(parts):,}, more than the {MOST_CERTIFICATES:,} that are read"
        )
    return [_facts(file, part) for part in parts]


def _facts(file: str, der: bytes) -> CertificateFile:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return _facts_of_rare(file, der)
    subject, is_ca = certificate.subject.rfc4514_string(), _is_ca(certificate)
    return CertificateFile(
        file=file,
        kind=_kind(subject, is_self_issued=certificate.issuer == certificate.subject, is_ca=is_ca),
        subject=subject,
        issuer_subject=certificate.issuer.rfc4514_string(),
        not_before=to_day(certificate.not_valid_before_utc.date()),
        not_after=to_day(certificate.not_valid_after_utc.date()),
        signature=_signature(certificate),
        is_ca=is_ca,
        der=certificate.public_bytes(Encoding.DER),
        certificate=certificate,
    )


def _signature(certificate: x509.Certificate) -> str:
    """Name the signature's algorithm; with its hash where the algorithm alone does not tell it."""
    oid = certificate.signature_algorithm_oid
    name: str = oid._name  # the only name that the library has for it
    if oid == x509.SignatureAlgorithmOID.RSASSA_PSS:
        used = certificate.signature_hash_algorithm
        return f"{name} {used.name}" if used else name
    return oid.dotted_string if name == "Unknown OID" else name


def _facts_of_rare(file: str, der: bytes) -> CertificateFile:
    """Read what `cryptography` does not: unique ids, or DSA keys that inherit their parameters.

    Raises
    ------
    MALFORMED
        If it is no certificate, or any part of it is malformed.
    """
    certificate = asn1.Certificate.load(der, strict=True)
    _ = certificate.native  # parses every part of it
    content = certificate["tbs_certificate"]
    algorithm = content["subject_public_key_info"]["algorithm"]["algorithm"].native
    if "." in algorithm:  # a bare number; whether asn1crypto refuses it depends on who extended it
        raise ValueError(f"its key is of the unknown kind {algorithm}")
    subject, issuer = _rfc4514(certificate.subject), _rfc4514(certificate.issuer)
    constraints = certificate.basic_constraints_value
    is_ca = None if constraints is None else bool(constraints["ca"].native)
    return CertificateFile(
        file=file,
        kind=_kind(subject, is_self_issued=certificate.issuer == certificate.subject, is_ca=is_ca),
        subject=subject,
        issuer_subject=issuer,
        not_before=to_day(content["validity"]["not_before"].native.date()),
        not_after=to_day(content["validity"]["not_after"].native.date()),
        signature=certificate["signature_algorithm"]["algorithm"].native,
        is_ca=is_ca,
        der=der,
        certificate=None,
    )


def _rfc4514(name: asn1.Name) -> str:
    """Return a name in words, the most special part first."""
    parts = []
    for relative in name.chosen:
        for pair in relative:
            kind = pair["type"].native
            value = re.sub(r"([,+\"\\<>;])", r"\\\1", str(pair["value"].native))
            parts.append(f"{_SHORT_NAMES.get(kind, kind)}={value}")
    return ",".join(reversed(parts))


def _is_ca(certificate: x509.Certificate) -> bool | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return None


def _kind(subject: str, *, is_self_issued: bool, is_ca: bool | None) -> CertificateKind:
    if is_self_issued:
        is_default = subject == DEFAULT_SUBJECT
        return CertificateKind.ROOT if is_ca and not is_default else CertificateKind.SELF_SIGNED
    return CertificateKind.INTERMEDIATE if is_ca else CertificateKind.LEAF


def _names_issuer(certificate: CertificateFile, issuer: CertificateFile) -> bool:
    """Whether a certificate names another one, not itself, as its issuer."""
    return certificate is not issuer and certificate.issuer_subject == issuer.subject


def is_issued_by(certificate: CertificateFile, issuer: CertificateFile) -> bool:
    """Whether one certificate's name and signature say that the other one issued it.

    The name alone counts where the signature is of a kind that the library no longer checks.
    """
    if certificate.certificate is None or issuer.certificate is None:
        return certificate.issuer_subject == issuer.subject
    if certificate.certificate.issuer != issuer.certificate.subject:
        return False
    try:
        certificate.certificate.verify_directly_issued_by(issuer.certificate)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True
    return True
