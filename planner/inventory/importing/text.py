"""Text files of unknown making: their encodings, their lines, and the names in them."""

import re
from typing import Final

LONGEST_LINE: Final = 1 << 16
"""Longest line that a reader looks at [characters]."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def decoded(content: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or else Windows-1252."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text; only `\n`, `\r\n` and `\r` end one.

    Examples
    --------
    >>> lines_of("SErvername a\r\n* x\n")
    ['SErvername a', '* x']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def is_name(text: str) -> bool:
    """Whether a text can be the name of something: printable, without blanks, not too long."""
    return 0 < len(text) <= 256 and text.isprintable() and " " not in text


def level_text(version: str, release: str, level: str, sublevel: str = "") -> str:
    """Return a level of its parts as exports show them; empty where it is none.

    Examples
    --------
    >>> level_text("8", "1", "27", "000"), level_text("", "", "")
    ('8.1.27.0', '')
    """
    parts = [version, release, level, *([sublevel] if sublevel else [])]
    if not all(re.fullmatch(r"\d{1,4}", part, re.ASCII) for part in parts):
        return ""
    return ".".join(str(int(part)) for part in parts)


def port_text(text: str) -> str:
    """Return a port as exports show it, thousands separated or not; empty where it is none.

    Examples
    --------
    >>> port_text("1,543"), port_text("1500"), port_text("0")
    ('1543', '1500', '')
    """
    digits = re.sub(r"(?<=\d)[.,](?=\d{3}(\D|$))", "", text.strip())
    is_port = re.fullmatch(r"\d{1,5}", digits, re.ASCII) and 0 < int(digits) < 65536
    return str(int(digits)) if is_port else ""
