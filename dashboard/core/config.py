"""config.toml and the environment, read once into frozen dataclasses.

A key that is unknown, of the wrong type or unfit for production is refused with one line (`InvalidConfig`).
"""

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote, urlsplit

DATABASE_KEY = "SQLALCHEMY_DATABASE_URI"
ENVIRONMENT_PREFIX = "ATRIUM_"
# Passwords that come with the servers or stand in tutorials: never good outside development.
WELL_KNOWN_PASSWORDS = frozenset({"guest", "123456", "password", "postgres", "root", "admin"})
MIN_SECRET_LENGTH = 32
# Zero means what the machine has.
MACHINE = ("cpus", "memory_mb")
# Zero means none.
OFF = ("prediction_port",)
# Zero means that such events do not count.
WEIGHT = "weight_"
MAX_PORT = 65535
# Where recommendations are trained.
ENGINE = re.compile(r"local|pool:[1-9]\d{0,2}|dask:\S+")


class InvalidConfig(Exception):
    """The configuration cannot be used; the message names the key and what to do."""


@dataclass(frozen=True, slots=True)
class Site:
    name: str = "Atrium"
    environment: str = "development"
    data_dir: Path = Path("var")
    default_language: str = "en"


@dataclass(frozen=True, slots=True)
class Server:
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    secret_key: str = field(default="", repr=False)
    former_secret_keys: str = field(default="", repr=False)
    trusted_proxies: int = 0
    changes_per_minute: int = 240
    https_only: bool = False


@dataclass(frozen=True, slots=True)
class Broker:
    url: str = field(default="embedded", repr=False)
    prefix: str = "atrium"
    quorum: bool = False

    @property
    def embedded(self) -> bool:
        return self.url == "embedded"


@dataclass(frozen=True, slots=True)
class Accounts:
    registration_open: bool = True
    phone_region: str = "CN"
    password_min_length: int = 8
    session_hours: int = 12
    token_days: int = 90
    sign_in_per_minute: int = 10
    register_per_hour: int = 20


@dataclass(frozen=True, slots=True)
class Uploads:
    max_video_bytes: int = 8 * 2**30
    max_image_bytes: int = 5 * 2**20
    min_free_bytes: int = 512 * 2**20
    unfinished_hours: int = 48


@dataclass(frozen=True, slots=True)
class Jobs:
    concurrency: int = 2
    lease_s: float = 30.0
    poll_s: float = 1.0
    per_owner: int = 0
    grace_s: float = 10.0
    keep_days: int = 90
    child_memory_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Recommendations:
    top_n: int = 20
    n_neighbours: int = 100
    min_interactions: int = 20
    popular_half_life_days: float = 30.0
    model: str = "auto"
    max_drop: float = 0.1
    kept_runs: int = 10
    engine: str = "local"
    weight_view: float = 0.5
    weight_download: float = 1.0
    weight_watch: float = 1.0
    weight_rating: float = 1.5
    weight_favourite: float = 1.5


@dataclass(frozen=True, slots=True)
class Organisation:
    title: str = "英方整体结构"
    max_model_bytes: int = 12 * 2**20


@dataclass(frozen=True, slots=True)
class Analyses:
    max_file_bytes: int = 256 * 2**20
    max_files: int = 50
    quota_bytes: int = 2 * 2**30
    draft_hours: int = 24
    share_days: int = 30
    pyclone: str = ""
    pyclone_vi: str = ""
    program_hours: float = 4.0


@dataclass(frozen=True, slots=True)
class Serving:
    max_model_bytes: int = 512 * 2**20
    max_batch_bytes: int = 1024 * 2**20
    max_batch_rows: int = 1_000_000
    max_records: int = 1000
    max_open_tasks: int = 1000
    task_keep_hours: int = 72
    inspect_timeout_s: float = 30.0
    inspect_memory_mb: int = 2048
    cpus: float = 0.0
    memory_mb: int = 0
    legacy_api: str = "development"
    legacy_per_minute: int = 60
    prediction_port: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; objects take the section they need."""

    database_uri: str = field(default="", repr=False)
    site: Site = field(default_factory=Site)
    server: Server = field(default_factory=Server)
    broker: Broker = field(default_factory=Broker)
    accounts: Accounts = field(default_factory=Accounts)
    uploads: Uploads = field(default_factory=Uploads)
    jobs: Jobs = field(default_factory=Jobs)
    recommendations: Recommendations = field(default_factory=Recommendations)
    organisation: Organisation = field(default_factory=Organisation)
    analyses: Analyses = field(default_factory=Analyses)
    serving: Serving = field(default_factory=Serving)

    @property
    def production(self) -> bool:
        return self.site.environment == "production"


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `path`, overridden by the environment, completed and checked.

    Makes the data folder, and in development the secret key in it. Raises InvalidConfig.
    """
    raw = _read_toml(path)
    _override(raw, environ)
    config = _complete(_build(raw), base=path.resolve().parent)
    _check(config)
    return config


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InvalidConfig(f"{path} does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{path} is not valid TOML: {error}") from error


def _override(raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    if DATABASE_KEY in environ:
        raw[DATABASE_KEY] = environ[DATABASE_KEY]
    for name, value in environ.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and separator:
            table = raw.setdefault(section, {})
            if not isinstance(table, dict):
                raise InvalidConfig(f"{name}: [{section}] is not a section of the configuration")
            table[key] = value


def _build(raw: dict[str, Any]) -> Config:
    hints = get_type_hints(Config)
    sections = {name: kind for name, kind in hints.items() if name != "database_uri"}
    for name in raw.keys() - sections.keys() - {DATABASE_KEY}:
        raise InvalidConfig(f"unknown key {name!r}; known: {', '.join([DATABASE_KEY, *sections])}")
    uri = _convert(raw.get(DATABASE_KEY, ""), str, DATABASE_KEY)
    built = {name: _section(name, kind, raw.get(name, {})) for name, kind in sections.items()}
    return Config(database_uri=uri, **built)


def _section(name: str, kind: type, values: Any) -> Any:
    if not isinstance(values, dict):
        raise InvalidConfig(f"[{name}] must be a section, not a value")
    hints = get_type_hints(kind)
    for key in values.keys() - hints.keys():
        raise InvalidConfig(f"unknown key {name}.{key}; known: {', '.join(hints)}")
    return kind(
        **{key: _convert(value, hints[key], f"{name}.{key}") for key, value in values.items()}
    )


def _convert(value: Any, kind: type, key: str) -> Any:
    """`value` as `kind`; text from the environment is read as the type asks for."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    if kind in (int, float) and isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            pass
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise InvalidConfig(f"{key} must be {_KINDS[kind]}, not {value!r}")


_KINDS = {
    str: "text",
    Path: "a path",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _complete(config: Config, *, base: Path) -> Config:
    """Fill in what depends on the machine: absolute data folder, SQLite address, development secret."""
    data_dir = (base / config.site.data_dir.expanduser()).resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidConfig(f"site.data_dir: cannot make {data_dir}: {error.strerror}") from error
    config = replace(config, site=replace(config.site, data_dir=data_dir))
    if not config.database_uri:
        config = replace(config, database_uri=f"sqlite:///{data_dir / 'atrium.sqlite3'}")
    if not config.server.secret_key and not config.production:
        secret = _development_secret(data_dir / "secret_key")
        config = replace(config, server=replace(config.server, secret_key=secret))
    return config


def _development_secret(path: Path) -> str:
    try:
        # O_EXCL: of two processes that start at once, one makes the key and the other reads it.
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secret := secrets.token_urlsafe(48))
    return secret


def _check(config: Config) -> None:
    _check_range("site.environment", config.site.environment, ("development", "production"))
    _check_range("site.default_language", config.site.default_language, ("en", "zh"))
    if not 0 < config.server.port <= MAX_PORT:
        raise InvalidConfig(f"server.port must be from 1 to {MAX_PORT}, not {config.server.port}")
    for section in (config.server, config.accounts, config.uploads, config.jobs):
        _check_positive(section)
    _check_positive(config.recommendations)
    _check_positive(config.organisation)
    _check_positive(config.analyses)
    _check_positive(config.serving)
    if config.serving.prediction_port > MAX_PORT:
        raise InvalidConfig(f"serving.prediction_port must be at most {MAX_PORT}")
    _check_range("serving.legacy_api", config.serving.legacy_api, ("development", "on", "off"))
    models = ("auto", "blend", "window", "item-item", "rp3beta", "ease")
    _check_range("recommendations.model", config.recommendations.model, models)
    if not ENGINE.fullmatch(config.recommendations.engine):
        raise InvalidConfig(
            "recommendations.engine must be local, pool:N or dask:ADDRESS, "
            f"not {config.recommendations.engine!r}"
        )
    if not config.broker.embedded and urlsplit(config.broker.url).scheme not in ("amqp", "amqps"):
        raise InvalidConfig('broker.url must be "embedded" or start with amqp:// or amqps://')
    if urlsplit(config.database_uri).scheme.split("+")[0] not in ("sqlite", "postgresql", "mysql"):
        raise InvalidConfig(f"{DATABASE_KEY} must start with sqlite, postgresql or mysql")
    if config.production:
        _check_production(config)


def _check_range(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidConfig(f"{key} must be one of {', '.join(allowed)}, not {value!r}")


def _check_positive(section: Any) -> None:
    name = type(section).__name__.lower()
    for spec in fields(section):
        value = getattr(section, spec.name)
        may_be_zero = spec.name.startswith(WEIGHT) or spec.name in (
            "trusted_proxies",
            "min_free_bytes",
            "per_owner",
            *MACHINE,
            *OFF,
        )
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and not (value > 0 or (may_be_zero and value == 0))
        ):
            least = "0 or more" if may_be_zero else "greater than 0"
            raise InvalidConfig(f"{name}.{spec.name} must be {least}, not {value!r}")


def _check_production(config: Config) -> None:
    if len(config.server.secret_key) < MIN_SECRET_LENGTH:
        raise InvalidConfig(
            "server.secret_key: production needs a secret of at least "
            f"{MIN_SECRET_LENGTH} characters in ATRIUM_SERVER__SECRET_KEY"
        )
    for key, url in ((DATABASE_KEY, config.database_uri), ("broker.url", config.broker.url)):
        password = unquote(urlsplit(url).password or "")
        if password in WELL_KNOWN_PASSWORDS:
            raise InvalidConfig(f"{key}: the password {password!r} is well known; change it")
