from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pytest

from planner.domain import rules
from planner.domain.rules import (
    BOTH_NEW,
    BOTH_NEW_BASE,
    BOTH_NEW_FACTS,
    DEADLINE_RULES,
    FREE_RULES,
    OLD_CLIENT,
    OLD_CLIENT_BASE,
    OLD_CLIENT_FACTS,
    OLD_SERVER,
    OLD_SERVER_BASE,
    OLD_SERVER_FACTS,
    RULE_NUMBER,
    RULES,
    UNDECIDED,
    VERDICTS,
    DeadlineRule,
    Distribution,
    Fact,
    Mode,
    Reason,
    Rule,
    Status,
    Trust,
    lookup_table,
)
from tests.golden.tables import assert_golden

# The short names of sources in the domain reference.
SOURCES = frozenset(
    [
        "SEED",
        "NC818",
        "VE814",
        "FP812",
        "FP818",
        "FP8125",
        "TROUB819",
        "KNOW8114",
        "KNOW8111",
        "TN",
        "INTRO8111",
        "INTRO8113",
        "SEC8114",
        "SEC822",
        "DEPR812",
        "SSLOPT",
        "SSLREQ",
        "REPLSSL",
        "CFGSSL",
        "S2S718",
        "PORTS711",
        "TCPADMIN",
        "FW818",
        "RENEW8124",
        "EMPALIS",
        "MSG821",
        "API821",
        "HELP",
        "GALAXY",
        "ANSIBLE",
        "SAFEDOC",
        "SAFECLOUD",
    ]
)
TABLES = (
    pytest.param(OLD_SERVER_FACTS, OLD_SERVER, OLD_SERVER_BASE, id="old server"),
    pytest.param(OLD_CLIENT_FACTS, OLD_CLIENT, OLD_CLIENT_BASE, id="old client"),
    pytest.param(BOTH_NEW_FACTS, BOTH_NEW, BOTH_NEW_BASE, id="both new"),
)
LOOKUP = lookup_table()
# Message numbers of the semantics, by reason; MD5 and strict accounts have none.
MESSAGES = {
    Reason.NONE: "",
    Reason.UNTRUSTED: "ANS1592E",
    Reason.WRONG_CERTIFICATE: "ANS1595E",
    Reason.EXPIRED: "ANS1693E",
    Reason.SSL_REQUIRED_BY_CLIENT: "ANS7524E",
    Reason.SSL_REQUIRED_BY_SERVER: "ANS7525E",
    Reason.SSL_PORT: "ANS1579E",
    Reason.TLS_LEVEL: "ANS2027E",
    Reason.MD5_CERTIFICATE: "",
    Reason.STRICT_ACCOUNT: "",
}


def combinations(facts: Iterable[Fact]) -> Iterable[tuple[dict[str, int], int]]:
    """Every combination of facts, and its index in the table."""
    facts = tuple(facts)
    for values in itertools.product(*(range(fact.values) for fact in facts)):
        index = sum(value << fact.shift for fact, value in zip(facts, values, strict=True))
        yield {fact.name: value for fact, value in zip(facts, values, strict=True)}, index


def decided(base: int, index: int) -> Rule:
    return RULES[int(LOOKUP[base + index])]


def test_rule_ids_are_unique_and_numbered_by_their_place() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids) < UNDECIDED
    assert [RULE_NUMBER[rule_id] for rule_id in ids] == list(range(len(ids)))
    assert (*FREE_RULES, *OLD_SERVER, *OLD_CLIENT, *BOTH_NEW) == RULES


def test_every_rule_says_who_says_so_in_one_sentence() -> None:
    said: tuple[Rule | DeadlineRule, ...] = (*RULES, *DEADLINE_RULES)
    for rule in said:
        assert rule.source in SOURCES
        assert rule.status in list(Status)
        assert rule.sentence.endswith(".")
        assert rule.sentence[0].isupper()
        assert ". " not in rule.sentence.replace("8. ", "")
        assert "{" not in rule.sentence
        assert rule.id == rule.id.casefold().strip()


def test_refusals_have_a_reason_and_its_message_and_only_they() -> None:
    for rule in RULES:
        assert (rule.mode is Mode.REFUSED) == (rule.reason is not Reason.NONE)
        assert rule.message == MESSAGES[rule.reason]
    assert {rule.reason for rule in RULES} == set(Reason)
    assert {rule.mode for rule in RULES} == set(Mode)


def test_a_tls_level_is_named_exactly_where_there_is_tls() -> None:
    with_tls = {Mode.TLS_PARTIAL, Mode.LEGACY_SSL, Mode.TLS_FULL}
    assert all(bool(rule.tls) == (rule.mode in with_tls) for rule in RULES)
    assert {rule.tls for rule in RULES} == {"", rules.TLS_LOWER, rules.TLS_12, rules.TLS_13}


@pytest.mark.parametrize(("facts", "table", "base"), TABLES)
def test_the_lookup_table_decides_every_combination_by_the_first_rule_that_holds(
    facts: tuple[Fact, ...], table: tuple[Rule, ...], base: int
) -> None:
    for named, index in combinations(facts):
        holding = [
            rule
            for rule in table
            if all(named[name] in allowed for name, allowed in rule.when.items())
        ]
        assert decided(base, index) is holding[0]


@pytest.mark.parametrize(("facts", "table", "base"), TABLES)
def test_every_rule_of_a_table_is_reachable(
    facts: tuple[Fact, ...], table: tuple[Rule, ...], base: int
) -> None:
    reached = {decided(base, index).id for _, index in combinations(facts)}
    assert reached == {rule.id for rule in table}


@pytest.mark.parametrize(("facts", "table", "base"), TABLES)
def test_conditions_name_facts_of_their_table_and_values_that_these_have(
    facts: tuple[Fact, ...], table: tuple[Rule, ...], base: int
) -> None:
    del base
    values = {fact.name: fact.values for fact in facts}
    for rule in table:
        for name, allowed in rule.when.items():
            assert allowed
            assert set(allowed) <= set(range(values[name]))


@pytest.mark.parametrize(("facts", "table", "base"), TABLES)
def test_facts_are_packed_side_by_side(
    facts: tuple[Fact, ...], table: tuple[Rule, ...], base: int
) -> None:
    del table, base
    shift = 0
    for fact in facts:
        assert fact.shift == shift
        shift += (fact.values - 1).bit_length()


def test_indices_that_encode_no_combination_are_undecided() -> None:
    reached = np.zeros(len(LOOKUP), dtype=np.bool_)
    for facts, base in (
        (OLD_SERVER_FACTS, OLD_SERVER_BASE),
        (OLD_CLIENT_FACTS, OLD_CLIENT_BASE),
        (BOTH_NEW_FACTS, BOTH_NEW_BASE),
    ):
        for _, index in combinations(facts):
            assert not reached[base + index]
            reached[base + index] = True
    assert ((LOOKUP != UNDECIDED) == reached).all()


@pytest.mark.parametrize(
    ("base", "facts", "named", "rule_id"),
    [
        (OLD_SERVER_BASE, OLD_SERVER_FACTS, {}, "old-server.plaintext"),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"client_sslrequired": 3},
            "old-server.client-requires-ssl",
        ),
        (OLD_SERVER_BASE, OLD_SERVER_FACTS, {"ldap": 1}, "old-server.client-requires-ssl-for-ldap"),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"ldap": 1, "client_sslrequired": 2},
            "old-server.account-requires-ssl-for-ldap",
        ),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"ldap": 1, "client_sslrequired": 2, "account_sslrequired": 2},
            "old-server.plaintext",
        ),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"ssl": 1, "port_differs": 1, "trust": Trust.TRUSTED, "valid": 1},
            "old-server.ssl-port",
        ),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"ssl": 1, "trust": Trust.TRUSTED, "valid": 1},
            "old-server.legacy-ssl",
        ),
        (
            OLD_SERVER_BASE,
            OLD_SERVER_FACTS,
            {"ssl": 1, "trust": Trust.OTHER},
            "old-server.wrong-certificate",
        ),
        (
            OLD_CLIENT_BASE,
            OLD_CLIENT_FACTS,
            {"strict": 1, "ssl": 1, "trust": Trust.TRUSTED, "valid": 1},
            "old-client.strict-account",
        ),
        (
            OLD_CLIENT_BASE,
            OLD_CLIENT_FACTS,
            {"ldap": 1, "client_sslrequired": 2},
            "old-client.ldap-requires-ssl",
        ),
        (OLD_CLIENT_BASE, OLD_CLIENT_FACTS, {"ssl": 1, "below_63": 1}, "old-client.tls-level"),
        (
            OLD_CLIENT_BASE,
            OLD_CLIENT_FACTS,
            {"ssl": 1, "trust": Trust.TRUSTED},
            "old-client.expired",
        ),
        (BOTH_NEW_BASE, BOTH_NEW_FACTS, {"trust": Trust.TRUSTED}, "both-new.expired"),
        (
            BOTH_NEW_BASE,
            BOTH_NEW_FACTS,
            {"valid": 1, "md5_refused": 1, "trust": Trust.TRUSTED},
            "both-new.md5-certificate",
        ),
        (
            BOTH_NEW_BASE,
            BOTH_NEW_FACTS,
            {"valid": 1, "trust": Trust.TRUSTED, "ssl": 1, "tls13": 1},
            "both-new.tls-full-3",
        ),
        (
            BOTH_NEW_BASE,
            BOTH_NEW_FACTS,
            {"valid": 1, "trust": Trust.OTHER},
            "both-new.wrong-certificate",
        ),
        (BOTH_NEW_BASE, BOTH_NEW_FACTS, {"valid": 1}, "both-new.automatic-tls-partial-2"),
        (
            BOTH_NEW_BASE,
            BOTH_NEW_FACTS,
            {"valid": 1, "distribution": Distribution.STRICT},
            "both-new.untrusted-strict",
        ),
    ],
)
def test_the_decision_of_well_known_states(
    base: int, facts: tuple[Fact, ...], named: dict[str, int], rule_id: str
) -> None:
    index = sum(named.get(fact.name, 0) << fact.shift for fact in facts)
    assert decided(base, index).id == rule_id


def test_every_verdict_has_one_rule_in_the_order_of_the_tests() -> None:
    assert tuple(rule.verdict for rule in DEADLINE_RULES) == VERDICTS
    assert [rule.id for rule in DEADLINE_RULES] == [f"deadline.{verdict}" for verdict in VERDICTS]


def test_labels_of_modes_are_written_with_hyphens() -> None:
    assert [mode.label for mode in Mode] == [
        "inactive",
        "refused",
        "plaintext",
        "local",
        "tls-partial",
        "legacy-ssl",
        "tls-full",
    ]


def test_the_table_says_what_it_said() -> None:
    assert_golden("rules.csv")
