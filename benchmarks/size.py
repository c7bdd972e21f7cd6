"""How large the Lambda asset is, and what in it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, Measurement
from benchmarks.processes import built_asset

MIB = 2**20
GOAL = 5.0
LARGEST = 8


def measure(say: Callable[[str], None]) -> Measurement:
    """The asset, zipped as one file, and its parts zipped each by itself."""
    with built_asset() as asset:
        say("zipping the asset")
        files = [path for path in sorted(asset.rglob("*")) if path.is_file()]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path in files:
                bundle.write(path, path.relative_to(asset))
            parts: Counter[str] = Counter()
            for entry in bundle.infolist():
                parts[part_of(Path(entry.filename))] += entry.compress_size
        unpacked = sum(path.stat().st_size for path in files)
    return Measurement(
        figures=[Figure("Lambda asset, zipped", len(archive.getvalue()) / MIB, "MiB", GOAL)],
        parts=[
            Figure("unpacked", unpacked / MIB, "MiB"),
            Figure("files", len(files)),
            *(Figure(name, size / MIB, "MiB") for name, size in parts.most_common(LARGEST)),
        ],
        settings={"compression": "deflate, zlib's default level"},
        limits=("The CDK command line's own zip differs from this one by a few percent.",),
    )


def part_of(path: Path) -> str:
    """The part of the asset that a file belongs to: a service model, or a library."""
    match path.parts:
        case ("botocore" | "boto3" as library, "data", service, _, *_):
            return f"{library}'s model of {service}"
        case (library, *_):
            return library
    raise ValueError("a file has a name")
