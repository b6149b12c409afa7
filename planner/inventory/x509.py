"""Certificate files: `.pem .crt .cer .der .arm .p7b`, read with `cryptography`."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from planner.domain.calendar import to_day
from planner.domain.certificates import DEFAULT_SUBJECT, CertificateKind
from planner.domain.errors import CertificateError, Fault

SUFFIXES: Final = (".pem", ".crt", ".cer", ".der", ".arm", ".p7b")
LARGEST_FILE: Final = 1 << 20
"""Largest certificate file that is read [bytes]."""

_FAULTS: Final = (
    ValueError,
    TypeError,
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
    """

    file: str
    kind: CertificateKind
    subject: str
    issuer_subject: str
    not_before: int
    not_after: int
    signature: str
    der: bytes
    certificate: x509.Certificate


def read_certificates(file: str, content: bytes) -> tuple[CertificateFile, ...]:
    """Read every certificate of a file; the one that issued no other of a bundle comes first.

    Raises
    ------
    CertificateError
        If the file holds no certificate that can be read.
    """
    try:
        with warnings.catch_warnings():
            # The library deplores old certificates, which are what this kit is about.
            warnings.simplefilter("ignore")
            found = [_facts(file, certificate) for certificate in _load(file, content)]
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


def _load(file: str, content: bytes) -> Sequence[x509.Certificate]:
    if b"-----BEGIN PKCS7-----" in content:
        found = pkcs7.load_pem_pkcs7_certificates(content)
    elif b"-----BEGIN" in content:
        found = x509.load_pem_x509_certificates(content)
    elif PurePath(file).suffix.casefold() == ".p7b":
        found = pkcs7.load_der_pkcs7_certificates(content)
    else:
        found = [x509.load_der_x509_certificate(content)]
    if not found:
        raise ValueError("the bundle is empty")
    return found


def _facts(file: str, certificate: x509.Certificate) -> CertificateFile:
    oid = certificate.signature_algorithm_oid
    name = oid._name  # the only name that the library has for it
    return CertificateFile(
        file=file,
        kind=_kind(certificate),
        subject=certificate.subject.rfc4514_string(),
        issuer_subject=certificate.issuer.rfc4514_string(),
        not_before=to_day(certificate.not_valid_before_utc.date()),
        not_after=to_day(certificate.not_valid_after_utc.date()),
        signature=oid.dotted_string if name == "Unknown OID" else name,
        der=certificate.public_bytes(Encoding.DER),
        certificate=certificate,
    )


def _kind(certificate: x509.Certificate) -> CertificateKind:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        is_ca = constraints.value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    if certificate.issuer == certificate.subject:
        is_default = certificate.subject.rfc4514_string() == DEFAULT_SUBJECT
        return CertificateKind.ROOT if is_ca and not is_default else CertificateKind.SELF_SIGNED
    return CertificateKind.INTERMEDIATE if is_ca else CertificateKind.LEAF


def _names_issuer(certificate: CertificateFile, issuer: CertificateFile) -> bool:
    """Whether a certificate names another one, not itself, as its issuer."""
    return certificate is not issuer and certificate.issuer_subject == issuer.subject


def is_issued_by(certificate: CertificateFile, issuer: CertificateFile) -> bool:
    """Whether one certificate's name and signature say that the other one issued it.

    The name alone counts where the signature is of a kind that the library no longer checks.
    """
    if certificate.certificate.issuer != issuer.certificate.subject:
        return False
    try:
        certificate.certificate.verify_directly_issued_by(issuer.certificate)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True
    return True
