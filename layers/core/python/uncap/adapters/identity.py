"""Who a device or a credential belongs to: the identity providers behind one protocol. Used by `open_session`.

`local` stands in for WeChat's silent sign-in (snsapi_base): a device is at once a known person. It proves nothing about
anyone and is for local stacks and demonstrations.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from uncap.domain.errors import AuthError, InputError
from uncap.domain.identity import person_key, seal_payee

_CREDENTIAL = re.compile(r"[A-Za-z0-9_.@-]{1,64}", re.ASCII)
_NONCE_BYTES = 12


class Identity(msgspec.Struct, frozen=True):
    """A known person: the key to recognise them by and the sealed openid to pay them by (domain/identity.py)."""

    person: str
    payee: str


class IdentityProvider(Protocol):
    """`app_id` names the app that persons, payees and sessions are bound to."""

    @property
    def app_id(self) -> str: ...

    def of_device(self, device: str) -> Identity | None:
        """The person behind a device without asking anyone, or None if that takes a sign-in."""

    def of_credential(self, credential: str) -> Identity:
        """The person who holds this credential. Raises AuthError (`credential_invalid`)."""


_SEAL_BYTES = 32


class PayeeKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The PayeeKeys secret: `hash` recognises, `seal` encrypts; hex."""

    hash: str
    seal: str

    @classmethod
    def parse(cls, document: str) -> "PayeeKeys":
        """Raises InputError (`payee_keys_malformed`); says nothing of the content."""
        try:
            parsed = msgspec.json.decode(document, type=cls)
            usable = len(bytes.fromhex(parsed.hash)) >= 16 and len(bytes.fromhex(parsed.seal)) == 32
        except (msgspec.MsgspecError, ValueError):
            usable = False
        if not usable:
            raise InputError("payee_keys_malformed", "the PayeeKeys secret cannot be read") from None
        return parsed


class AddressKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The AddressKeys secret: `seal` encrypts where prizes are sent; hex."""

    seal: str

    @classmethod
    def parse(cls, document: str) -> bytes:
        """The key. Raises InputError (`address_keys_malformed`); says nothing of the content."""
        try:
            key = bytes.fromhex(msgspec.json.decode(document, type=cls).seal)
        except (msgspec.MsgspecError, ValueError):
            key = b""
        if len(key) != _SEAL_BYTES:
            raise InputError("address_keys_malformed", "the AddressKeys secret cannot be read") from None
        return key


class LocalIdentity:
    """openid `local-{device}` or `local-{credential}`; whoever says a name is believed."""

    app_id = "local"

    def __init__(self, keys: Callable[[], PayeeKeys], random_bytes: Callable[[int], bytes]) -> None:
        self._keys = keys
        self._random_bytes = random_bytes

    def of_device(self, device: str) -> Identity | None:
        return self._identity(device)

    def of_credential(self, credential: str) -> Identity:
        if not _CREDENTIAL.fullmatch(credential):
            raise AuthError("credential_invalid", "A local credential is 1 to 64 letters, digits or _.@-")
        return self._identity(credential)

    def _identity(self, name: str) -> Identity:
        keys = self._keys()
        openid = f"local-{name}"
        person = person_key(bytes.fromhex(keys.hash), self.app_id, openid)
        return Identity(person, seal_payee(bytes.fromhex(keys.seal), person, openid, self._random_bytes(_NONCE_BYTES)))


class WeChatPlace(msgspec.Struct, frozen=True):
    """Which app signs people in, and where WeChat is asked. `secret` reads a secret's text by its ARN."""

    app_id: str
    secret_arn: str
    api_base: str
    secret: Callable[[str, Callable[[str], Any]], Callable[[], Any]]


def identity_provider(
    name: str,
    keys: Callable[[], PayeeKeys],
    random_bytes: Callable[[int], bytes],
    wechat: WeChatPlace | None = None,
) -> IdentityProvider:
    """The provider a deployment names. InputError (`identity_provider_unknown`, `wechat_app_missing`): its settings."""
    if name == "local":
        return LocalIdentity(keys, random_bytes)
    if name == "wechat":
        if wechat is None or not (wechat.app_id and wechat.secret_arn):
            raise InputError("wechat_app_missing", "signing in by WeChat needs an app", where="UNCAP_WECHAT_APP_ID")
        # Imported here: a deployment with another provider does not pay for it at its cold starts.
        from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp, WeChatIdentity

        app = wechat.secret(wechat.secret_arn, WeChatApp.parse)
        return WeChatIdentity(wechat.app_id, app, keys, random_bytes, HttpsExchange(wechat.api_base))
    raise InputError(
        "identity_provider_unknown",
        f"identity provider {name!r} is not built into this release; use 'local' or 'wechat'",
        where="UNCAP_IDENTITY_PROVIDER",
    )
