"""A provider of single sign-on on loopback, by the contract: discovery, authorize, token, keys, userinfo."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "picture-memory", "a secret between two servers"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """A test changes what it says: `person` holds its claims, `token` replaces some of the ID token."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "p-1", "preferred_username": "anna", "name": "Anna de Vries"}
        self.token: dict[str, Any] = {}
        self.told: dict[str, Any] = {}  # by userinfo, instead of the same
        self.key, self.issuer = KEY, ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: dict[str, str] = {}  # by the last question

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent: nobody is asked, the person is signed in there."""
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert "openid" in asked["scope"].split() and asked["code_challenge_method"] == "S256"
        self.asked = asked
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET)
            or form.get("redirect_uri") != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {**claims, **self.person, **self.token}
        claims = {name: value for name, value in claims.items() if value is not None}
        made = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "one"})
        return {"access_token": "bearer", "token_type": "Bearer", "id_token": made}

    def described(self) -> dict[str, Any]:
        at = self.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "userinfo_endpoint": f"{at}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def answer(self, found: Any, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def do_GET(self) -> None:
            found = {
                "/.well-known/openid-configuration": provider.described,
                "/keys": provider.keys,
                "/userinfo": lambda: {**provider.person, **provider.told},
            }.get(urlsplit(self.path).path)
            self.answer(found() if found else {}, 200 if found else 404)

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found = provider.exchange({name: values[0] for name, values in parse_qs(form).items()})
            self.answer(found or {"error": "invalid_grant"}, 200 if found else 400)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
