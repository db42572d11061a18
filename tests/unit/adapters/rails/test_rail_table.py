"""docs/rewards.md says of every code and reason what the two tables in the code say, and nothing else."""

import re
from pathlib import Path

from tests.unit.domain.rewards.rewards import NOW, submitting
from uncap.adapters.rails.wechat_answers import ALREADY_EXISTS, ERRORS, FAIL_REASONS, BillDocument, outcome_of_bill
from uncap.domain.rails import NotAccepted
from uncap.domain.rewards.outcomes import COME_BACK, NOT_THIS_PERSON, apply_outcome
from uncap.domain.rewards.reward import State

DOCS = Path(__file__).parents[4] / "docs/rewards.md"


def rows(title: str) -> dict[str, str]:
    """Code → what we do, from the table under this heading."""
    table = DOCS.read_text().split(f"| {title} | we |\n| --- | --- |\n")[1].split("\n\n")[0]
    found: dict[str, str] = {}
    for line in table.splitlines():
        codes, reaction = line.strip("| ").split(" | ")
        found |= dict.fromkeys(re.findall(r"`([A-Z][A-Z0-9_]+)`", codes), reaction)
    return found


def test_every_reply_code_is_written_down_with_what_we_do() -> None:
    written = rows("code in a reply")
    assert set(written) == {*ERRORS, "NOT_FOUND", ALREADY_EXISTS}
    for code, outcome in ERRORS.items():
        assert outcome.hold == written[code].startswith("HELD"), code
        if isinstance(outcome, NotAccepted) and not outcome.hold:
            assert "the same bill" in written[code], code


def test_every_fail_reason_does_what_is_written() -> None:
    written = rows("`fail_reason`")
    assert {*FAIL_REASONS} <= set(written)
    known = {code.lower() for code in written}
    assert known >= (COME_BACK - set(FAIL_REASONS.values())) | NOT_THIS_PERSON
    for reason, reaction in written.items():
        outcome = outcome_of_bill(BillDocument(out_bill_no="B", state="FAIL", fail_reason=reason))
        ended = apply_outcome(submitting(), 1, outcome, NOW).reward
        assert ended.state is State(reaction.split(":")[0].split(" ")[0]), reason
