"""The wire client over TLS: it trusts the bundle it is given and refuses anyone else's certificate."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from uncap.adapters.wire.connections import Connections

REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A fresh self-signed certificate for localhost, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "cert.pem"
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key_pem)
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
                with plain, context.wrap_socket(plain, server_side=True) as sock:
                    while sock.recv(65_536):
                        sock.sendall(REPLY)
            except ssl.SSLError:
                continue  # the client refused us
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_trusted_server_is_talked_to_over_one_connection(server: str, certificate: Path) -> None:
    connections = Connections(server, connect_timeout_s=2, read_timeout_s=2, ca_file=str(certificate))
    for _ in range(3):
        assert connections.post({"host": "localhost"}, b"{}").body == b"ok"
    connections.close()


def test_an_unknown_certificate_is_refused(server: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        Connections(server, connect_timeout_s=2, read_timeout_s=2).post({"host": "localhost"}, b"{}")


def test_another_hosts_certificate_is_refused(server: str, certificate: Path) -> None:
    elsewhere = server.replace("localhost", "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        Connections(elsewhere, connect_timeout_s=2, read_timeout_s=2, ca_file=str(certificate)).post({"host": "h"}, b"")
