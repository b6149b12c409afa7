"""Listings of key databases: the text of `gsk8capicmd_64 -cert -list` and `-cert -details`.

`dsmcert -list` is read in the same form (inferred).
"""

import datetime
import re
from dataclasses import replace
from typing import Final

from planner.domain.calendar import NEVER, to_day
from planner.inventory.importing.evidence import (
    Evidence,
    HeldCertificate,
    LineAccount,
    LineUse,
    Listing,
    Source,
)
from planner.inventory.importing.text import LONGEST_LINE, lines_of

_LISTED: Final = re.compile(r'\s*([*!#-]{1,3})(?:\t|\s{2})\s*"?([^"]{1,256}?)"?\s*')
_LABEL: Final = re.compile(r'\s*Label\s*:\s*"?([^"]{1,256}?)"?\s*')
_DETAIL: Final = re.compile(r"\s*([A-Z][A-Za-z ]{1,30}?)\s*:\s*(.*?)\s*")
_HEXADECIMAL: Final = re.compile(r"[\s:]*(?:[0-9A-Fa-f]{2}[\s:]*){1,64}")
_DATE: Final = re.compile(
    r"([A-Z][a-z]+) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2}) ([AP]M)"
    r"(?: (?:GMT|UTC)(?:([+-])(\d{2}):(\d{2}))?)?"
)
_MONTH_NAMES: Final = (
    "January February March April May June July August September October November December"
)
_MONTHS: Final = {name: number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_WHOLE: Final = ("Certificates found", "No certificates were found")
"""How a listing of all labels begins."""
_LENGTHS: Final = {"sha1": 40, "sha256": 64}


def is_listing(text: str) -> bool:
    r"""Whether a text is the listing of a key database.

    Examples
    --------
    >>> is_listing("Certificates found\n* default, - personal, ! trusted, # secret key\n")
    True
    """
    return any(
        line.startswith((*_WHOLE, "* default, - personal"))
        or _LABEL.fullmatch(line[:LONGEST_LINE]) is not None
        for line in (line.strip() for line in lines_of(text[: 1 << 16]))
    )


def read_listing(file: str, text: str, *, owner: str, key_database: str = "") -> Evidence:
    """Read the listing of one key database.

    Parameters
    ----------
    file, text
        What the source is called, and its content.
    owner
        The client, or the server whose own key database it is.
    key_database
        The name of the client's key database; empty for the default one.

    Notes
    -----
    Linear in the length of the text. Commands that stand between the listings are never repeated,
    as a password may stand in them.
    """
    lines = lines_of(text)
    account = LineAccount(file, len(lines))
    held: dict[str, HeldCertificate] = {}
    listings: list[Listing] = []
    details: HeldCertificate | None = None
    digest = ""
    for number, line in enumerate(lines, 1):
        short = line[:LONGEST_LINE]
        if not short.strip():
            continue
        if short.strip().startswith(_WHOLE):
            account.note(number, LineUse.COMMENT, "heading")
            listings.append(
                Listing(owner=owner, key_database=key_database, source=Source(file, number))
            )
        elif short.strip().startswith("* default, - personal"):
            account.note(number, LineUse.COMMENT, "heading")
        elif label := _LABEL.fullmatch(short):
            details = _held(held, label[1], Source(file, number), owner, key_database)
            digest = ""
            account.note(number, LineUse.USED, "label", details.label)
        elif listed := _LISTED.fullmatch(short):
            details = None
            if "#" in listed[1]:
                account.note(number, LineUse.ASIDE, "a secret, which is not read")
                continue
            one = _held(held, listed[2], Source(file, number), owner, key_database)
            held[one.label] = replace(
                one,
                is_default=one.is_default or "*" in listed[1],
                is_personal=one.is_personal or "-" in listed[1],
            )
            account.note(number, LineUse.USED, "label", one.label)
        elif details is not None and (digest or _DETAIL.fullmatch(short)):
            found = _DETAIL.fullmatch(short)
            if digest and _HEXADECIMAL.fullmatch(short):
                details = _with_digest(details, digest, short)
            elif found:
                digest = _digest_of(found[1], found[2])
                details = _with_detail(details, found[1], found[2], digest)
            held[details.label] = details
            account.note(number, LineUse.USED, "details", details.label)
        elif details is not None:
            account.note(number, LineUse.ASIDE, "details", details.label)
        else:
            account.note(number, LineUse.COMMENT, "no record")
    return Evidence(held=tuple(held.values()), listings=tuple(listings[:1]), lines=account.lines())


def _held(
    held: dict[str, HeldCertificate], label: str, source: Source, owner: str, key_database: str
) -> HeldCertificate:
    """Return the certificate of a label, as far as it is known."""
    label = label.strip() if label.isprintable() else repr(label.strip())[1:-1]
    return held.setdefault(
        label,
        HeldCertificate(owner=owner, key_database=key_database, label=label, source=source),
    )


def _digest_of(name: str, value: str) -> str:
    """Return which digest a line `Fingerprint : SHA1 :` begins; empty for none."""
    if name != "Fingerprint":
        return ""
    kind = value.partition(":")[0].strip().casefold().replace("-", "")
    return kind if kind in _LENGTHS else ""


def _with_detail(one: HeldCertificate, name: str, value: str, digest: str) -> HeldCertificate:
    value = value.strip('"') if value.isprintable() else ""
    match name:
        case "Issuer":
            return replace(one, issuer=value)
        case "Subject":
            return replace(one, subject=value)
        case "Not Before" | "Valid From":
            return replace(one, not_before=_day(value))
        case "Not After" | "Valid To":
            return replace(one, not_after=_day(value))
        case "Signature Algorithm":
            return replace(one, signature=value.partition(" ")[0])
        case "Fingerprint" if digest:
            return _with_digest(one, digest, value.partition(":")[2])
        case _:
            return one


def _with_digest(one: HeldCertificate, digest: str, text: str) -> HeldCertificate:
    """Add hexadecimal digits to a digest, up to its length."""
    digits = "".join(re.findall(r"[0-9A-Fa-f]{2}", text)).lower()
    if digest == "sha1":
        return replace(one, sha1=(one.sha1 + digits)[: _LENGTHS[digest]])
    return replace(one, sha256=(one.sha256 + digits)[: _LENGTHS[digest]])


def _day(text: str) -> int:
    """Return the UTC day of a time as GSKit writes it; `NEVER` for any other text.

    Examples
    --------
    >>> _day("October 23, 2017 1:00:00 AM GMT+02:00") == to_day(datetime.date(2017, 10, 22))
    True
    """
    found = _DATE.match(text)
    if found is None or found[1] not in _MONTHS:
        return NEVER
    hour = int(found[4]) % 12 + (12 if found[7] == "PM" else 0)
    try:
        time = datetime.datetime(
            int(found[3]),
            _MONTHS[found[1]],
            int(found[2]),
            hour,
            int(found[5]),
            tzinfo=datetime.UTC,
        )
        offset = datetime.timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
        return to_day((time + (offset if found[8] == "-" else -offset)).date())
    except (ValueError, OverflowError):
        return NEVER
