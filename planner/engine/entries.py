"""Compiled loops on key databases: which one an action means, and what enters and leaves each."""

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, Days
from planner.domain.fleet import Codes, Flags, Numbers
from planner.domain.plan import Action
from planner.engine.compiled import allocation_free, compiled, natural

_IMPORT = int(Action.IMPORT_CERTIFICATE)
_REMOVAL_SHIFT, _CERTIFICATE = 31, 0x7FFF_FFFF


@allocation_free
def key_database_of(
    endpoint: int, name: int, first_of_endpoint: Numbers, name_number: Numbers
) -> int:
    """Key database of an (endpoint, name number); -1 where no session has it."""
    if 0 <= endpoint < len(first_of_endpoint) - 1:
        at = natural(endpoint)
        for number in range(first_of_endpoint[at], first_of_endpoint[at + 1]):
            database = natural(number)
            if name_number[database] == name:
                return database
    return -1


@allocation_free
def packed_entry(day: int, is_held: bool, certificate: int) -> int:
    """What happens to a certificate in a key database, as a number whose order is that of events.

    By day; on a day certificates enter before others leave.
    """
    leaves = np.int64(not is_held) << _REMOVAL_SHIFT
    return int(np.int64(day) << 32 | leaves | np.int64(certificate))


@allocation_free
def put(first: Numbers, packed: NDArray[np.int64], database: int, entry: int) -> None:
    """Put an entry where `first[database + 1]` says that the next one goes, and move that on."""
    at = natural(database + 1)
    place = natural(first[at])
    packed[place] = entry
    first[at] = place + 1


@compiled
def sort_entries(first: Numbers, packed: NDArray[np.int64]) -> None:
    """Sort the entries of each key database, stable."""
    for database in range(len(first) - 1):
        begin = first[database]
        # Few, and mostly in order already.
        for number in range(begin + 1, first[database + 1]):
            row = natural(number)
            entry = packed[row]
            order = entry >> _REMOVAL_SHIFT
            while row > begin and packed[natural(row - 1)] >> _REMOVAL_SHIFT > order:
                packed[row] = packed[natural(row - 1)]
                row = natural(row - 1)
            packed[row] = entry


@compiled
def unpacked(packed: NDArray[np.int64]) -> tuple[Days, Numbers, Flags]:
    """Day and certificate of each entry, and whether it is held from then on."""
    day = np.empty(len(packed), dtype=np.int32)
    certificate = np.empty(len(packed), dtype=np.int32)
    held = np.empty(len(packed), dtype=np.bool_)
    for row in range(len(packed)):
        day[row] = packed[row] >> 32
        certificate[row] = packed[row] & _CERTIFICATE
        held[row] = not packed[row] >> _REMOVAL_SHIFT & 1
    return day, certificate, held


@compiled
def trust_timelines(
    start: int,
    end: int,
    n_databases: int,
    in_place_database: Numbers,
    in_place_certificate: Numbers,
    in_place_since: Days,
    action_row: Numbers,
    action_day: Days,
    action: Codes,
    action_endpoint: Numbers,
    action_name: Numbers,
    action_certificate: Numbers,
    default_name: int,
    first_of_endpoint: Numbers,
    name_number: Numbers,
) -> tuple[Numbers, Days, Numbers, Flags]:
    """What enters and leaves each key database: first, day, certificate, whether it is held then.

    `action_row` picks from the columns of actions. A certificate that is in place since a later
    day than `start` is an import of that day.
    """
    # While entries find their places, `first[d + 1]` is where the next one of database `d` goes.
    first = np.zeros(n_databases + 2, dtype=np.int32)
    for k in range(len(in_place_database)):
        first[natural(in_place_database[k] + 2)] += in_place_since[k] < end
    database = np.empty(len(action_row), dtype=np.int32)
    for k in range(len(action_row)):
        row = natural(action_row[k])
        name = action_name[row] if action_name[row] >= 0 else default_name
        database[k] = key_database_of(action_endpoint[row], name, first_of_endpoint, name_number)
        if action_certificate[row] < 0:
            database[k] = -1
        if database[k] >= 0:
            first[natural(database[k] + 2)] += 1
    for d in range(n_databases):
        first[d + 2] += first[d + 1]
    packed = np.empty(first[-1], dtype=np.int64)
    n_unsorted, previous = 0, np.int64(ALWAYS) << 32
    for k in range(len(in_place_database)):
        if in_place_since[k] < end:
            day = in_place_since[k] if in_place_since[k] > start else ALWAYS
            entry = np.int64(packed_entry(day, True, in_place_certificate[k]))
            put(first, packed, in_place_database[k], int(entry))
            n_unsorted += int(entry >> _REMOVAL_SHIFT < previous)
            previous = entry >> _REMOVAL_SHIFT
    for k in range(len(action_row)):
        if database[k] >= 0:
            row = natural(action_row[k])
            is_held = action[row] == _IMPORT
            entry = np.int64(packed_entry(action_day[row], is_held, action_certificate[row]))
            put(first, packed, database[k], int(entry))
            n_unsorted += int(entry >> _REMOVAL_SHIFT < previous)
            previous = entry >> _REMOVAL_SHIFT
    first = first[:-1]
    # A plan that stands in order of days needs no sorting.
    if n_unsorted:
        sort_entries(first, packed)
    return first, *unpacked(packed)


@compiled
def resolve_key_databases(
    endpoint: Numbers, name: Numbers, first_of_endpoint: Numbers, name_number: Numbers
) -> Numbers:
    """Key database of each (endpoint, name number); -1 where no session has it."""
    found = np.empty(len(endpoint), dtype=np.int32)
    for row in range(len(endpoint)):
        found[row] = key_database_of(endpoint[row], name[row], first_of_endpoint, name_number)
    return found
