"""What the console needs to tell people about diversion: the outbox, and the key that signs. Part of the Desk."""

from collections.abc import Callable
from dataclasses import dataclass, field

from uncap.adapters.alert_outbox import AlertOutbox


@dataclass(frozen=True, slots=True)
class AlertDesk:
    """`master` raises ConflictError (`alerts_not_configured`) where no key was deployed.

    `allow_loopback`: webhooks on this machine, for the local stack and tests.
    """

    outbox: AlertOutbox
    master: Callable[[], bytes] = field(repr=False)
    allow_loopback: bool = False
