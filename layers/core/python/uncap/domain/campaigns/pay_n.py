"""What a pay-N prize must say before it is stored, and how its terms may still change (ADR 0021). Pure.

Called by `domain/campaign_rules.py`. Promotion law wants what a winner must add, and until when, said with the prize:
so the amount stands in the prize's name in every language, and the deadline is shown wherever the right is.
"""

from uncap.domain.campaigns.reference import PayN
from uncap.domain.catalog import Campaign, Prize

PAY_N = "pay_n"
MAX_ADD_MINOR = 100_000
MAX_AFTER_MS = 366 * 86_400_000


def pay_n_fault(prize: Prize, campaign: Campaign) -> str:
    """What contradicts itself in the prize's terms, "" for nothing."""
    terms = prize.pay_n
    if (prize.kind == PAY_N) != (terms is not None):
        return "terms (pay_n) go with kind pay_n, and only with it"
    if terms is None:
        return ""
    if prize.amount_minor != 1:
        return "a right is for one more: its amount is 1 piece"
    if prize.tax_class != "none":
        return "goods one adds money for are not taxed as a prize"
    if not 1 <= terms.add_minor <= MAX_ADD_MINOR or terms.fee_minor < 0:
        return "what is added is between 0.01 and 1000 in the campaign's currency, and a fee is not negative"
    if not campaign.claim_until_ms <= terms.redeem_until_ms <= campaign.claim_until_ms + MAX_AFTER_MS:
        return "rights can be redeemed at least until claims end, and for a year after that at most"
    said = amount_text(terms.add_minor)
    if not all(said in name for name in prize.name.values()):
        return f"its name says in every language what is to be added: {said}"
    return ""


def amount_text(amount_minor: int) -> str:
    """An amount as prize names say it: 100 is "1", 150 is "1.5", 99 is "0.99"."""
    whole, rest = divmod(amount_minor, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")


def terms_not_worse(old: PayN | None, new: PayN | None) -> bool:
    """Whether a started campaign's participants lose nothing: a winner, or an outlet that counts on its fee."""
    if old is None or new is None:
        return old is new
    wider = {"distributor": {"distributor", "region", "anywhere"}, "region": {"region", "anywhere"}}
    return (
        new.gtin == old.gtin
        and new.add_minor <= old.add_minor
        and new.redeem_until_ms >= old.redeem_until_ms
        and new.fee_minor >= old.fee_minor
        and new.where in wider.get(old.where, {"anywhere"})
        and new.per_day >= old.per_day
        and set(new.excluded_outlets) <= set(old.excluded_outlets)
    )
