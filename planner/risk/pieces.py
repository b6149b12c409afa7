"""Sessions cut into stretches of days on which only levels and trust can change their state."""

from typing import NamedTuple

import numpy as np

from planner.domain.calendar import NEVER, Days
from planner.domain.fleet import Flags, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import LOCAL_BIT, SSLACCEPTCERTFROMSERV
from planner.engine.compiled import compiled
from planner.engine.kernel import options_of
from planner.engine.program import Program
from planner.engine.settled import constants_with, server_part
from planner.engine.timelines import SERVER_MD5, SERVER_VALID, Facts, ServerInputs

_ACCEPTS = SSLACCEPTCERTFROMSERV.mask
_REPLACES_MD5 = int(LevelFact.REPLACES_MD5)


class Pieces(NamedTuple):
    """Stretches `[begin, end)` of sessions, those of one session side by side, ascending.

    Parameters
    ----------
    constants
        The part of a place in `settled_table` that neither end's level gives.
    certificate_old, certificate_new
        The part that the server's certificate gives, before and after its level changes.
    anchor_old, anchor_new
        The anchor of that certificate.
    """

    session: Numbers
    begin: Days
    end: Days
    constants: Numbers
    certificate_old: Numbers
    certificate_new: Numbers
    anchor_old: Numbers
    anchor_new: Numbers


@compiled
def pieces_of(
    p: Program,
    servers: ServerInputs,
    server_old: Facts,
    server_new: Facts,
    is_plain: Flags,
) -> tuple[Pieces, Flags]:
    """Cut the plain sessions; those that turn out not to be plain are taken from them.

    Parameters
    ----------
    server_old, server_new
        Facts of each server's level before and after the only change of it.
    is_plain
        By session: whether nothing else speaks against it.
    """
    still_plain = is_plain.copy()
    room = 4 * len(is_plain) + 64
    rows = np.empty((8, room), dtype=np.int32)
    size = 0
    for session in range(len(is_plain)):
        if not is_plain[session]:
            continue
        server = p.session_server[session]
        change, last_change = servers.change_first[server], servers.change_first[server + 1]
        current = servers.certificate[server]
        first_row, day = size, p.start
        while day < p.end:
            while change < last_change and servers.change_day[servers.change_row[change]] <= day:
                changed = servers.change_certificate[servers.change_row[change]]
                # A server whose default authentication changes is left to the engine's walk.
                still_plain[session] &= changed >= 0
                current = changed
                change += 1
            if not still_plain[session]:
                break
            options, port, until = options_of(p, session, day)
            if change < last_change:
                until = min(until, servers.change_day[servers.change_row[change]])
            old = _presented(servers, server, current, server_old[server])
            new = _presented(servers, server, current, server_new[server])
            until = min(until, _next_validity(servers, old, day), p.end)
            until = min(until, _next_validity(servers, new, day))
            if options & LOCAL_BIT or not (servers.is_complete[old] and servers.is_complete[new]):
                still_plain[session] = False
                break
            if size == room:
                still_plain[session:] = False
                break
            # What a session accepts matters only to automatic distribution.
            rows[3, size] = constants_with(p, session, options & ~_ACCEPTS, port)
            rows[4, size] = _certificate_part(servers, old, day)
            rows[5, size] = _certificate_part(servers, new, day)
            rows[6, size], rows[7, size] = servers.anchor[old], servers.anchor[new]
            if size > first_row and (rows[3:, size] == rows[3:, size - 1]).all():
                size -= 1
            else:
                rows[0, size], rows[1, size] = session, day
            rows[2, size] = until
            size += 1
            day = until
        if not still_plain[session]:
            size = first_row
    found = rows[:, :size].copy()
    pieces = Pieces(found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7])
    return pieces, still_plain


@compiled
def _presented(servers: ServerInputs, server: int, certificate: int, facts: int) -> int:
    """What a server of a level presents in the place of a certificate: the MD5 rule."""
    if facts & _REPLACES_MD5 and servers.is_md5[certificate]:
        return int(servers.successor[server])
    return certificate


@compiled
def _next_validity(servers: ServerInputs, certificate: int, day: int) -> int:
    """Next day on which the validity of a certificate's chain begins or ends."""
    begin, finish = servers.valid_from[certificate], servers.valid_to[certificate]
    if begin > day:
        return int(begin)
    return int(finish) if finish > day else NEVER


@compiled
def _certificate_part(servers: ServerInputs, certificate: int, day: int) -> int:
    is_valid = servers.valid_from[certificate] <= day < servers.valid_to[certificate]
    state = SERVER_VALID if is_valid else 0
    return server_part(0, state | (SERVER_MD5 if servers.is_md5[certificate] else 0))
