"""Pay-N rights: a won reward that an outlet redeems once, for a goods voucher and a fee (ADR 0021). Pure.

The reward waits as CLAIMABLE until its deadline. Redeeming is one move to PAID whose entry credits the outlet, so that
a right redeemed and an outlet credited are the same write. Called by granting, the state machine, `redeem_right.py`.
"""

import hashlib
import hmac

from uncap.domain import ledger
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.reference import PayN, Place, with_wider
from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError, ForbiddenError, InputError
from uncap.domain.ledger import Posting, account
from uncap.domain.rewards.reward import Redemption, Reward, State

PIECES = "VCH"
FEE_OWNER = "outlet"
_GROUP = 4
_CODE_LENGTH = 12  # 60 bits; a member has twenty wrong ones a day
_KEY_LENGTH = 26


def code_of(key: bytes, reward_id: str) -> str:
    """The code an outlet is shown or told, `XXXX-XXXX-XXXX`: HMAC-SHA256, so nothing about it can be guessed.

    Derived anew whenever it is shown; what is stored is `lookup_key`, from which it cannot be recovered.
    """
    text = crockford.digest(hmac.digest(key, f"uncap.right|{reward_id}".encode(), hashlib.sha256), _CODE_LENGTH)
    return "-".join(text[at : at + _GROUP] for at in range(0, _CODE_LENGTH, _GROUP))


def lookup_key(code: str) -> str:
    """The hash a right is found by; case, blanks, dashes and O for 0, I or L for 1 do not matter.

    InputError (`redemption_code_malformed`).
    """
    text = "".join(character for character in code.upper() if character not in " -")
    text = text.translate(str.maketrans("OIL", "011"))
    if len(text) != _CODE_LENGTH or not all(character in crockford.ALPHABET for character in text):
        raise InputError("redemption_code_malformed", "A code is twelve letters and digits.", where="code")
    return crockford.digest(hashlib.sha256(f"uncap.right|{text}".encode()).digest(), _KEY_LENGTH)


def granted_right(reward: Reward) -> tuple[Posting, ...]:
    """Postings of a right that was won: the piece is owed to the winner, the fee to whichever outlet redeems it."""
    entry = ledger.granted(reward.release_id, reward.beneficiary, reward.currency, reward.amount_minor)
    if not reward.fee_minor:
        return entry
    return entry + ledger.granted(reward.release_id, FEE_OWNER, reward.fee_currency, reward.fee_minor)


def released_right(reward: Reward) -> tuple[Posting, ...]:
    """Postings of what nobody took: the piece and the fee are breakage; a drawn prize may be won again."""
    if reward.holds:
        return ledger.balanced(tuple(Posting(one.account, -one.amount_minor) for one in reward.granted))
    entry = ledger.released(reward.beneficiary, reward.campaign_id, reward.currency, reward.amount_minor)
    if not reward.fee_minor:
        return entry
    return entry + ledger.released(FEE_OWNER, reward.campaign_id, reward.fee_currency, reward.fee_minor)


def redeemed_right(reward: Reward, outlet: str) -> tuple[Posting, ...]:
    """Postings of a redemption: the outlet holds a goods voucher and has its fee as trade credit."""
    owed, held = (account("liability", reward.beneficiary, PIECES), account("voucher", outlet, PIECES))
    entry = ledger.moved(owed, held, reward.amount_minor)
    if not reward.fee_minor:
        return entry
    unit = reward.fee_currency
    owed = account("liability", FEE_OWNER, unit)
    return entry + ledger.moved(owed, account("credit", outlet, unit), reward.fee_minor)


def check_redeemable(reward: Reward, now_ms: int) -> None:
    """ConflictError: `redemption_used`, `redemption_expired`, `redemption_held`, `redemption_not_ready`."""
    if reward.kind != PAY_N:
        raise ConflictError("redemption_not_ready", "This code is not one for redeeming.")
    if reward.state is State.PAID:
        raise ConflictError("redemption_used", "This code has been redeemed.")
    if reward.state is State.RELEASED or now_ms >= reward.claimable_until_ms:
        raise ConflictError("redemption_expired", "This code has expired.")
    if reward.state is State.HELD:
        raise ConflictError("redemption_held", "This code is being checked; try again later.")
    if reward.state is not State.CLAIMABLE:
        raise ConflictError("redemption_not_ready", "This code is not ready yet; try again in a moment.")


def check_outlet(terms: PayN, goods: Place | None, outlet: Place) -> None:
    """ForbiddenError: `redemption_outlet_excluded`, `redemption_out_of_region`.

    `goods` is where the winning goods stood; what is not known of them holds nobody back. `outlet` is the outlet's own
    place: its id, the distributor above it and the region of that one's territory.
    """
    if outlet.outlet in terms.excluded_outlets:
        raise ForbiddenError("redemption_outlet_excluded", "This outlet does not take part.")
    where = goods or Place()
    if terms.where == "region" and where.region:
        same = bool(outlet.region) and (
            where.region in with_wider(outlet.region) or outlet.region in with_wider(where.region)
        )
    elif terms.where == "anywhere" or not where.distributor:
        same = True
    else:  # where the region is not known, the distributor says where the goods belong
        same = where.distributor == outlet.distributor
    if not same:
        raise ForbiddenError("redemption_out_of_region", "This code is for outlets of another region.")


def check_person(reward: Reward, redeemer: str, works_for: str, outlet: str) -> None:
    """Nobody redeems for themselves or a colleague. `works_for`: the winner's own party. `redemption_own_right`."""
    if reward.party in ("", redeemer) or works_for == outlet:
        raise ForbiddenError("redemption_own_right", "Who won it cannot redeem it at their own outlet.")


def receipt_of(reward: Reward, outlet: str, key: str) -> Redemption | None:
    """The redemption this request made before, if its reply was lost; None if it is another's or there is none."""
    made = reward.redeemed
    return made if made is not None and made.outlet == outlet and made.key == key else None
