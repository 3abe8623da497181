"""The exceptions of whorl, one class an error code of whorl/error.hpp."""

from __future__ import annotations


class Error(Exception):
    """What went wrong: a sentence that names the place, and what was expected and found.

    Attributes
    ----------
    code : str
        A short name for programs, such as ``"bad_format"``.
    stage : str
        The operation, such as ``"keygen"`` or ``"task.load"``.
    """

    code: str = "internal"

    def __init__(self, message: str, stage: str = "") -> None:
        super().__init__(f"{stage}: {message}" if stage else message)
        self.message = message
        self.stage = stage

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.stage)


class InvalidArgumentError(Error, ValueError):
    """A call, parameter or trace that does not fit."""

    code = "invalid_argument"


class FormatError(Error, ValueError):
    """Bytes that are not a key, a proof or a task."""

    code = "bad_format"


class FileError(Error, OSError):
    """A file that cannot be read or written."""

    code = "io"


class UnsatisfiedError(Error):
    """Traces that break a constraint or leave a bus unbalanced."""

    code = "unsatisfied"


class MachineError(Error):
    """Memory, threads or a device that this machine does not have; another may."""

    code = "machine"


class InternalError(Error):
    """A bug in whorl."""

    code = "internal"


class CancelledError(Error):
    """The call was asked to stop."""

    code = "cancelled"


class RejectedError(Error):
    """A proof that is not accepted.

    Attributes
    ----------
    kind : str
        The rule that it breaks, such as ``"gkr_layer_claim"`` (whorl/verify.hpp lists them).
    stage : str
        The verifier's stage, such as ``"gkr.layer3"``.
    place, expected, found : str
        May be empty.
    """

    code = "rejected"

    def __init__(self, message: str, kind: str, stage: str, place: str = "", expected: str = "", found: str = "") -> None:
        super().__init__(message)
        self.stage = stage
        self.kind = kind
        self.place = place
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.kind, self.stage, self.place, self.expected, self.found)


_BY_CODE: dict[str, type[Error]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        FormatError,
        FileError,
        UnsatisfiedError,
        MachineError,
        InternalError,
        CancelledError,
    )
}


def error_of(code: str, stage: str, message: str) -> Error:
    """The exception for an error of the library."""
    return _BY_CODE[code](message, stage)
