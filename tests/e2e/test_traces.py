"""After claims were paid and a record was parked, nothing written anywhere names a code, a person or a phone number."""

import json

from tests.kits.market import Market
from tests.kits.traces import leaks
from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef

PHONE_NUMBER = "13912345678"
NAME = f"a-name-nobody-else-has.{PHONE_NUMBER}"
"""What a person signs in with; the openid is made of it."""


def test_nothing_that_names_a_code_or_a_person_is_left_anywhere(market: Market) -> None:
    market.calm()
    phone = market.phone(NAME)
    bottles = [market.next("cash"), market.next("points"), market.next("")]
    phone.open(market.link(bottles[0]))
    answers = [market.claim(phone, index) for index in bottles]
    code = CodeRef(market.batch_no, bottles[0], Role.CAP_INNER).key()
    _park_a_record(market, code, f'{{"i": "{market.serial(bottles[0])}", "o": "{NAME}"')
    market.reward_when(phone, answers[1].rewards[0], "PAID")
    market.pay_out(phone, answers[0].rewards[0], timeout_s=150)
    found, looked_into = leaks(market, {market.serial(index) for index in bottles}, {NAME, PHONE_NUMBER})
    assert looked_into >= {"log", "cloudwatch", "table", "queue", "object", "alarms", "metrics"}
    assert found == []


def _park_a_record(market: Market, code_key: str, spoilt: str) -> None:
    """The relay is given a record that cannot be read and that says what it must not repeat."""
    item = market.aws("dynamodb").get_item(TableName=market.outputs.scans_table, Key={"pk": {"S": code_key}})["Item"]
    image = {"pk": item["pk"], "n": item["n"], "l": {"S": spoilt}, "f": {"S": spoilt}}
    body = {"Keys": {"pk": item["pk"]}, "NewImage": image, "ApproximateCreationDateTime": 1.0}
    event = {"Records": [{"eventID": "spoilt", "eventName": "MODIFY", "dynamodb": body}]}
    relay = market.outputs.functions["reward_relay"]
    answer = market.aws("lambda").invoke(FunctionName=relay, Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read())["parked"] == 1
