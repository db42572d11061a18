"""Who claims in a labelled week, as data: honest people and shops, thieves and their phones. Used by `scenario.py`."""

from typing import Annotated

import msgspec

Few = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Some = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Buyers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Households: now and then a purchase of some bottles out of one case, opened within the days that follow."""

    count: Annotated[int, msgspec.Meta(ge=0, le=50_000)] = 3_000
    purchases: Some = 2
    bottles: Annotated[tuple[Some, ...], msgspec.Meta(min_length=1, max_length=20)] = (1, 1, 1, 2, 2, 6)


class Parties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weddings: whole cases opened within `hours`, by that many `people`, at a person's pace."""

    count: Few = 0
    bottles: Some = 60
    people: Some = 1
    hours: Annotated[float, msgspec.Meta(gt=0, le=24)] = 3.0


class Waiters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Restaurant staff who scan what the tables leave: so many a day, out of a few cases, `seconds` apart at least."""

    count: Few = 0
    bottles_a_day: Some = 30
    open_cases: Some = 3
    seconds: Seconds = 8.0


class Recyclers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Caps collected from everywhere, claimed by a phone each, `seconds` apart."""

    count: Few = 0
    caps: Some = 60
    seconds: Seconds = 1.5


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A printer's file for sale: codes claimed by `phones`, `seconds` apart in all, in the file's order or not."""

    codes: Annotated[int, msgspec.Meta(ge=0, le=20_000)] = 0
    phones: Some = 60
    seconds: Seconds = 2.0
    shuffled: bool = False
    shipped: bool = False


class Insiders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Salespeople who open whole cases on their way. `own_scanner`: as an outlet the goods were not sent to."""

    count: Few = 0
    bottles: Some = 48
    seconds: Seconds = 6.0
    shipped: bool = True
    own_scanner: bool = False


class Farm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phones on which many accounts are signed in, one after the other, each with a few collected caps."""

    count: Few = 0
    accounts: Some = 20
    caps_each: Some = 2
    seconds: Seconds = 45.0


class Outlets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shops that open cases sent to them. `late_paper`: cases whose delivery nobody has uploaded yet; `receiving`:
    shops that record receipts; `new`: registered on the salesperson's visit, which opens a case or two at once."""

    count: Few = 0
    cases_a_day: Some = 4
    late_paper: Share = 0.05
    receiving: Share = 0.3
    new: Few = 0


class Ghosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shops that exist on paper only: registered, and minutes later they open cases off a truck."""

    count: Few = 0
    cases: Some = 12
    seconds: Seconds = 20.0


class Overdrawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shops that open what they were sent, and many cases more that no paper sent to them."""

    count: Few = 0
    sent: Some = 3
    cases: Some = 24
    seconds: Seconds = 60.0
    receiving: bool = False
