"""The CDK app: one stack for one AWS account and Region."""

from __future__ import annotations

import sys

from aws_cdk import App

from functions.core.settings import SettingsError
from infra.settings import read_settings
from infra.settings_file import over
from infra.stack import MlCapacityRemediationStack

app = App()
try:
    context = app.node.try_get_context
    settings = read_settings(over(context("remediation"), context("settings")))
except SettingsError as error:
    sys.exit(f"These settings may not be deployed:\n{error}")
MlCapacityRemediationStack(app, "MlCapacityRemediation", settings=settings)
app.synth()
