"""Reward ids and bill numbers: derived, never drawn, so that creating twice is the same creation.

Used by the scan path (to tell the client what to poll) and by the relay and worker.
"""

import hashlib

from uncap.domain.codes import crockford
from uncap.domain.scans import CodeRef


def reward_id(ref: CodeRef, campaign_id: str, effect_no: int, beneficiary: str) -> str:
    """26 characters (130 bits) over code, campaign, effect and beneficiary class; the party is not part of it.

    So a channel tree that changes between two deliveries of one claim cannot create a second reward.
    """
    text = f"{ref.key()}|{campaign_id}|{effect_no}|{beneficiary}"
    return crockford.digest(hashlib.sha256(text.encode()).digest(), 26)


def bill_no(reward: str, attempt: int) -> str:
    """The rail's idempotency key: 32 alphanumerics over reward and attempt number."""
    return crockford.digest(hashlib.sha256(f"bill|{reward}|{attempt}".encode()).digest(), 32)
