"""Tables that pages take from the package itself, so that they never grow old.

A page asks for one by a line of its own, such as `<!-- rules -->`.
"""

from collections.abc import Callable, Iterable
from typing import Final

import planner
from planner.domain.rules import DEADLINE_RULES, RULES, DeadlineRule, Rule, Status


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put tables in the place of the lines that ask for them; called by mkdocs for each page."""
    for name, table in TABLES.items():
        markdown = markdown.replace(f"<!-- {name} -->", table())
    return markdown


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in lines)


def _rules() -> str:
    return _table(
        ("rule", "mode", "what it says", "source"),
        (
            (
                f"`{rule.id}`",
                ", ".join(filter(None, (rule.mode.label, rule.reason.value, rule.message))),
                rule.sentence,
                f"{_link(rule.source)}, {rule.status}",
            )
            for rule in RULES
        ),
    )


def _deadlines() -> str:
    return _table(
        ("rule", "what it says", "source"),
        (
            (f"`{rule.id}`", rule.sentence, f"{_link(rule.source)}, {rule.status}")
            for rule in DEADLINE_RULES
        ),
    )


def _inferred() -> str:
    every: list[Rule | DeadlineRule] = [*RULES, *DEADLINE_RULES]
    return _table(
        ("rule", "what the kit assumes", "nearest source"),
        (
            (f"`{rule.id}`", rule.sentence, _link(rule.source))
            for rule in every
            if rule.status is Status.INFERRED
        ),
    )


def _names() -> str:
    """Ask mkdocstrings for every public name; modules have pages of their own in the notebooks."""
    names = (name for name in planner.__all__ if name not in {"plots", "tables"})
    return "\n\n".join(f"::: planner.{name}" for name in names)


def _link(source: str) -> str:
    return f"[{source}](sources.md#{source.casefold()})"


TABLES: Final[dict[str, Callable[[], str]]] = {
    "rules": _rules,
    "deadlines": _deadlines,
    "inferred": _inferred,
    "names": _names,
}
