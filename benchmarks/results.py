"""What was measured last, kept in results.json: each topic with the machine it was measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "results.json"


def read() -> dict[str, Any]:
    """All topics by name, in the order in which they are shown."""
    found: dict[str, Any] = json.loads(PATH.read_text()) if PATH.exists() else {}
    return found


def write(topics: Mapping[str, Any]) -> None:
    """Keeps the topics, in their order."""
    PATH.write_text(json.dumps(topics, indent=2, ensure_ascii=False) + "\n")
