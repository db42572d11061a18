"""Signing in, and who one is. Mounted by `table.py`."""

import msgspec

from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.sign_in_operator import Session, SignIn, permissions_of, sign_in_operator

OPEN = Area("session", is_open=True)
SESSION = Area("session")


class Me(msgspec.Struct, frozen=True):
    """The signed-in operator and what the role allows: area to actions."""

    login: str
    role: str
    permissions: dict[str, list[str]]


@OPEN.post("/sign-in")
def sign_in(desk: Desk, body: SignIn) -> Session:
    """Exchange login and password for a token of eight hours."""
    return sign_in_operator(desk, body)


@SESSION.get("/me", action="")
def read_me(actor: Actor) -> Me:
    """Who the token belongs to."""
    return Me(actor.login, actor.role, permissions_of(actor.role))
