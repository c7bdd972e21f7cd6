"""The event "AWS API Call via CloudTrail" of one API call."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel

from local.cloud.cloudtrail import history
from local.cloud.cloudtrail.parameters import request_parameters, response_elements
from local.cloud.world import WORLD

SERVER_ERRORS = {
    "InsufficientAddressCapacity": 500,
    "InsufficientCapacity": 500,
    "InsufficientHostCapacity": 500,
    "InsufficientInstanceCapacity": 500,
    "InsufficientReservedInstanceCapacity": 500,
    "InsufficientVolumeCapacity": 500,
    "InternalError": 500,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
}
"""EC2's error codes that are not the client's fault, and their HTTP status (EC2 API reference,
"Error codes for the Amazon EC2 API", Server error codes). RequestLimitExceeded stands in that
list too, but CloudTrail writes Client.RequestLimitExceeded (the published flaws.cloud logs)."""

READING = ("BatchDescribe", "BatchGet", "Describe", "Get", "List", "Lookup", "Query", "Search")
DATA_EVENTS = frozenset({"PutMetricData"})
NOT_OF_AWS = frozenset(
    {"SerializationException", "UnknownOperationException", "UnsupportedByPocketAccount"}
)


@dataclass(frozen=True)
class Call:
    """One answered API call.

    `error` is its code and message, or None; `answer` what a successful one gave. `access_key`
    signed it; `invoked_by` instead names the AWS service that made it for the account, such as
    `autoscaling.amazonaws.com`.
    """

    operation: OperationModel
    parameters: Mapping[str, Any]
    account_id: str
    region: str
    request_id: str
    error: tuple[str, str] | None = None
    answer: Mapping[str, Any] | None = None
    access_key: str = ""
    user_agent: str = ""
    invoked_by: str | None = None


def tell(call: Call) -> None:
    """Keep the event of a call that changes something; send it if it was refused, wholly or in part.

    Event history needs no trail (CloudTrail user guide, "Working with CloudTrail Event history").
    Successful calls send no event here, since nothing listens to them, but for a fleet of the type
    `instant`: it answers 200 and holds what could not be launched in its `Errors` (EC2 user guide,
    "Configure an EC2 Fleet of type instant").

    Sources. Rules get management events that are not read-only (EventBridge user guide, "AWS
    service events delivered via AWS CloudTrail"); `PutMetricData` is a data event (CloudWatch
    user guide, "Logging CloudWatch API calls"). The envelope's source is `aws.` and the first
    part of eventSource (EventBridge events reference, e.g. events-ref-monitoring). Fields:
    CloudTrail user guide, "CloudTrail record contents". EC2's codes bear `Client.` or `Server.`
    (github.com/cloud-custodian/cloud-custodian/issues/5235); other services' do not.
    """
    name = call.operation.name
    if name.startswith(READING) or name in DATA_EVENTS:
        return
    if call.error is not None and call.error[0] in NOT_OF_AWS:
        return
    service = call.operation.service_model.signing_name
    time = datetime.fromtimestamp(WORLD.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = _record(call, service, time)
    history.keep(call.account_id, call.region, record)
    if call.error is None and not (name == "CreateFleet" and (call.answer or {}).get("Errors")):
        return
    WORLD.emit(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "AWS API Call via CloudTrail",
            "source": f"aws.{service}",
            "account": call.account_id,
            "time": time,
            "region": call.region,
            "resources": [],
            "detail": record,
        }
    )


def _record(call: Call, service: str, time: str) -> dict[str, Any]:
    failed: dict[str, Any] = {}
    if call.error is not None:
        code, message = call.error
        failed = {"errorCode": _error_code(service, code), "errorMessage": message}
    elements = None
    if call.answer is not None:
        elements = response_elements(call.operation, call.answer, call.request_id)
    return {
        "eventVersion": "1.09",
        "userIdentity": _identity(call),
        "eventTime": time,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": call.operation.name,
        "awsRegion": call.region,
        "sourceIPAddress": call.invoked_by or "127.0.0.1",
        "userAgent": call.invoked_by or call.user_agent,
        **failed,
        "requestParameters": request_parameters(call.operation, call.parameters),
        "responseElements": elements,
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account_id,
        "eventCategory": "Management",
    }


def _error_code(service: str, code: str) -> str:
    if service != "ec2" or not WORLD.switches.ec2_error_prefix:
        return code
    return f"Server.{code}" if code in SERVER_ERRORS else f"Client.{code}"


def _identity(call: Call) -> dict[str, Any]:
    """Who called (CloudTrail user guide, "CloudTrail userIdentity element").

    A key no role holds is an IAM user's: nobody uses a root user's.
    """
    account = call.account_id
    role = WORLD.role_of(call.access_key)
    if call.invoked_by is not None and role is None:
        name = f"AWSServiceRoleFor{call.invoked_by.partition('.')[0].title()}"
        arn = f"arn:aws:iam::{account}:role/aws-service-role/{call.invoked_by}/{name}"
        role = arn, call.invoked_by.partition(".")[0]
    if role is None:
        return {
            "type": "IAMUser",
            "principalId": _unique("AIDA", call.access_key),
            "arn": f"arn:aws:iam::{account}:user/pocket",
            "accountId": account,
            "accessKeyId": call.access_key,
            "userName": "pocket",
        }
    arn, session = role
    name = arn.rsplit("/", 1)[-1]
    issuer = _unique("AROA", arn)
    identity: dict[str, Any] = {
        "type": "AssumedRole",
        "principalId": f"{issuer}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": call.access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": issuer,
                "arn": arn,
                "accountId": account,
                "userName": name,
            },
            "attributes": {
                "creationDate": datetime.fromtimestamp(WORLD.clock(), UTC).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                ),
                "mfaAuthenticated": "false",
            },
        },
    }
    if call.invoked_by is not None:
        del identity["accessKeyId"]
        identity["invokedBy"] = call.invoked_by
    return identity


def _unique(prefix: str, what: str) -> str:
    return prefix + hashlib.sha256(what.encode()).hexdigest()[:17].upper()
