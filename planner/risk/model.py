"""A fleet and its slips as numbers: what the compiled loop over runs reads, and what it gives."""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days
from planner.domain.fleet import Codes, Flags, Numbers
from planner.domain.rules import BOTH_NEW_BASE, OLD_CLIENT_BASE, RULES, Mode
from planner.engine.kernel import MODE_OF_RULE, NEEDS_ANCHOR, TURNS_STRICT
from planner.engine.program import LOOKUP
from planner.engine.retiming import Retimable, as_compiled
from planner.engine.settled import RULE_BITS, settled_table

Counts = NDArray[np.int64]

GUIDE_BITS = 8
IS_REFUSED, NEEDS, YIELDS_TO_STRICT, TURNS = 1, 2, 4, 8
"""Bits of `flags_of_places`; machine code of `kernel` holds them: touch it when they change."""
_REFUSED = int(Mode.REFUSED)


@cache
def flags_of_places() -> Codes:
    """For each place of `settled_table`, what its state means to a session.

    1: it is refused. 2: it needs its anchor; a session that lacks it is refused, and lives on as
    before in all other states. 4: an old client at a new server, refused once its account is
    strict. 8: its account turns strict.
    """
    rule = np.arange(len(RULES))
    of_rule = np.where(MODE_OF_RULE == _REFUSED, IS_REFUSED, 0)
    of_rule += np.where(NEEDS_ANCHOR, NEEDS, 0) + np.where(TURNS_STRICT, TURNS, 0)
    of_old_clients = LOOKUP[OLD_CLIENT_BASE:BOTH_NEW_BASE]
    of_rule += np.where(np.isin(rule, of_old_clients), YIELDS_TO_STRICT, 0)
    flags: Codes = of_rule.astype(np.uint8)[settled_table() & RULE_BITS]
    flags.setflags(write=False)
    return flags


def guide_of(step_first: Numbers, step: NDArray[np.float64]) -> Numbers:
    """Return `Slipping.guide`; shape `(n_distributions, 256)`."""
    least = np.arange(1 << GUIDE_BITS) / (1 << GUIDE_BITS)
    guide = [
        begin + np.searchsorted(step[begin:end], least, side="right")
        for begin, end in pairwise(step_first.tolist())
    ]
    return np.array(guide, dtype=np.int32).reshape(len(guide), len(least))


class Slipping(NamedTuple):
    """The actions that may slip, by how much, and where they land.

    Parameters
    ----------
    day, is_upgrade
        By action: the day as planned, and whether it is no import.
    identity
        By action: a hash of the seed and of what it is.
    table, window
        By action: its distribution, and the calendar of its site (0: every open day).
    step_first, step
        By distribution: what share is done by each delay, `step[step_first[t] + delay]`; the last
        one is 1.
    guide
        By distribution and first bits of a draw: the first step that can be it.
    first_day
        Of the calendars.
    n_working, working
        By day from `first_day`: working days up to and with it; and those days.
    allowed
        By window and day from `first_day`: the first day from then on that is open and in the
        window; the day itself where there is none.
    """

    day: Days
    is_upgrade: Flags
    identity: Counts
    table: Numbers
    window: Numbers
    step_first: Numbers
    step: NDArray[np.float64]
    guide: Numbers
    first_day: int
    n_working: Numbers
    working: Days
    allowed: Days


class Dated(NamedTuple):
    """Endpoints whose level changes once: parts of a place in `settled_table` before and after.

    `slipping` is the action that changes it where that may slip, else -1; `day` is the day as
    planned, `NEVER` for no change.
    """

    old: Numbers
    new: Numbers
    day: Days
    slipping: Numbers


class Ends(NamedTuple):
    """Both ends of plain sessions, and `flags_of_places`."""

    clients: Dated
    servers: Dated
    flags: Codes


class Plain(NamedTuple):
    """Sessions that only levels and trust change, in the pieces of `planner.risk.pieces`.

    Parameters
    ----------
    client, server
        Places in `Block.clients` and `Block.servers`.
    account
        Shape `(n_sharing,)`: the sessions that share their account come first; its number.
    refused_before
        Days on which the plan without slips refuses it.
    piece_first
        Where the pieces of each session begin; all that follows is by piece.
    row_old, row_new
        The rows of `Rows` for the anchors.
    """

    client: Numbers
    server: Numbers
    account: Numbers
    refused_before: Numbers
    piece_first: Numbers
    begin: Days
    end: Days
    constants: Numbers
    certificate_old: Numbers
    certificate_new: Numbers
    row_old: Numbers
    row_new: Numbers


class Rows(NamedTuple):
    """Key databases and anchors: the rows of the plan's deadlines, and those of plain sessions.

    Parameters
    ----------
    anchor, has_lead
        The anchor, and whether the plan without slips needs it, and plans an import.
    margin
        Working days from the import to the need, in the plan without slips [working days].
    working_before
        By day from the first one of the horizon to its end: working days before it.
    is_emptied
        Whether anything is ever removed from the key database.
    entry_first, entry_day, entry_slipping
        By row: what brings the anchor into the key database.
    """

    anchor: Numbers
    has_lead: Flags
    margin: Numbers
    working_before: Numbers
    is_emptied: Flags
    entry_first: Numbers
    entry_day: Days
    entry_slipping: Numbers


class Rest(NamedTuple):
    """Sessions for the engine's own walk.

    Parameters
    ----------
    plain
        Place of each session in `Plain`, where it is there too.
    account
        Number of each account in `Plain`, -1 where it is not there.
    client
        Place in `Block.clients` of each client.
    sharing
        Sessions whose account is shared.
    session_first, session
        The sessions of each key database.
    refused_before
        By session: days on which the plan without slips refuses it.
    row_begin, row_end
        The rows of each key database.
    level_day, level_slipping
        By action on levels: the day as planned, and the action that slips, -1 for none;
        `trust_slipping` is the same by entry of trust.
    """

    retimable: Retimable
    plain: Numbers
    account: Numbers
    client: Numbers
    sharing: Numbers
    session_first: Numbers
    session: Numbers
    refused_before: Numbers
    row_begin: Numbers
    row_end: Numbers
    level_day: Days
    level_slipping: Numbers
    trust_slipping: Numbers
    settled_table: Codes


class Block(NamedTuple):
    """A part of a fleet that shares no account and no key database with the rest.

    Parameters
    ----------
    slipping
        The actions on servers, which are the same in every block, then those of the block.
    slipping_client
        By slipping action: its place among the clients, one behind the last for no client of the
        block.
    receiving, rest
        Plain sessions that automatic distribution may touch; and all that are not plain.
    flags
        `flags_of_places`.
    """

    start: int
    end: int
    slipping: Slipping
    slipping_client: Numbers
    clients: Dated
    servers: Dated
    plain: Plain
    rows: Rows
    receiving: Rest
    rest: Rest
    flags: Codes


def read_only(block: Block) -> Block:
    """Make read-only what is so in `simulate` too: else machine code is made anew, for a minute."""
    block.flags.setflags(write=False)
    for rest in (block.receiving, block.rest):
        as_compiled(rest.retimable)
        for column in (rest.session_first, rest.session, rest.settled_table):
            column.setflags(write=False)
    return block


class Outcome(NamedTuple):
    """What the runs of a block gave: whole numbers only, so that sums do not depend on order.

    Parameters
    ----------
    refused_days, finish
        By run: refused session-days, and the last day of a slipping upgrade.
    server_days
        By run and server: days by which its sessions are refused for longer than planned.
    leads
        By row of the deadlines: the lead that suffices in the share of the runs [working days].
    slipped, refusing, extra_days
        By slipping action of a client: as in `Risk`.
    """

    refused_days: Counts
    finish: Days
    server_days: Counts
    leads: Numbers
    slipped: Counts
    refusing: Counts
    extra_days: Counts
