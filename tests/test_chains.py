"""The two trust rules, and that no certificate makes the planner work for long."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.calendar import to_day
from planner.domain.errors import CertificateError
from planner.inventory.chains import Limits, Obstacle, Trust, TrustJudge, TrustRule
from planner.inventory.x509 import CertificateFile, read_certificates
from tests.authorities import DEFAULT, Made, make, root

ROOT = root()
ISSUING = make("Issuing", ROOT, is_ca=True)
LEAF = make("srv1", ISSUING)
DIRECT = make("srv2", ROOT)
OWN = make(DEFAULT, key_name="own")
OTHER = make(DEFAULT, key_name="other")


def judged(
    presented: Made,
    held: tuple[Made, ...],
    known: tuple[Made, ...] = (),
    *,
    on: str = "",
    limits: Limits | None = None,
) -> Trust:
    day = to_day(datetime.date.fromisoformat(on)) if on else None
    files = [one.read for one in held]
    judge = TrustJudge(files, [one.read for one in known], limits=limits or Limits())
    return judge.judge(presented.read, on=day)


def subjects(chain: tuple[CertificateFile, ...]) -> list[str]:
    return [one.subject.removeprefix("CN=") for one in chain]


def test_a_self_signed_certificate_is_trusted_by_exact_match() -> None:
    found = judged(OWN, (OTHER, OWN))
    assert found
    assert found.rule is TrustRule.EXACT_MATCH
    assert found.anchor == found.chain[0]
    assert found.anchor.der == OWN.der


def test_another_certificate_of_the_same_subject_is_no_exact_match() -> None:
    found = judged(OWN, (OTHER,))
    assert not found
    assert found.obstacle is Obstacle.NOT_HELD
    assert found.anchor is None


def test_a_self_signed_certificate_is_never_trusted_by_a_chain() -> None:
    renewed = root("Root", not_after="2150-01-01")
    assert renewed.der != ROOT.der
    assert judged(renewed, (ROOT,)).obstacle is Obstacle.NOT_HELD


@pytest.mark.parametrize("known", [(), (ROOT,), (ISSUING, ROOT)])
def test_a_chain_to_a_held_root_is_trusted(known: tuple[Made, ...]) -> None:
    assert subjects(judged(DIRECT, (ROOT,), known).chain) == ["srv2", "Root"]
    assert bool(judged(LEAF, (ROOT,), known)) is (ISSUING in known)


def test_the_verdict_says_which_rule_held_and_by_which_chain() -> None:
    found = judged(LEAF, (ROOT,), (ISSUING,))
    assert found.rule is TrustRule.CHAIN_TO_ROOT
    assert subjects(found.chain) == ["srv1", "Issuing", "Root"]
    assert str(found) == "chain-to-root, 'CN=srv1' < 'CN=Issuing' < 'CN=Root'"
    assert str(judged(OWN, (OWN,))) == "exact-match"
    assert str(judged(OWN, ())).startswith("not-held, the self-signed certificate itself")


@pytest.mark.parametrize("held", [(ISSUING,), (LEAF,), (LEAF, ISSUING)])
def test_holding_a_leaf_or_an_intermediate_is_no_trust(held: tuple[Made, ...]) -> None:
    assert judged(LEAF, held, (ROOT, ISSUING)).obstacle is Obstacle.NOT_HELD


def test_an_intermediate_may_lie_in_the_key_database_beside_the_root() -> None:
    assert judged(LEAF, (ROOT, ISSUING)).rule is TrustRule.CHAIN_TO_ROOT


def test_a_forged_signature_is_seen() -> None:
    forger = root("Forger")
    forged = make("srv1", forger, issuer_name="Root")
    found = judged(forged, (ROOT,))
    assert found.obstacle is Obstacle.INVALID
    assert "signature" in found.detail


def test_an_issuer_that_is_marked_as_no_ca_issues_nothing() -> None:
    no_ca = make("Issuing", ROOT, is_ca=False)
    assert judged(make("srv1", no_ca), (ROOT,), (no_ca,)).obstacle is Obstacle.INVALID
    no_root = make("Old root", is_ca=False)
    assert judged(make("srv1", no_root), (no_root,)).obstacle is Obstacle.NOT_HELD


def test_a_root_of_the_oldest_form_may_do_without_the_mark() -> None:
    old = make("Old root")
    assert judged(make("srv1", old), (old,)).rule is TrustRule.CHAIN_TO_ROOT


def test_a_path_length_is_kept_to() -> None:
    top = make("Top", ROOT, is_ca=True, path_length=0)
    below = make("Below", top, is_ca=True)
    assert judged(make("srv1", top), (ROOT,), (top,))
    assert judged(make("srv1", below), (ROOT,), (top, below)).obstacle is Obstacle.INVALID


def test_name_constraints_are_kept_to() -> None:
    narrow = make("Narrow", ROOT, is_ca=True, permitted=["inside.example"])
    inside = make("srv1", narrow, hosts=["srv1.inside.example"])
    outside = make("srv2", narrow, hosts=["srv2.outside.example"])
    assert judged(inside, (ROOT,), (narrow,))
    assert judged(outside, (ROOT,), (narrow,)).obstacle is Obstacle.INVALID


def test_weak_keys_and_weak_signatures_do_not_break_a_chain() -> None:
    weak = root("Weak root", key_name="rsa1024")
    assert judged(make("srv1", weak), (weak,)).rule is TrustRule.CHAIN_TO_ROOT
    for name in ("sha1", "md5"):
        old = make("Old issuing", weak, is_ca=True, weak_hash=name)
        assert name in old.read.signature.casefold()
        assert judged(make("srv1", old), (weak,), (old,)).rule is TrustRule.CHAIN_TO_ROOT


def test_neither_a_subject_alternative_name_nor_a_key_identifier_is_asked_for() -> None:
    assert not list(LEAF.certificate.extensions)
    assert judged(LEAF, (ROOT, ISSUING))


def test_the_whole_chain_must_be_valid_on_the_day() -> None:
    short = make("Short", ROOT, is_ca=True, not_before="2020-01-01", not_after="2030-01-01")
    leaf = make("srv1", short, not_before="2019-01-01", not_after="2031-01-01")
    for day, holds in (
        ("2019-12-31", False),
        ("2020-01-01", True),
        ("2029-12-31", True),
        ("2030-01-01", False),
    ):
        found = judged(leaf, (ROOT,), (short,), on=day)
        assert bool(found) is holds, day
        if not holds:
            assert found.obstacle is Obstacle.EXPIRED
            assert found.detail == "outside its validity: 'CN=Short'"
    assert judged(leaf, (ROOT,), (short,))  # validity left aside


def test_an_expired_anchor_is_seen_too() -> None:
    old = root("Old", not_after="2010-01-01")
    assert judged(make("srv1", old), (old,), on="2027-01-01").obstacle is Obstacle.EXPIRED
    assert judged(old, (old,), on="2027-01-01").obstacle is Obstacle.EXPIRED


def test_a_chain_that_is_never_valid_as_a_whole_counts_as_expired() -> None:
    early = make("Early", ROOT, is_ca=True, not_after="2010-01-01")
    late = make("srv1", early, not_before="2020-01-01")
    assert judged(late, (ROOT,), (early,)).obstacle is Obstacle.EXPIRED


def test_a_second_path_is_taken_where_the_first_is_expired() -> None:
    old = make("Cross", ROOT, is_ca=True, not_after="2010-01-01", key_name="cross")
    new_root = root("New root")
    new = make("Cross", new_root, is_ca=True, key_name="cross")
    leaf = make("srv1", new)
    assert judged(leaf, (ROOT, new_root), (old, new), on="2027-01-01")
    assert judged(leaf, (ROOT,), (old, new), on="2027-01-01").obstacle is Obstacle.EXPIRED


def test_certificates_of_one_issuer_and_serial_number_are_told_apart() -> None:
    first = make("First", ROOT, is_ca=True, serial=1)
    second = make("Second", ROOT, is_ca=True, serial=1)
    known = (first, second)
    assert judged(make("srv1", first, serial=1), (ROOT,), known)
    assert judged(make("srv2", second, serial=1), (ROOT,), known)


def test_it_works_where_an_event_loop_runs_already() -> None:
    async def inside() -> Trust:
        return judged(LEAF, (ROOT, ISSUING))

    assert asyncio.run(inside())


# --- Work is bounded -----------------------------------------------------------------------------


def test_issuers_in_a_circle_come_to_an_end() -> None:
    a = make("A", is_ca=True)
    b = make("B", a, is_ca=True)
    a_by_b = make("A", b, is_ca=True)
    assert judged(make("srv1", b), (ROOT,), (a_by_b, b)).obstacle is Obstacle.NOT_HELD


def test_a_tangle_of_cross_signatures_comes_to_an_end() -> None:
    names = [f"N{number}" for number in range(12)]
    tops = {name: root(name) for name in names}
    tangle = tuple(make(a, tops[b], is_ca=True) for a in names for b in names if a != b)
    found = judged(make("srv1", tops["N0"]), (ROOT,), tangle)
    assert found.obstacle is Obstacle.TOO_COSTLY
    assert found.detail == "more than 500 possible issuers"


def test_one_subject_and_key_many_times_comes_to_an_end() -> None:
    known = tuple(make("Many", ROOT, is_ca=True, key_name="many") for _ in range(600))
    bad = make("srv1", known[0])
    assert judged(bad, (ROOT,), known)
    found = judged(bad, (OTHER,), known)
    assert found.obstacle is Obstacle.TOO_COSTLY
    assert found.detail == "more than 500 possible issuers"


def test_a_chain_may_not_be_longer_than_the_limit() -> None:
    links = [ROOT]
    for number in range(9):
        links.append(make(f"Link {number}", links[-1], is_ca=True))
    assert judged(links[-1], (ROOT,), tuple(links))
    longer = make("srv1", links[-1])
    found = judged(longer, (ROOT,), tuple(links))
    assert found.obstacle is Obstacle.TOO_LONG
    assert found.detail == "the chain has 11 certificates, more than 10"


def test_ten_thousand_names_are_taken_but_not_under_as_many_constraints() -> None:
    hosts = [f"h{number}.inside.example" for number in range(10_000)]
    assert judged(make("srv1", ROOT, hosts=hosts), (ROOT,))
    narrow = make("Narrow", ROOT, is_ca=True, permitted=hosts[:200])
    found = judged(make("srv1", narrow, hosts=hosts), (ROOT,), (narrow,))
    assert found.obstacle is Obstacle.TOO_COSTLY
    assert found.detail == "10,000 names under 200 name constraints"


def test_a_subject_of_many_parts_is_refused() -> None:
    found = judged(make("srv1", ROOT, parts=1_000), (ROOT,))
    assert found.obstacle is Obstacle.TOO_COSTLY
    assert found.detail == "names of 1,001 parts, more than 200"


def test_time_is_a_limit_of_its_own() -> None:
    found = judged(LEAF, (ROOT, ISSUING), limits=Limits(seconds=0))
    assert found.obstacle is Obstacle.TOO_COSTLY
    assert found.detail == "more than 0 seconds"


def test_a_certificate_that_is_not_read_strictly_is_a_verdict() -> None:
    broken = replace(LEAF.read, der=LEAF.read.der + b"\0")
    found = TrustJudge([ROOT.read]).judge(broken)
    assert found.obstacle is Obstacle.INVALID
    assert found.detail.startswith("it cannot be read strictly (")


@given(
    st.sampled_from([ROOT.der, ISSUING.der, LEAF.der]),
    st.integers(min_value=0, max_value=10_000),
    st.integers(min_value=1, max_value=255),
)
def test_a_damaged_certificate_gets_a_verdict_but_never_crashes(
    content: bytes, place: int, change: int
) -> None:
    damaged = bytearray(content)
    damaged[place % len(damaged)] ^= change
    try:
        (one,) = read_certificates("x.der", bytes(damaged))
    except CertificateError:
        return
    for presented in (one, LEAF.read):
        found = TrustJudge([ROOT.read, one], [ISSUING.read, one]).judge(presented)
        assert bool(found) is (found.obstacle is None)
