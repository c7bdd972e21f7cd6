"""AWS Lambda for in-process tests: moto's functions under the rules of `local.lambda_rules`.

The account's server leaves Lambda to ministack, which runs functions and answers by the same rules
(`local.ministack.concurrency`); what the rules depend on is told to either by `conditions`.
"""

from __future__ import annotations

from moto.awslambda import models, urls
from moto.awslambda.responses import LambdaResponse

from local.cloud.awslambda.conditions import conditions
from local.cloud.seam import extend, require

__all__ = ["conditions", "install_lambda"]

KEPT = (
    "AddPermission",
    "CreateFunction",
    "DeleteFunction",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "Invoke",
    "ListFunctions",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "RemovePermission",
    "TagResource",
    "UntagResource",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
)
"""moto's operations that set a scene or look at it."""

PATHS = (
    r"{0}/(?P<api_version>[^/]+)/account-settings/?$",
    r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency$",
)
"""Of operations that moto lacks."""


def install_lambda() -> None:
    """Put our Lambda in moto's place. Run it before the first call of it."""
    from local.cloud.awslambda.backend import HostedFunction, Lambda

    require(models, "LambdaAlias", "LambdaFunction")
    models.LambdaFunction = HostedFunction  # type: ignore[misc, assignment]
    urls.url_paths.update(dict.fromkeys(PATHS, LambdaResponse.dispatch))
    extend("awslambda", Lambda, keep=KEPT)
