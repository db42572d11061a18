"""The scan's item: its size, its stream changes, and what counts as a retry when others come between."""

import pytest

from uncap.adapters.scan_items import image_of, mark_text
from uncap.domain.catalog import Role
from uncap.domain.errors import PoisonError
from uncap.domain.scans import CodeRef, Mark, ScanChange, ScanImage

REF = CodeRef(7, 1, Role.CAP_INNER)


def mark(claim_id: str, form: str = "claim") -> Mark:
    return Mark(claim_id, 1, form, "p_x")


def image(last: str, count: int, first: str | None = "a") -> ScanImage:
    return ScanImage(REF.key(), mark(last), count, mark(first) if first else None)


def test_keys_round_trip() -> None:
    assert REF.key() == "7.1.1"
    assert CodeRef.from_key("7.1.1") == REF
    for bad in ("7.1", "7.1.9", "a.b.c", "", "7.1.1.1"):
        with pytest.raises(PoisonError):
            CodeRef.from_key(bad)


def test_the_largest_item_is_within_one_write_unit() -> None:
    """DynamoDB counts names and values in UTF-8; a write unit is 1,024 bytes."""
    largest = Mark(
        claim_id="X" * 26,
        at_ms=9_999_999_999_999,
        form="claim",
        person="p_" + "X" * 26,
        payee="v1." + "x" * 90,  # an openid of 38 characters, sealed; kept in `first` only
        cell="8" * 15,
        accuracy_m=100_000,
        outlet="o_" + "X" * 26,
        intent="inspect",
        reason="campaign_not_started",
        release_id="x" * 32,
        campaign="x" * 32 + "@999999",
        device="d" * 8,
    )
    last = mark_text(largest)
    size = len("pk") + len(CodeRef(2**24 - 1, 2**28 - 1, Role.BOX_INNER).key()) + len("f") + len("l") + 2 * len(last)
    size += len("n") + 21
    assert size < 1_024


def test_items_round_trip() -> None:
    stored = {"pk": {"S": "7.1.1"}, "l": {"S": mark_text(mark("b"))}, "n": {"N": "2"}, "f": {"S": mark_text(mark("a"))}}
    assert image_of(stored) == image("b", 2)
    del stored["f"]
    assert image_of(stored) == image("b", 2, None)
    for broken in (
        {},
        {"pk": {"S": "1"}},
        {**stored, "n": {"N": "x"}},
        {**stored, "l": {"S": "{}"}},
        {**stored, "l": 1},
    ):
        with pytest.raises(PoisonError, match="scan_image_malformed"):
            image_of(broken)  # type: ignore[arg-type]


def test_a_first_claim_is_seen_once() -> None:
    def change(old: ScanImage | None, new: ScanImage) -> ScanChange:
        return ScanChange("e", 1, old, new)

    assert change(None, image("a", 1)).is_first_claim
    assert change(image("w", 1, None), image("a", 2)).is_first_claim
    assert not change(None, image("w", 1, None)).is_first_claim
    assert not change(image("a", 1), image("b", 2)).is_first_claim
    tombstone = ScanImage(REF.key(), mark("s", "tombstone"), 1, mark("s", "tombstone"))
    assert not change(None, tombstone).is_first_claim


def test_a_retry_directly_after_its_scan_is_not_a_new_scan() -> None:
    assert ScanChange("e", 1, image("b", 2), image("b", 3)).is_retry


def test_the_winners_retry_is_known_whatever_came_between() -> None:
    assert ScanChange("e", 1, image("b", 2), image("a", 3)).is_retry


def test_a_losers_retry_after_someone_elses_scan_counts_again() -> None:
    assert not ScanChange("e", 1, image("c", 3), image("b", 4)).is_retry
    assert not ScanChange("e", 1, None, image("a", 1)).is_retry


@pytest.mark.parametrize("campaign", ["", "@1", "a", "a@", "a@²", "a@-1", "a@1.0", "a@ 1", "a@" + "9" * 5_000])
def test_a_claim_without_its_campaign_version_is_poison(campaign: str) -> None:
    with pytest.raises(PoisonError, match="campaign_malformed"):
        Mark("a", 1, "claim", campaign=campaign).campaign_version  # noqa: B018
    assert Mark("a", 1, "claim", campaign="open@win@12").campaign_version == ("open@win", 12)
