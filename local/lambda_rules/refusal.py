"""What Lambda refuses: an error code of its service model, and the text AWS answers with."""

from __future__ import annotations

STATUS = {
    "InvalidParameterValueException": 400,
    "ValidationException": 400,
    "PreconditionFailedException": 412,
    "ProvisionedConcurrencyConfigNotFoundException": 404,
    "ResourceConflictException": 409,
    "ResourceNotFoundException": 404,
}
"""The HTTP status of each code (botocore service model of Lambda)."""


class Refused(Exception):
    """A call that AWS refuses. `code` is a key of `STATUS`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def invalid(message: str) -> Refused:
    """The refusal of a parameter's value."""
    return Refused("InvalidParameterValueException", message)


def out_of_model(value: object, where: str, constraint: str) -> Refused:
    """The refusal of a value that breaks a constraint of the service model."""
    message = (
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: "
        f"{constraint}"
    )
    return Refused("ValidationException", message)


def missing(arn: str) -> Refused:
    """The refusal of a function or version that is not there."""
    return Refused("ResourceNotFoundException", f"Function not found: {arn}")
