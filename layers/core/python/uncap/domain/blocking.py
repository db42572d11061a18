"""Persons and parties who may win nothing by luck, after a human looked at it. Values only (ADR 0019).

Asked for by one operator and put in force by another (`services/block_winners.py`); read before every drawn prize.
"""

import msgspec


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """`key` is a person key or a party's id. `blocked` false: lifted again; the record stays."""

    key: str
    blocked: bool
    reason: str
    decided_by: str
    decided_at_ms: int
    version: int = 1
