"""What checks ask a certificate: its key, its signature, and the hosts that it names."""

import ipaddress
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from planner.domain.certificates import DEFAULT_SUBJECT, OWN_ANCHOR
from planner.inventory.x509 import CertificateFile

SMALLEST_RSA: Final = 2048
"""Smallest RSA or DSA key that is not weak [bit] (NIST SP 800-131A)."""
SMALLEST_CURVE: Final = 224
"""Smallest elliptic curve that is not weak [bit] (NIST SP 800-131A)."""

_Key = tuple[str, int]


def key_text(one: CertificateFile) -> str:
    """Algorithm and size of a certificate's key: `RSA 2048`; empty where the library knows none."""
    algorithm, size = _key(one)
    return f"{algorithm} {size}" if size else algorithm


def has_weak_key(one: CertificateFile) -> bool:
    """Whether a certificate's key is smaller than what NIST still allows."""
    algorithm, size = _key(one)
    return (algorithm in ("RSA", "DSA") and size < SMALLEST_RSA) or (
        algorithm == "EC" and size < SMALLEST_CURVE
    )


def _key(one: CertificateFile) -> _Key:
    if one.certificate is None:
        return "", 0
    try:
        key = one.certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "", 0
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 0
        case ed448.Ed448PublicKey():
            return "Ed448", 0
        case _:
            return type(key).__name__, 0


def is_default(one: CertificateFile) -> bool:
    """Whether a server made this self-signed certificate for itself, by its subject (EMPALIS)."""
    return one.kind in OWN_ANCHOR and one.subject == DEFAULT_SUBJECT


def weak_hash(signature: str) -> str:
    """Return the weak hash of a signature algorithm, `MD5` or `SHA-1`; empty for any other.

    Examples
    --------
    >>> weak_hash("sha1WithRSAEncryption"), weak_hash("md5_rsa"), weak_hash("ecdsa-with-SHA256")
    ('SHA-1', 'MD5', '')
    """
    folded = signature.casefold().replace("-", "")
    if "md5" in folded or "md2" in folded:
        return "MD5"
    return "SHA-1" if "sha1" in folded else ""


def host_names(one: CertificateFile) -> frozenset[str]:
    """Host names and addresses among a certificate's subject alternative names, folded."""
    if one.certificate is None:
        return frozenset()
    try:
        names = one.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    hosts = names.value.get_values_for_type(x509.DNSName)
    addresses = names.value.get_values_for_type(x509.IPAddress)
    return frozenset(map(_host, (*hosts, *map(str, addresses))))


def names_host(names: frozenset[str], address: str) -> bool:
    """Whether a certificate's host names hold an address; `*` stands for one leftmost label.

    References
    ----------
    RFC 6125 section 6.4.3.
    """
    wanted = _host(address)
    _, _, parent = wanted.partition(".")
    return wanted in names or ("." in parent and f"*.{parent}" in names)


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.casefold().rstrip(".")
