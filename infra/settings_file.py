"""Settings of one deployment's own: `-c settings=FILE.json` puts them over those of cdk.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from functions.core.settings import SettingsError


def over(context: object, path: object) -> object:
    """The file's settings over `context`, which is the context key `remediation` as cdk.json has it.

    The file has the same shape; what it names takes the place of what is there, lists as a whole.
    path: None for none. Raises SettingsError when there is no such file, or no JSON in it.
    """
    if path is None:
        return context
    try:
        own = json.loads(Path(str(path)).read_text())
    except (OSError, ValueError) as error:
        raise SettingsError([f"settings={path} is to name a JSON file: {error}"]) from error
    return _over({} if context is None else context, own)


def _over(there: object, own: object) -> object:
    if not isinstance(there, Mapping) or not isinstance(own, Mapping):
        return own
    merged = {name: _over(there[name], own[name]) for name in there.keys() & own.keys()}
    return {**there, **own, **merged}
