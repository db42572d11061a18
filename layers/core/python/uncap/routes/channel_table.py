"""The channel API's one route table: mounted by `channel_mount.py`, published with the scan API's in /openapi.json,
held true by tests."""

from uncap.adapters.wechat_sdk import SdkConfig
from uncap.domain.replenishment import Claim
from uncap.routes.channel_desk import (
    ActForm,
    AddressForm,
    AddressInput,
    ClaimsReply,
    CollectForm,
    JoinForm,
    NamedReply,
    NameForm,
    NameInput,
    RedemptionForm,
    RedemptionInput,
)
from uncap.routes.openapi import Answer, Content, Parameter, Route
from uncap.routes.resolver import HTML, JSON
from uncap.services.redeem_right import Receipt
from uncap.services.replenish import Act

_FORM = "application/x-www-form-urlencoded"
_BOTH = ("bearer", "session")
_COOKIE = ("session",)
_LANG = Parameter("lang", "query", "zh-CN or en; without it Accept-Language decides")
_SESSION = "`session_required`, `session_invalid`, `session_expired`, `csrf_invalid`"
_BUSY = {503: "try the same again after Retry-After"}
_INPUT = {400: "the request cannot be right", 413: "`body_too_large`", 415: "`media_type_unsupported`"}
_SIGN_IN = Answer(303, "a visitor nobody knows signs in first", (), {"Location": "/v1/sign-in"})
_DONE = Answer(303, "done: back to the page", (), {"Location": "the page"})
_ADDRESS_PROBLEMS = {404: "`reward_not_ready`", 409: "`address_not_wanted`, `reward_moved`"}
_NAME_PROBLEMS = {404: "`reward_not_ready`", 409: "`name_not_wanted`, `reward_moved`"}


def _page(path: str, name: str, summary: str, *parameters: Parameter) -> Route:
    return Route(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        parameters=(_LANG, *parameters),
        answers=(Answer(200, "the page", (Content(HTML),), {"Set-Cookie": "the session"}), _SIGN_IN),
        problems={**_BUSY},
    )


def _form(path: str, name: str, summary: str, kind: type, problems: dict[int, str], *answers: Answer) -> Route:
    """A page's form: refused it is the page again, with the reason on it."""
    refused = {401: _SESSION, **problems}
    return Route(
        method="POST",
        path=path,
        name=name,
        summary=summary,
        parameters=(_LANG,),
        bodies=(Content(_FORM, kind),),
        answers=answers or (_DONE,),
        problems={**_INPUT, **refused, **_BUSY},
        pages=(400, *refused, 503),
        security=_COOKIE,
    )


def _call(
    method: str, path: str, name: str, summary: str, answer: type, problems: dict[int, str], body: object
) -> Route:
    """JSON for programs."""
    fields = [one[1:-1] for one in path.split("/") if one.startswith("{")]
    named = {"claimant": "the party that claims", "reward_id": "as given by a scan"}
    return Route(
        method=method,
        path=path,
        name=name,
        summary=summary,
        parameters=tuple(Parameter(one, "path", named[one]) for one in fields),
        bodies=(Content(JSON, body),) if body else (),
        answers=(Answer(200, "done" if body else "as of now", (Content(JSON, answer),)),),
        problems={**(_INPUT if body else {}), 401: _SESSION, **problems, **_BUSY},
        security=_BOTH,
    )


_REDEEM_PROBLEMS = {
    403: "`intent_not_allowed`, `redemption_own_right`, `redemption_outlet_excluded`, `redemption_out_of_region`",
    404: "`redemption_code_unknown`",
    409: "`redemption_used`, `redemption_expired`, `redemption_held`, `redemption_stopped`, `redemption_not_ready`",
    429: "`redemption_person_limit`, `redemption_tries`",
}
_CLAIM_PROBLEMS = {
    403: "`intent_not_allowed`",
    404: "`claim_unknown`",
    409: "`claim_not_raised`, `claim_not_approved`, `step_differs`",
}
ROUTES: tuple[Route, ...] = (
    _call(
        "POST",
        "/v1/redemptions",
        "redeem",
        "An outlet redeems a pay-N right. Repeat it freely with the same key.",
        Receipt,
        _REDEEM_PROBLEMS,
        RedemptionInput,
    ),
    _call(
        "GET",
        "/v1/replenishments",
        "claims",
        "What the caller's party is owed, and what is claimed of it.",
        ClaimsReply,
        {403: "`intent_not_allowed`"},
        None,
    ),
    _call(
        "POST",
        "/v1/replenishments/{claimant}",
        "decide",
        "A claim on the caller's party approved or settled.",
        Claim,
        _CLAIM_PROBLEMS,
        Act,
    ),
    _call(
        "POST",
        "/v1/rewards/{reward_id}/name",
        "give_name",
        "The payee's name, where a reward waits for it (reason `awaiting_name`). Sealed at once.",
        NamedReply,
        _NAME_PROBLEMS,
        NameInput,
    ),
    _call(
        "POST",
        "/v1/rewards/{reward_id}/address",
        "give_address",
        "Where a prize is to be sent (reason `awaiting_address`), or another place until it is taken over.",
        NamedReply,
        _ADDRESS_PROBLEMS,
        AddressInput,
    ),
    _page("/wallet", "wallet", "The caller's rewards that are kept here or wait."),
    _form(
        "/wallet",
        "collect",
        "A reward that expired unconfirmed is sent again.",
        CollectForm,
        {404: "`reward_not_ready`", 409: "`reward_not_claimable`"},
    ),
    _form("/wallet/name", "name_form", "The payee's name, from the page.", NameForm, _NAME_PROBLEMS),
    _form("/wallet/address", "address_form", "Where a prize is to be sent.", AddressForm, _ADDRESS_PROBLEMS),
    _page("/outlet", "outlet", "The page of a party's people.", Parameter("code", "query", "filled into the form")),
    Route(
        method="GET",
        path="/v1/wechat/signature",
        name="sign_page",
        summary="WeChat's signature for the outlet's page, with which it may open WeChat's scanner.",
        parameters=(Parameter("url", "query", "the page's address without its fragment"),),
        answers=(Answer(200, "for `wx.config`", (Content(JSON, SdkConfig),)),),
        problems={400: "`page_not_ours`", 401: _SESSION, 404: "`sdk_not_configured`", **_BUSY},
        security=_BOTH,
    ),
    _form(
        "/outlet/redeem",
        "redeem_form",
        "A right redeemed from the page.",
        RedemptionForm,
        _REDEEM_PROBLEMS,
        Answer(200, "the page, with what to hand over", (Content(HTML),)),
    ),
    _form(
        "/outlet/join",
        "join_form",
        "A visitor joins a party by an invitation.",
        JoinForm,
        {404: "`invitation_unknown`", 409: "`invitation_used`, `already_member`", 429: "`invitation_tries`"},
    ),
    _form("/outlet/claims", "decide_form", "A step of a claim, from the page.", ActForm, _CLAIM_PROBLEMS),
)
