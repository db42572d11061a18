"""What the scan API's routes are given: the services' collaborators, a clock and a meter. Built by the runtime."""

from collections.abc import Callable

import msgspec

from uncap.routes.scan_replies import Meter
from uncap.services.claim_code import ScanDesk
from uncap.services.join_party import MemberDesk
from uncap.services.open_session import SessionDesk
from uncap.services.read_reward import RewardDesk
from uncap.services.view_code import ViewDesk


class ApiDesk(msgspec.Struct, frozen=True):
    """`link_base` is scheme://host of printed links, "" where it is the host a request came to."""

    scan: ScanDesk
    session: SessionDesk
    reward: RewardDesk
    view: ViewDesk
    meter: Meter
    clock_ms: Callable[[], int]
    link_base: str = ""
    members: MemberDesk | None = None
