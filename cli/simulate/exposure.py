"""What given rates of fraud cost beyond the honest launch, with and without the gate. Used by `command.py`."""

import msgspec
import numpy as np

from cli.simulate.forecast import Forecast


class Exposure(msgspec.Struct, frozen=True):
    """`taken` codes claimed by thieves. Money in the campaign's currency: what they would get, how much of it is more
    than honest buyers of the same codes would have got, and what is left of it behind the gate."""

    name: str
    taken: int
    robbed: float
    """Buyers who find their code claimed."""
    at_risk_minor: float
    more_minor: float
    after_gate_minor: float


def exposures(found: Forecast) -> tuple[Exposure, ...]:
    """One line per kind of fraud that the assumptions name; codes are taken evenly, prizes with them.

    A thief does not know where prizes lie (the draw is keyed, docs/adr/0003), so a stolen code is worth the mean.
    """
    launch = found.launch
    count, currency = launch.given.codes.count, launch.campaign.currency
    honest_share = float(found.claims.mean()) / count
    worth = found.per_code.get(currency, 0.0)
    lines = []
    for one in launch.given.fraud:
        taken = int(np.rint(one.codes_share * count))
        at_risk = taken * worth
        lines.append(
            Exposure(
                one.name,
                taken,
                taken * honest_share,
                at_risk,
                at_risk * (1 - honest_share),
                at_risk * (1 - one.stopped_share),
            )
        )
    return tuple(lines)
