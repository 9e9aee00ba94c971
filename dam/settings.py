"""All settings, in one file. Every value that an installation may change is an environment variable.

Without any, the system runs on its embedded parts (dam/services): `manage.py up` starts them and leaves
their addresses in DATA_DIR/run/services.json, which is read here.
"""

import gc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from dam import env
from dam.services import addresses

gc.disable()  # until everything is imported (dam/apps.py): a sixth of the time that a process takes to start
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime would keep events for its maker
django_stubs_ext.monkeypatch()  # lets generic Django classes be subscripted at run time

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var")
EMBEDDED = addresses.read(DATA_DIR)

# --- the site ---------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY") or addresses.secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # former ones: what they signed is still good
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "dam.urls"
WSGI_APPLICATION = "dam.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "search:library", "login"
SITE_NAME = env.text("SITE_NAME", "Picture memory")
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "accounts.sessions"

# --- security: docs/security.md ------------------------------------------------------------------------
# Others can reach a library that answers to more names than those of this machine.
PRODUCTION = not DEBUG and not {*ALLOWED_HOSTS} <= {"localhost", "127.0.0.1", "[::1]"}
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", False)
# Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES", ("127.0.0.1", "::1") if BEHIND_TLS_PROXY else ())
PLAIN_HTTP = env.flag("PLAIN_HTTP", not (PRODUCTION or BEHIND_TLS_PROXY))
if TRUSTED_PROXIES:  # dam.security.proxies drops the header of all others
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not PLAIN_HTTP
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # asked on this machine, before any proxy
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else env.integer("HSTS_SECONDS", 365 * 86_400)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.flag("HSTS_SUBDOMAINS", False)
# They ask for HSTS_SUBDOMAINS: whether all other sites of the museum have TLS is not for us to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# An origin for files alone, such as https://media.museum.org, that leads to this application too. Cookies do
# not go there, and what is in a file can do nothing with them; the addresses are signed instead.
MEDIA_ORIGIN = env.text("MEDIA_ORIGIN").rstrip("/")
MEDIA_VIEWS = ["assets:media", "iiif:shared:info", "iiif:shared:image"]  # nothing else is answered there
SIGN_IN_ORIGINS = env.words("SIGN_IN_ORIGINS")  # of single sign-on, to which a form may lead
API_PER_MINUTE = env.integer("API_PER_MINUTE", 1200)  # requests of one token; 0: no limit
API_WRONG_PER_MINUTE = env.integer("API_WRONG_PER_MINUTE", 60)  # with a wrong token, of one address
WEB_STATEMENT_SECONDS = env.integer("WEB_STATEMENT_SECONDS", 60)  # of one statement for a page; 0: no limit

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
    "dam",
    "audit",
    "accounts",
    "assets",
    "search",
    "iiif",
]
MIDDLEWARE = [
    "dam.security.headers.headers",
    "dam.security.proxies.proxies",
    "dam.security.limits.limits",
    "dam.security.rates.rates",
    "dam.security.media.media",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.middleware",
    "accounts.middleware.time_zone",
    "accounts.middleware.language",
    "dam.security.keeping.keeping",
    "dam.security.limits.Statements",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "assets.context.site",
            ]
        },
    },
    {  # cards and lines of pictures (assets.templatetags.cards)
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja"],
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_ROLE = env.text("DEFAULT_ROLE", "Viewers")  # the group that new accounts join; `none`: none
DEFAULT_ROLE = "" if DEFAULT_ROLE == "none" else DEFAULT_ROLE

# --- signing in (docs/accounts.md) --------------------------------------------------------------------
SIGN_IN_MINUTES = env.integer("SIGN_IN_MINUTES", 15)  # within which so many attempts may fail:
SIGN_IN_ATTEMPTS = env.integer("SIGN_IN_ATTEMPTS", 10)  # with one user name
SIGN_IN_ATTEMPTS_OF_ADDRESS = env.integer("SIGN_IN_ATTEMPTS_OF_ADDRESS", 50)  # from one address
# Who has to have a second factor: nobody, administrators, staff (and administrators) or everybody.
SECOND_FACTOR_FOR = env.text("SECOND_FACTOR_FOR", "nobody")
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION, ACCOUNT_UNIQUE_EMAIL, ACCOUNT_SESSION_REMEMBER = "none", False, True
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": f"{SIGN_IN_ATTEMPTS_OF_ADDRESS}/{SIGN_IN_MINUTES}m/ip,"
    f"{SIGN_IN_ATTEMPTS}/{SIGN_IN_MINUTES}m/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.flag("BEHIND_TLS_PROXY", False))  # that say whom they speak for
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RATE_LIMITS = {"webauthn_login": "120/m/ip"}
MFA_PASSKEY_LOGIN_ENABLED = MFA_RECOVERY_CODES_SHOW_ONCE = MFA_ALLOW_UNVERIFIED_EMAIL = True
# A browser itself offers passkeys to https and to localhost alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not env.flag("BEHIND_TLS_PROXY", False)
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on.Adapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: answers to a form may not lead to another site everywhere


def whose(prefix: str) -> dict[str, Any]:
    """Whose account a person of a provider gets, and which groups: as accounts.single_sign_on has it."""
    return {
        "create": env.flag(f"{prefix}_CREATE", False),  # accounts for people who have none
        "match_email": env.flag(f"{prefix}_MATCH_EMAIL", False),  # by a verified address
        "groups": env.text(f"{prefix}_GROUPS"),  # their name=our name; their name=our name
    }


def oidc_provider(name: str) -> dict[str, Any]:
    """One provider of single sign-on by OpenID Connect, as accounts.oidc has it."""
    prefix = f"OIDC_{name.upper().replace('-', '_')}"
    return {
        "provider_id": name,
        "name": env.text(f"{prefix}_NAME", name),  # on the button
        "client_id": env.text(f"{prefix}_CLIENT_ID"),
        "secret": env.text(f"{prefix}_CLIENT_SECRET"),
        "settings": {
            **whose(prefix),
            "server_url": env.text(f"{prefix}_ISSUER"),
            "scope": env.words(f"{prefix}_SCOPES", ("openid", "profile", "email")),
            "groups_claim": env.text(f"{prefix}_GROUPS_CLAIM", "groups"),
            "oauth_pkce_enabled": True,
        },
    }


def saml_provider(name: str) -> dict[str, Any]:
    """One provider of single sign-on by SAML, as accounts.saml has it."""
    prefix = f"SAML_{name.upper().replace('-', '_')}"
    attributes = ("id", "email", "username", "name", "given_name", "family_name", "groups")
    return {
        "provider_id": name,
        "name": env.text(f"{prefix}_NAME", name),  # on the button
        "client_id": name,
        "settings": {
            **whose(prefix),
            "groups_claim": "groups",
            "metadata": env.text(f"{prefix}_METADATA"),  # its file; or entity id, address and certificates
            "entity_id": env.text(f"{prefix}_ENTITY_ID"),
            "address": env.text(f"{prefix}_ADDRESS"),  # for questions, by HTTP-Redirect
            "certificates": env.words(f"{prefix}_CERTIFICATES"),  # files in the form PEM
            "own_entity_id": env.text(f"{prefix}_OWN_ENTITY_ID"),  # empty: the address of our metadata
            "attributes": {one: env.words(f"{prefix}_{one.upper()}_ATTRIBUTE") for one in attributes},
        },
    }


OIDC_PROVIDERS = env.words("OIDC_PROVIDERS")  # short names, each with variables of its own
SAML_PROVIDERS = env.words("SAML_PROVIDERS")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "provider_class": "accounts.oidc.Provider",
        "APPS": [*map(oidc_provider, OIDC_PROVIDERS)],
    },
    "saml": {
        "provider_class": "accounts.saml.provider.Provider",
        "APPS": [*map(saml_provider, SAML_PROVIDERS)],
    },
}

# In which the museum describes its pictures; the first is that of the plain columns.
CONTENT_LANGUAGES = env.words("CONTENT_LANGUAGES", ("en",))
USE_I18N, USE_TZ, TIME_ZONE = True, True, env.text("TIME_ZONE", "UTC")
LANGUAGE_CODE = env.text("LANGUAGE_OF_SITE", "en")  # for browsers that ask for none of these
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("nl", "Nederlands")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "dam.formats"  # dates and numbers
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 86_400

# From where somebody came, in the audit log: full, short (the network: /24, of IPv6 /48) or none.
AUDIT_ADDRESSES = env.text("AUDIT_ADDRESSES", "short")

# --- database ---------------------------------------------------------------------------------------
OWNER_URL = env.text("DATABASE_OWNER_URL")  # of the role that owns the tables; else DATABASE_URL's does
if not env.text("DATABASE_URL"):
    OWNER_URL = OWNER_URL or EMBEDDED.get("DATABASE_OWNER_URL", "")
DATABASE_URL = env.text("DATABASE_URL") or EMBEDDED.get("DATABASE_URL", "postgres://dam@%2Fnot-started/dam")
WEB_DATABASE = dj_database_url.parse(DATABASE_URL)
AS_OWNER = bool(OWNER_URL) and env.flag("DATABASE_AS_OWNER", False)  # manage.py sets it for what makes tables
DATABASES = {"default": dj_database_url.parse(OWNER_URL if AS_OWNER else DATABASE_URL)}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgres:// address: pgvector lives in PostgreSQL.")
if pool := env.integer("DATABASE_POOL", 0):  # set for the web process; workers hold one connection each
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5}
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # else a restarted database breaks a request for each
# How often search.nearest runs a statement on a connection before it prepares it; 0: never (PgBouncer).
prepare = env.integer("DATABASE_PREPARE", 2) or None
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = prepare
if pool and prepare and WEB_STATEMENT_SECONDS:  # PgBouncer refuses options of a session
    in_time = f"-c statement_timeout={WEB_STATEMENT_SECONDS * 1000}"
    DATABASES["default"]["OPTIONS"].setdefault("options", in_time)

# --- cache and broker: one Redis or Valkey by default, each may have its own --------------------------
REDIS_URL = env.text("REDIS_URL") or EMBEDDED.get("REDIS_URL", "redis://127.0.0.1:1")


def redis_database(number: int, for_broker: bool = False) -> str:
    """REDIS_URL with a database number, as redis-py (cache) or kombu (broker) spells it."""
    parts = urlsplit(REDIS_URL)
    if parts.scheme == "unix":
        scheme, query = ("redis+socket", "virtual_host") if for_broker else ("unix", "db")
        return parts._replace(scheme=scheme, query=f"{query}={number}").geturl()
    return parts._replace(path=f"/{number}").geturl()


CACHE_URL = env.text("CACHE_URL") or redis_database(2)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "TIMEOUT": 600,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CELERY_BROKER_URL = env.text("BROKER_URL") or redis_database(0, for_broker=True)

# --- work: the database is the truth, the broker a hint (docs/decisions/0005) --------------------------
STAGE_SECONDS = env.integer("STAGE_SECONDS", 120)  # of one stage on one picture: then its process is killed
STAGE_GRACE = min(
    15, STAGE_SECONDS // 4
)  # seconds before that it is asked to end, and after that it counts as lost
QUEUE_LEASE_SECONDS = env.integer("QUEUE_LEASE_SECONDS", 60)  # sent, and nobody began: sent again
WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 2)  # processes for imports; one more serves people
# At most this many runs of each queue lie in the broker: more than the workers do between two looks of beat.
QUEUE_WINDOW = env.integer("QUEUE_WINDOW", max(64 * WORKER_CONCURRENCY, 64))
BACKLOG = env.integer("BACKLOG", 2000)  # unfinished runs of a queue at which an import holds on for a while
FILL_CONCURRENCY = env.integer("FILL_CONCURRENCY", 1)  # processes that fill embedding spaces
INDEX_MEMORY_MB = env.integer("INDEX_MEMORY_MB", 1024)  # at most, while an index of vectors is built

# The anonymous exchange routes by queue name alone, so that a flushed broker needs no new declarations.
# `control` is short, so that feeding never waits behind pictures; `files` is for what is no stage and takes
# as long as a whole file; `fill` has a worker of its own at low priority; assets.queues tells of the others.
QUEUES = ("control", "interactive", "files", "vectorise", "bulk", "fill")
CELERY_TASK_QUEUES = [Queue(name, Exchange(""), routing_key=name) for name in QUEUES]
CELERY_TASK_ROUTES = {
    "assets.feed": {"queue": "control"},
    "audit.note_head": {"queue": "control"},
    "assets.sweep": {"queue": "control"},
    "assets.tend_uploads": {"queue": "control"},
    "assets.finish_upload": {"queue": "files"},
    "assets.import_step": {"queue": "files"},
    "assets.collection_changed": {"queue": "files"},
    "iiif.make_pyramid": {"queue": "files"},
    "assets.watch": {"queue": "fill"},
    "assets.find_duplicates": {"queue": "fill"},
    "assets.plan_duplicates": {"queue": "fill"},
    "assets.find_colors": {"queue": "fill"},
    "assets.check_fixity": {"queue": "fill"},
    "assets.check_fixity_of_all": {"queue": "fill"},
    "assets.find_orphans": {"queue": "fill"},
    "assets.empty_trash": {"queue": "fill"},
    "assets.tend_imports": {"queue": "control"},
    "assets.tend_bulk": {"queue": "control"},
    "assets.bulk_step": {"queue": "interactive"},
    "assets.term_step": {"queue": "files"},
    "assets.tend_terms": {"queue": "control"},
    "search.tend": {"queue": "control"},
    "search.alert": {"queue": "files"},  # where no index of vectors is built for hours
    "search.choose_to_describe": {"queue": "files"},  # likewise
    "search.*": {"queue": "fill"},
}
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_ROUTING_KEY = "bulk"
CELERY_TASK_DEFAULT_EXCHANGE = ""
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = STAGE_SECONDS
CELERY_TASK_SOFT_TIME_LIMIT = max(STAGE_SECONDS - STAGE_GRACE, 1)
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.integer("WORKER_MEMORY_MB", 2500) * 1000  # kilobytes
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": STAGE_SECONDS * 3,
    "queue_order_strategy": "priority",  # as a worker names its queues: the first that has something
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "max_retries": 1,
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "feed": {"task": "assets.feed", "schedule": 2.0, "options": {"expires": 10}},
    "tend": {"task": "search.tend", "schedule": 2.0, "options": {"expires": 10}},
    "tend imports": {"task": "assets.tend_imports", "schedule": 5.0, "options": {"expires": 10}},
    "tend bulk": {"task": "assets.tend_bulk", "schedule": 5.0, "options": {"expires": 10}},
    "tend terms": {"task": "assets.tend_terms", "schedule": 5.0, "options": {"expires": 10}},
    "sweep": {"task": "assets.sweep", "schedule": 3600.0, "options": {"expires": 1800}},
    "empty trash": {"task": "assets.empty_trash", "schedule": 1800.0, "options": {"expires": 900}},
    "check fixity": {"task": "assets.check_fixity", "schedule": 600.0, "options": {"expires": 300}},
    "check fixity of all": {
        "task": "assets.check_fixity_of_all",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "tend uploads": {"task": "assets.tend_uploads", "schedule": 60.0, "options": {"expires": 30}},
    # In small portions: a round through all search rows begins once a day, and after an upgrade.
    "check rows": {"task": "search.check_rows", "schedule": 60.0, "options": {"expires": 30}},
    "prune questions": {"task": "search.prune_questions", "schedule": 3600.0, "options": {"expires": 1800}},
    "watch": {"task": "assets.watch", "schedule": 30.0, "options": {"expires": 60}},
    "find duplicates": {"task": "assets.find_duplicates", "schedule": 5.0, "options": {"expires": 60}},
    "weigh duplicates": {"task": "search.weigh_duplicates", "schedule": 5.0, "options": {"expires": 60}},
    "alert": {"task": "search.alert", "schedule": 20.0, "options": {"expires": 60}},
    "keep features": {"task": "search.keep_features", "schedule": 60.0, "options": {"expires": 30}},
    "learn tags": {"task": "search.learn_tags", "schedule": 86400.0, "options": {"expires": 3600}},
    "learn": {"task": "search.learn", "schedule": 1800.0, "options": {"expires": 900}},
    "plan duplicates": {"task": "assets.plan_duplicates", "schedule": 60.0, "options": {"expires": 30}},
    "note head": {"task": "audit.note_head", "schedule": 86400.0, "options": {"expires": 3600}},
    "find colors": {"task": "assets.find_colors", "schedule": 60.0, "options": {"expires": 30}},
}

# --- the life of a picture ----------------------------------------------------------------------------
ASSET_PIPELINE = [
    "assets.renditions.make_renditions",
    "assets.metadata.extract_metadata",
    "assets.duplicates.find_duplicates",
    "search.vectorise.vectorise_picture",
    "search.vectorise.vectorise_words",
]
ASSET_ADDED = ["search.rows.add", "search.fresh.note"]
ASSET_CHANGED = ["search.rows.refresh", "search.rows.words_changed", "search.fresh.note"]
FACTS_CHANGED = ["search.rows.refresh", "search.fresh.note"]  # of the file, such as what a document says
COLORS_CHANGED = ["search.rows.recolor", "search.fresh.note"]
# Another file is shown, or none any more.
PICTURE_CHANGED = ["search.vectorise.picture_changed", "assets.looking.picture_changed"]
PERSON_LOADED = "assets.scopes.with_grants"  # what comes with the person of a session, in the same statement
TERMS_TOLD = "search.told.terms"  # which terms somebody may be told, and on how many pictures they are
CURRENT_VARIANTS = "search.spaces.active_ids"  # of stages with a result for each embedding space
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_MB", 2000) * 1024**2
MAX_MEGAPIXELS = env.integer("MAX_MEGAPIXELS", 1000)
# Of a file that is decoded in a process of its own (assets.apart): memory, and seconds of a processor, for
# kinds that are only decoded there and for large pictures. STAGE_SECONDS bounds the time by the clock.
DECODE_MEMORY_MB = env.integer("DECODE_MEMORY_MB", 1400)
DECODE_SECONDS = env.integer("DECODE_SECONDS", 25)
DECODE_LARGE_SECONDS = env.integer("DECODE_LARGE_SECONDS", 90)
# What is kept although it is no picture: endings such as docx, media types such as audio/*
OTHER_TYPES = env.words("OTHER_TYPES")
IMPORT_ZIP_MEMBERS = env.integer("IMPORT_ZIP_MEMBERS", 100_000)  # files in one archive
IMPORT_ZIP_GB = env.integer("IMPORT_ZIP_GB", 500)  # unpacked, in all
IMPORT_ZIP_RATIO = env.integer("IMPORT_ZIP_RATIO", 200)  # times that a file of over 100 MB may be packed
# Private addresses that imports may fetch from, such as 10.1.0.0/16; all others are refused.
IMPORT_ALLOWED_NETWORKS = env.words("IMPORT_ALLOWED_NETWORKS")
IMPORT_IIIF_MANIFESTS = env.integer("IMPORT_IIIF_MANIFESTS", 1000)  # of one collection
# Buckets that imports may read from: of Amazon's service, if none is named; without a key public ones only.
IMPORT_S3_ENDPOINT_URL = env.text("IMPORT_S3_ENDPOINT_URL")
IMPORT_S3_REGION = env.text("IMPORT_S3_REGION")
IMPORT_S3_ACCESS_KEY = env.text("IMPORT_S3_ACCESS_KEY")
IMPORT_S3_SECRET_KEY = env.text("IMPORT_S3_SECRET_KEY")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FILES = 500
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # pictures that are selected one by one
INCOMING_DIR = DATA_DIR / "incoming"
UPLOADS_DIR = DATA_DIR / "uploads"  # unfinished ones
UPLOAD_CHUNK_BYTES = env.integer("UPLOAD_CHUNK_MB", 16) * 1024**2  # that the page sends in one request
UPLOAD_EXPIRY_HOURS = env.integer("UPLOAD_EXPIRY_HOURS", 72)  # without a byte; then it is removed
UPLOAD_UNFINISHED_BYTES = env.integer("UPLOAD_UNFINISHED_MB", 20_000) * 1024**2  # of one person
UPLOAD_RESERVE_BYTES = env.integer("UPLOAD_RESERVE_MB", 500) * 1024**2  # of the disk, left for other things
IMPORTS_DIR = DATA_DIR / "imports"  # archives and tables that were handed in for an import
IMPORT_DAYS = env.integer("IMPORT_DAYS", 30)  # how long they are kept after its end
# Folders on this machine that administrators may import from on the page; none by default.
IMPORT_ROOTS = [Path(root) for root in env.words("IMPORT_ROOTS")]
for folder in (INCOMING_DIR, UPLOADS_DIR, IMPORTS_DIR, DATA_DIR / "run"):
    folder.mkdir(parents=True, exist_ok=True)
FILE_UPLOAD_TEMP_DIR = str(INCOMING_DIR)

# --- files: a local folder by default, S3 when a bucket is named ----------------------------------------
S3_BUCKET = env.text("S3_BUCKET")
STORAGE = env.text("STORAGE", "s3" if S3_BUCKET else "local")  # where files are written
STORAGE_BEFORE = env.text("STORAGE_BEFORE")  # where some may still lie, until `move_storage` is done
FIXITY_DAYS = env.integer("FIXITY_DAYS", 90)  # within so many days every original is read again; 0: never
FIXITY_HOURS = [int(hour) for hour in env.words("FIXITY_HOURS", ("0", "1", "2", "3", "4", "5"))]  # of the day
TRASH_DAYS = env.integer("TRASH_DAYS", 30)  # then what is in the trash is deleted for good; 0: never
S3 = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
    "region_name": env.text("S3_REGION") or None,
    "access_key": env.text("S3_ACCESS_KEY") or None,
    "secret_key": env.text("S3_SECRET_KEY") or None,
    "addressing_style": env.text("S3_ADDRESSING_STYLE", "auto"),
    "file_overwrite": True,  # names derive from content: the same name is the same bytes
    "default_acl": None,
    "signature_version": "s3v4",
    "querystring_auth": True,
    "querystring_expire": 300,  # seconds that a signed address is good for, if one is ever given out
    "max_memory_size": 16 * 1024**2,  # of a file that is read; the rest of it goes to a temporary file
}


def place(where: str, folder: str) -> dict[str, Any]:
    """One kind of file, `originals` or `renditions`, in one place, `local` or `s3`."""
    if where == "s3":
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**S3, "location": folder}}
    precious = folder == "originals"
    options = {"durable": precious, "file_permissions_mode": 0o444 if precious else 0o644}
    location = str(DATA_DIR / folder)
    return {"BACKEND": "assets.backends.FolderStorage", "OPTIONS": {**options, "location": location}}


def storage(folder: str) -> dict[str, Any]:
    """The place of one kind of file, or both while files are moved from one to the other."""
    if STORAGE_BEFORE in ("", STORAGE):
        return place(STORAGE, folder)
    both = {"new": place(STORAGE, folder), "old": place(STORAGE_BEFORE, folder)}
    return {"BACKEND": "assets.backends.BothStorage", "OPTIONS": both}


STORAGES = {
    "default": storage("originals"),
    "originals": storage("originals"),
    "renditions": storage("renditions"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# For so many seconds the bucket itself hands out an original by a signed address; 0: this application does.
S3_PRESIGNED_SECONDS = env.integer("S3_PRESIGNED_SECONDS", 0)
SHARE_DAYS = env.integer("SHARE_DAYS", 30)  # that a link for others is good for, unless one says how long
SHARE_MOST_DAYS = env.integer("SHARE_MOST_DAYS", 365)  # at most
SHARE_USE_DAYS = env.integer("SHARE_USE_DAYS", 365)  # that what was done by links is kept; 0: for ever
IIIF_CACHE_DIR = DATA_DIR / "iiif"  # tiles that were cut, and copies of pyramids that lie in a bucket
IIIF_CACHE_BYTES = env.integer("IIIF_CACHE_MB", 1024) * 1024**2  # at most, for each of the two
IIIF_LONGEST = env.integer("IIIF_LONGEST", 4096)  # pixels of a side of what is cut
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
JAVASCRIPT_DIR = BASE_DIR / "node_modules" / "collected"  # of others: see dam.javascript
STATICFILES_DIRS = [path for path in (BASE_DIR / "static", JAVASCRIPT_DIR) if path.is_dir()]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# --- finding --------------------------------------------------------------------------------------------
ENCODER = env.text("ENCODER", "builtin")  # of a new library; docs/models.md says what each kind needs


def encoder(prefix: str, kind: str) -> dict[str, Any]:
    """The settings of one encoder, as search.encoders has them in a Config."""
    return {
        "prefix": prefix,
        "kind": kind,
        "url": env.text(f"{prefix}_URL"),  # where its service is; empty: the service's own address
        "key": env.text(f"{prefix}_KEY"),
        "token": env.text(f"{prefix}_TOKEN"),  # instead of the key: a bearer token
        "model": env.text(f"{prefix}_MODEL"),  # empty: the default of the kind, if there is one
        "revision": env.text(f"{prefix}_REVISION"),  # of a model from a hub
        "dimensions": env.integer(f"{prefix}_DIMENSIONS", 0),  # numbers in a vector; 0: as known
        "timeout": env.number(f"{prefix}_TIMEOUT", 30.0),  # seconds for one answer about a picture
        "shape": env.text(f"{prefix}_SHAPE", "infinity"),  # of kind openai: infinity or vllm
        "precision": env.text(f"{prefix}_PRECISION", "fp32"),  # of kind onnx: fp32, fp16 or int8
        "providers": tuple(env.words(f"{prefix}_PROVIDERS")),  # of kind onnx: cpu, cuda
        "per_second": env.number(f"{prefix}_PER_SECOND", 0.0),  # calls, by all workers; 0: as the kind has it
        "at_once": env.integer(f"{prefix}_AT_ONCE", 0),
        "per_month": env.integer(f"{prefix}_PER_MONTH", 0),  # 0: no limit
    }


ENCODERS = {ENCODER: encoder("ENCODER", ENCODER)}
for name in env.words("ENCODERS"):  # further ones, to compare with and to move to
    own = f"ENCODER_{name.upper().replace('-', '_')}"
    ENCODERS[name] = encoder(own, env.text(f"{own}_KIND", name))
SEARCH_LOG_DAYS = env.integer(
    "SEARCH_LOG_DAYS", 90
)  # that questions are counted, by day and by nobody; 0: never
# Learning from what the museum writes itself: docs/learning.md
LEARN_FIELDS = env.words("LEARN_FIELDS", ("title", "description", "tags"))  # whose words are learned
LEARN_FROM_RESTRICTED = env.flag("LEARN_FROM_RESTRICTED", False)  # pictures that not everybody may see, too
LEARN_AFTER = env.integer("LEARN_AFTER", 200)  # by itself, after so many newly described ones; 0: never
LEARN_ACTIVATE = env.flag("LEARN_ACTIVATE", False)  # what is proved better is used without asking
LEARN_MOST = env.integer("LEARN_MOST", 200_000)  # described pictures to learn from; of more, a sample
MODEL_DIR = env.path("MODEL_DIR", DATA_DIR / "models")  # graphs built once from packaged weights

# --- the embedded web server, and the first start ---------------------------------------------------------
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000)
DEMO = env.flag("DEMO", True)
WEB_THREADS = env.integer("WEB_THREADS", 8)
# Of one download of many pictures; how many such downloads may go on at the same time.
DOWNLOAD_PICTURES = env.integer("DOWNLOAD_PICTURES", 5000)
DOWNLOAD_GB = env.integer("DOWNLOAD_GB", 50)
DOWNLOAD_JPEGS = env.integer("DOWNLOAD_JPEGS", 500)  # that are made meanwhile
DOWNLOADS_AT_ONCE = env.integer("DOWNLOADS_AT_ONCE", max(1, WEB_THREADS // 4))
UPLOADS_AT_ONCE = env.integer("UPLOADS_AT_ONCE", max(2, WEB_THREADS - 3))  # threads that may receive bytes

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "dam.security.redacting.Formatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "PIL": {"level": "WARNING"}, "pyvips": {"level": "WARNING"}},
}
