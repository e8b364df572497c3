"""Every error Candil raises on purpose, and the codes they cross the JavaScript seam with.

    CandilError
     +- RequestError          what was asked cannot be done as asked; nothing ran
     |   +- EmptyPrompt
     |   +- ContextOverflow   prompt_tokens, context_tokens
     |   +- InvalidRequest
     |   +- NotText           name: the file that was to be attached
     |   +- FileTooLarge      name, limit_bytes
     |   +- PdfEncrypted      name: it opens only with a password
     |   +- PdfScanned        name: pictures of pages, no text in it
     |   +- PdfDamaged        name
     |   +- BadInput          field, why: a task cannot begin with this
     |   +- SchemaUnsupported keyword, pointer: what no answer can be held to
     |   +- RunElsewhere      another tab works on this run of a task
     |   +- NobodyMay         reasons: by the rules, none of those that are here answers this
     +- NoDocument            attempts: the model gave none that validates
     +- EngineError           the engine could not do it; its worker is replaced
     |   +- EngineFailed      anything unforeseen, the original text in `message`
     |   +- EngineHung        it said nothing for too long
     |   +- EngineUnavailable this browser or device cannot run it
     |   +- EngineBusy        another tab runs the engine
     |   +- ClickNeeded       the browser fetches its own model only after a click
     |   +- DeviceLost        the GPU went away
     |   +- OutOfMemory
     |   +- LoadCrashed       the page ended while this model was loaded, so it is not loaded again unasked
     |   +- WrongAnswer       the self-test after load did not give the known answer
     |   +- NotLoaded
     |   +- ServerError       a server that runs the model for us (the user's own, or one behind ours) did not
     |       +- ServerUnreachable nothing answers there, or it lets no page of ours read its answer
     |       +- ServerSilent      connected, and then not a word for too long
     |       +- ServerOverloaded  429 or 5xx: worth another try
     |       +- KeyRefused        401 or 403
     |       +- ModelMissing      it does not have this model, or has not loaded it
     |       +- RequestRejected   any other status
     |       +- NotAModelServer   HTML, a redirect, no JSON, an event without end: something else answers there
     |       +- EmptyAnswer       it ended the answer without a word
     |       +- AnswerBroken      it broke the answer off, with or without saying so
    |       +- CloudError        the relay of this site's server, or the company behind it, did not
    |           +- CloudUnreachable  no connection, or this server relays no more
    |           +- CloudTokenRefused it wants another access token
    |           +- CloudBusy         too many requests just now: worth another try
    |           +- CloudSpent        what this site allows is used up for a while
    |           +- CloudTooLong      the conversation is longer than it passes on
    |           +- CloudFailed       the companies cannot answer now: worth another try
    |           +- CloudInterrupted  the answer was broken off
     +- DownloadError
     |   +- NetworkFailed     no answer, or the connection broke: worth another try
     |   +- TransferTruncated fewer bytes than announced: worth another try
     |   +- ServerBusy        429 or 5xx, retry_after_s when the server said: worth another try
     |   +- FileMissing       404 or 410
     |   +- AccessDenied      401 or 403
     |   +- ServerRefused     any other status
     |   +- FileChanged       the file's ETag is no longer the one the download began with
     |   +- WrongContent      an HTML page or another length where the file should be
     |   +- HashMismatch      all bytes there, but not the ones the manifest promises
     +- StorageError
     |   +- QuotaExceeded     bytes_needed
     |   +- StorageUnavailable no OPFS (a private window): what is kept lasts until the tab closes
     |   +- OfflineUnavailable no service worker: it works, but only with a connection
     |   +- StorageFailed
     +- ImportRefused         a file the user gave is not taken; nothing of it is
     |   +- ImportUnreadable  no chats in it that we can read
     |   +- ImportTooNew      version, known: written by a later Candil
     |   +- ImportTooLarge
     +- ModelRefused          a model file the user gave cannot be used
     |   +- NotGguf           it is no GGUF file
     |   +- GgufTruncated     it ends before what it announces
     |   +- GgufDamaged       numbers in it that make no sense
     |   +- GgufUnsupported   feature: what of it the engine cannot do
     |   +- NotAChatModel     kind: what it is instead
     |   +- PartsMissing      have, count: of a split model not every part was given
     |   +- SeveralModels     files of more than one model
     |   +- FileUnreadable    moved, changed or taken away since it was picked
     +- ManifestError         the catalog is not what its schema says

`code` is the class's stable name on the wire (site/protocol.d.ts lists the same codes, a test keeps
them equal) and the key of its sentence in the languages. An unknown code becomes EngineFailed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar


class CandilError(Exception):
    """Base of the tree. `details` are JSON values the page's sentence may show; never a prompt."""

    code: ClassVar[str] = "candil_error"
    retryable: ClassVar[bool] = False  # the same call may succeed if only repeated

    def __init__(self, message: str = "", **details: object) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.details = details


class RequestError(CandilError):
    code = "invalid_request"


class EmptyPrompt(RequestError):
    code = "empty_prompt"


class ContextOverflow(RequestError):
    """details: prompt_tokens, context_tokens (both int)."""

    code = "context_overflow"


class InvalidRequest(RequestError):
    code = "invalid_request"


class NotText(RequestError):
    """details: name (str) of the file."""

    code = "not_text"


class PdfEncrypted(RequestError):
    """details: name (str) of the file."""

    code = "pdf_encrypted"


class PdfScanned(RequestError):
    """details: name (str) of the file."""

    code = "pdf_scanned"


class PdfDamaged(RequestError):
    """details: name (str) of the file."""

    code = "pdf_damaged"


class FileTooLarge(RequestError):
    """details: name (str) of the file, limit_bytes (int)."""

    code = "file_too_large"


class BadInput(RequestError):
    """details: field (str) of the task's form, why (str), the key of a sentence that says what to do."""

    code = "bad_input"


class SchemaUnsupported(RequestError):
    """details: keyword (str), pointer (str, RFC 6901) to where it stands."""

    code = "schema_unsupported"


class RunElsewhere(RequestError):
    code = "run_elsewhere"


class NobodyMay(RequestError):
    """details: reasons (list of str), the codes of pyapp.routing.table."""

    code = "nobody_may"


class NoDocument(CandilError):
    """details: attempts (int), pointer (str, RFC 6901) to the first fault of the last."""

    code = "no_document"


class EngineError(CandilError):
    code = "engine_failed"


class EngineFailed(EngineError):
    code = "engine_failed"


class EngineHung(EngineError):
    code = "engine_hung"


class EngineUnavailable(EngineError):
    code = "engine_unavailable"


class EngineBusy(EngineError):
    code = "engine_busy"


class ClickNeeded(EngineError):
    code = "click_needed"


class DeviceLost(EngineError):
    code = "device_lost"


class OutOfMemory(EngineError):
    code = "out_of_memory"


class LoadCrashed(EngineError):
    code = "load_crashed"


class WrongAnswer(EngineError):
    code = "wrong_answer"


class NotLoaded(EngineError):
    code = "not_loaded"


class ServerError(EngineError):
    code = "answer_broken"


class ServerUnreachable(ServerError):
    """details: host (str)."""

    code = "server_unreachable"
    retryable = True


class ServerSilent(ServerError):
    """details: seconds (float) it was waited for."""

    code = "server_silent"
    retryable = True


class ServerOverloaded(ServerError):
    """details: status (int), retry_after_s (float | None)."""

    code = "server_overloaded"
    retryable = True


class KeyRefused(ServerError):
    """details: status (int)."""

    code = "key_refused"


class ModelMissing(ServerError):
    """details: status (int | None)."""

    code = "model_missing"


class RequestRejected(ServerError):
    """details: status (int), reason (the server's own identifier, or "")."""

    code = "request_rejected"


class NotAModelServer(ServerError):
    """details: reason (str)."""

    code = "not_a_model_server"


class EmptyAnswer(ServerError):
    code = "empty_answer"


class AnswerBroken(ServerError):
    """details: reason (an identifier, or "")."""

    code = "answer_broken"


class CloudError(ServerError):
    code = "cloud_failed"


class CloudUnreachable(CloudError):
    code = "cloud_unreachable"
    retryable = True


class CloudTokenRefused(CloudError):
    code = "cloud_token_refused"


class CloudBusy(CloudError):
    code = "cloud_busy"
    retryable = True


class CloudSpent(CloudError):
    code = "cloud_spent"


class CloudTooLong(CloudError):
    code = "cloud_too_long"


class CloudFailed(CloudError):
    code = "cloud_failed"
    retryable = True


class CloudInterrupted(CloudError):
    code = "cloud_interrupted"
    retryable = True


class DownloadError(CandilError):
    code = "network_failed"


class NetworkFailed(DownloadError):
    code = "network_failed"
    retryable = True


class TransferTruncated(DownloadError):
    code = "transfer_truncated"
    retryable = True


class ServerBusy(DownloadError):
    """details: status (int), retry_after_s (float | None)."""

    code = "server_busy"
    retryable = True


class FileMissing(DownloadError):
    code = "file_missing"


class AccessDenied(DownloadError):
    code = "access_denied"


class ServerRefused(DownloadError):
    """details: status (int)."""

    code = "server_refused"


class FileChanged(DownloadError):
    code = "file_changed"


class WrongContent(DownloadError):
    code = "wrong_content"


class HashMismatch(DownloadError):
    code = "hash_mismatch"


class StorageError(CandilError):
    code = "storage_failed"


class QuotaExceeded(StorageError):
    """details: bytes_needed (int)."""

    code = "quota_exceeded"


class StorageUnavailable(StorageError):
    code = "storage_unavailable"


class OfflineUnavailable(StorageError):
    code = "offline_unavailable"


class StorageFailed(StorageError):
    code = "storage_failed"


class ImportRefused(CandilError):
    code = "import_unreadable"


class ImportUnreadable(ImportRefused):
    code = "import_unreadable"


class ImportTooNew(ImportRefused):
    """details: version (int), known (int, the latest that is read)."""

    code = "import_too_new"


class ImportTooLarge(ImportRefused):
    code = "import_too_large"


class ModelRefused(CandilError):
    code = "not_gguf"


class NotGguf(ModelRefused):
    code = "not_gguf"


class GgufTruncated(ModelRefused):
    code = "gguf_truncated"


class GgufDamaged(ModelRefused):
    code = "gguf_damaged"


class GgufUnsupported(ModelRefused):
    """details: feature (str), the same in every language."""

    code = "gguf_unsupported"


class NotAChatModel(ModelRefused):
    """details: kind (str), as the file says it."""

    code = "not_a_chat_model"


class PartsMissing(ModelRefused):
    """details: have, count (both int)."""

    code = "parts_missing"


class SeveralModels(ModelRefused):
    code = "several_models"


class FileUnreadable(ModelRefused):
    code = "file_unreadable"


class ManifestError(CandilError):
    code = "manifest_invalid"


def _leaves(cls: type[CandilError]) -> Iterator[type[CandilError]]:
    subclasses = cls.__subclasses__()
    if not subclasses:
        yield cls
    for sub in subclasses:
        yield from _leaves(sub)


BY_CODE: dict[str, type[CandilError]] = {cls.code: cls for cls in _leaves(CandilError)}
"""Wire code -> the class that is raised for it; one leaf per code."""


def from_wire(code: str, message: str, details: Mapping[str, object] | None = None) -> CandilError:
    """The exception for an error that came from JavaScript; an unknown code is EngineFailed."""
    error = BY_CODE.get(code, EngineFailed)(message)
    error.details = dict(details or {})
    return error
