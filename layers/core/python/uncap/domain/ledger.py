"""Double entry in integers: accounts, postings, entries that balance, and the trial balance over many of them. Pure.

A positive posting is a debit, a negative one a credit. Built by `domain/rewards/` and the services; kept by
`adapters/ledger.py`. Value flows reserve → grant → settle:

    reserve   expense +X      budget −X           a release is activated: its full face value is provided for
    grant     budget +A       liability −A        a claim wins: the brand owes it
    settle    liability +A    clearing −(A−T)     the rail paid; T is withheld tax
                              tax −T
    release   liability +A    breakage −A         nobody took it before its deadline
    breakage  budget +U       breakage −U         what a release's claims never used

A pay-N right is one piece of goods and a fee (ADR 0021): redeeming it moves the piece to voucher:{outlet} and the fee
to credit:{outlet}; replenishing moves the piece to voucher:{upstream}, and at the brand to clearing. What is too small
for a rail, or a company's, is settled to accrual:{holder}, and from there by credit note to clearing (ADR 0024).
"""

from collections.abc import Iterable, Mapping

import msgspec

from uncap.domain.errors import ConflictError

ACCOUNT_KINDS = ("expense", "budget", "liability", "clearing", "tax", "breakage", "voucher", "credit", "accrual")


class Posting(msgspec.Struct, frozen=True, array_like=True):
    """One side of an entry: `amount_minor` (never 0) on one account, in the account's own currency."""

    account: str
    amount_minor: int


class JournalEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry that belongs to no single reward: budget reserved, breakage, a person's correction. Never changed."""

    entry_id: str
    kind: str  # reserve | breakage | correction | replenish | credit_note | clawback | coefficient | tax_payment
    at_ms: int
    postings: tuple[Posting, ...]
    note: str = ""
    corrects: str = ""  # the entry or reward that a correction answers
    by: tuple[str, ...] = ()  # the people: who asked, who agreed


def account(kind: str, owner: str, currency: str) -> str:
    """`kind:owner:currency`. Raises ValueError for an unknown kind or parts that would not come apart again."""
    if kind not in ACCOUNT_KINDS or not owner or not currency or ":" in owner + currency:
        raise ValueError(f"no such account: {kind!r} {owner!r} {currency!r}")
    return f"{kind}:{owner}:{currency}"


def currency_of(account_name: str) -> str:
    """The currency an account is kept in."""
    return account_name.rsplit(":", 1)[-1]


def balanced(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """The same postings, proved to sum to zero in every currency. Raises ConflictError (`entry_unbalanced`)."""
    if not postings or any(type(one.amount_minor) is not int or one.amount_minor == 0 for one in postings):
        raise ConflictError("entry_unbalanced", "an entry has postings of whole amounts other than zero")
    if any(totals_by_currency(balances([postings])).values()):
        raise ConflictError("entry_unbalanced", "debits and credits of the entry differ")
    return postings


def balances(entries: Iterable[Iterable[Posting]]) -> dict[str, int]:
    """The sum of every account over the entries: the trial balance."""
    sums: dict[str, int] = {}
    for postings in entries:
        for one in postings:
            sums[one.account] = sums.get(one.account, 0) + one.amount_minor
    return sums


def totals_by_currency(sums: Mapping[str, int]) -> dict[str, int]:
    """What all accounts of a currency add up to: zero everywhere, or the ledger is wrong."""
    totals: dict[str, int] = {}
    for name, amount in sums.items():
        totals[currency_of(name)] = totals.get(currency_of(name), 0) + amount
    return totals


def drawn_budget(campaign_id: str) -> str:
    """The owner of the budget that a campaign's drawn prizes are paid from; no release can have this name."""
    return f"{campaign_id}@drawn"


def closing_budget(campaign_id: str) -> str:
    """The owner of the budget of the draw at a campaign's close."""
    return f"{campaign_id}@closing"


def reserved(campaign_id: str, release_id: str, face_minor: Mapping[str, int]) -> tuple[Posting, ...]:
    """Postings that provide a release's full face value, per currency."""
    postings: list[Posting] = []
    for currency, amount in sorted(face_minor.items()):
        if amount:
            postings.append(Posting(account("expense", campaign_id, currency), amount))
            postings.append(Posting(account("budget", release_id, currency), -amount))
    return balanced(tuple(postings)) if postings else ()


def granted(release_id: str, beneficiary: str, currency: str, amount_minor: int) -> tuple[Posting, ...]:
    """Postings that turn budget into a debt to a class of beneficiaries."""
    return balanced(
        (
            Posting(account("budget", release_id, currency), amount_minor),
            Posting(account("liability", beneficiary, currency), -amount_minor),
        )
    )


def paid(beneficiary: str, rail: str, currency: str, amount_minor: int, withheld_minor: int) -> tuple[Posting, ...]:
    """Postings of a payment of `amount_minor`, of which `withheld_minor` goes to the tax office instead."""
    return paid_to(account("clearing", rail, currency), beneficiary, amount_minor, withheld_minor)


def accrued(
    beneficiary: str, holder: str, currency: str, amount_minor: int, withheld_minor: int = 0
) -> tuple[Posting, ...]:
    """Postings of a reward that is kept on its holder's account until a credit note settles it (ADR 0024)."""
    return paid_to(account("accrual", holder, currency), beneficiary, amount_minor, withheld_minor)


def paid_to(target: str, beneficiary: str, amount_minor: int, withheld_minor: int) -> tuple[Posting, ...]:
    """Postings that take a debt from its class of beneficiaries to the account `target`, less the tax on it."""
    unit = currency_of(target)
    postings = [
        Posting(account("liability", beneficiary, unit), amount_minor),
        Posting(target, withheld_minor - amount_minor),
    ]
    if withheld_minor:
        postings.append(Posting(account("tax", "withheld", unit), -withheld_minor))
    return balanced(tuple(postings))


def released(beneficiary: str, campaign_id: str, currency: str, amount_minor: int) -> tuple[Posting, ...]:
    """Postings of a reward that nobody took before its deadline."""
    return balanced(
        (
            Posting(account("liability", beneficiary, currency), amount_minor),
            Posting(account("breakage", campaign_id, currency), -amount_minor),
        )
    )


def unclaimed(release_id: str, campaign_id: str, currency: str, amount_minor: int) -> tuple[Posting, ...]:
    """Postings of what is left of a release's budget after its deadline."""
    return balanced(
        (
            Posting(account("budget", release_id, currency), amount_minor),
            Posting(account("breakage", campaign_id, currency), -amount_minor),
        )
    )


def moved(debit: str, credit: str, amount_minor: int) -> tuple[Posting, ...]:
    """Postings that move an amount from one account to another of the same currency."""
    return balanced((Posting(debit, amount_minor), Posting(credit, -amount_minor)))
