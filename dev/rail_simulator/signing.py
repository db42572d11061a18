"""The platform's side of the API v3 cryptography: proves merchants' requests, signs replies, seals notices.

Written against the rail's documentation with `cryptography` alone, independent of the adapter's own implementation.
"""

import base64
import re
import secrets
import time
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dev.rail_simulator.keys import PLATFORM_CERTIFICATE_FILE, PLATFORM_KEY_FILE, ensure_rail_keys

_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_MAX_SKEW_S = 300
_FIELD = re.compile(r'(mchid|nonce_str|signature|timestamp|serial_no)="([^"]*)"')


class Platform:
    """Everything the simulated WeChat Pay knows about keys: its own, and one merchant's public half."""

    def __init__(self, state_dir: Path) -> None:
        keys = ensure_rail_keys(state_dir)
        self.mchid = keys["mchid"]
        self.appid = keys["appid"]
        self.public_key_id = keys["platform_serial"]
        self._merchant_serial = keys["serial_no"]
        self._api_v3_key = keys["api_v3_key"].encode()
        self._merchant_key = _private(keys["private_key_pem"].encode()).public_key()
        self._key = _private((state_dir / PLATFORM_KEY_FILE).read_bytes())
        self.certificate_pem = (state_dir / PLATFORM_CERTIFICATE_FILE).read_text()
        certificate = x509.load_pem_x509_certificate(self.certificate_pem.encode())
        self.certificate = certificate
        self.certificate_serial = f"{certificate.serial_number:X}"

    def request_problem(self, method: str, target: str, body: bytes, authorization: str) -> str:
        """Why this request is not the merchant's, or "" if its signature is proven."""
        scheme, _, rest = authorization.partition(" ")
        fields = dict(_FIELD.findall(rest))
        if scheme != _SCHEME or len(fields) != 5:
            return "authorization header malformed"
        if fields["mchid"] != self.mchid or fields["serial_no"] != self._merchant_serial:
            return "merchant or certificate unknown"
        if not fields["timestamp"].isdigit() or abs(time.time() - int(fields["timestamp"])) > _MAX_SKEW_S:
            return "timestamp expired"
        head = f"{method}\n{target}\n{fields['timestamp']}\n{fields['nonce_str']}\n".encode()
        try:
            signature = base64.b64decode(fields["signature"], validate=True)
            self._merchant_key.verify(signature, head + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return "sign not match"
        return ""

    def signature_headers(self, body: bytes, *, serial: str = "", skew_s: int = 0) -> dict[str, str]:
        """Headers that sign `body` now, under the public key's id or, where `serial` names it, the certificate."""
        timestamp, nonce = str(int(time.time()) + skew_s), secrets.token_hex(16)
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Serial": serial or self.public_key_id,
            "Wechatpay-Signature-Type": _SCHEME,
        }

    def seal(self, plain: bytes, associated_data: str) -> dict[str, str]:
        """AEAD_AES_256_GCM under the merchant's API v3 key, in the form notices and certificates carry."""
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self._api_v3_key).encrypt(nonce.encode(), plain, associated_data.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated_data,
            "nonce": nonce,
        }

    def open_field(self, text: str) -> str:
        """A sensitive request field, decrypted. ValueError if it was not encrypted for this platform."""
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
        return self._key.decrypt(base64.b64decode(text, validate=True), oaep).decode()


def _private(pem: bytes) -> rsa.RSAPrivateKey:
    # These are this program's own files: the 40 ms proof that the key is sound would only slow every start.
    key = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the rail's keys are RSA keys")
    return key
