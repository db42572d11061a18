"""Which kind of history has which wing."""

from tests.histories.bookkeeping import BooksWing
from tests.histories.gated import GatedWing
from tests.histories.market import RightsWing
from tests.histories.merchants import MerchantsWing
from tests.histories.wings import Wing

WINGS: dict[str, type[Wing]] = {"rights": RightsWing, "books": BooksWing, "accounts": MerchantsWing, "gated": GatedWing}
