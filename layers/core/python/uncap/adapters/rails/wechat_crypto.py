"""The cryptography of WeChat Pay's API v3: request and reply signatures, sealed notices, encrypted fields.

Used by the other `wechat_*` modules only. Formulas are those of the rail's documentation (API v3 signature and callback
decryption, pay.weixin.qq.com/doc/v3/merchant); tests hold them to what it and the official Go and Java SDKs publish.
"""

import base64
import binascii
import re
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uncap.domain.errors import AuthError, InputError

SCHEME = "WECHATPAY2-SHA256-RSA2048"
MAX_CLOCK_SKEW_S = 300
_API_V3_KEY_BYTES = 32
# SHA-1 is what the protocol prescribes; OAEP does not rest on its collision resistance.
FIELD_PADDING = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303


class RailKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The RailKeys secret (docs/architecture.md, "Secrets"). Never printed: `repr` names the merchant only."""

    mchid: str
    appid: str
    serial_no: str
    private_key_pem: str
    api_v3_key: str
    platform_serial: str
    platform_public_key_pem: str

    def __repr__(self) -> str:
        return f"RailKeys(mchid={self.mchid!r})"


class Keyring:
    """RailKeys made usable: parsed once, so that a broken secret fails when the rail is built and not at a payment."""

    def __init__(self, keys: RailKeys) -> None:
        """InputError `rail_keys_malformed` naming the field at fault, never its content."""
        if len(keys.api_v3_key.encode()) != _API_V3_KEY_BYTES:
            raise _malformed("api_v3_key")
        self.mchid = keys.mchid
        self.appid = keys.appid
        self.serial_no = keys.serial_no
        self.platform_serial = keys.platform_serial
        self.api_v3_key = keys.api_v3_key.encode()
        self.private_key = load_private_key(keys.private_key_pem)
        self.platform_key = load_public_key(keys.platform_public_key_pem)

    def authorization(self, method: str, target: str, body: bytes, *, now_s: int, nonce: str) -> str:
        """The Authorization header of a request for `target` (path with query)."""
        message = f"{method}\n{target}\n{now_s}\n{nonce}\n".encode() + body + b"\n"
        fields = {
            "mchid": self.mchid,
            "nonce_str": nonce,
            "signature": sign(self.private_key, message),
            "timestamp": str(now_s),
            "serial_no": self.serial_no,
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in fields.items())

    def check_signature(self, headers: Mapping[str, str], body: bytes, *, now_s: int) -> None:
        """Prove that the platform signed `body` within 300 s of now. AuthError with the code of what is wrong."""
        lower = {name.lower(): value for name, value in headers.items()}
        timestamp, nonce = lower.get("wechatpay-timestamp", ""), lower.get("wechatpay-nonce", "")
        signature, serial = lower.get("wechatpay-signature", ""), lower.get("wechatpay-serial", "")
        if not (timestamp and nonce and signature and serial):
            raise AuthError("rail_unsigned", "a signature header is missing")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now_s - int(timestamp)) > MAX_CLOCK_SKEW_S:
            raise AuthError("rail_stale", f"signed more than {MAX_CLOCK_SKEW_S} s away from this clock")
        if serial != self.platform_serial:
            raise AuthError("rail_key_unknown", "signed with a key that is not the configured platform key")
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        if not verify(self.platform_key, message, signature):
            raise AuthError("rail_forged", "the signature does not fit the body")


def _malformed(field: str) -> InputError:
    return InputError("rail_keys_malformed", "the RailKeys secret cannot be used", where=field)


def load_private_key(pem: str) -> rsa.RSAPrivateKey:
    """An RSA private key from PKCS#8 or PKCS#1 PEM; InputError without a hint of the content."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        # The cause is cut off: parser messages may quote the key.
        raise _malformed("private_key_pem") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _malformed("private_key_pem")
    return key


def load_public_key(pem: str) -> rsa.RSAPublicKey:
    """An RSA public key from PEM; InputError if it is anything else."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError:
        raise _malformed("platform_public_key_pem") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise _malformed("platform_public_key_pem")
    return key


def sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    """SHA256 with RSA PKCS#1 v1.5, base64."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def verify(key: rsa.RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether `signature` (base64) over `message` was made by the owner of `key`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def open_resource(api_v3_key: bytes, *, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Open an AEAD_AES_256_GCM resource (the tag is the ciphertext's last 16 bytes). AuthError if it does not open."""
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        return AESGCM(api_v3_key).decrypt(nonce.encode(), sealed, associated_data.encode())
    except (InvalidTag, binascii.Error, ValueError):
        raise AuthError("rail_sealed", "the resource does not open with the merchant's API v3 key") from None


def encrypt_field(key: rsa.RSAPublicKey, text: str) -> str:
    """A sensitive field for the platform: RSA-OAEP with SHA-1, base64. InputError where it exceeds 214 bytes."""
    try:
        return base64.b64encode(key.encrypt(text.encode(), FIELD_PADDING)).decode()
    except ValueError:
        raise InputError("user_name_too_long", "the name does not fit one RSA block", where="user_name") from None
