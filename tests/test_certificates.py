"""Certificates: chains, anchors and validity, in words and as the engine computes them."""

import numpy as np
import pytest

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.certificates import DEFAULT_SUBJECT, CertificateKind, Certificates
from planner.engine.timelines import chains
from tests.authorities import DEFAULT, name_of
from tests.builders import case, certificate, client, server, session
from tests.comparison import plan_of_case


@pytest.fixture
def certificates() -> Certificates:
    return plan_of_case(
        case(
            servers=[server("alpha", certificate="alpha-leaf")],
            clients=[client("db1")],
            sessions=[session("db1", "alpha")],
            certificates=[
                certificate("alpha-leaf", issuer="issuing", not_after="2025-09-01"),
                certificate("issuing", kind="intermediate", issuer="root", not_before="2024-01-01"),
                certificate("root", kind="root", not_after="2030-01-01", available="2024-06-01"),
                certificate("lonely", kind="leaf"),
                certificate("own", signature="md5WithRSAEncryption"),
            ],
        )
    ).fleet.certificates


def test_kinds_are_written_as_in_certificates_csv() -> None:
    labels = [kind.label for kind in CertificateKind]
    assert labels == ["self-signed", "leaf", "intermediate", "root"]


def test_the_default_subject_is_that_of_a_servers_own_certificate() -> None:
    assert name_of(DEFAULT).rfc4514_string() == DEFAULT_SUBJECT


def test_the_anchor_is_the_last_name_of_the_chain(certificates: Certificates) -> None:
    assert [certificates.name[n] for n in certificates.chain(0)] == [
        "alpha-leaf",
        "issuing",
        "root",
    ]


def test_the_validity_of_a_chain_is_that_of_all_its_links(certificates: Certificates) -> None:
    assert [iso(day) for day in certificates.validity(0)] == ["2024-01-01", "2025-09-01"]


def test_a_chain_that_ends_in_a_leaf_is_no_trust(certificates: Certificates) -> None:
    anchor, is_complete, valid_from, valid_to = chains(
        certificates.kind, certificates.issuer, certificates.not_before, certificates.not_after
    )
    assert anchor.tolist() == [certificates.chain(n)[-1] for n in range(len(certificates))]
    assert is_complete.tolist() == [True, True, True, False, True]
    expected = [certificates.validity(n) for n in range(len(certificates))]
    assert list(zip(valid_from.tolist(), valid_to.tolist(), strict=True)) == expected


def test_an_anchor_opens_on_its_available_day_else_when_it_becomes_valid(
    certificates: Certificates,
) -> None:
    assert iso(certificates.opens(2)) == "2024-06-01"
    assert iso(certificates.opens(1)) == "2024-01-01"
    assert certificates.opens(4) == ALWAYS


def test_further_names_are_self_signed_and_always_valid(certificates: Certificates) -> None:
    more = certificates.extended(("stranger",))
    assert more.is_anchor(len(certificates))
    assert more.validity(len(certificates)) == (ALWAYS, NEVER)
    assert not more.described[-1]
    assert certificates.extended(()) is certificates


def test_md5_is_seen_in_the_signature(certificates: Certificates) -> None:
    assert np.flatnonzero(certificates.is_md5()).tolist() == [4]


def test_further_certificates_have_every_column_empty(certificates: Certificates) -> None:
    more = certificates.extended(("stranger", "other"))
    assert more.name[-2:] == ("stranger", "other")
    for column, value in (("issuer", -1), ("server", -1), ("line", 0), ("available", ALWAYS)):
        own, before = getattr(more, column), getattr(certificates, column)
        assert own.tolist() == [*before.tolist(), value, value]
        assert own.dtype == np.int32
    assert more.signature == (*certificates.signature, "", "")
    assert more.file == (*certificates.file, "", "")
    assert more.described.tolist() == [True] * len(certificates) + [False, False]


def test_no_certificates_have_no_md5_among_them(certificates: Certificates) -> None:
    none = plan_of_case(case(servers=[], clients=[], sessions=[])).fleet.certificates
    assert none.is_md5().dtype == np.bool_
    assert certificates.is_md5().dtype == np.bool_
