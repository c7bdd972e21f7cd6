"""Which fields of a training job come through when another one goes on from it, by SageMaker's model."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session

from benchmarks.figures import Figure, Measurement
from functions.core.signals import Place
from functions.spot_fallback.clone import heir_name, kept_tags
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.training import TrainingJobs
from local.cloud.cloudtrail.parameters import request_parameters

SEED = 20260302
REQUESTS = 500
SECONDS = 1800
CREATED = datetime(2026, 3, 2, tzinfo=UTC)
MODEL = botocore.session.get_session().get_service_model("sagemaker")
CREATE = MODEL.operation_model("CreateTrainingJob")
REQUEST: Any = CREATE.input_shape
ANSWER: Any = MODEL.operation_model("DescribeTrainingJob").output_shape
ON_PURPOSE = frozenset(
    {
        "TrainingJobName",
        "EnableManagedSpotTraining",
        "StoppingCondition.MaxRuntimeInSeconds",
        "StoppingCondition.MaxWaitTimeInSeconds",
    }
)
"""What makes it another job, On-Demand, for the time that is left."""
NEVER_ON_SPOT = (
    "ResourceConfig.InstancePreferences",
    "ResourceConfig.SelectedInstanceType",
    "ResourceConfig.SelectedInstanceCount",
)
"""Lists of types are for On-Demand alone; what was selected is read-only (service model,
`ResourceConfig`)."""
LIMITS = (
    "Requests follow the service model's shapes, enumerations and least lengths, not what members mean"
    " together: most of them SageMaker would refuse.",
    "DescribeTrainingJob is taken to tell what was asked for wherever its model has a place for it,"
    " ListTags the tags, and CloudTrail's record of the request, written as recorded ones are, the rest.",
    "SessionChainingConfig is in that record alone: it is lost where the account does not let the"
    " function look it up, or CloudTrail has none 15 minutes after the job's creation.",
)

Path = str


def measure(say: Callable[[str], None]) -> Measurement:
    """Random requests, described and cloned; a field counts as lost if it is lost once."""
    chance = random.Random(SEED)
    known = {path for path in leaves(REQUEST) if not path.startswith(NEVER_ON_SPOT)}
    known -= ON_PURPOSE
    asked: set[Path] = set()
    lost: dict[Path, int] = {}
    invented: set[Path] = set()
    say(f"{REQUESTS} requests of {len(known)} fields")
    for number in range(REQUESTS):
        request = on_spot(value(REQUEST, chance, share=1.0 if number == 0 else 0.6))
        made = cloned(request)
        before, after = flat(request), flat(made)
        asked |= {named(path) for path in before} & known
        for path, content in before.items():
            if named(path) in known and after.get(path) != content:
                lost[named(path)] = lost.get(named(path), 0) + 1
        invented |= {named(path) for path in after.keys() - before.keys()}
    return Measurement(
        figures=[Figure("Fields of CreateTrainingJob that a clone loses", len(lost), goal=0)],
        parts=[
            Figure("fields of the model, at any depth", len(known)),
            Figure("fields asked for at least once", len(asked)),
            Figure("fields that came through", 100 * (1 - len(lost) / len(known)), "%"),
            Figure("fields that nobody asked for", len(invented)),
            Figure("fields changed on purpose", len(ON_PURPOSE)),
        ],
        settings={
            "requests": REQUESTS,
            "seed": SEED,
            "botocore": botocore.__version__,
            "lost": sorted(lost),
            "changed_on_purpose": sorted(ON_PURPOSE),
            "never_on_spot": list(NEVER_ON_SPOT),
        },
        limits=LIMITS,
    )


def leaves(shape: Any, path: Path = "") -> Iterator[Path]:
    """Every field below a shape that holds no others, list items and map values under its name."""
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                yield from leaves(member, f"{path}.{name}" if path else name)
        case "list":
            yield from leaves(shape.member, path)
        case "map":
            yield from leaves(shape.value, path)
        case _:
            yield path


def value(shape: Any, chance: random.Random, share: float) -> Any:
    """A random value of a shape; optional members are there with a probability of `share`."""
    least = max(1, int(shape.metadata.get("min", 1) or 1))
    match shape.type_name:
        case "structure":
            return {
                name: value(member, chance, share)
                for name, member in shape.members.items()
                if name in shape.required_members or chance.random() < share
            }
        case "list":
            count = chance.randint(least, least + 1)
            return [value(shape.member, chance, share) for _ in range(count)]
        case "map":
            count = chance.randint(least, least + 1)
            return {
                value(shape.key, chance, share): value(shape.value, chance, share)
                for _ in range(count)
            }
        case "string":
            text = "".join(chance.choices("abc019", k=least + 7))
            return chance.choice(shape.enum) if shape.enum else text
        case "integer" | "long":
            return chance.randint(least, least + 10_000)
        case "float" | "double":
            return chance.random()
        case "boolean":
            return chance.random() < 0.5
        case "timestamp":
            return datetime.fromtimestamp(chance.randint(1_600_000_000, 1_700_000_000), UTC)
        case unknown:
            raise AssertionError(f"nobody said how to make a {unknown}")


def on_spot(request: dict[str, Any]) -> dict[str, Any]:
    """The request as one for managed spot training."""
    without = {path.partition(".")[2] for path in NEVER_ON_SPOT}
    config = request.get("ResourceConfig", {})
    stopping = request.get("StoppingCondition", {})
    return {
        **request,
        "EnableManagedSpotTraining": True,
        "ResourceConfig": {name: each for name, each in config.items() if name not in without},
        "StoppingCondition": {
            **stopping,
            "MaxRuntimeInSeconds": 3600,
            "MaxWaitTimeInSeconds": 86_400,
        },
    }


def cloned(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request for the job that goes on from it, as the function makes it from what AWS tells."""
    aws = Told(request)
    jobs = TrainingJobs(lambda service: aws, RateCard((), aws), Place.of_arn(aws.arn))
    write = {"stopped": True, "heir": heir_name(aws.described), "seconds": SECONDS, "types": []}
    jobs.act(aws.arn, {}, write)
    given = [tag for tag in aws.made.pop("Tags") if tag["Key"] in kept_tags(aws.tags)]
    return {**aws.made, "Tags": given} if given else aws.made


class Told:
    """AWS, as far as it is asked when a job that is over is followed by another one: what it tells
    of the request that the first one was created with. made: the request for the other one."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        name = request["TrainingJobName"]
        self.arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
        self.described: dict[str, Any] = {
            **_told(request, ANSWER),
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": "Stopped",
            "SecondaryStatus": "Stopped",
            "CreationTime": CREATED,
        }
        self.tags = {each["Key"]: each["Value"] for each in request.get("Tags", ())}
        record = {
            "eventSource": "sagemaker.amazonaws.com",
            "requestParameters": request_parameters(CREATE, request),
            "responseElements": {"trainingJobArn": self.arn},
        }
        event = {"EventTime": CREATED, "CloudTrailEvent": json.dumps(record)}
        self._pages = {
            "list_tags": {"Tags": request.get("Tags", [])},
            "lookup_events": {"Events": [event]},
        }
        self.made: dict[str, Any] = {}

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return self.described

    def create_training_job(self, **request: Any) -> None:
        self.made = request

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **asked: [self._pages[operation]])


def _told(content: Any, shape: Any) -> Any:
    """Of what was asked for, that for which the answer's model has a place, at any depth."""
    match shape.type_name:
        case "structure":
            places = content.keys() & shape.members.keys()
            return {name: _told(content[name], shape.members[name]) for name in places}
        case "list":
            return [_told(each, shape.member) for each in content]
        case "map":
            return {key: _told(each, shape.value) for key, each in content.items()}
        case _:
            return content


def flat(content: Any, path: Path = "") -> dict[Path, Any]:
    """What a request holds, by path; list items by number, keys of maps by themselves."""
    if isinstance(content, Mapping) and content:
        pairs = [(f"{path}.{name}" if path else name, each) for name, each in content.items()]
    elif isinstance(content, list) and content:
        pairs = [(f"{path}[{number}]", each) for number, each in enumerate(content)]
    else:
        return {path: content}
    return {name: each for inner, held in pairs for name, each in flat(held, inner).items()}


def named(path: Path, shape: Any = REQUEST) -> Path:
    """The field of the model that a path of `flat` is of."""
    names, here = [], shape
    for part in path.replace("]", "").replace("[", ".").split("."):
        if here.type_name == "structure":
            names.append(part)
            here = here.members[part]
        elif here.type_name == "list":
            here = here.member
        elif here.type_name == "map":
            here = here.value
    return ".".join(names)
