"""Certificates and their distribution as tables."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from planner.engine.distribution import REACHES, Distribution, Reach
from planner.engine.replacements import Replacements
from planner.inventory.certificate_facts import is_default, key_text
from planner.inventory.certificate_inventory import CertificateEntry, CertificateInventory
from planner.reporting.bundles import Bundles
from planner.reporting.cells import (
    TextColumn,
    column_of,
    dates,
    picked,
    texts,
    whole_numbers,
)

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

    files = [entry.found for entry in entries]
    chains = [chain(entry) for entry in entries]
    return pd.DataFrame(
        {
            "certificate": column_of([entry.name for entry in entries]),
            "kind": column_of([entry.kind.label for entry in entries]),
            "servers": column_of([";".join(entry.addresses) for entry in entries]),
            "subject": column_of([one.subject if one else "" for one in files]),
            "issuer": column_of(
                [
                    one.issuer_subject if one else entry.issuer
                    for one, entry in zip(files, entries, strict=True)
                ]
            ),
            "not_before": dates(np.array([entry.not_before for entry in entries], dtype=np.int64)),
            "not_after": dates(np.array([entry.not_after for entry in entries], dtype=np.int64)),
            "key": column_of([key_text(one) if one else "" for one in files]),
            "signature": column_of([entry.signature for entry in entries]),
            "ca": column_of([_CA_FLAGS[one.is_ca] if one else "" for one in files]),
            "default": column_of(["Yes" if one and is_default(one) else "" for one in files]),
            "trust": column_of([trust(entry) for entry in entries]),
            "anchor": column_of([links[-1] if links else "" for links in chains]),
            "chain": column_of([" < ".join(links) for links in chains]),
            "sha256": column_of([one.fingerprint if one else "" for one in files]),
            "file": column_of([entry.file for entry in entries]),
        }
    )


def bundles(found: Bundles) -> pd.DataFrame:
    """Return one row for each anchor of each bundle, in the order of the fleet."""
    fleet = found.deadlines.timeline.plan.fleet
    rows = [(bundle, anchor) for bundle in found for anchor in bundle.anchors]
    days = {
        name: dates(np.array([getattr(anchor, name) for _, anchor in rows], dtype=np.int64))
        for name in ("needed", "latest_safe", "planned")
    }
    return pd.DataFrame(
        {
            "client": column_of(fleet.endpoint_name(bundle.endpoint) for bundle, _ in rows),
            "key_database": column_of(
                fleet.key_databases.name[bundle.key_database] for bundle, _ in rows
            ),
            "certificate": column_of(
                found.certificates.name[anchor.certificate] for _, anchor in rows
            ),
            "servers": column_of(anchor.servers for _, anchor in rows),
            **days,
            "in_place": column_of("Yes" if anchor.is_in_place else "No" for _, anchor in rows),
            "tool": column_of("" if anchor.is_in_place else anchor.tool for _, anchor in rows),
            "file": column_of(
                f"{bundle.folder}/{anchor.file}" if anchor.content else ""
                for bundle, anchor in rows
            ),
            "sha256": column_of(anchor.sha256 for _, anchor in rows),
            "command": column_of(anchor.command for _, anchor in rows),
        }
    )


def replacements(found: Replacements) -> pd.DataFrame:
    """Return the table of replacements.csv, by day, then server."""
    fleet, names = found.deadlines.timeline.plan.fleet, found.certificates.name
    rows = found.rows
    ready = np.array([row.ready for row in rows], dtype=np.int64)
    unplanned = np.array([row.new < 0 for row in rows], dtype=np.bool_)

    def days(name: str) -> TextColumn:
        return dates(np.array([getattr(row, name) for row in rows], dtype=np.int64))

    return pd.DataFrame(
        {
            "date": days("day"),
            "server": column_of(fleet.servers.name[row.server] for row in rows),
            "old": column_of(names[row.old] for row in rows),
            "new": column_of(names[row.new] if row.new >= 0 else "" for row in rows),
            "change": column_of(str(row.change) for row in rows),
            "method": column_of(str(row.method) for row in rows),
            "opens": days("opens"),
            "distribute_by": days("distribute_by"),
            "key_databases": np.array([len(row.databases) for row in rows], dtype=np.int64),
            "ready": whole_numbers(ready, empty=unplanned),
            "refused_from": days("refused_from"),
            "refused_until": days("refused_until"),
        }
    )


def distribution(found: Distribution) -> pd.DataFrame:
    """Return the table of distribution.csv: how each import reaches its client, in plan order."""
    plan = found.deadlines.timeline.plan
    fleet, rows = plan.fleet, found.action
    certificates = found.deadlines.timeline.compiled.certificates.name
    client, n_clients = plan.client[rows], len(fleet.clients)
    owner = np.where(client < n_clients, client, -1)
    return pd.DataFrame(
        {
            "week": dates(found.week),
            "date": dates(plan.day[rows]),
            "client": picked(texts(fleet.endpoint_names()), client),
            "key_database": column_of(plan.row(row).key_database or "default" for row in rows),
            "certificate": picked(texts(certificates), plan.certificate[rows]),
            "reach": picked(texts(REACHES), found.reach),
            "because": column_of(found.because),
            "site": column_of(fleet.endpoint_site(endpoint) for endpoint in client.tolist()),
            "owner": picked(texts(fleet.clients.owner), owner),
        }
    )


def waves(found: Distribution) -> pd.DataFrame:
    """Return the table of waves.csv: imports of each week by their way, against the capacity."""
    capacity = found.deadlines.timeline.plan.fleet.capacity.imports_per_week
    weeks = list(found.weeks())
    totals = np.array([sum(counts.values()) for _, counts in weeks], dtype=np.int64)
    most = np.full(len(weeks), 0 if capacity is None else capacity, dtype=np.int64)
    is_free = np.full(len(weeks), capacity is None)
    return pd.DataFrame(
        {
            "week": dates(np.array([monday for monday, _ in weeks], dtype=np.int64)),
            **{
                str(reach): np.array([counts[reach] for _, counts in weeks], dtype=np.int64)
                for reach in Reach
            },
            "imports": totals,
            "capacity": whole_numbers(most, empty=is_free),
            "over": np.where(is_free, 0, np.maximum(totals - most, 0)),
        }
    )
