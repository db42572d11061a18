"""What the wallet and the workspace of outlets and distributors show, as facts. Filled by services, drawn by
`webui.channel_page`."""

import msgspec


class WalletEntry(msgspec.Struct, frozen=True):
    """One reward. `section`: right | again | name | address | waiting | earned | checking | paid | over.

    `until` and `on` are days. `code` is a right's, to be shown to the outlet; `add_minor` what its winner adds.
    `shipment`: to_send | taken | sent | delivered | returned for what is sent; `wants_address`: it may be said now.
    """

    reward_id: str
    section: str
    kind: str
    amount_minor: int
    currency: str
    prize: dict[str, str]
    url: str = ""
    until: str = ""
    code: str = ""
    add_minor: int = 0
    on: str = ""
    notice: dict[str, str] = {}
    shipment: str = ""
    carrier: str = ""
    tracking_no: str = ""
    wants_address: bool = False


class Typed(msgspec.Struct, frozen=True):
    """What a refused form of an address said, back to who typed it. `wrong`: the field that was refused, if one was."""

    reward_id: str = ""
    name: str = ""
    phone: str = ""
    address: str = ""
    wrong: str = ""

    def __repr__(self) -> str:
        return "Typed(…)"


NOTHING_TYPED = Typed()


class WalletView(msgspec.Struct, frozen=True):
    """The wallet page. `error` is a code of ours, `csrf` the session's."""

    entries: tuple[WalletEntry, ...]
    csrf: str = ""
    error: str = ""
    done: str = ""
    typed: Typed = NOTHING_TYPED


class ClaimLine(msgspec.Struct, frozen=True):
    """One product's line of a claim between two parties, both by name."""

    claimant: str
    claimant_name: dict[str, str]
    upstream_name: dict[str, str]
    gtin: str
    product: dict[str, str]
    raised: int
    approved: int
    settled: int
    state: str

    @property
    def open(self) -> int:
        """Pieces still owed."""
        return self.raised - self.settled

    @property
    def to_approve(self) -> int:
        """Pieces raised and not approved."""
        return self.raised - self.approved

    @property
    def to_settle(self) -> int:
        """Pieces approved and not settled."""
        return self.approved - self.settled


class StepView(msgspec.Struct, frozen=True):
    """One thing that happened. `kind`: raise | approve | goods | credit."""

    on: str
    kind: str
    pieces: int
    product: dict[str, str]
    reference: str = ""
    amount_minor: int = 0
    currency: str = ""


class ReceiptView(msgspec.Struct, frozen=True):
    """A redemption that was just made."""

    product: dict[str, str]
    collect_minor: int
    fee_minor: int
    currency: str


class WorkspaceView(msgspec.Struct, frozen=True):
    """The page of a party's people. `party` empty: a visitor who belongs to none; then only joining is offered.

    `vouchers` are pieces the party is owed, `credit_minor` its trade credit from redemptions. `owed`: its own claims;
    `asked`: claims of those below it. `key` makes a form's act one act, however often it is sent. `wechat`: where the
    page gets WeChat's signature, "" where it may not use its scanner.
    """

    party: str = ""
    name: dict[str, str] = {}
    redeems: bool = False
    decides: bool = False
    vouchers: int = 0
    credit_minor: int = 0
    currency: str = "CNY"
    owed: tuple[ClaimLine, ...] = ()
    asked: tuple[ClaimLine, ...] = ()
    steps: tuple[StepView, ...] = ()
    receipt: ReceiptView | None = None
    csrf: str = ""
    key: str = ""
    wechat: str = ""
    code: str = ""
    error: str = ""
    done: str = ""
