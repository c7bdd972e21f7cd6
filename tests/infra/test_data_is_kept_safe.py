"""What the stack stores: encrypted, reached over TLS, and kept as long as it should be."""

from __future__ import annotations

import pytest


def test_the_ledger_outlives_the_stack(resources):
    (table,) = resources("AWS::DynamoDB::GlobalTable").values()
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    (replica,) = table["Properties"]["Replicas"]
    assert replica["DeletionProtectionEnabled"] is True
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_ledger_is_shaped_as_the_functions_expect(resources):
    (table,) = resources("AWS::DynamoDB::GlobalTable").values()
    p = table["Properties"]
    types = {a["AttributeName"]: a["AttributeType"] for a in p["AttributeDefinitions"]}

    def keys(schema):
        return [(k["AttributeName"], types[k["AttributeName"]], k["KeyType"]) for k in schema]

    assert keys(p["KeySchema"]) == [("pk", "S", "HASH"), ("sk", "S", "RANGE")]
    indexes = {i["IndexName"]: keys(i["KeySchema"]) for i in p["GlobalSecondaryIndexes"]}
    assert indexes == {
        "due": [("due_for", "S", "HASH"), ("due_at", "N", "RANGE")],
        "feed": [("remediation", "S", "HASH"), ("opened_at", "S", "RANGE")],
    }
    assert {i["Projection"]["ProjectionType"] for i in p["GlobalSecondaryIndexes"]} == {"ALL"}
    assert p["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert p["BillingMode"] == "PAY_PER_REQUEST"


def test_every_queue_is_encrypted(resources):
    for queue in resources("AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize(
    ("stored", "policy", "names"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_nobody_writes_without_tls(resources, stored, policy, names):
    closed = {
        name["Ref"]
        for each in resources(policy).values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for name in each["Properties"][names]
    }
    assert closed == resources(stored).keys()


def test_each_function_has_a_log_group_that_forgets(resources):
    groups = {
        f["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for f in resources("AWS::Lambda::Function").values()
    }
    assert groups == resources("AWS::Logs::LogGroup").keys()
    for group in resources("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == 90


def test_the_kill_switch_starts_at_observe(resources):
    (parameter,) = resources("AWS::SSM::Parameter").values()
    assert parameter["Properties"]["Name"] == "/ml-capacity-remediation/mode"
    assert parameter["Properties"]["Value"] == "observe"
    assert parameter["Properties"]["Type"] == "String"


def test_no_setting_and_no_rewording_makes_a_deploy_write_the_kill_switch(synthesize):
    """CloudFormation puts the template's value back when any property of the parameter changes."""
    template = synthesize({"core": {"cooldown_seconds": 1}, "infrastructure": {"memory_mb": 512}})
    (parameter,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::SSM::Parameter"]
    assert parameter["Properties"] == {
        "AllowedPattern": "^(off|observe|approve|act)$",
        "Description": "Highest mode of any remediation: off, observe, approve or act",
        "Name": "/ml-capacity-remediation/mode",
        "Type": "String",
        "Value": "observe",
    }
