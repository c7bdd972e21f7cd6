"""The seam: our operations inside moto, the same in process (`mock_aws`) and in its server.

An operation is a plain method of a backend class: request parameters in, by their snake_case
names, the answer out as a dict. moto parses the request and writes the answer from botocore's
service model; this module puts the methods in moto's place, checks both sides against that model
and makes every call one turn of the world. The names used inside moto are private to it, hence
the exact pin and `require`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from botocore.model import OperationModel, OperationNotFoundError, ServiceModel
from moto.backends import get_backend
from moto.core import base_backend, botocore_stubber, errors, responses, serialize
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model

from local.cloud import answers, cloudtrail
from local.cloud.shapes import misfits, violations
from local.cloud.world import WORLD

Method = TypeVar("Method", bound=Callable[..., Any])

COMMON_ERRORS = (
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnsupportedByPocketAccount",
)
"""Codes AWS services answer with although no service model lists them, and one of our own: it
marks a valid request that the pocket account does not simulate, so that no client takes it for a
refusal by AWS."""


class SeamMissing(RuntimeError):
    """moto no longer has a name this package builds on."""


class Refusal(ServiceException):
    """An error answer: `Refusal(code, message)`. The model gives the HTTP status for the code."""


def operation(method: Method) -> Method:
    """Mark a backend method as an AWS operation, found by its snake_case name."""
    method.is_operation = True  # type: ignore[attr-defined]
    return method


def require(owner: object, *names: str) -> None:
    """Refuse to go on when `owner`, a part of moto, lacks one of `names`."""
    for name in names:
        if not hasattr(owner, name):
            shown = getattr(owner, "__qualname__", getattr(owner, "__name__", repr(owner)))
            raise SeamMissing(
                f"moto's {shown} has no {name!r} any more. local/cloud is written for the moto "
                "version pinned in pyproject.toml: install that one, or adapt local/cloud."
            )


def extend(package: str, backend: type, keep: Iterable[str] = (), base: Any = None) -> Any:
    """Serve the service of `moto.<package>` from `backend`, a subclass of moto's `BaseBackend`, or
    of the service's own backend where operations are kept.

    Its `@operation` methods are served, and moto's own operations named in `keep` (CamelCase);
    every other operation is refused with UnknownOperationException (400). Must run before the
    service is first used: moto's backends keep each other.

    `base` is moto's response class of a service that shares its URLs with another one; the class
    that is answered is then to be put in its place.
    """
    urls = import_module(f"moto.{package}.urls")
    require(urls, "url_paths", "url_bases")
    shared = base is not None
    if not shared:
        dispatch = next(iter(urls.url_paths.values()))
        require(dispatch, "__self__")
        base = dispatch.__self__
    require(base, "_dispatch", "call_action", "setup_class", "serialized", "dispatch")
    service = base().service_name
    stores = get_backend(service)
    require(stores, "backend", "clear")
    model: ServiceModel = get_service_model(base().boto3_service_name)
    own = {name: _call(model, stores, backend, name) for name in operations(backend)}
    served = own.keys() | {camelcase_to_underscores(name) for name in keep}

    def start(self: Any) -> None:
        base.__init__(self)
        self.automated_parameter_parsing = True

    def dispatch_strictly(
        self: Any, request: Any, full_url: Any = None, headers: Any = None
    ) -> Any:
        try:
            self.setup_class(request, full_url, headers)
            action = self._get_action() or ""
            if camelcase_to_underscores(action) in served:
                status, answered, body = self.call_action()
                self.record(model, action, answered)
                return status, answered, body
            refusal = Refusal(
                "UnknownOperationException",
                f"The pocket account does not serve {action or 'this request'} of {service}.",
            )
        except OperationNotFoundError as unknown:
            refusal = Refusal("UnknownOperationException", str(unknown))
        return self.serialized(ActionResult(refusal))

    def parse_strictly(self: Any, request: Any) -> None:
        try:
            base.parse_parameters(self, request)
        except (TypeError, ValueError, AttributeError) as malformed:
            self.params = {}
            self.malformed = str(malformed)

    def serialize(self: Any, result: ActionResult) -> Any:
        status, answered, body = base.serialized(self, result)
        if isinstance(result.result, ServiceException):
            self.error = (str(result.result.code), str(result.result.message))
            if model.protocol == "ec2":
                # EC2's model lists no errors, so none has its status from there.
                status = cloudtrail.SERVER_ERRORS.get(self.error[0], status)
        return status, answered, body

    response: Any = type(
        base.__name__,
        (base,),
        {
            "__init__": start,
            "_dispatch": dispatch_strictly,
            "parse_parameters": parse_strictly,
            "serialized": serialize,
            "record": _record,
            "malformed": None,
            "error": None,
            "answer": None,
            **own,
        },
    )
    if not shared:
        urls.url_paths.update(dict.fromkeys(urls.url_paths, response.dispatch))
    stores.backend = type(
        backend.__name__, (backend,), {"_url_module": urls, "__module__": backend.__module__}
    )
    stores.clear()
    return response


def operations(backend: type) -> list[str]:
    """The names of the `@operation` methods of a backend class."""
    return [name for name in dir(backend) if hasattr(getattr(backend, name), "is_operation")]


def _call(
    model: ServiceModel, stores: Any, backend: type, name: str
) -> Callable[[Any], ActionResult]:
    """What a response object does for one of our operations."""
    found = {camelcase_to_underscores(each): each for each in model.operation_names}
    if name not in found:
        raise SeamMissing(f"botocore's model of {model.service_name} has no operation {name!r}.")
    shape = model.operation_model(found[name])
    supported = set(inspect.signature(getattr(backend, name)).parameters) - {"self"}
    members = shape.input_shape.members if shape.input_shape else ()
    known = {camelcase_to_underscores(each) for each in members}
    if strange := supported - known:
        raise SeamMissing(f"{shape.name} has no parameters {sorted(strange)} in botocore's model.")

    def call(self: Any) -> ActionResult:
        if self.malformed is not None:
            raise Refusal("SerializationException", self.malformed)
        arguments = _arguments(shape, self.params, supported)
        WORLD.access_key = self.access_key
        try:
            answer = getattr(stores[self.current_account][self.region], name)(**arguments) or {}
        except Refusal as refusal:
            _check_error(model, refusal)
            raise
        # A model object of moto's own is written as moto writes it.
        if isinstance(answer, Mapping) and (wrong := list(misfits(shape.output_shape, answer))):
            raise TypeError(f"{shape.name} answers what its model does not allow: {wrong}")
        self.answer = answer
        return ActionResult(answer)

    return call


def _record(self: Any, model: ServiceModel, action: str, answered: Mapping[str, Any]) -> None:
    """Tell CloudTrail of the call that a response object has just answered."""
    cloudtrail.tell(
        cloudtrail.Call(
            model.operation_model(action),
            self.params,
            self.current_account,
            self.region,
            str(answered["x-amzn-requestid"]),
            self.error,
            self.answer,
            self.access_key,
            self.headers.get("User-Agent", ""),
        )
    )


def _arguments(
    shape: OperationModel, params: Mapping[str, Any], supported: set[str]
) -> dict[str, Any]:
    if broken := list(violations(shape.input_shape, dict(params))):
        if shape.service_model.protocol == "ec2":
            raise _refusal_by_ec2(broken[0])
        plural = "" if len(broken) == 1 else "s"
        message = f"{len(broken)} validation error{plural} detected: " + "; ".join(broken)
        raise Refusal(_invalid_code(shape), message)
    arguments = {camelcase_to_underscores(name): value for name, value in params.items()}
    for name in params:
        if camelcase_to_underscores(name) not in supported:
            raise Refusal(
                "UnsupportedByPocketAccount",
                f"The pocket account does not simulate {name} of {shape.name}.",
            )
    return arguments


def _invalid_code(shape: OperationModel) -> str:
    """Query services call a broken constraint ValidationError, the others ValidationException
    (AWS "Common errors" pages of either kind), but for operations that have a name of their own
    for it: IllegalArgumentException, "Invalid input was provided" (Service Quotas' model)."""
    if any(error.name == "IllegalArgumentException" for error in shape.error_shapes):
        return "IllegalArgumentException"
    protocol = shape.service_model.protocol
    return "ValidationError" if protocol == "query" else "ValidationException"


def _refusal_by_ec2(broken: str) -> Refusal:
    """A broken constraint as EC2 words it (EC2 API reference, "Error codes for the Amazon EC2
    API", InvalidParameterValue and MissingParameter)."""
    found = re.match(r"Value (?:'(.*)'|null) at '([^']*)' failed", broken, re.DOTALL)
    assert found is not None, broken
    value, path = found.groups()
    name = re.sub(r"(\.\d+\.member)+$", "", path).rpartition(".")[2]
    name = name[:1].upper() + name[1:]
    if value is None:
        return Refusal("MissingParameter", f"The request must contain the parameter {name}")
    if name == "InstanceTypes":
        message = f"The following supplied instance types do not exist: [{value}]"
        return Refusal("InvalidInstanceType", message)
    return Refusal("InvalidParameterValue", f"Invalid value '{value}' for {name}.")


def _check_error(model: ServiceModel, refusal: Refusal) -> None:
    if model.protocol == "ec2":
        return  # its model lists no errors
    known = refusal.code in errors.COMMON_ERROR_CODES or _lookup(model).from_code(refusal.code)
    if not known:
        raise TypeError(
            f"{model.service_name} has no error {refusal.code!r} in its model, and it is no "
            f"common error: {refusal.message}"
        )


@cache
def _lookup(model: Any) -> Any:
    return errors.ErrorLookupFactory().for_service(model)


def guard() -> None:
    """Make every in-process call, whatever its service, one turn; forget with moto's reset."""
    stubber: Any = botocore_stubber.BotocoreStubber
    backends: Any = base_backend.BackendDict
    require(stubber, "process_request")
    require(backends, "reset")
    require(errors, "COMMON_ERROR_CODES", "ErrorLookupFactory")
    require(responses.BaseResponse, "parse_parameters", "_get_action", "get_current_account")
    errors.COMMON_ERROR_CODES.extend(COMMON_ERRORS)
    require(responses, "XFormedAttributePicker")
    require(serialize.ResponseSerializer, "get_value")
    for serializer in (serialize.BaseXMLSerializer, serialize.EC2Serializer):
        require(serializer, "_serialize_body")
    answers.install()
    process, reset = stubber.process_request, backends.reset.__func__

    def process_in_turn(self: Any, request: Any) -> Any:
        with WORLD.turn():
            return process(self, request)

    def reset_with_world(cls: Any) -> None:
        with WORLD.lock:
            WORLD.reset()
            reset(cls)

    stubber.process_request = process_in_turn
    backends.reset = classmethod(reset_with_world)
