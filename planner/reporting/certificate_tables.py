"""Certificates and their distribution as tables."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from planner.inventory.certificate_facts import is_default, key_text
from planner.inventory.certificate_inventory import CertificateEntry, CertificateInventory
from planner.reporting.cells import TextColumn, dates, text_column, texts

_CA_FLAGS: Final[Mapping[bool | None, str]] = {True: "Yes", False: "No", None: ""}


def certificates(inventory: CertificateInventory) -> pd.DataFrame:
    """Return one row for each certificate, in the order in which they were read.

    `trust` is the rule that makes it trusted where every self-signed certificate and root of the
    inventory is held, else what stands against it; `anchor` is what a key database must hold.
    """
    entries = inventory.entries
    name_of = {entry.found.der: entry.name for entry in reversed(entries) if entry.found}

    def chain(entry: CertificateEntry) -> list[str]:
        links = entry.trust.chain if entry.trust else ()
        return [name_of.get(link.der, link.subject) for link in links]

    def trust(entry: CertificateEntry) -> str:
        if entry.trust is None:
            return ""
        return str(entry.trust.rule or entry.trust.obstacle)

    def column(values: list[str]) -> TextColumn:
        return text_column(texts(values)[:-1])

    files = [entry.found for entry in entries]
    chains = [chain(entry) for entry in entries]
    return pd.DataFrame(
        {
            "certificate": column([entry.name for entry in entries]),
            "kind": column([entry.kind.label for entry in entries]),
            "servers": column([";".join(entry.addresses) for entry in entries]),
            "subject": column([one.subject if one else "" for one in files]),
            "issuer": column(
                [
                    one.issuer_subject if one else entry.issuer
                    for one, entry in zip(files, entries, strict=True)
                ]
            ),
            "not_before": dates(np.array([entry.not_before for entry in entries], dtype=np.int64)),
            "not_after": dates(np.array([entry.not_after for entry in entries], dtype=np.int64)),
            "key": column([key_text(one) if one else "" for one in files]),
            "signature": column([entry.signature for entry in entries]),
            "ca": column([_CA_FLAGS[one.is_ca] if one else "" for one in files]),
            "default": column(["Yes" if one and is_default(one) else "" for one in files]),
            "trust": column([trust(entry) for entry in entries]),
            "anchor": column([links[-1] if links else "" for links in chains]),
            "chain": column([" < ".join(links) for links in chains]),
            "sha256": column([one.fingerprint if one else "" for one in files]),
            "file": column([entry.file for entry in entries]),
        }
    )
