"""Synthesis: the same bytes each time, from nothing but the checkout, and nothing to object to."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

# Run before any code of ours: each attempt to reach a network ends the synthesis.
_NO_NETWORK_PY = """
import runpy, socket
def refuse(*_, **__): raise RuntimeError("synthesis reached for the network")
socket.socket.connect = socket.getaddrinfo = refuse
runpy.run_path("app.py", run_name="__main__")
"""
_NO_NETWORK_JS = """
const refuse = () => { throw new Error("synthesis reached for the network"); };
require("net").Socket.prototype.connect = refuse;
require("dns").lookup = refuse;
"""


@pytest.fixture(scope="module")
def offline_synth(root, context, tmp_path_factory):
    """Run app.py as the CDK command line does, without credentials, home or network."""
    preload = tmp_path_factory.mktemp("preload") / "no-network.cjs"
    preload.write_text(_NO_NETWORK_JS)

    def synth() -> Path:
        out = tmp_path_factory.mktemp("cdk.out")
        subprocess.run(
            [sys.executable, "-c", _NO_NETWORK_PY],
            cwd=root,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(preload.parent),
                "NODE_OPTIONS": f"--require {preload}",
                "CDK_OUTDIR": str(out),
                "CDK_CONTEXT_JSON": json.dumps(context),
            },
            check=True,
            capture_output=True,
        )
        return out

    return synth


def contents(assembly: Path) -> dict[str, bytes]:
    """Every file by its path. Left out: stack traces and construct trees, which are not deployed."""
    return {
        str(file.relative_to(assembly)): file.read_bytes()
        for file in assembly.rglob("*")
        if file.is_file()
        and not file.name.endswith(".metadata.json")
        and file.name not in ("manifest.json", "tree.json", "validation-report.json")
    }


def test_two_syntheses_offline_are_equal_byte_for_byte(root, offline_synth):
    first = contents(offline_synth())
    compileall.compile_dir(root / "functions", quiet=1, force=True)  # as a test run leaves it
    second = contents(offline_synth())
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert "MlCapacityRemediation.template.json" in first


def test_the_stack_fits_any_account_and_region(build):
    stack = build().node.find_child("MlCapacityRemediation")
    assert stack.environment == "aws://unknown-account/unknown-region"


def test_no_resource_has_a_name_that_a_second_stack_would_collide_with(template):
    named = {
        (id, key)
        for id, resource in template["Resources"].items()
        for key in resource.get("Properties", {})
        if key in ("BucketName", "FunctionName", "QueueName", "RoleName", "TableName", "TopicName")
        and isinstance(resource["Properties"][key], str)
    }
    assert named == set()


def test_cdk_nag_has_nothing_to_object_to_and_each_exception_has_a_reason(build):
    app: App = build()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    assembly = app.synth()  # an unacknowledged finding fails it
    report = json.loads((Path(assembly.directory) / "validation-report.json").read_text())
    (nag,) = [r for r in report["pluginReports"] if r["pluginName"] == "AwsSolutions"]
    accepted = {
        (finding["ruleName"], construct["constructPath"].split("/", 1)[1])
        for finding in nag["suppressedViolations"]
        for construct in finding["violatingConstructs"]
    }
    traffic_shift = "TrafficShift/TrafficShift/Role/Resource"
    quota_increase = "QuotaIncrease/QuotaIncrease/Role/Resource"
    spot_fallback = "SpotFallback/SpotFallback/Role/Resource"
    provisioned_concurrency = "ProvisionedConcurrency/ProvisionedConcurrency/Role/Resource"
    here = "<AWS::Region>:<AWS::AccountId>"
    assert accepted == {
        ("AwsSolutions-IAM5[Resource::*]", provisioned_concurrency),
        *(
            (f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:{each}]", provisioned_concurrency)
            for each in (
                f"application-autoscaling:{here}:scalable-target/*",
                f"lambda:{here}:function:*",
                f"sagemaker:{here}:endpoint/*",
            )
        ),
        ("AwsSolutions-IAM5[Resource::*]", traffic_shift),
        (
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sagemaker:<AWS::Region>"
            ":<AWS::AccountId>:endpoint/*]",
            traffic_shift,
        ),
        ("AwsSolutions-IAM5[Resource::*]", quota_increase),
        *(
            (
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:servicequotas:{region}"
                f":<AWS::AccountId>:{service}/*]",
                quota_increase,
            )
            for region in ("<AWS::Region>", "")
            for service in ("ec2", "lambda", "sagemaker")
        ),
        ("AwsSolutions-IAM5[Resource::*]", spot_fallback),
        *(
            (f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:{each}]", spot_fallback)
            for each in (
                f"autoscaling:{here}:autoScalingGroup:*:autoScalingGroupName/*",
                *(
                    f"ec2:{here}:{kind}/*"
                    for kind in (
                        "capacity-reservation",
                        "instance",
                        "key-pair",
                        "launch-template",
                        "network-interface",
                        "placement-group",
                        "security-group",
                        "subnet",
                        "volume",
                    )
                ),
                "ec2:<AWS::Region>::image/*",
                "ec2:<AWS::Region>::snapshot/*",
                f"elasticloadbalancing:{here}:targetgroup/*",
                "iam::<AWS::AccountId>:instance-profile/*",
                f"license-manager:{here}:license-configuration:*",
                f"resource-groups:{here}:group/*",
                f"sagemaker:{here}:training-job/*",
                "ssm:<AWS::Region>::parameter/aws/service/*",
            )
        ),
        ("AwsSolutions-SQS3", "Operator/Operator/DeadLetters/Resource"),
    }


def test_cfn_lint_has_nothing_to_object_to(template, tmp_path):
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    run = subprocess.run(
        # W3005: CDK writes a DependsOn for the role that a GetAtt implies.
        [Path(sys.executable).parent / "cfn-lint", "--ignore-checks", "W3005", "--", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
