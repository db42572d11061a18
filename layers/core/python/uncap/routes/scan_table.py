"""The scan API's one route table: mounted by `scan_routes.py`, published by `openapi.py`, held true by tests."""

from uncap.routes.member_routes import MembershipInput, MembershipReply
from uncap.routes.openapi import Answer, Content, Parameter, Route
from uncap.routes.problems import CONTENT_TYPE as PROBLEM_TYPE
from uncap.routes.problems import Problem
from uncap.routes.requests import COOKIE
from uncap.routes.resolver import HTML, JSON, LINKSET, Description, Linkset
from uncap.routes.scan_schemas import CodeFacts, ScanForm, ScanInput, ScanReply, SessionInput, SessionReply
from uncap.services.read_reward import RewardReply

TITLE, VERSION = "uncap scan API", "1"
SECURITY_SCHEMES: dict[str, dict[str, object]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}

_CODE_PATH = "/01/{gtin}/21/{serial}"
_CODE_PARAMETERS = (
    Parameter("gtin", "path", "GTIN-14 (GS1 AI 01)"),
    Parameter("serial", "path", "serial (GS1 AI 21)"),
)
_VIEW_PARAMETERS = (
    *_CODE_PARAMETERS,
    Parameter("linkType", "query", "a GS1 link type, or `linkset`"),
    Parameter("lang", "query", "zh-CN or en; without it Accept-Language decides"),
)
_VIEWS = (Content(HTML), Content(JSON, CodeFacts), Content(LINKSET, Linkset))
_HEADS = (Content(HTML), Content(JSON), Content(LINKSET))
_PROBLEM = Content(PROBLEM_TYPE, Problem)
_NOT_ISSUED = Answer(
    404,
    "nobody issued this code: a page, or a problem (`code_not_issued`, `link_type_unknown`) for programs",
    (Content(HTML), _PROBLEM),
)
_MOVED = Answer(
    307,
    "where the page stands, for whoever asks for no HTML; for `gs1:traceability`, where the page about the item stands",
    (),
    {"Location": "an address of ours", "Link": "the linkset"},
)
_LINK = {400: "no link by the standard (`link_…`)"}
_INVALID = {400: "the request cannot be right"}
_SESSION = {401: "`session_required`, `session_invalid`, `session_expired`, `csrf_invalid`"}
_BUSY = {503: "try the same again after Retry-After"}

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path=_CODE_PATH,
        name="show_code",
        summary="What we know about a code. Never consumes anything.",
        parameters=_VIEW_PARAMETERS,
        answers=(
            Answer(200, "issued by us", _VIEWS, {"Set-Cookie": "a session, with pages only"}),
            _MOVED,
            _NOT_ISSUED,
        ),
        problems={**_LINK, 401: "a bearer that is not good (`session_invalid`, `session_expired`)", **_BUSY},
    ),
    Route(
        method="HEAD",
        path=_CODE_PATH,
        name="head_code",
        summary="As GET, without the body.",
        parameters=_VIEW_PARAMETERS,
        answers=(
            Answer(200, "issued by us", _HEADS),
            _MOVED,
            Answer(400, _LINK[400], (_PROBLEM,)),
            Answer(401, "a bearer that is not good", (_PROBLEM,)),
            Answer(404, "nobody issued this code", (Content(HTML), _PROBLEM)),
        ),
        problems={**_BUSY},
    ),
    Route(
        method="OPTIONS",
        path=_CODE_PATH,
        name="options_code",
        summary="Methods and CORS for resolvers' clients.",
        parameters=_CODE_PARAMETERS,
        answers=(Answer(204, "see Allow", (), {"Allow": "the methods"}),),
    ),
    Route(
        method="POST",
        path="/v1/scans",
        name="scan_code",
        summary="Record a scan and claim the code where that is allowed. Repeat it freely with the same claim_id.",
        parameters=(Parameter("lang", "query", "language of the page that answers a form"),),
        bodies=(Content(JSON, ScanInput), Content("application/x-www-form-urlencoded", ScanForm)),
        answers=(Answer(200, "recorded; a form is answered by a page", (Content(JSON, ScanReply), Content(HTML))),),
        problems={
            **_INVALID,
            **_SESSION,
            403: "`intent_not_allowed`, `origin_refused`",
            404: "`code_not_issued`",
            413: "`body_too_large`",
            415: "`media_type_unsupported`",
            429: "`person_limit_reached`; the code is not consumed",
            **_BUSY,
        },
        pages=(401, 404, 429, 503),
        security=("bearer", "session"),
    ),
    Route(
        method="GET",
        path="/v1/rewards/{reward_id}",
        name="show_reward",
        summary="Where one of the caller's own rewards stands.",
        parameters=(Parameter("reward_id", "path", "as given by a scan"),),
        answers=(Answer(200, "granted", (Content(JSON, RewardReply),)),),
        problems={**_SESSION, 404: "`reward_not_ready`; ask again after Retry-After", **_BUSY},
        security=("bearer", "session"),
    ),
    Route(
        method="POST",
        path="/v1/sessions",
        name="open_session",
        summary="A bearer token for a program, from a credential of an identity provider.",
        bodies=(Content(JSON, SessionInput),),
        answers=(Answer(200, "signed in", (Content(JSON, SessionReply),)),),
        problems={
            **_INVALID,
            401: "`credential_invalid`",
            413: "`body_too_large`",
            415: "`media_type_unsupported`",
            **_BUSY,
        },
    ),
    Route(
        method="GET",
        path="/v1/sign-in",
        name="begin_sign_in",
        summary="Sends a page's visitor to the identity provider's own page, where it has one.",
        parameters=(Parameter("to", "query", "the page of ours to come back to"),),
        answers=(Answer(302, "to the provider", (), {"Location": "its page"}),),
        problems={400: "`page_not_ours`, `sign_in_not_offered`", 401: "no session: the page was never opened", **_BUSY},
    ),
    Route(
        method="GET",
        path="/v1/sign-in/return",
        name="finish_sign_in",
        summary="Where the provider sends the visitor back: the same browser's session, now with its person.",
        parameters=(
            Parameter("to", "query", "as it was given"),
            Parameter("code", "query", "the provider's one-time code"),
            Parameter("state", "query", "as it was given to the provider"),
        ),
        answers=(Answer(303, "back to the page", (), {"Location": "the page", "Set-Cookie": "the session"}),),
        problems={
            400: "`page_not_ours`",
            401: "`sign_in_state_invalid`, `credential_invalid`, `session_invalid`, `session_expired`",
            **_BUSY,
        },
    ),
    Route(
        method="POST",
        path="/v1/memberships",
        name="accept_invitation",
        summary="Join a party by the code of an invitation. Once; repeating it gives the same membership.",
        bodies=(Content(JSON, MembershipInput),),
        answers=(Answer(200, "a member from now on", (Content(JSON, MembershipReply),), {"Set-Cookie": "browsers"}),),
        problems={
            **_INVALID,
            **_SESSION,
            403: "`origin_refused`",
            404: "`invitation_unknown`",
            409: "`invitation_used`, `invitation_expired`, `invitation_revoked`, `already_member`, `changed_meanwhile`",
            413: "`body_too_large`",
            415: "`media_type_unsupported`",
            429: "`invitation_tries`",
            **_BUSY,
        },
        security=("bearer", "session"),
    ),
    Route(
        method="GET",
        path="/openapi.json",
        name="show_openapi",
        summary="This document.",
        answers=(Answer(200, "OpenAPI 3.1", (Content(JSON),)),),
    ),
    Route(
        method="GET",
        path="/static/{file}",
        name="show_asset",
        summary="Scripts and styles, under names that carry their hash.",
        parameters=(Parameter("file", "path", "a hashed name"),),
        answers=(Answer(200, "the file; it never changes", (Content("*/*"),)),),
        problems={404: "`asset_not_found`"},
    ),
    Route(
        method="GET",
        path="/.well-known/gs1resolver",
        name="show_resolver",
        summary="GS1 resolver description file.",
        answers=(Answer(200, "what this resolver supports", (Content(JSON, Description),)),),
    ),
)
