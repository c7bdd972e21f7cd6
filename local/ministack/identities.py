"""What a deployed function runs as: its own credentials and the environment AWS gives it.

ministack hands every function the same credentials and its own process's environment. Here each
function gets a key of its own, so that whoever sees a call knows who made it, and only the variables
Lambda documents (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html) and those
the function's configuration sets.
"""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import threading
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from local.ministack.wire import Wire

# ministack's worker script and layers read these; without them a function cannot start.
WORKER_VARIABLES = ("_LAMBDA_FUNCTION_ARN", "_LAMBDA_TIMEOUT", "_LAMBDA_LAYERS_DIRS", "NODE_PATH")
LAMBDA_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "LAMBDA_TASK_ROOT",
    "PATH",
)
# How SDKs find the account: its URL, and no host prefixes before a bare IP address.
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_DISABLE_HOST_PREFIX_INJECTION")


def install(wire: Wire) -> None:
    """Gives functions their own keys and a scrubbed environment."""

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        return _credentials(wire, config)

    spawning = threading.local()
    spawn = lambda_runtime.Worker._spawn

    def spawn_remembering(worker: Any) -> None:
        spawning.config = worker.config
        spawn(worker)

    lambda_svc._xray_trace_id_for_invocation = trace_header
    lambda_runtime.execution_credentials = execution_credentials
    lambda_runtime.Worker._spawn = spawn_remembering
    lambda_runtime.subprocess = _Subprocess(spawning)


def trace_header(config: dict[str, Any], inbound_trace_header: str | None = None) -> str:
    """The trace header of one invocation, which SDKs pass on with every call they make in it.

    Lambda makes one for each invocation; without active tracing it is not sampled (AWS Lambda
    developer guide, "Visualize Lambda function invocations using AWS X-Ray").
    """
    if inbound_trace_header:
        return inbound_trace_header
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sampled = (config.get("TracingConfig") or {}).get("Mode") == "Active"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={int(sampled)}"


def runtime_environment(config: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """The environment of one execution environment, from what ministack would have given it."""
    name = config.get("FunctionName", "")
    logging_config = config.get("LoggingConfig") or {}
    environment = {
        key: given[key]
        for key in (*LAMBDA_VARIABLES, *ENDPOINT_VARIABLES, *WORKER_VARIABLES)
        if key in given
    }
    environment |= {
        "_HANDLER": config.get("Handler", ""),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": logging_config.get("LogGroup") or f"/aws/lambda/{name}",
        "LANG": "en_US.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": ":UTC",
        # Without a home of its own an SDK would read the configuration of whoever started us.
        "HOME": given["LAMBDA_TASK_ROOT"],
        "TMPDIR": given["TMPDIR"],
    }
    if logging_config.get("LogFormat") == "JSON":
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_LOG_LEVEL"] = logging_config.get("ApplicationLogLevel") or "INFO"
    variables: dict[str, str] = (config.get("Environment") or {}).get("Variables", {})
    return environment | variables


class _Subprocess:
    """The subprocess module as ministack's worker sees it, with the environment scrubbed."""

    def __init__(self, spawning: threading.local) -> None:
        self._spawning = spawning

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *args: Any, env: dict[str, str], **kwargs: Any) -> Any:
        scrubbed = runtime_environment(self._spawning.config, env)
        popen: Any = subprocess.Popen
        return popen(*args, env=scrubbed, **kwargs)


def _credentials(wire: Wire, config: dict[str, Any]) -> dict[str, str]:
    account, _ = lambda_runtime._account_region_from_function_config(config)
    name, role_arn = config["FunctionName"], config["Role"]
    digest = hashlib.sha256(f"{name} {role_arn}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:56], digest[24:]
    role = role_arn.rsplit("/", 1)[-1]
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            "UserId": f"AROA{digest[:17].upper()}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    wire.identity(key, name, role_arn)
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }
