"""Who may act: the account's mode, a resource's tag, and the lower of the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Refuse

logger = Logger(child=True)

TAG_PREFIX = "ml-remediation:"
ACCOUNT_OFF = "account-off"
SWITCH_AGE = timedelta(seconds=30)


class Mode(IntEnum):
    """From least to most; the lower of two counts."""

    OFF = 0
    OBSERVE = 1
    APPROVE = 2
    ACT = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Mode | None:
        return next((mode for mode in cls if mode.word == word), None)


class Switch:
    """The kill switch as one invocation sees it, read again when it is 30 s old.

    ssm: a boto3 client. parameter: name of the SSM parameter.
    """

    def __init__(self, ssm: Any, parameter: str, clock: Callable[[], datetime]) -> None:
        self._ssm = ssm
        self._parameter = parameter
        self._clock = clock
        self._read: tuple[datetime, Mode] | None = None

    def __call__(self) -> Mode:
        now = self._clock()
        if self._read is None or now - self._read[0] > SWITCH_AGE:
            self._read = now, read_switch(self._ssm, self._parameter)
        return self._read[1]


def read_switch(ssm: Any, parameter: str) -> Mode:
    """The account's mode from its SSM parameter. Unreadable or unknown means OBSERVE."""
    try:
        word = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    except (BotoCoreError, ClientError) as error:
        logger.error(
            "kill switch unreadable, observing only",
            parameter=parameter,
            error=str(error),
        )
        return Mode.OBSERVE
    mode = Mode.of(word)
    if mode is None:
        logger.error(
            "kill switch holds an unknown mode, observing only",
            parameter=parameter,
            value=word,
        )
        return Mode.OBSERVE
    return mode


def of_tag(tags: Mapping[str, str], lever: str) -> Mode | Refuse:
    """How far a resource's own tag lets a lever go."""
    key = TAG_PREFIX + lever
    word = tags.get(key)
    if word is None:
        return Refuse("not-opted-in", f"it has no tag {key}; set it to observe, approve or act")
    tag = Mode.of(word)
    if tag is None:
        known = ", ".join(mode.word for mode in Mode)
        return Refuse("bad-tag", f"its tag {key} is {word!r}; it must be one of {known}")
    if tag is Mode.OFF:
        return Refuse("tag-off", f"its tag {key} is off")
    return tag


def lower(account: Mode, own: Mode | Refuse) -> Mode | Refuse:
    """The mode that holds for a target: never above its own, never above the account's."""
    if isinstance(own, Refuse):
        return own
    if account is Mode.OFF:
        return Refuse(ACCOUNT_OFF, "the account's mode is off")
    return min(account, own)
