"""How moto writes answers, made quick: what an account of a thousand instances is asked for is long.

moto finds out for every value of an answer anew under which names an object may hold it, and checks
every name of an element when it writes the XML. Both follow from the service model and the object's
class, so they are found once. What is written stays the same, to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape, quoteattr

from moto.core import responses, serialize
from moto.core.utils import get_value

MISSING = object()
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'

_names: WeakKeyDictionary[Any, dict[tuple[type, str], tuple[str, ...]]] = WeakKeyDictionary()


class Picker(serialize.XFormedAttributePicker):
    """moto's, which keeps in mind which names to try for a member of the model."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = self.response_transformers
        self._transformed = {path.rpartition(".")[2] for path in paths}
        self._any_key = any("." not in path for path in paths)

    def is_plain(self, key: str) -> bool:
        """Whether what is found under the key is answered as it is."""
        return not self._any_key and key not in self._transformed

    def names(self, obj: Any, key: str, shape: Any, model: Any) -> tuple[str, ...]:
        """Under which names an object of this kind may hold the member, the first first."""
        known = _names.setdefault(shape, {})
        kind = (type(obj), key)
        if kind not in known:
            context = serialize.AttributePickerContext(obj, key, shape, model, model.service_model)
            known[kind] = tuple(dict.fromkeys(self.get_possible_keys(context)))
        return known[kind]


def _pick(self: Any, value: Any, key: str, shape: Any) -> Any:
    picker = self._value_picker
    if not isinstance(picker, Picker) or not picker.is_plain(key):
        return by_moto(self, value, key, shape)
    for name in picker.names(value, key, shape, self.operation_model):
        if type(value) is dict and "." not in name:
            found = value.get(name, MISSING)
        else:
            found = get_value(value, name, MISSING)
        if found is not MISSING:
            return found
    return None


by_moto = serialize.ResponseSerializer.get_value


def xml(body: Mapping[str, Any]) -> str:
    """Elements and their contents as XML; names that begin with @ are attributes."""
    written: list[str] = []
    for name, content in body.items():
        _write(name, content, written)
    return "".join(written)


def install() -> None:
    """Have moto write its answers so."""
    written: Any = responses
    written.XFormedAttributePicker = Picker
    serialize.ResponseSerializer.get_value = _pick  # type: ignore[method-assign]
    serialize.BaseXMLSerializer._serialize_body = lambda self, body: xml(body)  # type: ignore[method-assign]
    serialize.EC2Serializer._serialize_body = lambda self, body: HEAD + xml(body)  # type: ignore[method-assign]


def _write(name: str, content: Any, written: list[str]) -> None:
    if isinstance(content, list):
        for each in content:
            _write(name, each, written)
        return
    if isinstance(content, Mapping):
        attributes = "".join(
            f" {key[1:]}={quoteattr(value)}" for key, value in content.items() if key[0] == "@"
        )
        inner: list[str] = []
        for key, value in content.items():
            if key[0] != "@":
                _write(key, value, inner)
        text = "".join(inner)
    else:
        attributes, text = "", escape(_text(content))
    written.append(f"<{name}{attributes}>{text}</{name}>" if text else f"<{name}{attributes}/>")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
