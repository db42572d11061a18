"""The WeChat Pay transfer rail: merchant to person, confirmed by the person in WeChat. Built by `registry.py`.

Protocol: pay.weixin.qq.com/docs/merchant/apis/mch-trans/transfer-bill (since 2025). The bill number is the idempotency
key: the same number with the same parameters answers with the bill's present state, so sending again is always safe.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping

import msgspec

from uncap.adapters.rails import wechat_statement
from uncap.adapters.rails.wechat_answers import (
    ALREADY_EXISTS,
    CONFIRM_LIFETIME_MS,
    BillDocument,
    error_code,
    outcome_of_bill,
    outcome_of_error,
)
from uncap.adapters.rails.wechat_crypto import Keyring, RailKeys, encrypt_field, open_resource
from uncap.adapters.rails.wechat_http import Reply, WechatHttp
from uncap.domain.errors import AuthError, InputError, TransientError
from uncap.domain.rails import (
    CallbackNotice,
    FailedFinal,
    NotAccepted,
    Paid,
    PayInstruction,
    RailCapabilities,
    RailOutcome,
    Scene,
    StatementLine,
    Unknown,
    check_instruction,
)

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
FINISHED = "MCHTRANSFER.BILL.FINISHED"
_DAY_MS = 86_400_000
_TEXT_LIMIT = 32
_NAME_TAKEN_FROM = 30
_MAX_CALLBACK_BYTES = 64 << 10

# Scene code, the perception shown to the person, and what must be reported (doc/v3/merchant/4013774588).
_SCENES: dict[Scene, tuple[str, str, str, str]] = {
    Scene.MARKETING: ("1000", "活动奖励", "活动名称", "奖励说明"),
    Scene.COMMISSION: ("1005", "劳务报酬", "岗位类型", "报酬说明"),
}


class _Resource(msgspec.Struct, frozen=True):
    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    id: str
    event_type: str
    resource: _Resource


class WechatTransferRail:
    """`domain.rails.Rail` over WeChat Pay. Safe to share between threads."""

    def __init__(
        self,
        keys: RailKeys,
        base_url: str,
        *,
        now_ms: Callable[[], int],
        nonce: Callable[[], str],
        timeout_ms: int = 5_000,
        account_type: str = "OPERATION",
        max_minor: int | None = None,
    ) -> None:
        """`account_type` is the merchant account transfers are paid from; `max_minor` the merchant's own ceiling."""
        self._keyring = Keyring(keys)
        self._http = WechatHttp(self._keyring, base_url, timeout_ms=timeout_ms, now_ms=now_ms, nonce=nonce)
        self._account_type = account_type
        self._capabilities = RailCapabilities(
            name="wechat_transfer",
            currencies=("CNY",),
            key_pattern=r"[0-9A-Za-z]{1,32}",
            key_lifetime_ms=30 * _DAY_MS,
            query_window_ms=30 * _DAY_MS,
            rate_per_s=100,
            min_minor=10,
            max_minor=max_minor,
            name_from_minor=200_000,
            needs_user_action=True,
            action_lifetime_ms=CONFIRM_LIFETIME_MS,
            has_callbacks=True,
            has_statement=True,
        )

    @property
    def capabilities(self) -> RailCapabilities:
        """See `domain.rails.Rail`."""
        return self._capabilities

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        """See `domain.rails.Rail`. Anything but a proven 200 leaves the bill number as it was."""
        check_instruction(instruction, self._capabilities)
        body = msgspec.json.encode(self._transfer(instruction))
        try:
            reply = self._http.call("POST", BILLS, body)
        except TransientError as error:
            return Unknown(reason=error.code)
        if reply.status != 200 and error_code(reply) == ALREADY_EXISTS:
            return self._adopt(instruction)
        outcome, _ = self._read(reply, instruction.bill_no)
        if isinstance(outcome, FailedFinal):
            # This reply has no reason in it, and whether the bill expired or was refused decides what comes next.
            return self.query(instruction.bill_no)
        return outcome

    def query(self, bill_no: str) -> RailOutcome:
        """See `domain.rails.Rail`. The rail answers for bills of the last 30 days."""
        outcome, _ = self._query(bill_no)
        return outcome

    def cancel(self, bill_no: str) -> RailOutcome:
        """See `domain.rails.Rail`. CANCELING is Accepted; a refusal is followed by a query: the rail's state wins."""
        try:
            reply = self._http.call("POST", f"{self._address(bill_no)}/cancel")
        except TransientError as error:
            return Unknown(reason=error.code)
        outcome, _ = self._read(reply, bill_no)
        if isinstance(outcome, NotAccepted) and outcome.hold:
            return self.query(bill_no)
        return outcome

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        """See `domain.rails.Rail`. Signature, age, key, seal and merchant are all proven before a field is believed."""
        if len(body) > _MAX_CALLBACK_BYTES:
            raise InputError("callback_too_long", f"a notice has at most {_MAX_CALLBACK_BYTES} bytes")
        self._http.check_callback(headers, body)
        try:
            envelope = msgspec.json.decode(body, type=_Envelope)
            if envelope.event_type != FINISHED or envelope.resource.algorithm != "AEAD_AES_256_GCM":
                raise InputError("callback_unsupported", "not a sealed notice of a finished transfer")
            sealed = envelope.resource
            opened = open_resource(
                self._keyring.api_v3_key,
                nonce=sealed.nonce,
                associated_data=sealed.associated_data,
                ciphertext=sealed.ciphertext,
            )
            bill = msgspec.json.decode(opened, type=BillDocument)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The cause is cut off: it may quote the opened notice.
            raise InputError("callback_malformed", "the notice is not in the documented form") from None
        return self._notice(envelope.id, bill)

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        """See `domain.rails.Rail`. The day is Beijing's; ready from 10:00 the next morning."""
        return wechat_statement.fetch(self._http, date, self._account_type)

    def _transfer(self, instruction: PayInstruction) -> dict[str, object]:
        scene, perception, about, why = _SCENES[instruction.scene]
        name = instruction.user_name
        return {
            "appid": self._keyring.appid,
            "out_bill_no": instruction.bill_no,
            "transfer_scene_id": scene,
            "openid": instruction.payee,
            "transfer_amount": instruction.amount_minor,
            "transfer_remark": instruction.reward_note[:_TEXT_LIMIT],
            "user_recv_perception": perception,
            "transfer_scene_report_infos": [
                {"info_type": about, "info_content": instruction.campaign_name[:_TEXT_LIMIT]},
                {"info_type": why, "info_content": instruction.reward_note[:_TEXT_LIMIT]},
            ],
            **({"notify_url": instruction.notify_url} if instruction.notify_url else {}),
            # Below 0.3 yuan the rail refuses a name instead of ignoring it.
            **(
                {"user_name": encrypt_field(self._keyring.platform_key, name)}
                if name and instruction.amount_minor >= _NAME_TAKEN_FROM
                else {}
            ),
        }

    def _address(self, bill_no: str) -> str:
        if not (bill_no.isascii() and bill_no.isalnum() and len(bill_no) <= 32):
            raise InputError("bill_no_malformed", "a bill number is up to 32 letters and digits", where="bill_no")
        return f"{BILLS}/out-bill-no/{bill_no}"

    def _query(self, bill_no: str) -> tuple[RailOutcome, BillDocument | None]:
        try:
            reply = self._http.call("GET", self._address(bill_no))
        except TransientError as error:
            return Unknown(reason=error.code), None
        return self._read(reply, bill_no)

    def _read(self, reply: Reply, bill_no: str) -> tuple[RailOutcome, BillDocument | None]:
        if reply.status != 200:
            return outcome_of_error(reply), None
        if reply.problem:
            return Unknown(reason=reply.problem), None
        try:
            bill = msgspec.json.decode(reply.body, type=BillDocument)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Unknown(reason="reply_malformed", hold=True), None
        if bill.out_bill_no != bill_no:
            return Unknown(reason="reply_for_another_bill", hold=True), None
        return outcome_of_bill(bill), bill

    def _adopt(self, instruction: PayInstruction) -> RailOutcome:
        # The rail says the number exists with other parameters; only a bill that is ours after all may be believed.
        outcome, bill = self._query(instruction.bill_no)
        if bill is None:
            return outcome
        if bill.transfer_amount != instruction.amount_minor or bill.openid not in {"", instruction.payee}:
            return Unknown(reason="bill_differs", hold=True)
        return outcome

    def _notice(self, event_id: str, bill: BillDocument) -> CallbackNotice:
        if bill.mch_id != self._keyring.mchid:
            raise AuthError("rail_other_merchant", "the notice is about another merchant's transfer")
        outcome = outcome_of_bill(bill)
        if not isinstance(outcome, Paid | FailedFinal) or bill.transfer_amount is None:
            raise InputError(
                "callback_unsupported", "a notice of a finished transfer names a final state and an amount"
            )
        return CallbackNotice(
            event_id=event_id,
            bill_no=bill.out_bill_no,
            amount_minor=bill.transfer_amount,
            outcome=outcome,
            account=bill.mch_id,
        )
