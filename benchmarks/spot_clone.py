"""Which fields of a training job come through when another one goes on from it, by SageMaker's model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session

from benchmarks.figures import Figure, Measurement
from functions.spot_fallback.clone import clone, kept_tags

SEED = 20260302
REQUESTS = 500
SECONDS = 1800
MODEL = botocore.session.get_session().get_service_model("sagemaker")
REQUEST: Any = MODEL.operation_model("CreateTrainingJob").input_shape
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
    " and ListTags the tags.",
    "SessionChainingConfig is lost: it is in the request alone, and no call tells it.",
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
    """The request for the job that goes on from it, made from what AWS tells of the first."""
    told: dict[str, Any] = _told(request, ANSWER)
    told |= {"TrainingJobArn": "arn", "CreationTime": datetime(2026, 3, 2, tzinfo=UTC)}
    tags = {each["Key"]: each["Value"] for each in request.get("Tags", ())}
    made = clone(told, tags, "heir", SECONDS)
    given = [tag for tag in made.pop("Tags") if tag["Key"] in kept_tags(tags)]
    return {**made, "Tags": given} if given else made


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
