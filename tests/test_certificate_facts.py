"""What checks ask a certificate."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from planner.inventory.certificate_facts import (
    has_weak_key,
    host_names,
    key_text,
    names_host,
    weak_hash,
)
from planner.inventory.x509 import CertificateFile, read_certificates
from tests.authorities import make, name_of, root

Key = (
    dsa.DSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


def with_key(key: Key, algorithm: hashes.SHA256 | None) -> CertificateFile:
    """Make a certificate that a key signs for itself."""
    made = (
        x509.CertificateBuilder()
        .subject_name(name_of("x"))
        .issuer_name(name_of("x"))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2034, 1, 1, tzinfo=UTC))
        .sign(key, algorithm)
    )
    (one,) = read_certificates("x.der", made.public_bytes(Encoding.DER))
    return one


@pytest.mark.parametrize(
    ("key", "algorithm", "text", "is_weak"),
    [
        (ec.generate_private_key(ec.SECP256R1()), hashes.SHA256(), "EC 256", False),
        (ec.generate_private_key(ec.SECP192R1()), hashes.SHA256(), "EC 192", True),
        (dsa.generate_private_key(1024), hashes.SHA256(), "DSA 1024", True),  # noqa: S505 - weak
        (ed25519.Ed25519PrivateKey.generate(), None, "Ed25519", False),
        (ed448.Ed448PrivateKey.generate(), None, "Ed448", False),
    ],
    ids=range(5),
)
def test_keys_are_named_with_their_size(
    key: Key, algorithm: hashes.SHA256 | None, text: str, is_weak: bool
) -> None:
    one = with_key(key, algorithm)
    assert key_text(one) == text
    assert has_weak_key(one) is is_weak


def test_an_rsa_key_is_weak_below_2048_bit() -> None:
    assert has_weak_key(root(key_name="rsa1024").read)
    assert not has_weak_key(root(key_name="rsa2048").read)


def test_nothing_is_said_of_a_form_that_the_library_does_not_read() -> None:
    one = dataclasses.replace(make("x", hosts=["a.example"]).read, certificate=None)
    assert key_text(one) == ""
    assert not has_weak_key(one)
    assert host_names(one) == frozenset()
    assert not names_host(host_names(one), "a.example")


def test_a_key_that_the_library_does_not_know_has_no_text() -> None:
    der = make("x").read.der
    # Another curve, which nobody has.
    curve = bytes.fromhex("2a8648ce3d030107")
    unknown = der.replace(curve, bytes.fromhex("2a8648ce3d030177"))
    assert unknown != der
    (one,) = read_certificates("x.der", unknown)
    assert key_text(one) == ""


@pytest.mark.parametrize("name", ["md5WithRSAEncryption", "md2WithRSAEncryption", "md5_rsa"])
def test_md5_and_older_count_as_md5(name: str) -> None:
    assert weak_hash(name) == "MD5"


def test_sha_256_is_not_taken_for_sha_1() -> None:
    assert weak_hash("ecdsa-with-SHA1") == "SHA-1"
    assert weak_hash("sha1_rsa") == "SHA-1"
    assert weak_hash("sha256WithRSAEncryption") == ""
    assert weak_hash("RSASSA-PSS") == ""
