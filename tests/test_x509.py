from __future__ import annotations

from datetime import UTC, datetime

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.calendar import iso
from planner.domain.certificates import CertificateKind
from planner.domain.errors import CertificateError
from planner.inventory.x509 import (
    MOST_CERTIFICATES,
    SUFFIXES,
    CertificateFile,
    holds_private_key,
    is_issued_by,
    read_certificates,
)
from tests.authorities import DEFAULT, name_of

KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(4)]
SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
MD5_WITH_RSA = bytes.fromhex("2a864886f70d010104")
DEFAULT_NAME = name_of(DEFAULT)


def certificate(
    subject: str | x509.Name,
    issuer: str | x509.Name | None = None,
    *,
    key: int = 0,
    signed_by: int | None = None,
    is_ca: bool | None = None,
    not_before: str = "2024-01-01T12:00:00",
    not_after: str = "2034-01-01T11:59:59",
) -> x509.Certificate:
    """A certificate at fixed dates; keys are numbers, its own signs where none is given."""
    name = subject if isinstance(subject, x509.Name) else name_of(subject)
    by = name if issuer is None else issuer if isinstance(issuer, x509.Name) else name_of(issuer)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(KEYS[key].public_key())
        .serial_number(7)
        .not_valid_before(datetime.fromisoformat(not_before).replace(tzinfo=UTC))
        .not_valid_after(datetime.fromisoformat(not_after).replace(tzinfo=UTC))
    )
    if is_ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    return builder.sign(KEYS[key if signed_by is None else signed_by], hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


ROOT = certificate("Root", key=0, is_ca=True)
ISSUING = certificate("Issuing", "Root", key=1, signed_by=0, is_ca=True)
LEAF = certificate("srv1", "Issuing", key=2, signed_by=1)
OWN = certificate("srv2", key=3)


def md5_of(subject: str, issuer: str) -> bytes:
    """DER of a certificate that calls itself MD5-signed; nobody makes such ones any more."""
    key = rsa.generate_private_key(65537, 2048)
    made = (
        x509.CertificateBuilder()
        .subject_name(name_of(subject))
        .issuer_name(name_of(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2014, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2024, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return der(made).replace(SHA256_WITH_RSA, MD5_WITH_RSA)


def read_one(content: bytes, file: str = "certs/x.pem") -> CertificateFile:
    (one,) = read_certificates(file, content)
    return one


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("certs/x.pem", pem(ROOT)),
        ("certs/x.arm", pem(ROOT)),
        ("certs/x.crt", pem(ROOT)),
        ("certs/x.crt", der(ROOT)),
        ("certs/x.cer", der(ROOT)),
        ("certs/x.der", der(ROOT)),
        ("certs/x.der", pem(ROOT)),
        ("certs/x.pem", b"subject=Root\r\n" + pem(ROOT).replace(b"\n", b"\r\n")),
        ("certs/x.p7b", pkcs7.serialize_certificates([ROOT], Encoding.PEM)),
        ("certs/x.P7B", pkcs7.serialize_certificates([ROOT], Encoding.DER)),
        ("certs/x.pem", pkcs7.serialize_certificates([ROOT], Encoding.PEM)),
        ("certs/x.p7b", pem(ROOT)),
    ],
)
def test_every_form_of_a_certificate_file_says_the_same(file: str, content: bytes) -> None:
    one = read_one(content, file)
    assert one.der == der(ROOT)
    assert one.file == file
    assert one.kind is CertificateKind.ROOT
    assert (one.subject, one.issuer_subject) == ("CN=Root", "CN=Root")
    assert one.signature == "ecdsa-with-SHA256"


def test_days_are_the_utc_dates_of_the_times() -> None:
    one = read_one(
        pem(certificate("x", not_before="2024-02-29T23:59:59", not_after="2030-01-01T00:00:00"))
    )
    assert (iso(one.not_before), iso(one.not_after)) == ("2024-02-29", "2030-01-01")


def test_a_certificate_without_end_is_read() -> None:
    one = read_one(pem(certificate("x", not_after="9999-12-31T23:59:59")))
    assert iso(one.not_after) == "9999-12-31"


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (ROOT, CertificateKind.ROOT),
        (ISSUING, CertificateKind.INTERMEDIATE),
        (LEAF, CertificateKind.LEAF),
        (certificate("srv3", "Root", signed_by=0, is_ca=False), CertificateKind.LEAF),
        (OWN, CertificateKind.SELF_SIGNED),
        (certificate(DEFAULT_NAME, is_ca=True), CertificateKind.SELF_SIGNED),
    ],
)
def test_the_kind_follows_from_names_and_constraints(
    one: x509.Certificate, kind: CertificateKind
) -> None:
    assert read_one(pem(one)).kind is kind


def test_the_signature_is_named_even_where_the_library_has_no_name_for_it() -> None:
    assert read_one(md5_of("old", "old"), "certs/old.der").signature == "md5WithRSAEncryption"
    unknown = der(OWN).replace(bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040377"))
    assert read_one(unknown, "certs/x.der").signature == "1.2.840.10045.4.3.119"


def test_the_certificate_that_issued_no_other_comes_first_in_a_bundle() -> None:
    found = read_certificates("certs/chain.pem", pem(ROOT, ISSUING, LEAF))
    assert [one.subject for one in found] == ["CN=srv1", "CN=Root", "CN=Issuing"]
    assert [one.file for one in found] == [
        "certs/chain.pem",
        "certs/chain.pem#2",
        "certs/chain.pem#3",
    ]
    bundle = pkcs7.serialize_certificates([ROOT, LEAF, ISSUING], Encoding.DER)
    assert read_certificates("certs/chain.p7b", bundle)[0].subject == "CN=srv1"


def test_a_bundle_of_namesakes_keeps_its_order() -> None:
    first, second = certificate(DEFAULT_NAME, key=0), certificate(DEFAULT_NAME, key=1)
    found = read_certificates("certs/two.pem", pem(first, second))
    assert [one.der for one in found] == [der(first), der(second)]


def forms_of_a_key() -> list[bytes]:
    key = rsa.generate_private_key(65537, 2048)
    authority = trustme.CA()
    issued = authority.issue_cert("srv.example")
    plain, secret = NoEncryption(), BestAvailableEncryption(b"secret")
    return [
        issued.private_key_and_cert_chain_pem.bytes(),
        *(
            key.private_bytes(encoding, form, encryption)
            for encoding in (Encoding.PEM, Encoding.DER)
            for form, encryption in (
                (PrivateFormat.PKCS8, plain),
                (PrivateFormat.PKCS8, secret),
                (PrivateFormat.TraditionalOpenSSL, plain),
            )
        ),
        key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, plain),
        KEYS[0].private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, plain),
        pkcs12.serialize_key_and_certificates(b"x", KEYS[0], ROOT, None, secret),
    ]


def odd_forms_of_a_key() -> list[bytes]:
    """Spell a key as no reader of PEM takes it but some tool still might."""
    secret = KEYS[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return [
        pem(ROOT) + secret.replace(b"BEGIN PRIVATE KEY", b"BEGIN  PRIVATE   KEY"),
        pem(ROOT) + secret.lower(),
        pem(ROOT) + secret.decode("ascii").encode("utf-16"),
        (pem(ROOT) + secret).replace(b"\n", b"\r"),
        pem(ROOT) + b"  " + secret,
        pem(ROOT) + b"PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\nAAAA\n",
    ]


FORMS_OF_A_KEY = [*forms_of_a_key(), *odd_forms_of_a_key()]


# By number: keys are random, and all workers must give a test the same name.
@pytest.mark.parametrize("content", FORMS_OF_A_KEY, ids=range(len(FORMS_OF_A_KEY)))
@pytest.mark.parametrize("file", ["certs/x.pem", "certs/x.der", "certs/x.p7b"])
def test_a_file_with_a_private_key_is_refused_and_the_message_tells_nothing_of_it(
    file: str, content: bytes
) -> None:
    with pytest.raises(CertificateError) as caught:
        read_certificates(file, content)
    assert str(caught.value) == (
        f"{file}: the file holds a private key, so nothing of it is read; take the key out and "
        "export the certificate alone; a key belongs on its own host"
    )


@pytest.mark.parametrize(
    "content",
    [
        pem(ROOT),
        der(ROOT),
        pkcs7.serialize_certificates([ROOT], Encoding.DER),
        KEYS[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"",
        b"\x30",
        b"\x30\x00",
        b"The private key stays on the server.\n" + pem(ROOT),
    ],
    ids=range(8),
)
def test_what_holds_no_private_key_is_not_taken_for_one(content: bytes) -> None:
    assert not holds_private_key(content)


def test_a_file_of_too_many_certificates_is_refused() -> None:
    content = pem(OWN) * (MOST_CERTIFICATES + 1)
    with pytest.raises(CertificateError, match=r"holds 1,001 parts, more than the 1,000"):
        read_certificates("certs/x.pem", content)
    bundle = pkcs7.serialize_certificates([OWN] * (MOST_CERTIFICATES + 1), Encoding.DER)
    with pytest.raises(CertificateError, match=r"it holds 1,001, more than the 1,000"):
        read_certificates("certs/x.p7b", bundle)


def test_a_bundle_of_certificates_in_der_is_known_without_its_suffix() -> None:
    bundle = pkcs7.serialize_certificates([ROOT, LEAF], Encoding.DER)
    assert len(read_certificates("certs/x.cer", bundle)) == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("certs/x.pem", b""),
        ("certs/x.pem", b"no certificate"),
        ("certs/x.pem", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ("certs/x.pem", b"-----BEGIN CERTIFICATE-----\n\xff\xfe"),
        ("certs/x.der", der(ROOT)[:-9]),
        ("certs/x.der", b"\0" * 40),
        ("certs/x.p7b", der(ROOT)),
        ("certs/x.p7b", bytes.fromhex("300b06092a864886f70d010702")),
        (
            "certs/x.p7b",  # a bundle of no certificates
            bytes.fromhex(
                "302506092a864886f70d010702a01830160201013100300b06092a864886f70d010701a0003100"
            ),
        ),
        ("certs/x.p7b", b"-----BEGIN PKCS7-----\nMAsGCSqGSIb3DQEHAg==\n-----END PKCS7-----\n"),
    ],
)
def test_what_holds_no_certificate_is_an_error_with_a_cure(file: str, content: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        read_certificates(file, content)
    message = str(caught.value)
    assert message.startswith(f"{file}: the file holds no certificate that can be read (")
    assert message.endswith("); export it again as PEM or DER")
    assert "\n" not in message


def test_an_extension_that_occurs_twice_is_an_error() -> None:
    two = certificate("x", is_ca=True)
    content = der(two)
    extension = bytes.fromhex("300f0603551d130101ff040530030101ff")
    assert content.count(extension) == 1
    # The list of extensions and all that holds it grow by 17 bytes.
    grown = content.replace(extension, extension * 2)
    for length, more in ((0x11, 0x22), (0x13, 0x24)):
        grown = grown.replace(
            bytes([0x30, length]) + extension[:2], bytes([0x30, more]) + extension[:2]
        )
        grown = grown.replace(bytes([0xA3, length]), bytes([0xA3, more]))
    with pytest.raises(CertificateError):
        read_certificates("certs/x.der", grown)


def test_issuers_are_told_by_name_and_signature() -> None:
    root, issuing, leaf = (read_one(pem(one)) for one in (ROOT, ISSUING, LEAF))
    namesake = read_one(pem(certificate("Issuing", "Root", key=3, signed_by=0, is_ca=True)))
    assert is_issued_by(leaf, issuing)
    assert is_issued_by(issuing, root)
    assert is_issued_by(root, root)
    assert not is_issued_by(leaf, root)
    assert not is_issued_by(leaf, namesake)


def test_the_name_alone_tells_the_issuer_of_a_signature_too_old_to_check() -> None:
    old = read_one(md5_of("srv", "Root"), "certs/old.der")
    assert is_issued_by(old, read_one(pem(ROOT)))


@given(st.sampled_from(SUFFIXES), st.binary(max_size=120))
def test_any_bytes_are_read_or_an_error_but_never_crash(suffix: str, content: bytes) -> None:
    with pytest.raises(CertificateError):
        read_certificates(f"certs/x{suffix}", content)


@given(
    st.sampled_from([der(LEAF), der(ROOT), pkcs7.serialize_certificates([ROOT], Encoding.DER)]),
    st.integers(min_value=0, max_value=10_000),
    st.integers(min_value=1, max_value=255),
    st.sampled_from([".der", ".p7b"]),
)
def test_a_damaged_file_is_read_or_an_error_but_never_crashes(
    content: bytes, place: int, change: int, suffix: str
) -> None:
    damaged = bytearray(content)
    damaged[place % len(damaged)] ^= change
    try:
        found = read_certificates(f"certs/x{suffix}", bytes(damaged))
    except CertificateError as error:
        assert len(error.faults) == 1  # noqa: PT017 - either outcome is right
    else:
        assert found


def test_what_neither_library_expects_is_an_error_and_no_crash() -> None:
    kind = bytes.fromhex("06072a8648ce3d0201")  # of an elliptic curve's key
    content = der(OWN)
    assert content.count(kind) == 1
    damaged = content.replace(kind, bytes.fromhex("0607808648ce3d0201"))
    with pytest.raises(CertificateError, match="no certificate that can be read"):
        read_certificates("certs/x.der", damaged)
