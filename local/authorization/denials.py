"""How services answer a call that IAM denies.

Text: IAM user guide, "Troubleshoot access denied error messages". Codes: Common errors of each
service's API reference; EC2's UnauthorizedOperation: EC2 API reference, "Error codes".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

JSON = "application/x-amz-json-1.1"
XML = "text/xml"

Denial = tuple[int, Mapping[str, str], bytes]
"""HTTP status, headers, body."""


def message(caller: str, action: str, resource: str, *, explicit: bool) -> str:
    """Who may not do what, and why. `caller` is the ARN of an assumed role's session."""
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {caller} is not authorized to perform: {action} on resource: {resource} {why}"


def session(role_arn: str, name: str) -> str:
    """The ARN of a role's session."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def denial(protocol: str, text: str) -> Denial:
    """An access that is denied, in the protocol of a service's model."""
    match protocol:
        case "ec2":
            return 403, {"Content-Type": XML}, _xml("Response", "UnauthorizedOperation", text, "s")
        case "query":
            return 403, {"Content-Type": XML}, _xml("ErrorResponse", "AccessDenied", text, "")
        case "rest-json":
            return 403, _headers("AccessDeniedException"), _json("AccessDeniedException", text)
        case _:
            return refusal("AccessDeniedException", text)


def refusal(code: str, text: str) -> Denial:
    """An error of a service that speaks JSON."""
    return 400, _headers(code), _json(code, text)


def _headers(code: str) -> Mapping[str, str]:
    return {"Content-Type": JSON, "x-amzn-ErrorType": code}


def _json(code: str, text: str) -> bytes:
    return json.dumps({"__type": code, "message": text}).encode()


def _xml(root: str, code: str, text: str, plural: str) -> bytes:
    error = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    inner = f"<Errors>{error}</Errors>" if plural else error
    return f"<{root}>{inner}<RequestId>denied</RequestId></{root}>".encode()
