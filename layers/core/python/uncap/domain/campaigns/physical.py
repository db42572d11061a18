"""What a prize that is sent to its winner must say before it is stored (ADR 0035). Pure.

Called by `domain/campaign_rules.py` and `checks.py`. `amount_minor` is its market value in fen: budgets, the limit on
prizes of chance (Provisions on Regulating Sales Promotion, 2020) and forecasts count it as they count cash.
"""

from uncap.domain.catalog import Prize

PHYSICAL = "physical"
VALUED = ("cash", "trade_credit", PHYSICAL)
"""Kinds whose `amount_minor` is money, and so what the limit on prizes of chance is held against."""


def physical_fault(prize: Prize) -> str:
    """What contradicts itself in the prize, "" for nothing. Nothing can be withheld from a thing: its tax is the
    brand's, outside these books."""
    if prize.kind == PHYSICAL and prize.tax_class != "none":
        return "no tax can be withheld from goods: say tax_class none, the brand bears it"
    return ""
