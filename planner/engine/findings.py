"""All checks of a fleet and plan; each is one function that names offenders and cure."""

from collections.abc import Callable, Iterator
from typing import Final

from planner.domain.findings import Finding, Findings, in_order
from planner.engine import deadline_checks, plan_checks, replacement_checks, session_checks
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.review import Review
from planner.engine.timeline import Timeline

CHECKS: Final[tuple[Callable[[Review], Iterator[Finding]], ...]] = (
    session_checks.check_for_refused_sessions,
    session_checks.check_for_ldap_without_ssl,
    session_checks.check_for_automatic_distribution,
    session_checks.check_for_locked_out_clients,
    session_checks.check_for_ssl_before_server_is_new,
    session_checks.check_for_missing_encryption,
    session_checks.check_for_ignored_options,
    session_checks.check_for_options_unknown_to_old_clients,
    session_checks.check_for_replication_order,
    deadline_checks.check_for_deadlines,
    deadline_checks.check_for_imports_before_available,
    deadline_checks.check_for_imports_without_trust,
    deadline_checks.check_for_expiring_certificates,
    deadline_checks.check_for_md5_certificates,
    deadline_checks.check_for_incomplete_chains,
    deadline_checks.check_for_undescribed_certificates,
    replacement_checks.check_for_expiry_in_freezes,
    replacement_checks.check_for_expiry_inside_the_lead,
    replacement_checks.check_for_hard_cuts,
    plan_checks.check_for_unknown_endpoints,
    plan_checks.check_for_actions_without_effect,
    plan_checks.check_for_actions_outside_the_horizon,
    plan_checks.check_for_repeated_actions,
    plan_checks.check_for_the_calendar,
    plan_checks.check_for_capacity,
    plan_checks.check_for_security_downgrades,
    plan_checks.check_for_resets_without_effect,
    plan_checks.check_for_unknown_levels,
    plan_checks.check_for_equal_ports,
    plan_checks.check_for_transitional_accounts,
)


def check(timeline: Timeline) -> Findings:
    """Return every fault of the plan, and of the fleet that it is for."""
    return check_deadlines(deadlines(timeline))


def check_deadlines(found: Deadlines) -> Findings:
    """Return what `check` does, from deadlines that are computed already."""
    review = Review(found)
    rows = list(review.fleet.origin.remarks)
    for check_for in CHECKS:
        rows.extend(check_for(review))
    return in_order(rows)
