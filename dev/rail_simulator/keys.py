"""Key material for the simulated rail, made once per state directory. Called by `make up` and by the simulator itself.

`python -m dev.rail_simulator.keys DIR` writes `rail_keys.json` (the RailKeys secret) and the platform's private half.
"""

import argparse
import contextlib
import datetime
import json
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET_FILE = "rail_keys.json"  # noqa: S105 - a file's name
PLATFORM_KEY_FILE = "platform_private_key.pem"
PLATFORM_CERTIFICATE_FILE = "platform_certificate.pem"
_KEY_BITS = 2048
_CERTIFICATE_DAYS = 3650


def ensure_rail_keys(state_dir: Path) -> dict[str, str]:
    """The RailKeys secret of this directory, made at the first call, never overwritten. Files are mode 0600."""
    secret_file = state_dir / SECRET_FILE
    if not secret_file.exists():
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(state_dir)
    value: dict[str, str] = json.loads(secret_file.read_text())
    return value


def _make(state_dir: Path) -> None:
    platform = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    merchant = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    mchid = "19" + "".join(secrets.choice("0123456789") for _ in range(8))
    secret = {
        "mchid": mchid,
        "appid": "wx" + secrets.token_hex(8),
        "serial_no": f"{secrets.randbits(159):040X}",
        "private_key_pem": _private_pem(merchant),
        "api_v3_key": secrets.token_hex(16),
        "platform_serial": f"PUB_KEY_ID_01{mchid}{secrets.randbelow(10**12):012d}",
        "platform_public_key_pem": _public_pem(platform.public_key()),
    }
    _write(state_dir / PLATFORM_KEY_FILE, _private_pem(platform))
    _write(state_dir / PLATFORM_CERTIFICATE_FILE, _certificate_pem(platform))
    # Last, because its presence is what says that the set is complete.
    _write(state_dir / SECRET_FILE, json.dumps(secret, indent=1))


def _private_pem(key: rsa.RSAPrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def _public_pem(key: rsa.RSAPublicKey) -> str:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, info).decode()


def _certificate_pem(key: rsa.RSAPrivateKey) -> str:
    """A self-signed platform certificate, for clients that fetch `/v3/certificates` and know no public key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "uncap rail simulator")])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_CERTIFICATE_DAYS))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        # Left by a run that was stopped before the set was complete.
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the simulated rail's keys, once.")
    parser.add_argument("state_dir", type=Path)
    ensure_rail_keys(parser.parse_args().state_dir)
