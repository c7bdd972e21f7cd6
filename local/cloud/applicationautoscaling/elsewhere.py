"""Lambda's aliases as scalable targets when Lambda is another process: asked through its API, as
Application Auto Scaling itself does, and never while a turn lasts.

Lambda asks this process what its rules depend on. Were it asked inside a turn, each would wait for
the other.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.applicationautoscaling.dials import FUNCTIONS, Reading, through
from local.cloud.applicationautoscaling.dimensions import DIMENSIONS
from local.cloud.seam import Refusal

log = logging.getLogger(__name__)

Client = Callable[[str], Any]
"""Lambda's client (boto3) of a Region."""

REGISTER = "AnyScaleFrontendService.RegisterScalableTarget"
_REGION = re.compile(r"Credential=[^/,\s]+/\d{8}/([^/]+)/application-autoscaling/")


@dataclass(frozen=True)
class DistantConcurrency:
    """`lambda:function:ProvisionedConcurrency` of one alias or version, asked through the API."""

    api: Any
    resource_id: str

    def read(self) -> Reading | None:
        """None as well when Lambda cannot be asked: it is then as good as gone for this look."""
        try:
            told = self.api.get_provisioned_concurrency_config(**self._place())
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ProvisionedConcurrencyConfigNotFoundException":
                return Reading(0, scalable=True)
            if code != "ResourceNotFoundException":
                log.warning("%s is not read: %s", self.resource_id, error)
            return None
        except BotoCoreError as error:
            log.warning("%s is not read: %s", self.resource_id, error)
            return None
        return Reading.of_function(told)

    def write(self, capacity: int) -> None:
        """None is what Lambda calls no configuration: its least is 1."""
        try:
            if capacity:
                self.api.put_provisioned_concurrency_config(
                    **self._place(), ProvisionedConcurrentExecutions=capacity
                )
            else:
                self.api.delete_provisioned_concurrency_config(**self._place())
        except ClientError as error:
            told = error.response["Error"]
            raise Refusal(told["Code"], told["Message"]) from None
        except BotoCoreError as error:
            raise Refusal("ServiceUnavailable", str(error)) from None

    def _place(self) -> dict[str, str]:
        _, name, qualifier = self.resource_id.split(":")
        return {"FunctionName": name, "Qualifier": qualifier}


class Elsewhere:
    """The way to a Lambda in another process: errands one after the other, on a thread of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._seen: dict[tuple[str, str], bool] = {}
        self._over = threading.Event()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Let aliases be registered while the context lasts."""
        thread = threading.Thread(target=self._run, name="scaled-functions", daemon=True)
        thread.start()
        try:
            with through(FUNCTIONS, self._open, self):
                yield
        finally:
            # What is still to be asked is left: the way there is closed already.
            self._over.set()
            self._errands.put(None)
            thread.join()

    def send(self, errand: Callable[[], None]) -> None:
        self._errands.put(errand)

    def seen(self, region: str, resource_id: str) -> bool:
        return self._seen.get((region, resource_id), False)

    def before(self, operation: str, signed: str, body: bytes) -> None:
        """Look whether the function that a call wants to register stands, right before the call's
        turn: in the turn nothing can be asked. `signed` is the Authorization header."""
        if operation != REGISTER:
            return
        region, resource_id = _REGION.search(signed), _resource(body)
        if region is not None and resource_id is not None:
            dial = DistantConcurrency(self._client(region[1]), resource_id)
            self._seen[region[1], resource_id] = dial.read() is not None

    def _open(self, account_id: str, region: str, resource_id: str) -> DistantConcurrency:
        return DistantConcurrency(self._client(region), resource_id)

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None and not self._over.is_set():
            try:
                errand()
            except Exception:
                log.exception("Application Auto Scaling failed at what Lambda told it")


def _resource(body: bytes) -> str | None:
    """The function that a registration names; None when it names none, which is refused later."""
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    named = asked.get("ResourceId") if isinstance(asked, dict) else None
    if not isinstance(named, str) or not DIMENSIONS[FUNCTIONS].resource.fullmatch(named):
        return None
    return named
