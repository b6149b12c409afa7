"""What an order is to be good at, as one weighted sum."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Weights of one sum; less is better. That no session is refused is no weight but a must.

    Parameters
    ----------
    exposure
        Of a weighted session-day in plain text.
    transitional
        Of a day on which an account ends transitional.
    finish
        Of a day until the last upgrade.
    peak_imports
        Of an import in the week with the most of them.
    disturbance
        Of a day by which an upgrade is moved against the given plan.

    Notes
    -----
    Imports on the day on which they are needed need no weight: with a lead of at least one working
    day no order has any.
    """

    exposure: float = 1.0
    transitional: float = 0.0
    finish: float = 0.0
    peak_imports: float = 0.0
    disturbance: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) >= 0:
                raise ValueError(f"the weight {field.name} is {getattr(self, field.name)}, below 0")

    def __str__(self) -> str:
        weights = {field.name: getattr(self, field.name) for field in fields(self)}
        return " + ".join(
            name.replace("_", " ") if weight == 1 else f"{weight:g} x {name.replace('_', ' ')}"
            for name, weight in weights.items()
            if weight
        )
