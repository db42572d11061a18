"""What the channel API's routes are given, and what comes in as JSON or forms. Built by `runtime/wiring_channel.py`."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from uncap.adapters.wechat_sdk import WeChatSdk
from uncap.routes.scan_replies import Meter
from uncap.services.collect_reward import NameDesk
from uncap.services.give_address import AddressDesk
from uncap.services.join_party import MemberDesk
from uncap.services.open_session import SessionDesk
from uncap.services.read_wallet import WalletDesk
from uncap.services.read_workspace import WorkspaceDesk
from uncap.services.redeem_right import RedeemDesk
from uncap.services.replenish import ReplenishDesk
from webui.channel_views import ClaimLine, StepView

RequestKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$(?!\n)", max_length=64)]
_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
_Line = Annotated[str, msgspec.Meta(max_length=400)]
_Csrf = Annotated[str, msgspec.Meta(max_length=128)]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}$(?!\n)", max_length=9)]


class ChannelDesk(msgspec.Struct, frozen=True):
    """`link_base` is scheme://host of printed links, "" where it is the host a request came to. `sdk`: None if there is
    no WeChat app."""

    session: SessionDesk
    members: MemberDesk
    redeem: RedeemDesk
    replenish: ReplenishDesk
    wallet: WalletDesk
    names: NameDesk
    addresses: AddressDesk
    workspace: WorkspaceDesk
    meter: Meter
    clock_ms: Callable[[], int]
    link_base: str = ""
    sdk: WeChatSdk | None = None


class RedemptionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` as shown or typed; `key` is the client's, the same for every retry; `campaign_id` if it works on one."""

    code: _Code
    key: RequestKey
    campaign_id: Annotated[str, msgspec.Meta(max_length=40)] = ""


class RedemptionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page's form."""

    code: _Code
    key: RequestKey
    csrf: _Csrf


class JoinForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invitation's code."""

    code: _Code
    csrf: _Csrf


class CollectForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reward to be collected again."""

    reward_id: Annotated[str, msgspec.Meta(max_length=26)]
    csrf: _Csrf


class NameInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payee's own name, 2 to 30 letters. Sealed at once; never logged, never shown again."""

    name: _Name


class NameForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page's form."""

    reward_id: Annotated[str, msgspec.Meta(max_length=26)]
    name: _Name
    csrf: _Csrf


class AddressInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a prize is to be sent: 2 to 30 characters, 7 to 15 digits, 8 to 200 characters. Sealed at once; never
    logged, never shown again but to who sends it."""

    name: _Line
    phone: _Line
    address: _Line


class AddressForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page's form."""

    reward_id: Annotated[str, msgspec.Meta(max_length=26)]
    csrf: _Csrf
    name: _Line = ""
    phone: _Line = ""
    address: _Line = ""


class NamedReply(msgspec.Struct, frozen=True):
    """The reward is on its way, or to be sent."""

    reward_id: str
    state: str


class ClaimsReply(msgspec.Struct, frozen=True):
    """A party's pieces and credit; `owed` are its own claims, `asked` those of parties below it, `steps` the latest."""

    party: str
    vouchers: int
    credit_minor: int
    currency: str
    owed: tuple[ClaimLine, ...]
    asked: tuple[ClaimLine, ...]
    steps: tuple[StepView, ...]


class ActForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of a claim on the caller's party; `amount` is typed in yuan, "4.5"."""

    claimant: Annotated[str, msgspec.Meta(max_length=40)]
    kind: Annotated[str, msgspec.Meta(max_length=10)]
    gtin: Annotated[str, msgspec.Meta(max_length=14)]
    pieces: _Digits
    key: RequestKey
    csrf: _Csrf
    reference: Annotated[str, msgspec.Meta(max_length=80)] = ""
    amount: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,7}(\.[0-9]{1,2})?)?$(?!\n)", max_length=10)] = ""

    @property
    def amount_minor(self) -> int:
        """The amount in fen; 0 where none was given."""
        whole, _, rest = (self.amount or "0").partition(".")
        return int(whole) * 100 + int(rest.ljust(2, "0"))
