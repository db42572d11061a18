"""What the scan page shows: the one value that crosses from the scan path to the templates.

Built by `uncap.services.view_code` and `routes/scan_pages.py`; rendered by `webui.scan_page.render`.
"""

import msgspec


class PrizeOdds(msgspec.Struct, frozen=True):
    """One prize of the campaign with its published odds: `win` of every `per` bottles."""

    name: dict[str, str]
    win: int
    per: int


class RewardView(msgspec.Struct, frozen=True):
    """The caller's own reward. `state` as in docs/architecture.md; `confirm_url` only while WAIT_USER."""

    reward_id: str
    state: str
    kind: str = ""
    amount_minor: int = 0
    currency: str = ""
    prize: dict[str, str] = {}
    reason: str = ""
    confirm_url: str = ""


class ScanPageView(msgspec.Struct, frozen=True):
    """The page's facts.

    `verdict`: "not_issued" | "issued". `status` of issued codes: claimable, claimed_by_you, claimed, observed
    (then `reason` is a claim-decision reason of docs/architecture.md). `first_scan_on` is a day, never a time.
    `clone_warning` is set for a code on an outer surface that was scanned suspiciously often.
    """

    verdict: str
    link_path: str
    status: str = ""
    reason: str = ""
    inner: bool = True
    product: dict[str, str] = {}
    gtin: str = ""
    serial: str = ""
    lot: str = ""
    produced_on: str = ""
    best_before: str = ""
    first_scan_on: str = ""
    scans: int = 0
    clone_warning: bool = False
    campaign: dict[str, str] = {}
    rules: dict[str, str] = {}
    odds: tuple[PrizeOdds, ...] = ()
    claim_until: str = ""
    claim_id: str = ""
    csrf: str = ""
    rewards: tuple[RewardView, ...] = ()
    error: str = ""  # a stable code when a form post was refused (person_limit_reached, session_expired, …)
    notice: dict[str, str] = {}  # what the brand says about a recall, in place of our own sentence
    retry_after_s: int = 0  # with person_limit_reached: seconds until this person may claim again, where known
