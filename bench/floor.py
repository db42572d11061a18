"""The floor under a scan: one signed DynamoDB update and nothing else, with the standard library's HTTP client.

Written apart from uncap's wire client on purpose. Used by bench/scan_speed.py.
"""

import hashlib
import hmac
import http.client
import json
import time
from urllib.parse import urlsplit


class RawUpdate:
    """`send(key)` signs (AWS Signature Version 4, signing key kept) and sends one UpdateItem over a kept connection."""

    def __init__(self, variables: dict[str, str]) -> None:
        url = urlsplit(variables["AWS_ENDPOINT_URL"])
        self._host = url.netloc
        self._connection = http.client.HTTPConnection(url.netloc)
        self._access = variables["AWS_ACCESS_KEY_ID"]
        self._token = variables["AWS_SESSION_TOKEN"]
        self._region = variables["AWS_REGION"]
        self._day = time.strftime("%Y%m%d", time.gmtime())
        key = ("AWS4" + variables["AWS_SECRET_ACCESS_KEY"]).encode()
        for part in (self._day, self._region, "dynamodb", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = key

    def send(self, key: str) -> dict[str, object]:
        """The item after the update."""
        mark = {
            "S": json.dumps({"i": "x" * 26, "t": 1, "w": "claim", "p": "p" * 28, "o": "v" * 90, "r": "r1", "v": "a@1"})
        }
        body = json.dumps(
            {
                "TableName": "Scans",
                "Key": {"pk": {"S": key}},
                "UpdateExpression": "SET f = if_not_exists(f, :f), l = :l ADD n :one",
                "ExpressionAttributeValues": {":f": mark, ":l": mark, ":one": {"N": "1"}},
                "ReturnValues": "ALL_NEW",
            }
        ).encode()
        self._connection.request("POST", "/", body, self._headers(body))
        answer: dict[str, object] = json.loads(self._connection.getresponse().read())
        return answer

    def close(self) -> None:
        self._connection.close()

    def _headers(self, body: bytes) -> dict[str, str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": self._host,
            "x-amz-date": date,
            "x-amz-security-token": self._token,
            "x-amz-target": "DynamoDB_20120810.UpdateItem",
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{self._day}/{self._region}/dynamodb/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._key, text.encode(), "sha256").hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
