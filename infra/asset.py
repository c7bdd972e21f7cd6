"""The one Lambda asset every function shares, put together without Docker and without a network.

It is copied from what the lock file installed, so what was tested is what runs: the functions'
own code and their pure-Python dependencies, with only the AWS service models in use.
"""

from __future__ import annotations

import shutil
from collections.abc import Container, Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk.aws_lambda import AssetCode, Code

_FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_DISTRIBUTIONS = (
    "aws-lambda-powertools",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "tzdata",
    "typing-extensions",
    "urllib3",
)

# Service models the functions load, each in its newest version, which is what a client asks for by
# default. All of botocore's would be 22 MB.
SERVICES = (
    "application-autoscaling",
    "autoscaling",
    "cloudtrail",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "elbv2",
    "events",
    "iam",
    "lambda",
    "resourcegroupstaggingapi",
    "sagemaker",
    "service-quotas",
    "sns",
    "sqs",
    "ssm",
    "sts",
)


def write_asset(directory: Path) -> None:
    """Fill `directory` with the asset: same installed versions, same bytes."""
    for source in sorted(_FUNCTIONS.rglob("*.py")):
        _copy(source, directory / "functions" / source.relative_to(_FUNCTIONS))
    for name in _DISTRIBUTIONS:
        installed = dict(_installed(name))
        newest = _newest_models(installed)
        for file, source in installed.items():
            if _runs(file, newest):
                _copy(source, directory / file)


def build_code() -> AssetCode:
    """The asset as CDK code, hashed by its content: use one object for every function.

    A hash over sources would miss an upgraded dependency and change with stray bytecode.
    """
    return Code.from_asset(
        str(_FUNCTIONS),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_Bundling()),
    )


@jsii.implements(ILocalBundling)
class _Bundling:
    # jsii passes the options as keywords only if at least one is named here.
    def try_bundle(self, output_dir: str, *, image: DockerImage, **_: Any) -> bool:
        write_asset(Path(output_dir))
        return True


def _installed(name: str) -> Iterator[tuple[Path, Path]]:
    """Each file of an installed distribution: its path within site-packages, and where it is."""
    files = distribution(name).files
    if files is None:
        raise RuntimeError(
            f"{name} is installed without a list of its files; reinstall it from the lock file."
        )
    for file in files:
        yield Path(file), Path(str(file.locate()))


def _newest_models(files: Iterable[Path]) -> set[Path]:
    """The folders of the newest models; versions are dates."""
    newest: dict[Path, Path] = {}
    for file in files:
        match file.parts:
            case ("botocore" | "boto3", "data", service, _version, _model) if service in SERVICES:
                of_service, folder = file.parent.parent, file.parent
                newest[of_service] = max(folder, newest.get(of_service, folder))
    return set(newest.values())


def _runs(file: Path, models: Container[Path]) -> bool:
    """Whether the functions need this file of a distribution at run time."""
    match file.parts:
        case ("..", *_):  # console scripts
            return False
        case ("botocore" | "boto3", "data", _service, _version, model):
            return file.parent in models and not model.startswith("examples-")
        case ("tzdata", "zoneinfo", *_):  # the runtime's image need not hold any
            return True
        case ("botocore", "data", _) | ("botocore", "cacert.pem"):
            return True
        case _:
            return file.suffix == ".py"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
