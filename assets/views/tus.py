"""The tus protocol, version 1.0.0: uploads in pieces that go on after anything (https://tus.io/protocols/).

For the upload page, with its session, and for other programs, with an API token. Rules are in assets.uploads.
"""

import base64
import binascii
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts.models import ApiToken, Scope, TokenError, User
from assets import uploads
from assets.forms import UploadMetadataForm
from assets.models import Asset, Upload
from assets.scopes import Action, scope_of
from assets.stored import shown
from assets.views.allowed import REFUSED

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
BYTES = "application/offset+octet-stream"
STALL_SECONDS = 30  # without a byte: the other side has gone
LONGEST_METADATA = 64 * 1024
STATUS: dict[type[Exception], int] = {
    uploads.WrongOffset: 409,
    uploads.TakenIn: 409,
    uploads.TooLarge: 413,
    uploads.Locked: 423,
    uploads.WrongChecksum: 460,
    uploads.DiskFull: 507,
    FileNotFoundError: 404,
    Upload.DoesNotExist: 404,
}
_turns: dict[int, threading.BoundedSemaphore] = {}  # of this process; by how many it has


class Refused(Exception):
    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.more = status, more


View = Callable[..., HttpResponse]


def protocol(view: View) -> View:
    """Who asks, in which version and with which method; every answer names the version."""

    def of_session(request: HttpRequest, *args: Any) -> HttpResponse:
        return view(request, *args)

    protected = csrf_protect(of_session)

    @csrf_exempt
    def answered(request: HttpRequest, **where: UUID) -> HttpResponse:
        try:
            response = _answer(request, view, protected, *where.values())
        except Refused as refused:
            response = JsonResponse({"detail": shown(str(refused)), **refused.more}, status=refused.status)
        except (*STATUS,) as error:
            status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
            said = str(error) if isinstance(error, uploads.UploadError) else "There is no such upload."
            response = JsonResponse({"detail": shown(said)}, status=status)
        response.headers.setdefault("Tus-Resumable", VERSION)
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code == 503:
            response.headers["Retry-After"] = "2"
        if response.status_code == 412:
            response.headers["Tus-Version"] = VERSION
        return response

    return answered


def _answer(request: HttpRequest, view: View, protected: View, *args: UUID) -> HttpResponse:
    if request.method == "OPTIONS":
        return _options()
    if request.headers.get("Tus-Resumable") != VERSION and request.method != "GET":
        raise Refused(412, f"This server speaks version {VERSION} of the tus protocol.")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() == "bearer":
        try:
            request.user = ApiToken.objects.admit(token.strip(), Scope.UPLOAD)
        except TokenError as refused:
            raise Refused(refused.status, str(refused)) from refused
        return view(request, *args)
    if not request.user.is_authenticated:
        raise Refused(401, "Sign in, or send a token.")
    return protected(request, *args)


def _options() -> HttpResponse:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.MAX_UPLOAD_BYTES),
        "Tus-Checksum-Algorithm": ",".join(uploads.ALGORITHMS),
    }
    return HttpResponse(status=204, headers=headers)


def _method(request: HttpRequest) -> str:
    """Some proxies let only GET and POST through. Only a POST, which was checked, may mean something else."""
    overridden = request.headers.get("X-HTTP-Method-Override", "")
    return overridden.upper() if overridden and request.method == "POST" else str(request.method)


@protocol
def collection(request: HttpRequest) -> HttpResponse:
    """POST makes an upload."""
    if _method(request) != "POST":
        raise Refused(405, "Make an upload with POST.")
    if not scope_of(request.user).may_somewhere(Action.DESCRIBE):
        raise Refused(403, str(REFUSED[Action.DESCRIBE]))
    length = _number(request, "Upload-Length")
    upload = _create(request, length)
    headers = {"Location": reverse("assets:one_upload", args=[upload.uid])}
    if request.content_type == BYTES:
        headers["Upload-Offset"] = str(_receive(request, upload, 0))
    return HttpResponse(status=201, headers=headers | _expires(upload))


def _create(request: HttpRequest, length: int) -> Upload:
    header = request.headers.get("Upload-Metadata", "")
    form = UploadMetadataForm(_metadata(header))
    if not form.is_valid():
        fields = {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}
        raise Refused(422, " ".join(fields.values()), fields=fields)
    said, user = form.cleaned_data, _user(request)
    sidecar = None
    if said["sidecar"]:
        sidecar = Upload.objects.filter(owner=user, uid=said["sidecar"], purpose=Upload.Purpose.FILE).first()
    batch = {"batch_uid": uuid5(said["batch"], str(user.pk))} if said["batch"] else {}
    return uploads.create(
        user,
        length,
        said["filename"],
        fingerprint=said["fingerprint"],
        metadata=header,
        purpose=said["purpose"],
        words=form.words(),
        sidecar=sidecar,
        source="upload page" if said["batch"] else "API",
        **batch,
    )


@protocol
def one(request: HttpRequest, uid: UUID) -> HttpResponse:
    """HEAD says how much is here, PATCH adds to it, DELETE forgets it, GET says what became of it."""
    upload = Upload.objects.select_related("item").get(uid=uid, owner=_user(request))
    if upload.expires_at < timezone.now():
        raise Refused(410, "This upload was left alone for too long and is removed. Begin again.")
    answers = {"HEAD": _head, "PATCH": _patch, "DELETE": _delete, "GET": _get}
    answer = answers.get(_method(request))
    if answer is None:
        raise Refused(405, "An upload knows HEAD, PATCH, DELETE and GET.")
    return answer(request, upload)


def _head(request: HttpRequest, upload: Upload) -> HttpResponse:
    offset = uploads.offset_of(upload)
    if offset == upload.length:
        uploads.complete(upload)  # the server may have stopped between the last byte and this
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(upload.length)} | _expires(upload)
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return HttpResponse(headers=headers)


def _patch(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.content_type != BYTES:
        raise Refused(415, f"The type of the content must be {BYTES}.")
    offset = _receive(request, upload, _number(request, "Upload-Offset"))
    return HttpResponse(status=204, headers={"Upload-Offset": str(offset)} | _expires(upload))


def _delete(request: HttpRequest, upload: Upload) -> HttpResponse:
    uploads.give_up(upload)
    return HttpResponse(status=204)


def _get(request: HttpRequest, upload: Upload) -> HttpResponse:
    """As the API's other answers; nothing of an asset that this person may not see any more."""
    offset = uploads.offset_of(upload)
    found: dict[str, Any] = {"state": upload.state, "offset": offset, "length": upload.length}
    if upload.item:
        seen = Asset.objects.visible_to(_user(request)).filter(batch_items=upload.item).first()
        asset = seen.uid if seen else None
        found |= {"outcome": upload.item.outcome, "reason": shown(upload.item.reason), "asset": asset}
    return JsonResponse(found)


def _receive(request: HttpRequest, upload: Upload, offset: int) -> int:
    checksum = None
    if header := request.headers.get("Upload-Checksum"):
        try:
            checksum = uploads.Checksum.of(header)
        except ValueError as error:
            raise Refused(400, str(error)) from None
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    unlimited = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if unlimited else request  # Django takes no length for no body
    number = settings.UPLOADS_AT_ONCE
    turn = _turns.setdefault(number, threading.BoundedSemaphore(number))
    if not turn.acquire(blocking=False):
        raise Refused(503, "Too many files are arriving at this moment. Try again in a few seconds.")
    try:
        body = uploads.pieces(stream, STALL_SECONDS)
        return uploads.receive(upload, body, offset, checksum, announced=announced)
    finally:
        turn.release()


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, f"{header} must be a number that is not negative.")
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """From `key BASE64,key BASE64`."""
    if len(header) > LONGEST_METADATA:
        raise Refused(400, "Upload-Metadata is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, header.split(",")):
        key, _, value = pair.strip().partition(" ")
        if not key or key in found:
            raise Refused(400, "Upload-Metadata must be pairs of a key and a value in Base64, each key once.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(400, f"The value of {key} in Upload-Metadata is no text in Base64.") from None
    return found


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": http_date(upload.expires_at.timestamp())}


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Refused(401, "Sign in, or send a token.")
    return request.user
