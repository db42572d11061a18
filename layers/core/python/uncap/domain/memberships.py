"""Who works for a party: one-time invitations and memberships. Pure; stored in Parties (docs/architecture.md).

An invitation's code is shown once, to the operator who issues it; only a hash of it is kept. A member's session carries
the party for `BELIEVED_S` at most, then the membership is read again: that bounds how long a revoked one is believed.
"""

import hashlib

import msgspec

from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError, InputError

INVITATION_LIFETIME_MS = 7 * 86_400_000
BELIEVED_S = 3_600
OUTLET_ROLES = frozenset({"outlet", "outlet_staff"})
_CODE_BYTES = 7
_CODE_LENGTH = 10  # 50 bits; a person may try ten a day


class Invitation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lets one person, who knows its code, join a party. `key` is the code's hash; `note` says whom it is meant for.

    For staff `party_id` is their outlet. `used_by` is a person key.
    """

    invitation_id: str
    key: str
    party_id: str
    party_role: str
    issued_by: str
    issued_at_ms: int
    expires_at_ms: int
    note: str = ""
    used_by: str = ""
    used_at_ms: int = 0
    revoked_at_ms: int = 0
    version: int = 1


class Membership(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person of a party. One at a time: who changes sides is revoked first."""

    person: str
    party_id: str
    party_role: str
    invitation_id: str
    since_ms: int
    revoked_at_ms: int = 0
    version: int = 1

    @property
    def stands(self) -> bool:
        """Not revoked."""
        return not self.revoked_at_ms


def new_code(random: bytes) -> str:
    """A fresh code, `XXXXX-XXXXX`, from 7 random bytes."""
    if len(random) != _CODE_BYTES:
        raise ValueError(f"a code is made of {_CODE_BYTES} bytes")
    text = crockford.digest(random, _CODE_LENGTH)
    return f"{text[:5]}-{text[5:]}"


def key_of(code: str) -> str:
    """The hash an invitation is found by; case, blanks, dashes do not matter. InputError (`invitation_malformed`)."""
    text = "".join(character for character in code.upper() if character not in " -")
    if len(text) != _CODE_LENGTH or not all(character in crockford.ALPHABET for character in text):
        raise InputError("invitation_malformed", "An invitation is ten letters and digits.", where="code")
    return crockford.digest(hashlib.sha256(f"uncap.invitation|{text}".encode()).digest(), 26)


def accepted(
    invitation: Invitation, known: Membership | None, person: str, now_ms: int
) -> tuple[Invitation, Membership]:
    """Both as they are once this person has accepted; unchanged where that was done before.

    Raises ConflictError (`invitation_used`, `invitation_expired`, `invitation_revoked`, `already_member`).
    """
    if invitation.used_by == person and known is not None and known.invitation_id == invitation.invitation_id:
        if not known.stands:
            raise ConflictError("invitation_revoked", "This membership was ended; ask for a new invitation.")
        return invitation, known
    if invitation.revoked_at_ms:
        raise ConflictError("invitation_revoked", "This invitation was withdrawn.")
    if invitation.used_by:
        raise ConflictError("invitation_used", "This invitation was used already.")
    if now_ms >= invitation.expires_at_ms:
        raise ConflictError("invitation_expired", "This invitation has expired; ask for a new one.")
    if known is not None and known.stands:
        raise ConflictError("already_member", "You belong to a party already; that membership must be ended first.")
    used = msgspec.structs.replace(invitation, used_by=person, used_at_ms=now_ms, version=invitation.version + 1)
    version = known.version + 1 if known else 1
    return used, Membership(
        person,
        invitation.party_id,
        invitation.party_role,
        invitation.invitation_id,
        now_ms,
        version=version,
    )
