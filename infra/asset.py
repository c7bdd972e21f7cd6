"""The one Lambda asset every function shares, put together without Docker and without a network.

It is copied from what the lock file installed, so what was tested is what runs: the functions'
own code and their pure-Python dependencies, with only the AWS service models in use.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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
    "typing-extensions",
    "urllib3",
)

# Service models the functions load. All of botocore's would be 22 MB.
SERVICES = (
    "cloudwatch",
    "dynamodb",
    "events",
    "resourcegroupstaggingapi",
    "sagemaker",
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
        for file, source in _installed(name):
            if _runs(file):
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


def _runs(file: Path) -> bool:
    """Whether the functions need this file of a distribution at run time."""
    match file.parts:
        case ("..", *_):  # console scripts
            return False
        case ("botocore" | "boto3", "data", service, _version, model):
            return service in SERVICES and not model.startswith("examples-")
        case ("botocore", "data", _) | ("botocore", "cacert.pem"):
            return True
        case _:
            return file.suffix == ".py"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
