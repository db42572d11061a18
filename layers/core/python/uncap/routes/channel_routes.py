"""The channel API: redeeming, claims, the wallet, and the pages of all three. Mounted by `channel_mount.py`.

Apart from the scan path: it writes money, and nobody waits for it with a bottle in hand. GET never changes anything but
the session and the code a right is found by.
"""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

from uncap.domain.errors import InputError, NotFoundError, UncapError
from uncap.domain.sessions import Session, check_csrf, csrf_token
from uncap.routes.channel_desk import (
    ActForm,
    AddressForm,
    AddressInput,
    ChannelDesk,
    ClaimsReply,
    CollectForm,
    JoinForm,
    NamedReply,
    NameForm,
    NameInput,
    RedemptionForm,
    RedemptionInput,
)
from uncap.routes.problems import status_of
from uncap.routes.requests import Request
from uncap.routes.scan_replies import Meter, count_error, json_reply, session_cookie
from uncap.services.collect_reward import give_name
from uncap.services.give_address import give_address
from uncap.services.join_party import as_member, believed, join_party
from uncap.services.open_session import OpenSession, require_session, session_for_page
from uncap.services.read_wallet import collect_again, read_wallet
from uncap.services.read_workspace import read_workspace
from uncap.services.redeem_right import Receipt, Wanted, redeem_right
from uncap.services.replenish import Act, decide_for_party
from uncap.services.sign_in_person import AsksElsewhere
from webui import channel_page
from webui.channel_views import NOTHING_TYPED, ReceiptView, Typed, WalletView, WorkspaceView
from webui.i18n import locale_of
from webui.security import page_headers

WALLET, OUTLET, SDK = "/wallet", "/outlet", "/v1/wechat/signature"
_REDEMPTION = msgspec.json.Decoder(RedemptionInput)
_ACT = msgspec.json.Decoder(Act)
_NAME = msgspec.json.Decoder(NameInput)
_ADDRESS = msgspec.json.Decoder(AddressInput)
_KEY_BYTES = 16
_MAX_URL = 500


class ChannelApi:
    """One method per route."""

    def __init__(self, desk: ChannelDesk) -> None:
        self._desk = desk
        self._public_host = urlsplit(desk.link_base).netloc.lower()

    @property
    def meter(self) -> Meter:
        """Where errors are counted."""
        return self._desk.meter

    def redeem(self, request: Request) -> Response[str]:
        """A right redeemed by a member's program."""
        now_ms = self._desk.clock_ms()
        opened = self._member(request, now_ms)
        body = request.json(_REDEMPTION)
        receipt = redeem_right(self._desk.redeem, opened.session, Wanted(body.code, body.key, body.campaign_id), now_ms)
        self._desk.meter.count("RightRedeemed")
        return json_reply(receipt)

    def claims(self, request: Request) -> Response[str]:
        """The caller's party: its vouchers, credit, claims and steps."""
        opened = self._member(request, self._desk.clock_ms())
        view = read_workspace(self._desk.workspace, opened.session)
        return json_reply(msgspec.convert(view, ClaimsReply, from_attributes=True))

    def decide(self, request: Request, claimant: str) -> Response[str]:
        """A claim on the caller's party approved or settled."""
        now_ms = self._desk.clock_ms()
        opened = self._member(request, now_ms)
        session, act = opened.session, request.json(_ACT)
        return json_reply(decide_for_party(self._desk.replenish, session.party, session.person, claimant, act, now_ms))

    def wallet(self, request: Request) -> Response[str]:
        """The caller's own rewards."""
        return self._wallet(request)

    def collect(self, request: Request) -> Response[str]:
        """A reward that expired unconfirmed is sent again."""
        form = request.form(CollectForm)
        try:
            session = self._by_form(request, form.csrf)
            collect_again(self._desk.wallet, session, form.reward_id, self._desk.clock_ms())
        except UncapError as error:
            return self._wallet(request, error=error)
        return _see(f"{WALLET}?{urlencode({'done': 'collect'})}")

    def name_form(self, request: Request) -> Response[str]:
        """The page's form: the name of a payee whose payout waits for it."""
        form = request.form(NameForm)
        try:
            give_name(self._desk.names, self._by_form(request, form.csrf), form.reward_id, form.name)
        except UncapError as error:
            return self._wallet(request, error=error)
        return _see(f"{WALLET}?{urlencode({'done': 'name'})}")

    def give_name(self, request: Request, reward_id: str) -> Response[str]:
        """The same by a person's program."""
        reward = give_name(self._desk.names, self._owner(request), reward_id, request.json(_NAME).name)
        return json_reply(NamedReply(reward.reward_id, str(reward.state)))

    def address_form(self, request: Request) -> Response[str]:
        """The page's form: where a prize is to be sent; what was typed stays on the page if it is refused."""
        form = request.form(AddressForm)
        typed = (form.name, form.phone, form.address)
        try:
            give_address(self._desk.addresses, self._by_form(request, form.csrf), form.reward_id, *typed)
        except UncapError as error:
            return self._wallet(request, error=error, typed=Typed(form.reward_id, *typed, wrong=error.where))
        return _see(f"{WALLET}?{urlencode({'done': 'address'})}")

    def give_address(self, request: Request, reward_id: str) -> Response[str]:
        """The same by a person's program."""
        session, body = self._owner(request), request.json(_ADDRESS)
        reward = give_address(self._desk.addresses, session, reward_id, body.name, body.phone, body.address)
        return json_reply(NamedReply(reward.reward_id, str(reward.state)))

    def outlet(self, request: Request) -> Response[str]:
        """The party's page; a code in the address is filled into the form and nothing more."""
        return self._outlet(request, code=request.query("code")[:40])

    def sign_page(self, request: Request) -> Response[str]:
        """WeChat's signature for a page of ours that opens its scanner."""
        require_session(self._desk.session, request.require_session_token(), self._desk.clock_ms())
        if self._desk.sdk is None:
            raise NotFoundError("sdk_not_configured", "WeChat's scanner is not set up here.")
        url = request.query("url")[:_MAX_URL]
        base = self._desk.link_base or request.origin
        if url.partition("?")[0] != base + OUTLET or "#" in url:
            raise InputError("page_not_ours", "That is not one of our pages.", where="url")
        return json_reply(self._desk.sdk.config(url))

    def redeem_form(self, request: Request) -> Response[str]:
        """The page's form: the receipt, or why not; the key stays, so that trying again is the same redemption."""
        form = request.form(RedemptionForm)
        now_ms = self._desk.clock_ms()
        try:
            member = as_member(self._desk.members, self._by_form(request, form.csrf), now_ms, fresh=True)
            receipt = redeem_right(self._desk.redeem, member.session, Wanted(form.code, form.key), now_ms)
        except UncapError as error:
            return self._outlet(request, error=error, code=form.code, key=form.key)
        self._desk.meter.count("RightRedeemed")
        return self._outlet(request, receipt=receipt)

    def join_form(self, request: Request) -> Response[str]:
        """A visitor joins a party by the code of an invitation."""
        form = request.form(JoinForm)
        try:
            session = self._by_form(request, form.csrf)
            opened = join_party(self._desk.members, session, form.code, self._desk.clock_ms())
        except UncapError as error:
            return self._outlet(request, error=error)
        reply = _see(OUTLET)
        reply.cookies = session_cookie(request, opened)
        return reply

    def decide_form(self, request: Request) -> Response[str]:
        """The distributor's page: a step of a claim."""
        form = request.form(ActForm)
        now_ms = self._desk.clock_ms()
        try:
            member = as_member(self._desk.members, self._by_form(request, form.csrf), now_ms, fresh=True).session
            act = _act_of(form)
            decide_for_party(self._desk.replenish, member.party, member.person, form.claimant, act, now_ms)
        except UncapError as error:
            return self._outlet(request, error=error)
        return _see(f"{OUTLET}?{urlencode({'done': form.kind})}")

    def _wallet(self, request: Request, error: UncapError | None = None, typed: Typed = NOTHING_TYPED) -> Response[str]:
        now_ms = self._desk.clock_ms()
        opened = session_for_page(self._desk.session, request.cookie(), now_ms)
        if (elsewhere := self._sign_in(opened, WALLET)) is not None:
            return elsewhere
        base = self._desk.link_base or request.origin
        entries = read_wallet(self._desk.wallet, opened.session, now_ms, back=base + WALLET)
        csrf = csrf_token(self._desk.session.keys(), opened.session)
        done = request.query("done") if request.query("done") in ("collect", "name", "address") else ""
        view = WalletView(entries, csrf, self._word(error), done, typed)
        return self._html(request, opened, error, lambda locale: channel_page.wallet(view, locale, base + OUTLET))

    def _outlet(
        self,
        request: Request,
        *,
        error: UncapError | None = None,
        receipt: Receipt | None = None,
        code: str = "",
        key: str = "",
    ) -> Response[str]:
        now_ms = self._desk.clock_ms()
        opened = session_for_page(self._desk.session, request.cookie(), now_ms)
        if (elsewhere := self._sign_in(opened, OUTLET)) is not None:
            return elsewhere
        known = believed(self._desk.members, opened.session, now_ms, fresh=True)
        session = known.session
        view = read_workspace(self._desk.workspace, session) if session.party else WorkspaceView()
        view = msgspec.structs.replace(
            view,
            csrf=csrf_token(self._desk.session.keys(), session),
            key=key or self._desk.session.random_bytes(_KEY_BYTES).hex(),
            wechat=SDK if self._in_wechat(request) else "",
            code=code,
            error=self._word(error),
            done=request.query("done") if request.query("done") in ("approve", "goods", "credit") else "",
            receipt=self._receipt(receipt),
        )
        shown = known if known.token else opened
        return self._html(request, shown, error, lambda locale: channel_page.workspace(view, locale))

    def _in_wechat(self, request: Request) -> bool:
        return self._desk.sdk is not None and "MicroMessenger" in request.headers.get("user-agent", "")

    def _receipt(self, receipt: Receipt | None) -> ReceiptView | None:
        if receipt is None:
            return None
        product = self._desk.redeem.catalog.product(receipt.gtin)
        name = product.name if product else receipt.prize
        return ReceiptView(name, receipt.collect_minor, receipt.fee_minor, receipt.currency)

    def _html(
        self, request: Request, opened: OpenSession, error: UncapError | None, page: Callable[[str], str]
    ) -> Response[str]:
        locale = locale_of(request.query("lang") or request.headers.get("accept-language", ""))
        headers = {
            **page_headers(
                style_sources=(channel_page.style_source(),),
                script_source=channel_page.WECHAT_SCRIPT if self._in_wechat(request) else "",
            ),
            "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
            "Vary": "Accept-Language, Accept-Encoding",
        }
        reply = Response(status_of(error) if error else 200, body=page(locale), headers=headers, compress=True)
        reply.cookies = session_cookie(request, opened)
        return reply

    def _word(self, error: UncapError | None) -> str:
        """The error's code for the page; what is ours to mend is not the page's to explain."""
        if error is None:
            return ""
        count_error(error, self._desk.meter)
        if status_of(error) == 500:
            raise error
        return error.code

    def _sign_in(self, opened: OpenSession, page: str) -> Response[str] | None:
        if opened.session.person or not isinstance(self._desk.session.provider, AsksElsewhere):
            return None
        return _see(f"/v1/sign-in?{urlencode({'to': page})}")

    def _owner(self, request: Request) -> Session:
        """Who a person's program speaks for."""
        token = request.require_session_token()
        if not request.bearer():
            request.require_same_origin(self._public_host)
        return require_session(self._desk.session, token, self._desk.clock_ms())

    def _member(self, request: Request, now_ms: int) -> OpenSession:
        return as_member(self._desk.members, self._owner(request), now_ms, fresh=True)

    def _by_form(self, request: Request, csrf: str) -> Session:
        session = require_session(self._desk.session, request.cookie(), self._desk.clock_ms())
        check_csrf(self._desk.session.keys(), session, csrf)
        return session


def _see(address: str) -> Response[str]:
    """303: the page is got anew, so that a reload repeats nothing."""
    return Response(303, body="", headers={"Location": address, "Cache-Control": "no-store"})


def _act_of(form: ActForm) -> Act:
    given = {"kind": form.kind, "gtin": form.gtin, "pieces": int(form.pieces), "key": form.key}
    try:
        return msgspec.convert(given | {"reference": form.reference, "amount_minor": form.amount_minor}, Act)
    except msgspec.ValidationError as cause:
        raise InputError("body_invalid", str(cause).partition(" - at ")[0], where="form") from cause
