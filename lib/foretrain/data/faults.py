"""Which fault lies in the data, which in the storage, and which of them is worth another try?"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from foretrain.errors import DataError, ForetrainError, ResourceError, StorageError

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds; doubles, with jitter

_LASTING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE}
# Faults of the object stores' and HTTP libraries, by name: importing those libraries just to catch them is slow.
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "NoCredentialProviders", "DefaultCredentialsError"}
_NETWORK = {"ClientError", "HTTPClientError", "BotoCoreError", "ServerTimeoutError", "HttpError", "IncompleteRead",
            "RequestException", "TransportError"}  # fmt: skip
_DENIED = {401, 403, 407}
_GONE = {404, 410}
_BUSY = {408, 425, 429}


def translate(fault: BaseException, name: str) -> ForetrainError | None:
    """The error to show for a fault met while reading `name`; None when it is not about reading at all."""
    if isinstance(fault, ForetrainError):
        return fault
    # fsspec calls every failure of a web server "not found", and keeps the real one as the cause.
    if isinstance(fault, FileNotFoundError) and type(fault.__cause__).__module__.startswith("aiohttp"):
        assert fault.__cause__ is not None
        fault = fault.__cause__
    kinds = {kind.__name__ for kind in type(fault).__mro__}
    status = getattr(fault, "status", None) or getattr(fault, "code", None)
    if kinds & _NO_CREDENTIALS:
        return DataError(
            "no credentials found for this store",
            file=name,
            hint="Set them in the environment as its library expects, e.g. AWS_ACCESS_KEY_ID or "
            "GOOGLE_APPLICATION_CREDENTIALS",
        )
    if isinstance(fault, FileNotFoundError) or status in _GONE:
        return DataError("expected a file or folder here, found none", file=name, hint="Check the path")
    # gcsfs has no class and no status for what is forbidden.
    forbidden = isinstance(fault, OSError) and str(fault).startswith("Forbidden: ")
    if isinstance(fault, PermissionError) or status in _DENIED or forbidden:
        return DataError("no permission to read this", file=name, hint="Check the file's mode or your credentials")
    if isinstance(status, int) and 400 <= status < 500 and status not in _BUSY:
        return DataError(f"the server refused this ({_short(fault)})", file=name)
    if isinstance(fault, (IsADirectoryError, NotADirectoryError)):
        return DataError("expected a file, found a folder or the reverse", file=name)
    if isinstance(fault, MemoryError):
        return ResourceError("memory ran out while reading", file=name)
    if isinstance(fault, (TimeoutError, ConnectionError)) or kinds & _NETWORK:
        return StorageError(f"storage did not answer ({_short(fault)})", file=name, hint="Try again later")
    if isinstance(fault, OSError) and fault.errno is not None:
        if fault.errno in _LASTING:
            return ResourceError(f"the machine ran out ({_short(fault)})", file=name)
        return StorageError(f"reading failed ({_short(fault)})", file=name)
    return None


@contextmanager
def guard(name: str, what: str | None = None) -> Iterator[None]:
    """Turn any fault met while reading `name` into one clear line.

    Args:
        name: file or URL, for people.
        what: what the content was expected to be; a fault in decoding then says "not readable as {what}".
    """
    try:
        yield
    except GeneratorExit:
        raise
    except Exception as fault:
        known = translate(fault, name)
        if known is fault:
            raise
        if known is not None:
            raise known from fault
        if what is not None:
            raise DataError(
                f"not readable as {what}: {_short(fault)}",
                file=name,
                hint="It may be damaged, cut short, or another format; --format names one",
            ) from fault
        raise


def patiently(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call with exponential back-off and jitter, again only after faults that can pass."""
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

    retrying = Retrying(
        retry=retry_if_exception(lambda fault: isinstance(fault, ForetrainError) and fault.can_pass),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=FIRST_WAIT, max=8.0, jitter=FIRST_WAIT),
        reraise=True,
    )
    return retrying(call, *args, **kwargs)


def _short(fault: BaseException) -> str:
    words = " ".join(str(fault).split()) or type(fault).__name__
    return words if len(words) <= 160 else words[:157] + "..."
