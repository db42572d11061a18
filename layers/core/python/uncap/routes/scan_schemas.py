"""What goes in and out of the scan API as JSON or form: the published types (docs/architecture.md, /openapi.json)."""

from typing import Annotated, Literal

import msgspec

from uncap.domain.places import Place

# `$` alone would let a trailing newline pass in Python.
ClaimId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", max_length=64)]
Gtin = Annotated[str, msgspec.Meta(max_length=14)]
Serial = Annotated[str, msgspec.Meta(max_length=20)]


class ScanInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `link`, as printed, or `gtin` and `serial`. `claim_id` is the client's, the same for every retry."""

    claim_id: ClaimId
    link: Annotated[str, msgspec.Meta(max_length=320)] = ""
    gtin: Gtin = ""
    serial: Serial = ""
    intent: Literal["claim", "redeem", "receive", "inspect"] = "claim"
    place: Place | None = None


class ScanForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page's form."""

    gtin: Gtin
    serial: Serial
    claim_id: ClaimId
    csrf: Annotated[str, msgspec.Meta(max_length=128)]


class ScanReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """`first`: this person's this claim id holds the code. `scans` counts recorded scans, retries included.

    `notice` is what the brand says about a recall of the item, by language.
    """

    outcome: Literal["first", "repeat", "observed"]
    reason: str
    claim_id: str
    rewards: tuple[str, ...]
    first_scan_on: str
    scans: int
    notice: dict[str, str] = {}


class SessionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`provider` names how the credential is checked."""

    provider: Annotated[str, msgspec.Meta(max_length=32)]
    credential: Annotated[str, msgspec.Meta(max_length=512)]


class SessionReply(msgspec.Struct, frozen=True):
    """Send `token` as `Authorization: Bearer …` until `expires_at`, epoch seconds."""

    token: str
    expires_at: int


class CodeFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the page shows, for programs. `status`: claimable | claimed_by_you | claimed | observed (then `reason`)."""

    verdict: str
    status: str
    reason: str
    gtin: str
    serial: str
    inner: bool
    product: dict[str, str]
    lot: str
    produced_on: str
    best_before: str
    first_scan_on: str
    scans: int
    clone_warning: bool
    campaign: dict[str, str]
    claim_until: str
    notice: dict[str, str] = {}
