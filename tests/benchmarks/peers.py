"""What the peers and the engine are compared on, and the server rows that both peers share."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.certificates import CertificateKind
from planner.domain.fleet import Numbers
from planner.domain.levels import Level, LevelFact
from planner.domain.plan import Action, Plan
from planner.domain.rules import RULES, Mode, Reason
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate

SHOWN: Final = tuple(dict.fromkeys((rule.mode, rule.reason, rule.tls) for rule in RULES))
"""Mode, reason and TLS level of a state: what a user sees of it."""
STATE: Final = {shown: number for number, shown in enumerate(SHOWN)}
STATE_OF_RULE: Final = np.array(
    [STATE[rule.mode, rule.reason, rule.tls] for rule in RULES], dtype=np.uint8
)


def refused(reason: Reason) -> int:
    """State of a session that is refused for a reason."""
    return STATE[Mode.REFUSED, reason, ""]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answer:
    """Segments by session and day; deadline rows by key database and anchor."""

    session: Numbers
    start: Numbers
    state: NDArray[np.uint8]
    key_database: Numbers
    anchor: Numbers
    needed: Numbers
    planned: Numbers
    latest_safe: Numbers
    verdict: NDArray[np.uint8]


def engine_answer(plan: Plan) -> Answer:
    """Answer of the engine; neighbours that differ by their rule alone are one segment."""
    timeline = simulate(plan)
    found = deadlines(timeline)
    session, state = timeline.session(), STATE_OF_RULE[timeline.rule]
    begins = np.ones(len(session), dtype=np.bool_)
    begins[1:] = (session[1:] != session[:-1]) | (state[1:] != state[:-1])
    key_database = found.key_database()
    order = np.lexsort((found.anchor, key_database))
    return Answer(
        session=session[begins],
        start=timeline.day[begins],
        state=state[begins],
        key_database=key_database[order],
        anchor=found.anchor[order],
        needed=found.needed[order],
        planned=found.planned[order],
        latest_safe=found.latest_safe[order],
        verdict=found.verdict[order],
    )


def differences(one: Answer, other: Answer) -> list[str]:
    """Return the columns in which two answers differ, each with its first different row."""
    different = []
    for field in fields(Answer):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if len(a) != len(b):
            different.append(f"{field.name}: {len(a)} rows against {len(b)}")
        elif not np.array_equal(a, b):
            row = int(np.flatnonzero(a != b)[0])
            different.append(f"{field.name}: row {row} is {a[row]} against {b[row]}")
    return different


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ServerRows:
    """Servers over time, `[begin, until)`, and the certificates of each one with their chains."""

    server: Numbers
    begin: Numbers
    until: Numbers
    facts: Numbers
    anchor: Numbers
    is_complete: NDArray[np.bool_]
    is_valid: NDArray[np.bool_]
    is_md5: NDArray[np.bool_]
    known_server: Numbers
    known_certificate: Numbers


def facts_of_texts(plan: Plan) -> Numbers:
    """`LevelFact` of every text of a plan that is a level, 0 for others."""
    texts = plan.vocabulary.texts
    return np.array(
        [int(Level.parse(text).facts) if text[:1].isdigit() else 0 for text in texts],
        dtype=np.int32,
    )


def server_rows(plan: Plan) -> ServerRows:
    """Follow every server day by day of change.

    Plain Python: there are a few hundred servers, and both peers share the result.
    """
    fleet = plan.fleet
    certificates, facts_of_text = fleet.certificates, facts_of_texts(plan)
    is_md5 = certificates.is_md5()
    chains = [certificates.chain(c) for c in range(len(certificates))]
    events: list[list[tuple[int, int]]] = [[] for _ in range(len(fleet.servers))]
    for row in np.flatnonzero(
        (plan.action == Action.UPGRADE_SERVER) | (plan.action == Action.REPLACE_CERTIFICATE)
    ).tolist():
        events[plan.server[row]].append((int(plan.day[row]), row))
    rows: list[tuple[int, ...]] = []
    known: set[tuple[int, int]] = set()
    successor = {}
    first_facts = fleet.level_facts()[len(fleet.clients) :]
    for certificate in reversed(range(len(certificates))):
        is_own = certificates.kind[certificate] == CertificateKind.SELF_SIGNED
        if is_own and not is_md5[certificate]:
            successor[int(certificates.server[certificate])] = certificate
        if certificates.server[certificate] >= 0:
            known |= {(int(certificates.server[certificate]), c) for c in chains[certificate]}
    for server, dated in enumerate(events):
        facts = int(first_facts[server])
        presented, day = int(fleet.servers.certificate[server]), fleet.start
        pending = [event for event in dated if fleet.start <= event[0] < fleet.end]
        while day < fleet.end:
            while pending and pending[0][0] <= day:
                _, row = pending.pop(0)
                if plan.action[row] == Action.UPGRADE_SERVER:
                    facts = int(facts_of_text[plan.value[row]])
                else:
                    presented = int(plan.certificate[row])
            if facts & LevelFact.REPLACES_MD5 and is_md5[presented]:
                presented = successor[server]
            known |= {(server, c) for c in chains[presented]}
            valid_from, valid_to = certificates.validity(presented)
            ends = [fleet.end, valid_from, valid_to, *(event[0] for event in pending[:1])]
            until = min(end for end in ends if end > day)
            rows.append(
                (
                    server,
                    day,
                    until,
                    facts,
                    chains[presented][-1],
                    certificates.is_anchor(chains[presented][-1]),
                    valid_from <= day < valid_to,
                    int(is_md5[presented]),
                )
            )
            day = until
    table = np.array(rows, dtype=np.int32)
    pairs = np.array(sorted(known), dtype=np.int32)
    return ServerRows(
        server=table[:, 0].copy(),
        begin=table[:, 1].copy(),
        until=table[:, 2].copy(),
        facts=table[:, 3].copy(),
        anchor=table[:, 4].copy(),
        is_complete=table[:, 5].astype(np.bool_),
        is_valid=table[:, 6].astype(np.bool_),
        is_md5=table[:, 7].astype(np.bool_),
        known_server=pairs[:, 0].copy(),
        known_certificate=pairs[:, 1].copy(),
    )
