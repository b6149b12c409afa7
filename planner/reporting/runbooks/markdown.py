"""Markdown that shows every name as it stands, whatever signs it holds."""

import re
from collections.abc import Iterable, Sequence


def text(value: str) -> str:
    r"""Return a text that Markdown shows as it stands, on one line.

    Examples
    --------
    >>> print(text("a|b <i> [x](y)"))
    a\|b \<i\> \[x\](y)
    """
    line = " ".join(value.split())
    return re.sub(r"([\\`*_{}\[\]<>|#~!])", r"\\\1", line)


def code(*lines: str) -> list[str]:
    """Commands as a block, fenced longer than any run of backticks inside."""
    runs = [len(run) for line in lines for run in re.findall("`+", line)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    return [fence, *lines, fence, ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table, its cells as they stand."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(text(cell) for cell in row)} |" for row in rows]
    return [*lines, ""]


def step(expect: str, check: str, stop: str, back: str) -> list[str]:
    """Return what to expect of a step, how to check it, when to stop, and the way back."""
    return [
        f"- **Expect:** {expect}",
        f"- **Check:** {check}",
        f"- **Stop:** {stop}",
        f"- **Way back:** {back}",
        "",
    ]
