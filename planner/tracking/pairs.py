"""Which action of one plan is which of another one."""

from collections.abc import Iterable, Iterator

from planner.domain.plan import Action, PlannedAction

Key = tuple[object, ...]


def paired(a: Iterable[Key], b: Iterable[Key]) -> Iterator[tuple[int, int]]:
    """Pairs of places of equal keys, in their order, -1 where one has no partner.

    Those of `b` come first, in order, then those of `a` that have none.
    """
    places: dict[Key, list[int]] = {}
    for place, key in enumerate(a):
        places.setdefault(key, []).append(place)
    for there in places.values():
        there.reverse()
    for place, key in enumerate(b):
        there = places.get(key, [])
        yield (there.pop() if there else -1, place)
    for place in sorted(place for there in places.values() for place in there):
        yield place, -1


def what_is_done(action: PlannedAction) -> Key:
    """All of an action but its day."""
    return (*what_is_changed(action), action.value.casefold())


def what_is_changed(action: PlannedAction) -> Key:
    """What an action is about: all of it but its day and its value."""
    names = (
        action.client,
        action.server,
        action.account,
        key_database_of(action),
        action.certificate,
    )
    return (action.action, *folded(names), action.option)


def key_database_of(action: PlannedAction) -> str:
    """Key database of an import or removal, and what other actions name."""
    is_of_one = action.action in (Action.IMPORT_CERTIFICATE, Action.REMOVE_CERTIFICATE)
    return action.key_database or ("default" if is_of_one else "")


def folded(names: Iterable[str]) -> Key:
    """Names without regard to letter case."""
    return tuple(name.casefold() for name in names)
