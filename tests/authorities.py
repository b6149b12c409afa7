"""Certificates for tests: any subject, issuer, key, flag and name, at fixed dates."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from asn1crypto import algos
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from planner.inventory.x509 import CertificateFile, read_certificates

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DEFAULT_PARTS = (
    (NameOID.COUNTRY_NAME, "US"),
    (NameOID.ORGANIZATION_NAME, "TSM"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "TSM Network"),
    (NameOID.COMMON_NAME, "TSM Self-Signed Certificate"),
)
DEFAULT = "TSM Self-Signed Certificate"
# The certificates of a test that speaks TLS must be valid today, whenever that is.
LONG_AGO, FAR_AHEAD = "2001-01-01", "2199-01-01"


def name_of(text: str) -> x509.Name:
    """Return a common name, or the name of all the servers' own certificates."""
    if text == DEFAULT:
        return x509.Name([x509.NameAttribute(kind, part) for kind, part in DEFAULT_PARTS])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def key(name: str) -> Key:
    """Return the key of a name, the same one for all of a run; `rsa1024` and the like are RSA."""
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, int(name[3:]))
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate alone, in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def read(self) -> CertificateFile:
        """What the kit reads of it."""
        (one,) = read_certificates("x.der", self.der)
        return one

    def write_with_key(self, path: Path, chain: Sequence[Made] = ()) -> Path:
        """Write what a TLS server of a test loads; never into the repository."""
        secret = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(b"".join([secret, self.pem, *(one.pem for one in chain)]))
        return path


def make(
    subject: str,
    issuer: Made | None = None,
    *,
    key_name: str = "",
    is_ca: bool | None = None,
    path_length: int | None = None,
    not_before: str = LONG_AGO,
    not_after: str = FAR_AHEAD,
    hosts: Sequence[str] = (),
    serial: int | None = None,
    permitted: Sequence[str] = (),
    issuer_name: str = "",
    parts: int = 1,
    weak_hash: str = "",
) -> Made:
    """Make a certificate; it signs itself where no issuer is given."""
    own = key(key_name or subject)
    signer = issuer.key if issuer else own
    name = name_of(subject)
    if parts > 1:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{n}") for n in range(parts)])
    by = issuer.certificate.subject if issuer else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name_of(issuer_name) if issuer_name else by)
        .public_key(own.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(datetime.fromisoformat(not_before).replace(tzinfo=UTC))
        .not_valid_after(datetime.fromisoformat(not_after).replace(tzinfo=UTC))
    )
    if is_ca is not None:
        constraints = x509.BasicConstraints(is_ca, path_length)
        builder = builder.add_extension(constraints, critical=True)
    if hosts:
        names = [_general_name(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if permitted:
        subtrees = [x509.DNSName(host) for host in permitted]
        builder = builder.add_extension(x509.NameConstraints(subtrees, None), critical=True)
    made = builder.sign(signer, hashes.SHA256())
    if weak_hash:
        assert isinstance(signer, rsa.RSAPrivateKey)
        made = _signed_weakly(made, signer, weak_hash)
    return Made(certificate=made, key=own)


def _signed_weakly(
    made: x509.Certificate, signer: rsa.RSAPrivateKey, name: str
) -> x509.Certificate:
    """Sign a certificate as nobody does any more: the library refuses to make such ones."""
    weak = hashes.MD5() if name == "md5" else hashes.SHA1()  # noqa: S303 - old ones exist
    outer = asn1.Certificate.load(made.public_bytes(Encoding.DER))
    is_salted = name == "pss-sha1"
    algorithm: dict[str, object] = {"algorithm": f"{name}_rsa", "parameters": None}
    if is_salted:
        none = algos.RSASSAPSSParams.load(b"\x30\x00")  # which means SHA-1
        algorithm = {"algorithm": "rsassa_pss", "parameters": none}
    outer["signature_algorithm"] = algos.SignedDigestAlgorithm(algorithm)
    outer["tbs_certificate"]["signature"] = algos.SignedDigestAlgorithm(algorithm)
    content = outer["tbs_certificate"].dump(force=True)
    filling = padding.PSS(padding.MGF1(weak), 20) if is_salted else padding.PKCS1v15()
    outer["signature_value"] = signer.sign(content, filling, weak)
    return x509.load_der_x509_certificate(outer.dump(force=True))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def root(subject: str = "Root", *, key_name: str = "", not_after: str = FAR_AHEAD) -> Made:
    """Make a root of a CA."""
    return make(subject, is_ca=True, key_name=key_name, not_after=not_after)
