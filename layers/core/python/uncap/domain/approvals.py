"""What needs two people: one asks, another decides. Used for replacing codes and releasing held rewards. Pure.

Stored by the services in Parties under `proposals` / `{kind}#{target}`: one open proposal per target.
"""

import msgspec

from uncap.domain.errors import ConflictError, ForbiddenError

LIFETIME_MS = 7 * 86_400_000


class Proposal(msgspec.Struct, frozen=True):
    """`kind` names the act, `target` what it is done to; `state`: open → approved."""

    kind: str
    target: str
    requested_by: str
    requested_at_ms: int
    reason: str
    state: str = "open"
    decided_by: str = ""
    decided_at_ms: int = 0
    version: int = 1

    @property
    def key(self) -> str:
        """Its sort key."""
        return f"{self.kind}#{self.target}"


def renew(stored: Proposal | None, asked: Proposal) -> Proposal:
    """The new proposal in its place. Raises ConflictError (`proposal_open`) while an earlier one waits."""
    if stored is None:
        return asked
    if stored.state == "open" and asked.requested_at_ms - stored.requested_at_ms < LIFETIME_MS:
        raise ConflictError("proposal_open", f"{stored.requested_by} has asked for this already", where=stored.target)
    return msgspec.structs.replace(asked, version=stored.version + 1)


def approve(stored: Proposal | None, login: str, now_ms: int) -> Proposal:
    """The approved proposal.

    Raises ConflictError (`proposal_missing`, `proposal_expired`), ForbiddenError (`second_person_needed`).
    """
    if stored is None or stored.state != "open":
        raise ConflictError("proposal_missing", "nobody has asked for this")
    if stored.requested_by == login:
        raise ForbiddenError("second_person_needed", "Someone other than who asked must approve.")
    if now_ms - stored.requested_at_ms >= LIFETIME_MS:
        raise ConflictError("proposal_expired", "the request is more than a week old; ask again")
    return msgspec.structs.replace(
        stored, state="approved", decided_by=login, decided_at_ms=now_ms, version=stored.version + 1
    )
