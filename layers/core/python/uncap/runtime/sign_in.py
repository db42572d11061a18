"""Where people sign in, from settings: shared by the wirings of scan_api and channel_api."""

from collections.abc import Callable

from uncap.adapters.identity import WeChatPlace
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wire.dynamodb import Caller
from uncap.runtime.settings import ChannelSettings, ScanSettings


def wechat_place(settings: ScanSettings | ChannelSettings, vault: Caller, clock: Callable[[], int]) -> WeChatPlace:
    """The WeChat app of this deployment; empty where there is none. Its secret is read when somebody signs in."""
    return WeChatPlace(
        settings.wechat_app_id,
        settings.wechat_app_secret,
        settings.wechat_api_base,
        lambda arn, parse: CachedSecret(vault, arn, parse, clock),
    )
