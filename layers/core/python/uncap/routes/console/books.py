"""The books: statements, settlements, credit notes, clawbacks, taxes, corrections, cases. Mounted by `table.py`."""

from uncap.adapters.account_months import Balance
from uncap.domain.approvals import Proposal
from uncap.domain.books.accounts import Account
from uncap.domain.books.notes import Clawed, CreditNote
from uncap.domain.books.taxes import TaxMonth
from uncap.domain.ledger import JournalEntry
from uncap.routes.console.endpoint import Area, Text
from uncap.services.books_desk import (
    CorrectionForm,
    ReturnForm,
    Why,
    approve_correction,
    approve_settlement,
    approve_take_back,
    list_accounts,
    list_notes,
    notes_table,
    read_settlement,
    request_correction,
    request_settlement,
    request_take_back,
    take_back,
)
from uncap.services.desk import Actor, Desk, Id
from uncap.services.list_entries import Listing, PageQuery
from uncap.services.list_rewards import RewardId
from uncap.services.pay_taxes import (
    TaxForm,
    TaxQuery,
    TaxStatement,
    approve_tax,
    list_taxes,
    pay_tax,
    read_tax,
    request_tax,
)
from uncap.services.read_account import (
    AccountQuery,
    AccountStatement,
    MonthQuery,
    list_balances,
    read_account,
    read_accounts_of,
)
from uncap.services.read_statement import Month, Statement, StatementQuery, read_statement, statement_csv
from uncap.services.review_money import (
    CaseId,
    CaseStep,
    MoneyCaseQuery,
    MoneyCaseView,
    list_money_cases,
    read_money_case,
    step_money_case,
)
from uncap.services.settle_accounts import Settling

BOOKS = Area("rewards")
_CSV = "text/csv; charset=utf-8"


@BOOKS.get("/accounts")
def get_accounts(desk: Desk, query: PageQuery) -> Listing[Account]:
    """The channel's accounts in the order they were opened."""
    return list_accounts(desk, query)


@BOOKS.get("/parties/{party_id}/statement")
def get_statement(desk: Desk, party_id: Id, query: StatementQuery) -> Statement:
    """A party's account in one month: opening, entries, closing."""
    return read_statement(desk.accounts, party_id, query, desk.clock_ms())


@BOOKS.get("/parties/{party_id}/statement/table", media_types=("text/csv",))
def get_statement_table(desk: Desk, party_id: Id, query: StatementQuery) -> Text:
    """The same page as CSV."""
    found = read_statement(desk.accounts, party_id, query, desk.clock_ms())
    name = f'attachment; filename="statement-{party_id}-{found.month}.csv"'
    return Text(statement_csv(found), _CSV, {"Content-Disposition": name})


@BOOKS.get("/parties/{party_id}/accounts")
def get_accounts_of(desk: Desk, party_id: Id, query: MonthQuery) -> Listing[AccountStatement]:
    """Every account kept for a party in one month: opening, what moved it by day and kind, closing."""
    return Listing(read_accounts_of(desk, party_id, query), "")


@BOOKS.get("/ledger/accounts")
def get_ledger_accounts(desk: Desk, query: PageQuery) -> Listing[Balance]:
    """Every account of the ledger with what it holds, by name."""
    return list_balances(desk, query)


@BOOKS.get("/ledger/statement")
def get_ledger_statement(desk: Desk, query: AccountQuery) -> AccountStatement:
    """Any account in one month: opening, what moved it by day and kind, closing."""
    return read_account(desk, query)


@BOOKS.get("/taxes")
def get_taxes(desk: Desk, query: PageQuery) -> Listing[TaxMonth]:
    """Months whose withheld tax was paid, the latest first."""
    return list_taxes(desk, query)


@BOOKS.get("/taxes/{month}")
def get_tax(desk: Desk, month: Month, query: TaxQuery) -> TaxStatement:
    """What was withheld in a month, and what of it has been paid."""
    return read_tax(desk, month, query)


@BOOKS.post("/taxes/{month}")
def post_tax(desk: Desk, actor: Actor, month: Month, body: TaxForm) -> TaxMonth:
    """Record that the tax office has been paid. A receipt counts once."""
    return pay_tax(desk, actor, month, body)


@BOOKS.post("/taxes/{month}/request", status=202)
def post_tax_request(desk: Desk, actor: Actor, month: Month, body: TaxForm) -> Proposal:
    """Ask for a payment above the limit to be recorded."""
    return request_tax(desk, actor, month, body)


@BOOKS.post("/taxes/{month}/approve", action="approve")
def post_tax_approval(desk: Desk, actor: Actor, month: Month, body: TaxForm) -> TaxMonth:
    """Record it, as someone else has asked with the same form."""
    return approve_tax(desk, actor, month, body)


@BOOKS.get("/settlement")
def get_settlement(desk: Desk) -> Settling:
    """The settlement that runs, or ran last."""
    return read_settlement(desk)


@BOOKS.post("/settlements/{month}", status=202)
def post_settlement(desk: Desk, actor: Actor, month: Month, body: Why) -> Proposal:
    """Ask that a month's accounts be settled by credit notes."""
    return request_settlement(desk, actor, month, body)


@BOOKS.post("/settlements/{month}/approve", action="approve", status=202)
def post_settlement_approval(desk: Desk, actor: Actor, month: Month) -> Settling:
    """Release a month that someone else has asked for."""
    return approve_settlement(desk, actor, month)


@BOOKS.get("/settlements/{month}/notes")
def get_notes(desk: Desk, month: Month, query: PageQuery) -> Listing[CreditNote]:
    """A month's credit notes by number."""
    return list_notes(desk, month, query)


@BOOKS.get("/settlements/{month}/notes/table", media_types=("text/csv",))
def get_notes_table(desk: Desk, month: Month, query: PageQuery) -> Text:
    """The same page as CSV."""
    name = f'attachment; filename="credit-notes-{month}.csv"'
    return Text(notes_table(desk, month, query), _CSV, {"Content-Disposition": name})


@BOOKS.post("/rewards/{reward_id}/clawback")
def post_clawback(desk: Desk, actor: Actor, reward_id: RewardId, body: ReturnForm) -> Clawed:
    """Take back what returned goods had earned."""
    return take_back(desk, actor, reward_id, body)


@BOOKS.post("/rewards/{reward_id}/clawback/request", status=202)
def post_clawback_request(desk: Desk, actor: Actor, reward_id: RewardId, body: ReturnForm) -> Proposal:
    """Ask for a clawback below the account's limit."""
    return request_take_back(desk, actor, reward_id, body)


@BOOKS.post("/rewards/{reward_id}/clawback/approve", action="approve")
def post_clawback_approval(desk: Desk, actor: Actor, reward_id: RewardId, body: ReturnForm) -> Clawed:
    """Agree to a clawback below the account's limit: the same form again."""
    return approve_take_back(desk, actor, reward_id, body)


@BOOKS.post("/corrections/{correction_id}", status=202)
def post_correction(desk: Desk, actor: Actor, correction_id: Id, body: CorrectionForm) -> Proposal:
    """Ask for a correcting entry."""
    return request_correction(desk, actor, correction_id, body)


@BOOKS.post("/corrections/{correction_id}/approve", action="approve")
def post_correction_approval(desk: Desk, actor: Actor, correction_id: Id, body: CorrectionForm) -> JournalEntry:
    """Agree to a correcting entry: the same form again."""
    return approve_correction(desk, actor, correction_id, body)


@BOOKS.get("/money-cases")
def get_money_cases(desk: Desk, query: MoneyCaseQuery) -> Listing[MoneyCaseView]:
    """Differences with the rail's statement and other money cases, the latest first."""
    return list_money_cases(desk, query)


@BOOKS.get("/money-cases/{case_id}")
def get_money_case(desk: Desk, case_id: CaseId) -> MoneyCaseView:
    """One money case with its steps and its age."""
    return read_money_case(desk, case_id)


@BOOKS.post("/money-cases/{case_id}")
def post_money_case(desk: Desk, actor: Actor, case_id: CaseId, body: CaseStep) -> MoneyCaseView:
    """Explain a money case, resolve it by a correction, or open it again."""
    return step_money_case(desk, actor, case_id, body)
