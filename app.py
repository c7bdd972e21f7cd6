"""The CDK app: one stack for one AWS account and Region."""

from __future__ import annotations

import sys

from aws_cdk import App

from functions.core.settings import SettingsError
from infra.settings import read_settings
from infra.stack import MlCapacityRemediationStack

app = App()
try:
    settings = read_settings(app.node.try_get_context("remediation"))
except SettingsError as error:
    sys.exit(f"cdk.json holds settings that may not be deployed:\n{error}")
MlCapacityRemediationStack(app, "MlCapacityRemediation", settings=settings)
app.synth()
