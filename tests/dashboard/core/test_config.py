"""Configuration: what is read, what overrides, and what is refused with one clear line."""

from pathlib import Path

import pytest

from dashboard.core.config import InvalidConfig, load_config
from tests.conftest import CONFIG

SECRET = "s" * 40


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(f'[site]\ndata_dir = "data"\n{text}', encoding="utf-8")
    return path


class TestLoadConfig:
    def test_reads_the_committed_file(self, tmp_path: Path) -> None:
        config = load_config(CONFIG, {"ATRIUM_SITE__DATA_DIR": str(tmp_path)})

        assert config.server.port == 8000
        assert config.broker.embedded
        assert config.database_uri == f"sqlite:///{tmp_path / 'atrium.sqlite3'}"

    def test_is_overridden_by_the_environment(self, tmp_path: Path) -> None:
        environ = {
            "ATRIUM_SERVER__PORT": "9001",
            "ATRIUM_SERVER__HTTPS_ONLY": "true",
            "ATRIUM_JOBS__LEASE_S": "2",
            "SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://u:p@h/d",
        }

        config = load_config(write(tmp_path, ""), environ)

        assert (config.server.port, config.server.https_only) == (9001, True)
        assert config.jobs.lease_s == 2.0
        assert config.database_uri == "postgresql+psycopg://u:p@h/d"

    def test_makes_one_development_secret_and_keeps_it(self, tmp_path: Path) -> None:
        path = write(tmp_path, "")

        first, second = load_config(path, {}), load_config(path, {})

        assert len(first.server.secret_key) >= 32
        assert first.server.secret_key == second.server.secret_key
        assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0

    def test_hides_secrets_when_printed(self, tmp_path: Path) -> None:
        config = load_config(write(tmp_path, ""), {"ATRIUM_SERVER__SECRET_KEY": SECRET})

        assert SECRET not in repr(config)

    @pytest.mark.parametrize(
        ("text", "environ", "message"),
        [
            ("colour = 1", {}, "unknown key site.colour"),
            ("[servr]\nport = 1", {}, "unknown key 'servr'"),
            ("[server]\nport = 'many'", {}, "server.port must be a whole number, not 'many'"),
            ("[server]\nport = true", {}, "server.port must be a whole number, not True"),
            ("[server]\nport = 0", {}, "server.port must be from 1 to 65535"),
            ("[jobs]\nconcurrency = -1", {}, "jobs.concurrency must be greater than 0"),
            (
                "[recommendations]\nweight_view = -1",
                {},
                "recommendations.weight_view must be 0 or more",
            ),
            ("[server]\nport = ", {}, "is not valid TOML"),
            ("", {"ATRIUM_SERVER__PORTT": "1"}, "unknown key server.portt"),
            ("", {"ATRIUM_SERVER__HTTPS_ONLY": "maybe"}, "must be true or false"),
            ("environment = 'staging'", {}, "site.environment must be one of"),
            ("[recommendations]\nengine = 'pool:0'", {}, "recommendations.engine must be local"),
            ("[broker]\nurl = 'redis://x'", {}, "broker.url must be"),
            ("", {"SQLALCHEMY_DATABASE_URI": "oracle://x"}, "must start with sqlite"),
        ],
        ids=lambda value: value if isinstance(value, str) and "\n" not in value else None,
    )
    def test_refuses_with_one_line(
        self, tmp_path: Path, text: str, environ: dict[str, str], message: str
    ) -> None:
        with pytest.raises(InvalidConfig) as caught:
            load_config(write(tmp_path, text), environ)

        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("environ", "message"),
        [
            ({}, "production needs a secret"),
            ({"ATRIUM_SERVER__SECRET_KEY": "short"}, "production needs a secret"),
            (
                {
                    "ATRIUM_SERVER__SECRET_KEY": SECRET,
                    "SQLALCHEMY_DATABASE_URI": "mysql+pymysql://root:123456@db/test",
                },
                "the password '123456' is well known",
            ),
            (
                {
                    "ATRIUM_SERVER__SECRET_KEY": SECRET,
                    "ATRIUM_BROKER__URL": "amqp://guest:guest@mq/",
                },
                "the password 'guest' is well known",
            ),
        ],
    )
    def test_refuses_development_secrets_in_production(
        self, tmp_path: Path, environ: dict[str, str], message: str
    ) -> None:
        environ = {"ATRIUM_SITE__ENVIRONMENT": "production", **environ}

        with pytest.raises(InvalidConfig, match=message):
            load_config(write(tmp_path, ""), environ)

    def test_never_reads_the_development_secret_in_production(self, tmp_path: Path) -> None:
        path = write(tmp_path, "")
        load_config(path, {})

        with pytest.raises(InvalidConfig, match="production needs a secret"):
            load_config(path, {"ATRIUM_SITE__ENVIRONMENT": "production"})
