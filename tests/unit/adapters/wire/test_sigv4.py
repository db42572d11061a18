"""Our signature against botocore's on random requests."""

from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.adapters.wire.credentials import Credentials
from uncap.adapters.wire.sigv4 import Signer

TEXT = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=", min_size=1, max_size=60)
HOSTS = st.sampled_from(["dynamodb.eu-central-1.amazonaws.com", "127.0.0.1:4566", "x.cn-north-1.amazonaws.com.cn"])
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1))  # noqa: DTZ001 -- UTC, as botocore wants it


def boto_headers(
    credentials: Credentials, service: str, region: str, host: str, target: str, body: bytes, at: datetime
) -> dict[str, str]:
    headers = {"content-type": "application/x-amz-json-1.0", "host": host, "x-amz-target": target}
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    keys = BotoCredentials(credentials.access_key, credentials.secret_key, credentials.token or None)
    with patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=UTC)):
        SigV4Auth(keys, service, region).add_auth(request)
    return dict(request.headers.items())


@settings(max_examples=150, deadline=None)
@given(
    access=TEXT,
    secret=TEXT,
    token=st.one_of(st.just(""), TEXT),
    service=st.sampled_from(["dynamodb", "secretsmanager"]),
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-northwest-1"]),
    host=HOSTS,
    target=TEXT,
    body=st.binary(max_size=500),
    at=TIMES,
)
def test_agrees_with_botocore(
    access: str, secret: str, token: str, service: str, region: str, host: str, target: str, body: bytes, at: datetime
) -> None:
    credentials = Credentials(access, secret, token)
    theirs = boto_headers(credentials, service, region, host, target, body, at)
    content_type = "application/x-amz-json-1.0"
    ours = Signer(service, region).headers(credentials, host, content_type, target, body, f"{at:%Y%m%dT%H%M%SZ}")
    assert ours["authorization"] == theirs["Authorization"]
    assert ours["x-amz-date"] == theirs["X-Amz-Date"]


def test_a_new_day_or_a_new_secret_gives_a_new_key() -> None:
    signer = Signer("dynamodb", "us-east-1")

    def sign(secret: str, date: str) -> str:
        keys = Credentials("AK", secret)
        return signer.headers(keys, "h", "application/x-amz-json-1.0", "t", b"{}", date)["authorization"]

    first = sign("a", "20261122T235959Z")
    assert sign("a", "20261123T000000Z") != first
    assert sign("b", "20261122T235959Z") != first
    assert sign("a", "20261122T235959Z") == first
