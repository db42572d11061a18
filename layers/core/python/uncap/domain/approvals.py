"""What needs two people: one asks, another decides. Which acts do: ADR 0020. Pure.

Stored by the services in Parties under `proposals` / `{kind}#{target}`: one open proposal per target.
"""

import msgspec

from uncap.domain.errors import ConflictError, ForbiddenError

LIFETIME_MS = 7 * 86_400_000


class Proposal(msgspec.Struct, frozen=True):
    """`kind` names the act, `target` what it is done to; `state`: open → approved.

    `detail` pins what is approved ("draft 3"): if that has changed meanwhile, the approval is void.
    """

    kind: str
    target: str
    requested_by: str
    requested_at_ms: int
    reason: str
    state: str = "open"
    decided_by: str = ""
    decided_at_ms: int = 0
    version: int = 1
    detail: str = ""

    @property
    def key(self) -> str:
        """Its sort key."""
        return f"{self.kind}#{self.target}"


def renew(stored: Proposal | None, asked: Proposal) -> Proposal:
    """The new proposal in its place. Raises ConflictError (`proposal_open`) while an earlier one waits."""
    if stored is None:
        return asked
    waits = stored.state == "open" and asked.requested_at_ms - stored.requested_at_ms < LIFETIME_MS
    if waits and stored.detail == asked.detail:
        raise ConflictError("proposal_open", f"{stored.requested_by} has asked for this already", where=stored.target)
    return msgspec.structs.replace(asked, version=stored.version + 1)


def approve(stored: Proposal | None, login: str, now_ms: int, detail: str = "") -> Proposal:
    """The approved proposal; `detail` is what would be done now.

    Raises ConflictError (`proposal_missing`, `proposal_expired`, `proposal_outdated`), ForbiddenError
    (`second_person_needed`).
    """
    if stored is None or stored.state != "open":
        raise ConflictError("proposal_missing", "nobody has asked for this")
    if stored.requested_by == login:
        raise ForbiddenError("second_person_needed", "Someone other than who asked must approve.")
    if now_ms - stored.requested_at_ms >= LIFETIME_MS:
        raise ConflictError("proposal_expired", "the request is more than a week old; ask again")
    if stored.detail != detail:
        raise ConflictError("proposal_outdated", f"asked for was {stored.detail}, now it is {detail}", where="detail")
    return msgspec.structs.replace(
        stored, state="approved", decided_by=login, decided_at_ms=now_ms, version=stored.version + 1
    )
