"""Every sentence the scan page says about a verdict, a reward or a refusal: one table each, in English.

`msg` marks a text for extraction (`python -m dev.messages`); locales/ hold its translations. Used by
`webui.scan_page` on the server and by `dev.build_web`, which puts `client_texts` into scan.js.
"""

from collections.abc import Callable

import msgspec


def msg(text: str) -> str:
    """Marks a text for extraction and returns it unchanged; it is translated where it is shown."""
    return text


class Verdict(msgspec.Struct, frozen=True):
    """What the mark, the title and the sentence under it say. `tone` picks colour and mark: ok info warn danger."""

    tone: str
    title: str
    body: str


class RewardText(msgspec.Struct, frozen=True):
    """A reward's state in words. `step` of 3 on its way (0: no way to show); `final` ends the polling."""

    title: str
    body: str
    step: int = 0
    final: bool = False


# Keys: "not_issued", a status, "inner" / "outer_clone", or a reason of docs/architecture.md.
VERDICTS: dict[str, Verdict] = {
    "not_issued": Verdict(
        "danger",
        msg("Not our code"),
        msg("We have not issued this code, so we cannot stand behind what carries it."),
    ),
    "claimable": Verdict(
        "ok",
        msg("Genuine code, not claimed yet"),
        msg("We issued this code, and nobody has claimed it before you."),
    ),
    "claimed_by_you": Verdict("ok", msg("Claimed by you"), msg("This code is recorded as yours.")),
    "claimed": Verdict(
        "warn",
        msg("Already claimed"),
        msg("We issued this code, but somebody has claimed it before. A code counts once."),
    ),
    "outer_code": Verdict(
        "info",
        msg("Issued by us"),
        msg("The code on the outside can be copied, so it does not prove the contents. The code inside does."),
    ),
    "outer_clone": Verdict(
        "warn",
        msg("Issued by us, but scanned unusually often"),
        msg("This code may have been copied. Only the code inside the pack can tell you more."),
    ),
    "not_activated": Verdict(
        "info",
        msg("Not released for sale yet"),
        msg("We issued this code, but it has not been activated. Nothing is lost: no prize has been used up."),
    ),
    "not_assigned": Verdict(
        "info",
        msg("Printed, but not in use yet"),
        msg("We issued this code, but it does not belong to any product yet. Nothing is lost by scanning it."),
    ),
    "line_rejected": Verdict(
        "danger",
        msg("Taken out at the factory"),
        msg("This item was rejected on our line and should never have been sold."),
    ),
    "decommissioned": Verdict(
        "warn",
        msg("This code was withdrawn"),
        msg("We issued this code and later withdrew or replaced it."),
    ),
    "recalled": Verdict(
        "danger",
        msg("Recalled: do not drink"),
        msg("We have recalled the batch this item belongs to."),
    ),
    "frozen": Verdict(
        "warn",
        msg("On hold while we check"),
        msg("We issued this code. Its batch is being checked, and prizes rest until that is done."),
    ),
    "campaign_not_started": Verdict("ok", msg("Issued by us"), msg("The campaign for this item has not started yet.")),
    "campaign_ended": Verdict("ok", msg("Issued by us"), msg("The campaign for this item is over.")),
    "campaign_paused": Verdict("ok", msg("Issued by us"), msg("The campaign for this item is paused.")),
    "no_campaign": Verdict("ok", msg("Issued by us"), msg("There is no campaign for this item.")),
    "issued": Verdict("info", msg("Issued by us"), msg("This code cannot be claimed at the moment.")),
}

# What to do, as a short list; a verdict without an entry needs no advice.
ADVICE: dict[str, tuple[str, ...]] = {
    "not_issued": (
        msg("Scan once more, straight from the pack: a damaged code can be misread."),
        msg("If the result stays the same, do not drink it. Keep the pack and the receipt."),
        msg("Tell the shop, or call 12315, the consumer hotline in China."),
    ),
    "claimed": (
        msg("If somebody at your table scanned it, all is well: the claim is theirs."),
        msg("If you opened it yourself just now, keep the pack, the cap and the receipt and tell the shop."),
    ),
    "outer_code": (msg("Open the pack and scan the code inside: it checks the contents and holds the prize."),),
    "outer_clone": (
        msg("Check that the seal is whole before you open it."),
        msg("Open the pack and scan the code inside. If it is claimed already, keep everything and tell the shop."),
    ),
    "not_activated": (
        msg("Keep the pack and scan again after you have bought it."),
        msg("If a shop sold it to you already, scan again tomorrow."),
    ),
    "not_assigned": (msg("If it is on something you bought, keep the pack and tell us or the shop."),),
    "line_rejected": (
        msg("Please do not drink it."),
        msg("Keep the pack and the receipt and take them back to the shop."),
    ),
    "decommissioned": (msg("Look for another code on the pack. If there is none, take it back to the shop."),),
    "recalled": (
        msg("Do not drink it, even if it looks and smells right."),
        msg("Take it back to the shop to return it."),
    ),
    "frozen": (
        msg("Please wait before drinking it, and keep the pack."),
        msg("Scan again in a day or two. Your chance to claim is kept."),
    ),
    "campaign_not_started": (msg("Keep the code and scan it again once the campaign has started."),),
    "campaign_paused": (msg("Keep the code and scan it again later."),),
}

# Keys: the states of docs/architecture.md; "" is the time between the claim and the grant. BY_REASON divides two more.
REWARDS: dict[str, RewardText] = {
    "": RewardText(msg("Being confirmed"), msg("Your claim is recorded. The result appears here in a moment."), 1),
    "NONE": RewardText(
        msg("No prize this time"),
        msg("Thank you for opening one of ours. The next one has its own chance."),
        final=True,
    ),
    "PENDING": RewardText(msg("You won"), msg("The prize is yours. Paying it out starts by itself."), 1),
    "SUBMITTING": RewardText(msg("On its way"), msg("The payment service has it now. This takes a moment."), 2),
    "ACCEPTED": RewardText(msg("On its way"), msg("The payment service has it now. This takes a moment."), 2),
    "WAIT_USER": RewardText(
        msg("Waiting for your confirmation"),
        msg("One tap, and it is paid out to you. Until then it is kept for you."),
        2,
    ),
    "PAID": RewardText(msg("Paid"), msg("It has been paid out to you."), 3, final=True),
    "FAILED": RewardText(
        msg("The payout did not go through"),
        msg("The payment service refused it. The prize stays in your name; come back to this page to follow it."),
    ),
    "CLAIMABLE": RewardText(
        msg("Still yours to collect"),
        msg("The payout was not confirmed in time and came back. It is kept for you until the campaign's deadline."),
    ),
    "RIGHT": RewardText(msg("You won"), msg("Your wallet has the code for the outlet."), final=True),
    "RELEASED": RewardText(
        msg("No longer available"), msg("The deadline passed before this prize was collected."), final=True
    ),
    "REFUSED": RewardText(
        msg("Not paid out"),
        msg("This prize could not be paid out. Ask us if you think that is wrong."),
        final=True,
    ),
    "AWAITING": RewardText(
        msg("You won"),
        msg("We are still waiting for the papers of this delivery. It is paid out by itself once they are here."),
        1,
    ),
    "HELD": RewardText(
        msg("Being checked by a person"),
        msg("There is nothing you need to do. Come back to this page to see the result."),
    ),
}

# Reasons that make another key of a state; "*" is any other reason.
BY_REASON = {
    "HELD": {"awaiting_shipment": "AWAITING"},
    "CLAIMABLE": {"redeem": "RIGHT"},
    "RELEASED": {"": "RELEASED", "deadline_passed": "RELEASED", "*": "REFUSED"},
}


def reward_key(state: str, reason: str) -> str:
    """The entry of REWARDS for a state and its reason, chosen as in scan.js; "" for a state unknown here."""
    reasons = BY_REASON.get(state, {})
    key = reasons.get(reason) or reasons.get("*") or state
    return key if key in REWARDS else ""


# A payout that waits for the person, where this page knows no address at which to confirm it.
WAIT_ELSEWHERE = msg("It is saved for you. Open this page in WeChat to collect it.")

# Keys: problem codes of a refused claim; "" is the answer to any other one.
ERRORS: dict[str, str] = {
    "person_limit_reached": msg("You have reached the limit for one person. The code is not used up: come back later."),
    "session_expired": msg("The page was open for too long. It is fresh again: please tap once more."),
    "busy": msg("Many people are scanning right now. Nothing is lost: please try again in a moment."),
    "offline": msg("No connection. Nothing is lost: please try again."),
    "": msg("That did not work, and nothing was claimed. Please try again."),
}
# Several refusals that mean the same to a person.
ERROR_ALIASES = {
    "session_invalid": "session_expired",
    "session_required": "session_expired",
    "csrf_invalid": "session_expired",
}
LIMIT_HOURS = msg(" Try again in about {hours} h.")

# Words scan.js needs beside the tables.
CLIENT = {
    "claiming": msg("Claiming…"),
    "locating": msg("Finding your place…"),
    "confirm": msg("Confirm and collect"),
    "points": msg("{points} points"),
    "slow": msg("This takes longer than usual. Your claim is safe: come back to this page at any time."),
}


def client_texts(translate: Callable[[str], str], locale: str) -> dict[str, object]:
    """The tables scan.js works with, translated: rewards as [title, body, step, final]."""
    yours = VERDICTS["claimed_by_you"]
    return {
        "lang": locale,
        "yours": [translate(yours.title), translate(yours.body)],
        "rewards": {
            state: [translate(one.title), translate(one.body), one.step, int(one.final)]
            for state, one in REWARDS.items()
        },
        "byReason": BY_REASON,
        "elsewhere": translate(WAIT_ELSEWHERE),
        "errors": {code: translate(text) for code, text in ERRORS.items()},
        "aliases": ERROR_ALIASES,
        "hours": translate(LIMIT_HOURS),
        **{key: translate(text) for key, text in CLIENT.items()},
    }
