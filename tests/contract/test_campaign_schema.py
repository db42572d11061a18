"""The committed JSON schema of a campaign is the one the API serves and checks by."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from uncap.routes.console.campaigns import read_schema
from uncap.services.campaign_forms import NewCampaign

FILE = Path(__file__).parents[2] / "docs/campaign.schema.json"


def test_the_published_schema_is_current() -> None:
    """If this fails: `uncap campaign schema > docs/campaign.schema.json`."""
    published = json.loads(FILE.read_text())
    assert published == json.loads(json.dumps(read_schema()))
    Draft202012Validator.check_schema(published)


def test_it_describes_every_field_that_is_sent() -> None:
    described = json.loads(FILE.read_text())["$defs"]["NewCampaign"]["properties"]
    assert set(described) == set(NewCampaign.__struct_fields__)
