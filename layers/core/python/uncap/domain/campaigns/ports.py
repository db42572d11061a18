"""What deciding a claim needs from the outside, as protocols: `adapters/decisions.py`, `rule_sets.py`, `members.py`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.facts import Decision
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.rewards.ports import Channel


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """What rules may ask of a person (`member#{person key}` in Parties, written by the member centre).

    `referred_by` is the outlet that brought the person.
    """

    tier: str = ""
    tags: tuple[str, ...] = ()
    referred_by: str = ""
    version: int = 1


class MemberReader(Protocol):
    """Members by person key."""

    def member(self, person: str) -> Member | None:
        """The member, or None for someone who is not one."""
        ...


class TreeReader(Protocol):
    """The channel tree upwards from a party, for what a party itself has scanned."""

    def tree_of(self, party_id: str) -> Channel:
        """The nearest party of every role, the party itself included; `shipped` says nothing here."""
        ...


class RuleSets(Protocol):
    """Compiled rule sets, cached by their digests for as long as the container lives: they never change."""

    def index_of(self, reference: RuleSetRef) -> RuleIndex:
        """Raises ConflictError (`rules_missing`) if a part is not stored."""
        ...


class DecisionStore(Protocol):
    """Decisions and the counts they were taken with. Raises TransientError as every store does."""

    def read(self, ref: str, campaign_id: str) -> Decision | None:
        """The decision about this code's claim, strongly consistent."""
        ...

    def read_many(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Decision]:
        """Those that exist of (ref, campaign id)."""
        ...

    def tallies(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        """Those of these counts that were begun."""
        ...

    def decide(self, decision: Decision, tallies: Mapping[str, Tally]) -> Decision:
        """Keep the decision, and with it the counts, if there is none yet; the stored one either way.

        All in one transaction. Raises ConflictError (`tally_moved`) if a count has gone on since it was read.
        """
        ...

    def complete(self, old: Decision, new: Decision, tallies: Mapping[str, Tally]) -> Decision:
        """Fill slots that were open, if nobody did so meanwhile; the stored decision either way. As `decide`."""
        ...
