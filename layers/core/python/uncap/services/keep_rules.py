"""Rule sets in parts: stored by content, put together for a campaign version. Called by the campaign services.

A part that no version names costs storage and nothing else; naming it is what makes it a rule.
"""

import msgspec

from uncap.adapters.audited_writes import DocWrite
from uncap.adapters.rule_sets import CachedRuleSets, packed
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.campaigns.rules import RulePart, joined
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.services.campaign_forms import reference_to
from uncap.services.desk import Actor, Desk, catalog_write, draft
from uncap.services.rule_forms import NewRulePart


class StoredPart(msgspec.Struct, frozen=True):
    """A stored part, to be named in a campaign's `rule_parts`."""

    digest: str
    rules: int


def store_part(desk: Desk, actor: Actor, given: NewRulePart) -> StoredPart:
    """Repeating it changes nothing. Raises InputError (`rules_empty`, `rules_too_large`, `gtin_invalid`)."""
    part = given.value()
    if not part.rules and part == RulePart():
        raise InputError("rules_empty", "a part holds at least one rule or exclusion", where="rules")
    digest, write = part_write(part)
    desk.writes.commit([write], draft(actor, "campaigns.rules", digest, after=f"{len(part.rules)} rules"))
    return StoredPart(digest, len(part.rules))


def part_write(part: RulePart) -> tuple[str, DocWrite]:
    """The digest and the unconditional put: what is named by its content is the same whoever writes it."""
    digest, text = packed(part)
    return digest, catalog_write(f"rules#{digest}", "meta", text, 0)


def put_together(desk: Desk, inline: RulePart, digests: tuple[str, ...]) -> tuple[RuleSetRef, RulePart, list[DocWrite]]:
    """The reference, all rules together, and the writes that the inline ones still need.

    Raises ConflictError (`rules_missing`), InputError (`rules_too_large`).
    """
    stored = tuple(CachedRuleSets(desk.catalog_docs).part(digest) for digest in digests)
    names, writes = list(digests), []
    if inline != RulePart():
        digest, write = part_write(inline)
        names.append(digest)
        writes.append(write)
    whole = joined((*stored, inline))
    return reference_to(whole, tuple(dict.fromkeys(names))), whole, writes


def read_part(desk: Desk, digest: str) -> RulePart:
    """One stored part. Raises NotFoundError (`rules_unknown`)."""
    try:
        return CachedRuleSets(desk.catalog_docs).part(digest)
    except ConflictError as cause:
        raise NotFoundError("rules_unknown", cause.message, where="digest") from cause


def rules_of(desk: Desk, reference: RuleSetRef) -> RulePart:
    """The rules behind a reference. Raises ConflictError (`rules_missing`)."""
    return CachedRuleSets(desk.catalog_docs).rules_of(reference)
