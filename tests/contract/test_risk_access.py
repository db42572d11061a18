"""The relay sees payees only where a deployment asks the rail about people: nobody who leaves that off grants it."""

from tests.contract.test_template_data import ACCESS, ROLES, load

RANK_SECRETS = ("payee-keys", "wechat-app")


def test_payees_are_opened_by_the_relay_only_where_ranks_are_asked_for() -> None:
    policy = ACCESS["Resources"]["RankPolicy"]
    assert policy["Condition"] == "MayAskRank"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    assert all(any(name in str(one) for name in RANK_SECRETS) for one in statement["Resource"])
    users = [name for name, role in ROLES.items() if "RankPolicy" in str(role.get("ManagedPolicyArns"))]
    assert users == ["RewardRelayRole"]
    template = load("template.yaml")
    assert template["Parameters"]["RiskRankAddress"]["Default"] == ""
    variables = template["Resources"]["RewardRelay"]["Properties"]["Environment"]["Variables"]
    for name in ("UNCAP_PAYEE_KEYS_SECRET", "UNCAP_WECHAT_APP_SECRET"):
        assert variables[name]["Fn::If"][0] == "AsksRank"
        assert variables[name]["Fn::If"][2] == ""
