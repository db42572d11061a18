"""Reward ids and bill numbers: derived, never drawn, so that creating twice is the same creation.

Used by the scan path (to tell the client what to poll) and by the relay and worker.
"""

import hashlib
import re

from uncap.domain.codes import crockford
from uncap.domain.errors import NotFoundError
from uncap.domain.scans import CodeRef

MAX_ATTEMPTS = 999_999
_BILL = re.compile(r"([0-9A-HJKMNP-TV-Z]{26})([0-9]{6})")


def reward_id(ref: CodeRef, campaign_id: str, effect_no: int, beneficiary: str) -> str:
    """26 characters (130 bits) over code, campaign, effect and beneficiary class; the party is not part of it.

    So a channel tree that changes between two deliveries of one claim cannot create a second reward.
    """
    text = f"{ref.key()}|{campaign_id}|{effect_no}|{beneficiary}"
    return crockford.digest(hashlib.sha256(text.encode()).digest(), 26)


def bill_no(reward: str, attempt: int) -> str:
    """The rail's idempotency key, 32 alphanumerics: the reward id (itself a hash) and the attempt, six digits.

    It can be read back, so a callback or a line of the rail's statement finds its reward without an index.
    """
    if not 1 <= attempt <= MAX_ATTEMPTS:
        raise ValueError(f"attempts run from 1 to {MAX_ATTEMPTS}")
    return f"{reward}{attempt:06d}"


def of_bill(bill: str) -> tuple[str, int]:
    """Reward id and attempt of a bill number. NotFoundError (`bill_unknown`) if it is not one of ours."""
    found = _BILL.fullmatch(bill)
    if not found:
        raise NotFoundError("bill_unknown", "not a bill number of ours", where="bill_no")
    return found[1], int(found[2])
