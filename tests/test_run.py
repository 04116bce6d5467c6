"""The command line as an operator uses it: real processes, exit codes, one line on errors."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.factories.processes import (
    ROOT,
    address_of,
    children_of,
    clean_environment,
    free_port,
    health,
    run,
    serving,
)

SECRET = "s" * 40


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment(tmp_path / "data")


@pytest.fixture
def production(environment: dict[str, str]) -> dict[str, str]:
    return {
        **environment,
        "ATRIUM_SITE__ENVIRONMENT": "production",
        "ATRIUM_SERVER__SECRET_KEY": SECRET,
    }


class TestErrors:
    def test_a_wrong_setting_is_one_line_and_exit_code_2(self, environment: dict[str, str]) -> None:
        done = run({**environment, "ATRIUM_SERVER__PROT": "1"}, "check")

        assert done.returncode == 2
        assert done.stderr.startswith("run.py: configuration: unknown key server.prot")
        assert done.stderr.count("\n") == 1

    def test_an_unreachable_database_is_one_line(self, environment: dict[str, str]) -> None:
        uri = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"

        done = run({**environment, "SQLALCHEMY_DATABASE_URI": uri}, "check")

        assert done.returncode == 2
        assert "SQLALCHEMY_DATABASE_URI: no connection" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_taken_port_says_which_and_how_to_choose_another(
        self, production: dict[str, str]
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", int(production["ATRIUM_SERVER__PORT"])))
            taken.listen()

            done = run(production, "up")

        assert done.returncode == 2
        assert "cannot listen on 127.0.0.1" in done.stderr
        assert "ATRIUM_SERVER__PORT" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("command", [["web"], ["worker"], ["recommend", "for", "somebody"]])
    def test_a_database_without_tables_is_one_line(
        self, environment: dict[str, str], command: list[str]
    ) -> None:
        done = run(environment, *command)

        assert done.returncode == 2
        assert "the database is empty" in done.stderr
        assert "run.py check --create" in done.stderr
        assert "Traceback" not in done.stderr

    def test_recommending_to_nobody_is_one_line(self, environment: dict[str, str]) -> None:
        run(environment, "check", "--create")

        done = run(environment, "recommend", "for", "nobody@example.org")

        assert done.returncode == 1
        assert "nobody@example.org" in done.stderr
        assert "Traceback" not in done.stderr


class TestCheck:
    def test_tells_a_missing_schema_and_creates_it(self, environment: dict[str, str]) -> None:
        before = run(environment, "check")
        created = run(environment, "check", "--create")
        again = run(environment, "check", "--create")

        assert (before.returncode, created.returncode, again.returncode) == (1, 0, 0)
        assert "run.py check --create" in before.stdout
        assert "database       ok" in again.stdout


class TestSeed:
    def test_a_dry_run_judges_files_and_leaves_the_database_alone(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        file = tmp_path / "views.jsonl"
        file.write_text('{"user_id": 1, "item_id": 2, "timestamp": 1577872800}\n', encoding="utf-8")
        command = ("seed", "--ratings", str(file), "--dry-run")

        early = run(environment, *command)
        run(environment, "check", "--create")
        first, second = run(environment, *command), run(environment, *command)
        file.write_text("{}\n", encoding="utf-8")
        wrong = run(environment, *command)

        assert early.returncode == 2
        assert early.stderr.count("\n") == 1
        assert first.stdout == second.stdout
        assert "nothing is stored; would load" in first.stdout
        assert "1 new items, 1 new users" in first.stdout
        assert wrong.returncode == 1
        assert "views.jsonl, line 1: user_id is empty" in wrong.stderr

    def test_a_dry_run_is_about_ratings(self, environment: dict[str, str]) -> None:
        done = run(environment, "seed", "--dry-run")

        assert (done.returncode, done.stderr) == (2, "run.py: --dry-run needs --ratings\n")


class TestDatabaseInit:
    def test_makes_the_tables_and_does_no_harm_again(self, environment: dict[str, str]) -> None:
        command = [sys.executable, str(ROOT / "database_init.py")]
        for _ in range(2):
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=60
            )

            assert done.returncode == 0, done.stderr
            assert "database       ok" in done.stdout


class TestUserCreate:
    def test_makes_the_first_administrator(self, production: dict[str, str]) -> None:
        done = run(
            production,
            *("user", "create", "--admin", "--email", "Ada@Example.org", "--password-stdin"),
            stdin="a long enough pass phrase\n",
        )

        assert done.returncode == 0, done.stderr
        assert "learner, admin" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "password", "message"),
        [
            (["--email", "not-an-address"], "a long enough pass phrase", "email"),
            (["--email", "a@example.org"], "short", "password"),
            ([], "a long enough pass phrase", "email"),
        ],
        ids=["bad address", "short password", "no identity"],
    )
    def test_refuses_bad_input_by_field(
        self, production: dict[str, str], arguments: list[str], password: str, message: str
    ) -> None:
        done = run(production, "user", "create", "--password-stdin", *arguments, stdin=password)

        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr


class TestJobs:
    def test_of_an_unknown_number_is_one_line(self, environment: dict[str, str]) -> None:
        run(environment, "check", "--create")

        done = run(environment, "jobs", "show", "7")

        assert (done.returncode, done.stderr) == (1, "run.py: There is nothing here.\n")


class TestAnalyse:
    def test_simulates_and_finds_the_clones_again_without_a_portal(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        environment["ATRIUM_SERVER__PORT"] = "not read"
        simulated, found = tmp_path / "simulated", tmp_path / "found"
        size = ("--mutations", "60", "--true-clusters", "3", "--depth", "500", "--seed", "1")

        made = run(environment, "analyse", "--simulate", *size, "--out", str(simulated))
        table = simulated / "simulated.tsv"
        done = run(environment, "analyse", str(table), "--out", str(found), "--seed", "1")

        assert made.returncode == 0, made.stderr
        assert done.returncode == 0, done.stderr
        assert (found / "tables" / "cluster.tsv").read_text().startswith("sample_id\t")

    def test_refuses_what_is_no_mutation_table(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        table = tmp_path / "notes.tsv"
        table.write_text("colour\tsize\nred\t3\n")

        done = run(environment, "analyse", "--check", str(table))

        assert done.returncode == 2
        assert "notes.tsv, line 1" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


class TestUp:
    def test_serves_with_demo_data_and_stops_cleanly(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        with serving(environment) as portal:
            portal.wait_until_healthy()
            family = [portal.process.pid, *children_of(portal.process.pid)]
            assert len(family) >= 2, "web server and job runner"

            assert portal.stop(signal.SIGINT) == 0
            output = portal.output

        assert f"{address_of(environment)}/" in output
        for role in ("admin", "analyst", "learner"):
            assert role in output
        assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
        accounts = tmp_path / "data" / "demo_accounts.txt"
        assert accounts.stat().st_mode & 0o077 == 0
        secret = accounts.read_text(encoding="utf-8").split()[-1]
        assert secret in output

        with serving(environment) as portal:
            portal.wait_until_healthy()

            assert portal.stop(signal.SIGTERM) == 0
            assert secret not in portal.output, "passwords are printed once"
            assert "Error" not in portal.output

    def test_starts_with_nobody_in_production(self, production: dict[str, str]) -> None:
        with serving(production) as portal:
            portal.wait_until_healthy()

            assert "user create --admin" in portal.output

    def test_refuses_an_endless_body_before_it_comes(self, production: dict[str, str]) -> None:
        head = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n"
        with serving(production) as portal:
            portal.wait_until_healthy()
            port = int(production["ATRIUM_SERVER__PORT"])
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(head)

                assert b" 413 " in connection.recv(100)

    def test_starts_a_killed_job_runner_again(self, production: dict[str, str]) -> None:
        with serving(production) as portal:
            portal.wait_until_healthy()
            before = set(children_of(portal.process.pid))
            for pid in before:
                os.kill(pid, signal.SIGKILL)

            deadline = time.monotonic() + 30
            while not set(children_of(portal.process.pid)) - before:
                assert time.monotonic() < deadline, "no new job runner"
                time.sleep(0.2)


class TestHealth:
    def test_is_503_without_a_job_runner(self, production: dict[str, str]) -> None:
        run(production, "check", "--create")

        with serving(production, "web"):
            deadline = time.monotonic() + 30
            while not (answer := health(production))[0]:
                assert time.monotonic() < deadline, "the portal did not start"
                time.sleep(0.2)

        assert answer == (503, {"status": "no job runner", "database": True, "job_runner": False})
