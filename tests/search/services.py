"""Contracts: each takes exactly what the written contract of a service allows; serving.py adds HTTP.

A good request gets vectors that depend on what was sent alone: the mean colour of a picture, or the text.
"""

import base64
import email
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

KEY = "k3y-that-nobody-may-see"
SIZE = 16  # of the vectors of services that are told, or leave open, how long they are


class Refusal(Exception):
    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body


@dataclass
class Request:
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    picture: Image.Image | None = None

    def json(self) -> Any:
        if self.headers.get_content_type() != "application/json":
            raise Refusal(415, {"message": "not JSON"})
        return json.loads(self.body)


def numbers(seed: bytes, size: int) -> list[float]:
    """Not of unit length: that is not promised."""
    drawn = np.random.default_rng(int.from_bytes(hashlib.sha256(seed).digest()[:8])).normal(size=size)
    return [round(float(number), 6) for number in 3 * drawn]


def seen(content: bytes) -> tuple[Image.Image, bytes]:
    """A decoded picture and a seed that stands for its mean colour, roughly."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    pixel = np.asarray(picture.convert("RGB").resize((1, 1), Image.Resampling.BOX))[0, 0]
    return picture, str((pixel // 24).tolist()).encode()


class Contract:
    """What one service takes and gives; `answer` raises Refusal for anything else."""

    size = SIZE
    change: Callable[[list[float]], Any] | None = None

    def answer(self, request: Request) -> Any:
        raise NotImplementedError

    def vector(self, seed: bytes) -> Any:
        made = numbers(seed, self.size)
        return self.change(made) if self.change else made

    def of_text(self, text: Any) -> Any:
        if not isinstance(text, str) or not text.strip():
            raise Refusal(400, {"message": "text"})
        return self.vector(text.encode())

    def of_jpeg(self, request: Request, content: bytes) -> Any:
        try:
            request.picture, seed = seen(content)
        except OSError:
            raise Refusal(400, {"message": "no picture"}) from None
        if request.picture.format != "JPEG":
            raise Refusal(400, {"message": "no JPEG"})
        return self.vector(seed)

    def of_data_uri(self, request: Request, uri: str) -> Any:
        head, _, data = uri.partition(",")
        if head != "data:image/jpeg;base64":
            raise Refusal(400, {"message": "no data URI"})
        return self.of_jpeg(request, base64.b64decode(data, validate=True))


def bearer(request: Request, refusal: Any) -> None:
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        raise Refusal(401, refusal)


def exactly(body: Any, *names: str) -> None:
    if not isinstance(body, dict) or set(body) != set(names):
        raise Refusal(422, {"detail": [{"loc": ["body"], "msg": f"expected {sorted(names)}"}]})


class Azure(Contract):
    size = 1024
    returned_version = ""  # empty: the one asked for

    def answer(self, request: Request) -> Any:
        question = request.path.removeprefix("/computervision/retrieval:")
        if question not in {"vectorizeImage", "vectorizeText"}:
            raise self.refused(404, "404", "Resource not found")
        if request.headers.get("Ocp-Apim-Subscription-Key") != KEY:
            wrong = request.headers.get("Ocp-Apim-Subscription-Key", "none")
            bearer(request, {"error": {"code": "PermissionDenied", "message": f"No access with {wrong}."}})
        if set(request.query) != {"api-version", "model-version"}:
            raise self.refused(400, "InvalidRequest", "query")
        if request.query["api-version"] != "2024-02-01":
            raise self.refused(404, "404", "api-version")
        version = request.query["model-version"]
        if version not in {"2023-04-15", "2022-04-11"}:
            raise self.refused(400, "InvalidRequest", "model-version", "InvalidModelVersion")
        vector = self.image(request, version) if question == "vectorizeImage" else self.text(request, version)
        return {"modelVersion": self.returned_version or version, "vector": vector}

    def text(self, request: Request, version: str) -> Any:
        body = request.json()
        if set(body) != {"text"} or not 1 <= len(body["text"].split()) <= 70:
            raise self.refused(400, "InvalidRequest", "1 to 70 words")
        return self.vector(f"{version} {body['text']}".encode())

    def image(self, request: Request, version: str) -> Any:
        if request.headers.get_content_type() != "application/octet-stream":
            raise self.refused(415, "UnsupportedMediaType", "content type")
        if len(request.body) >= 20_000_000:
            raise self.refused(400, "InvalidRequest", "under 20 MB", "InvalidImageSize")
        try:
            request.picture, seed = seen(request.body)
        except OSError:
            raise self.refused(400, "InvalidRequest", "not a picture", "InvalidImageFormat") from None
        formats = {"JPEG", "PNG", "GIF", "BMP", "WEBP", "ICO", "TIFF", "MPO"}
        if request.picture.format not in formats:
            raise self.refused(400, "InvalidRequest", "format", "InvalidImageFormat")
        if min(request.picture.size) <= 10 or max(request.picture.size) >= 16_000:
            raise self.refused(400, "InvalidRequest", "10x10 to 16000x16000", "InvalidImageDimension")
        return self.vector(version.encode() + seed)

    @staticmethod
    def refused(status: int, code: str, message: str, inner: str = "") -> Refusal:
        error: dict[str, Any] = {"code": code, "message": message}
        if inner:
            error["innererror"] = {"code": inner, "message": message}
        return Refusal(status, {"error": error})


class Cohere(Contract):
    def answer(self, request: Request) -> Any:
        if request.path != "/v2/embed":
            raise Refusal(404, {"message": "not found"})
        bearer(request, {"message": "invalid api token"})
        body = request.json()
        what = "images" if "images" in body else "texts"
        exactly(body, "model", "input_type", "embedding_types", "output_dimension", what)
        asked = (body["model"], body["embedding_types"], body["output_dimension"])
        kinds = {"search_document", *(["search_query"] if what == "texts" else [])}
        if asked != ("embed-v4.0", ["float"], self.size) or body["input_type"] not in kinds:
            raise Refusal(400, {"message": f"invalid request: {asked}"})
        if what == "images":
            rows = [self.of_data_uri(request, uri) for uri in body["images"]]
        else:
            rows = [self.of_text(text) for text in body["texts"]]
        return {"id": "1", "embeddings": {"float": rows}}


class Voyage(Contract):
    def answer(self, request: Request) -> Any:
        if request.path != "/v1/multimodalembeddings":
            raise Refusal(404, {"detail": "Not Found"})
        bearer(request, {"detail": "Provided API key is invalid."})
        body = request.json()
        exactly(body, "model", "inputs", "input_type")
        if body["model"] != "voyage-multimodal-3.5":
            raise Refusal(400, {"detail": "Model is not supported."})
        rows = [self.one(request, given, body["input_type"]) for given in body["inputs"]]
        return {"data": [{"embedding": row, "index": n} for n, row in enumerate(rows)]}

    def one(self, request: Request, given: Any, input_type: str) -> Any:
        exactly(given, "content")
        (part,) = given["content"]
        exactly(part, "type", part["type"])
        if part["type"] == "text" and input_type in {"query", "document"}:
            return self.of_text(part["text"])
        if part["type"] == "image_base64" and input_type == "document":
            return self.of_data_uri(request, part["image_base64"])
        raise Refusal(400, {"detail": "type"})


class Jina(Contract):
    def answer(self, request: Request) -> Any:
        if request.path != "/v1/embeddings":
            raise Refusal(404, {"detail": "Not Found"})
        bearer(request, {"detail": "Invalid API key"})
        body = request.json()
        exactly(body, "model", "input", "dimensions", "normalized")
        if (body["model"], body["dimensions"], body["normalized"]) != ("jina-clip-v2", self.size, True):
            raise Refusal(422, {"detail": "model or dimensions"})
        rows = []
        for given in body["input"]:
            exactly(given, "image" if "image" in given else "text")
            if "text" in given:
                rows.append(self.of_text(given["text"]))
            else:
                rows.append(self.of_jpeg(request, base64.b64decode(given["image"], validate=True)))
        return {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}


class Infinity(Contract):
    model = "some/siglip"

    def answer(self, request: Request) -> Any:
        if request.path != "/embeddings":
            raise Refusal(404, {"detail": "Not Found"})
        bearer(request, {"detail": "Unauthorized"})
        body = request.json()
        if body.get("model") != self.model:
            raise Refusal(400, {"error": {"message": f"{body.get('model')} is not served", "type": None}})
        exactly(body, "model", "input", "modality")
        read = {"text": self.of_text, "image": lambda uri: self.of_data_uri(request, uri)}[body["modality"]]
        rows = [read(given) for given in body["input"]]
        return {"data": [{"index": n, "embedding": row} for n, row in reversed(list(enumerate(rows)))]}


class Vllm(Contract):
    model = "some/siglip"

    def answer(self, request: Request) -> Any:
        if request.path != "/v1/embeddings":
            raise Refusal(404, {"detail": "Not Found"})
        body = request.json()
        if body.get("model") != self.model or body.get("encoding_format") != "float":
            raise Refusal(404, {"error": {"message": "The model does not exist", "type": "NotFoundError"}})
        if "messages" in body:
            exactly(body, "model", "messages", "encoding_format")
            ((message,), (part,)) = body["messages"], body["messages"][0]["content"]
            if message["role"] != "user" or part["type"] != "image_url":
                raise Refusal(400, {"error": {"message": "messages"}})
            rows = [self.of_data_uri(request, part["image_url"]["url"])]
        else:
            exactly(body, "model", "input", "encoding_format")
            rows = [self.of_text(text) for text in body["input"]]
        return {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}


class Immich(Contract):
    model = "ViT-B-32__openai"

    def answer(self, request: Request) -> Any:
        if request.path != "/predict":
            raise Refusal(404, {"detail": "Not Found"})
        if request.headers.get_content_type() != "multipart/form-data":
            raise Refusal(422, {"detail": [{"msg": "Field required"}]})
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        parts = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in email.message_from_bytes(head + request.body).get_payload()
        }
        entries = json.loads(parts.pop("entries"))
        if entries == {"clip": {"visual": {"modelName": self.model}}} and set(parts) == {"image"}:
            row = self.of_jpeg(request, parts["image"])
        elif entries == {"clip": {"textual": {"modelName": self.model}}} and set(parts) == {"text"}:
            row = self.of_text(parts["text"].decode())
        else:
            raise Refusal(422, {"detail": "Invalid request format."})
        return {"clip": json.dumps(row)}
