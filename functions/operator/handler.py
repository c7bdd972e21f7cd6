"""Writes what an operator asks for into the ledger and nudges the remediation to look.

It has no powers of its own: the remediation answers under its own role, mode and rules. Who may
ask is whoever may invoke this function; the name given is recorded as claimed.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.clients import client
from functions.core.environment import require
from functions.core.incident import Intent
from functions.core.intake import Context
from functions.core.intents import COMMANDS
from functions.core.ledger import Ledger
from functions.core.signals import OWN_SOURCE

logger = Logger()

INCIDENT_ID = re.compile(r"[a-z-]{3,40}-\d{8}T\d{6}-[0-9a-f]{6}")
NAME = re.compile(r"[\w.@+=,/: -]{1,128}")


@dataclass(frozen=True)
class Request:
    """command: one of COMMANDS. by: the operator's name, as claimed."""

    command: str
    incident: str
    by: str

    @classmethod
    def parse(cls, event: object) -> Request | str:
        """The request, or the sentence that says what is wrong with it."""
        if not isinstance(event, Mapping):
            return "send an object with command, incident and by"
        command, incident, by = (event.get(key) for key in ("command", "incident", "by"))
        if command not in COMMANDS:
            return f"command must be one of {', '.join(COMMANDS)}, not {command!r:.60}"
        if not isinstance(incident, str) or not INCIDENT_ID.fullmatch(incident):
            return f"incident must be an incident's id, not {incident!r:.60}"
        if not isinstance(by, str) or not NAME.fullmatch(by):
            return f"by must be a name of at most 128 characters, not {by!r:.60}"
        return cls(str(command), incident, by)


@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Context) -> dict[str, Any]:
    """Returns {"accepted": bool, "reason": text}, and the target when accepted."""
    request = Request.parse(event)
    if isinstance(request, str):
        return {"accepted": False, "reason": request}
    require(("LEDGER_TABLE", "QUEUE_URLS"))
    ledger = Ledger(client("dynamodb"), os.environ["LEDGER_TABLE"])
    incident = ledger.incident(request.incident)
    if incident is None:
        return {"accepted": False, "reason": f"there is no incident {request.incident}"}
    intent = Intent(uuid.uuid4().hex, request.command, request.incident, request.by)
    if not ledger.ask(incident, intent, datetime.now(UTC).timestamp()):
        reason = f"another command for {incident.target} still waits to be answered; try again"
        return {"accepted": False, "reason": reason}
    queues = json.loads(os.environ["QUEUE_URLS"])
    nudge = {
        "source": OWN_SOURCE,
        "detail-type": "Operator Intent",
        "detail": {"target": incident.target, "incident": incident.id},
    }
    url, body = queues[incident.remediation], json.dumps(nudge)
    try:
        client("sqs").send_message(QueueUrl=url, MessageBody=body)
    except (BotoCoreError, ClientError) as error:
        logger.warning("not nudged, the heartbeat will find the intent", error=str(error))
    logger.info("intent left", command=request.command, incident=incident.id, by=request.by)
    return {"accepted": True, "reason": "left for the remediation", "target": incident.target}
