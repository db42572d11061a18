"""What only the brand's own keys can tell: serials of a batch, and which bottle wins. For the seed, demo and tests.

Reads the local stack's secrets as its root caller; on AWS nobody has a role that could.
"""

import functools
from typing import Any

import boto3
import msgspec

from cli.keys import secret_name
from dev.stack.outputs import StackOutputs
from uncap.adapters.catalog import BatchView
from uncap.domain.catalog import Role
from uncap.domain.codes.links import build_code_link
from uncap.domain.codes.scheme import Keyring, encode
from uncap.domain.prizes.commitment import derive_seed
from uncap.domain.prizes.laying import laid_prize


class BrandKeys:
    """Keys of one local stack, fetched once."""

    def __init__(self, outputs: StackOutputs) -> None:
        self._outputs = outputs
        self._secrets: Any = boto3.client("secretsmanager", **outputs.client_arguments)  # type: ignore[call-overload]

    def close(self) -> None:
        """Gives the connection back."""
        self._secrets.close()

    @functools.cached_property
    def keyring(self) -> Keyring:
        return Keyring.parse(self._secret("code-keys"))

    @functools.cached_property
    def draw_master(self) -> bytes:
        return bytes.fromhex(msgspec.json.decode(self._secret("draw-keys"))["master"])

    def serial(self, view: BatchView, index: int, role: Role = Role.CAP_INNER) -> str:
        """The serial printed for this unit and role."""
        batch = view.batch
        return encode(self.keyring.key(batch.epoch, batch.gtin, role), batch.batch_no, index)

    def link(self, view: BatchView, index: int, role: Role = Role.CAP_INNER) -> str:
        """The link as the local stack prints it: its own address in place of the production host."""
        return build_code_link(self._outputs.scan_base, view.batch.gtin, self.serial(view, index, role))

    def prize(self, view: BatchView, index: int) -> str:
        """The prize id laid on this unit, "" for none."""
        release = view.release_of(index)
        if release is None:
            return ""
        return laid_prize(release, derive_seed(self.draw_master, release.release_id), index)

    def _secret(self, kind: str) -> str:
        answer = self._secrets.get_secret_value(SecretId=secret_name(self._outputs.stage, kind))
        return str(answer["SecretString"])
