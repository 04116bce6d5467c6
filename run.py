"""Atrium's command line and composition root: `python run.py --help`."""

import argparse
import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.accounts import commands as account_commands
from dashboard.core.arguments import count_from
from dashboard.core.config import Config, InvalidConfig, load_config
from dashboard.job_queue import commands as job_commands
from jobs.logs import job_record
from jobs.supervised import Supervised

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parent
CONFIG = ROOT / "config.toml"
EXIT_USAGE = 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code says whether it worked (2: wrong usage or configuration)."""
    # Imports make some hundred thousand objects that stay: a look for garbage after every 700 is a tenth of the start.
    gc.set_threshold(10_000)
    given = sys.argv[1:] if argv is None else argv
    if given[:1] in (["analyse"], ["score"]):
        return (analyse if given[0] == "analyse" else score)(given[1:])
    # The engine's commands bring numpy and scipy: everything else answers without them.
    arguments = _parser(engine=given[:1] == ["recommend"]).parse_args(given)
    if hasattr(arguments, "engine_command"):
        # Needs no configuration, database or portal.
        from jobs.engines.collaborative_filtering import cli

        return cli.run(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s%(job)s: %(message)s"
    )
    logging.setLogRecordFactory(job_record)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # A lost connection takes it a page of tracebacks; jobs/rabbitmq says the same in a line.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        config = load_config(Path(os.environ.get("ATRIUM_CONFIG", CONFIG)))
        return int(arguments.command(config, arguments) or 0)
    except InvalidConfig as error:
        return _complain(f"configuration: {error}", EXIT_USAGE)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from dashboard.core.errors import DomainError

        if not isinstance(error, DomainError):
            raise
        lines = [f"{problem.field}: {problem.message}" for problem in error.problems]
        return _complain("\n".join([error.message, *lines]), 1)


def analyse(given: list[str]) -> int:
    """Check mutation tables and find their clones, or simulate some; needs no configuration or portal."""
    # One thread of BLAS: the matrices are small, and threads that wait for each other cost more than they do.
    # Read when numpy is imported, which the engine does.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from jobs.engines.clonal import arguments, commands

    parser = argparse.ArgumentParser(
        prog="run.py analyse", description="Find the clones in mutation tables."
    )
    arguments.add_arguments(parser)
    # Options may stand between the files.
    return commands.run(parser.parse_intermixed_args(given))


def score(given: list[str]) -> int:
    """Predict the rows of a file with a PMML or ONNX model; needs no configuration or portal."""
    from jobs.engines.scoring import commands

    parser = argparse.ArgumentParser(
        prog="run.py score", description="Predict the rows of a file with a PMML or ONNX model."
    )
    commands.add_arguments(parser)
    return commands.run(parser.parse_args(given))


def _complain(text: str, code: int) -> int:
    print(f"run.py: {text}", file=sys.stderr)
    return code


def _parser(*, engine: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="The Atrium portal.")
    parser.set_defaults(command=up)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[..., int | None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    add("up", up, "prepare the database, then serve the portal and run jobs (the default)")
    add("web", web, "serve the portal only")
    worker_ = add("worker", worker, "run jobs only")
    worker_.add_argument("--kinds", nargs="+", metavar="KIND", help="take only these kinds of job")
    worker_.add_argument("--concurrency", type=count_from(1), metavar="N", help="jobs at once")
    worker_.add_argument(
        "--with-parent", action="store_true", help="stop when standard input ends (used by up)"
    )
    models_ = add("models", models, "keep the deployed models answering, only that")
    models_.add_argument(
        "--with-parent", action="store_true", help="stop when standard input ends (used by up)"
    )
    job_commands.add_arguments(add("jobs", jobs_command, "look after jobs"))
    child = add("job-child", job_child, "run one job in this process (used by the worker)")
    child.add_argument("job_id", type=int)
    child.add_argument("attempt", type=int)
    check_ = add("check", check, "check the configuration and the database")
    check_.add_argument("--create", action="store_true", help="create or migrate the database")
    add("reseal", reseal, "encrypt with the present secret what former secrets did")
    seed_ = add("seed", seed, "load demo data, or real ratings")
    seed_.add_argument(
        "--ratings",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="interactions: CSV, or by its name .json, .jsonl or .parquet",
    )
    seed_.add_argument("--items", type=Path, metavar="FILE", help="CSV of the items in them")
    seed_.add_argument(
        "--dry-run", action="store_true", help="judge the ratings and say what would be stored"
    )
    _add_recommend(
        add("recommend", recommend, "print recommendations, or measure the engine"), engine=engine
    )
    commands.add_parser("analyse", help="find the clones in mutation tables, without the portal")
    commands.add_parser("score", help="predict the rows of a file with a model, without the portal")
    account_commands.add_arguments(add("user", user, "manage accounts"))
    return parser


def _add_recommend(parser: argparse.ArgumentParser, *, engine: bool) -> None:
    whom = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for_ = whom.add_parser("for", help="what one user is recommended, and why")
    for_.add_argument("user", help="e-mail, phone number, username or id")
    for_.add_argument("-n", type=count_from(1), default=10, metavar="N", help="how many")
    similar = whom.add_parser("similar", help="what is most similar to one course or position")
    similar.add_argument("item", help="number, external id or title")
    similar.add_argument("-n", type=count_from(1), default=10, metavar="N", help="how many")
    if engine:
        from jobs.engines.collaborative_filtering import cli

        cli.add_commands(whom)


# ---------------------------------------------------------------------------------------------- serving


def up(config: Config, _arguments: argparse.Namespace) -> int:
    """Prepare the database, then serve the portal with its job runner and its models until Ctrl-C."""
    app = _app(config)
    sign_in = _prepare(app, config)
    beside = [
        Supervised([sys.executable, str(ROOT / "run.py"), command, "--with-parent"])
        for command in ("worker", "models")
    ]
    for process in beside:
        process.start()
    try:
        _serve(app, config, sign_in=sign_in)
    finally:
        for process in beside:
            process.stop()
    return 0


def web(config: Config, _arguments: argparse.Namespace) -> int:
    """Serve the portal; the job runner is started elsewhere."""
    _serve(_ready_app(config), config)
    return 0


def worker(config: Config, arguments: argparse.Namespace) -> int:
    """Run jobs until told to stop."""
    from dashboard import surfaces
    from dashboard.job_queue.runner import build_worker

    built = build_worker(
        _ready_app(config),
        surfaces.TASKS,
        kinds=arguments.kinds,
        concurrency=arguments.concurrency or config.jobs.concurrency,
        schedules=surfaces.SCHEDULES,
    )
    if arguments.with_parent:
        threading.Thread(target=_follow_parent, args=(built.drain,), daemon=True).start()
    return built.run()


def models(config: Config, arguments: argparse.Namespace) -> int:
    """Keep the replicas of the deployed models running until told to stop."""
    from dashboard.serving.keeper import build_keeper

    keeper = build_keeper(_ready_app(config))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: keeper.stop())
    if arguments.with_parent:
        threading.Thread(target=_follow_parent, args=(keeper.stop,), daemon=True).start()
    return keeper.run()


def _follow_parent(drain: Callable[[], None]) -> None:
    """Drain when the process at the other end of standard input has ended, however it did."""
    # Not sys.stdin.read(): its lock, held by this thread, would abort the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    logging.getLogger("atrium").warning("the portal has ended: the job runner leaves")
    drain()


def job_child(config: Config, arguments: argparse.Namespace) -> int:
    """Run one claimed job in this process; the worker reads its progress from a pipe."""
    from dashboard import surfaces
    from dashboard.job_queue.runner import run_child

    return run_child(_app(config), surfaces.TASKS, arguments.job_id, arguments.attempt)


def flask_app() -> "Flask":
    """The portal for Flask's own command line: `flask --app run:flask_app db revision ...`."""
    return _app(load_config(Path(os.environ.get("ATRIUM_CONFIG", CONFIG))))


def _app(config: Config) -> "Flask":
    # Imported late: `--help` and configuration errors answer at once.
    from dashboard.app import create_app

    app = create_app(config)
    # What is there now stays: later collections, which hold every request up, need not look it through.
    gc.freeze()
    return app


def _ready_app(config: Config) -> "Flask":
    """The application, whose database must have today's tables already."""
    from dashboard.core import migrations

    app = _app(config)
    with app.app_context():
        state = migrations.state()
    if not state.current:
        raise InvalidConfig(f"the database is {state.text}")
    return app


def _prepare(app: "Flask", config: Config) -> str:
    """Migrate the database; fill an empty one with demo data outside production. How to sign in."""
    from dashboard.accounts import queries as accounts
    from dashboard.core import migrations

    with app.app_context():
        migrations.upgrade()
        empty = not accounts.count_users()
    if config.production:
        return _FIRST_ACCOUNT if empty else ""
    kept = config.site.data_dir / "demo_accounts.txt"
    if not empty:
        return f"  Demo accounts and their passwords: {kept}" if kept.exists() else ""
    print("First start: making the demo portal", flush=True)
    # In a process of its own: making films takes memory that a web server would keep for good.
    seeding = [sys.executable, str(ROOT / "run.py"), "seed"]
    done = subprocess.run(seeding, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise InvalidConfig("the demo data could not be made, for the reason above")
    return done.stdout.rstrip()


def _serve(app: "Flask", config: Config, *, sign_in: str = "") -> None:
    from waitress.server import create_server

    from dashboard.job_queue import publishing
    from dashboard.serving import replicas

    try:
        server = create_server(
            app,
            host=config.server.host,
            port=config.server.port,
            threads=config.server.threads,
            ident=None,
            # waitress keeps a body on disk before anybody asks who sent it. Videos come in pieces, so no body is
            # larger than the portal allows; up to twice that it says so itself, on a page.
            max_request_body_size=2 * int(app.config["MAX_CONTENT_LENGTH"]),
            channel_timeout=120,
            url_scheme="https" if config.server.https_only else "http",
        )
    except OSError as error:
        raise InvalidConfig(
            f"server.port: cannot listen on {config.server.host}:{config.server.port}: "
            f"{error.strerror}; set another with ATRIUM_SERVER__PORT"
        ) from error
    _keep_memory_small()
    _print_welcome(config, sign_in)
    # Both, also SIGINT: a shell starts background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise_interrupt)
    try:
        server.run()
    finally:
        server.close()
        publishing.close(app)
        replicas.close(app)


def _keep_memory_small() -> None:
    """Let freed blocks of 1 MiB and more go back to the system at once (glibc; elsewhere nothing).

    Each password takes argon2 19 MiB for a moment, which every thread's arena would keep otherwise.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, 2**20)


# malloc.h; setting it stops glibc from raising the threshold by itself.
_M_MMAP_THRESHOLD = -3


def _raise_interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


_FIRST_ACCOUNT = "  No account yet: python run.py user create --admin --email YOU@EXAMPLE.ORG"


def _print_welcome(config: Config, sign_in: str) -> None:
    from dashboard.core import assets

    lines = [
        "",
        f"  {config.site.name} is at http://{config.server.host}:{config.server.port}/",
        sign_in,
        "" if assets.is_built() else "  The pages have no styles yet: run `make assets`.",
        "  Ctrl-C stops it.",
    ]
    print("\n".join(line for line in lines if line), end="\n\n", flush=True)


# --------------------------------------------------------------------------------------------- commands


def check(config: Config, arguments: argparse.Namespace) -> int:
    """Say whether configuration, database and accounts are fit for use."""
    from dashboard.core import migrations

    app = _app(config)
    with app.app_context():
        if arguments.create:
            migrations.upgrade()
        state = migrations.state()
    print(f"configuration  ok ({config.site.environment})")
    print(f"database       {state.text}")
    print(f"broker         {'embedded queue' if config.broker.embedded else 'RabbitMQ'}")
    return 0 if state.current else 1


def reseal(config: Config, _arguments: argparse.Namespace) -> int:
    """Encrypt with the present secret what former secrets did; 1 when no known secret opens something."""
    from dashboard.core import encryption

    with _ready_app(config).app_context():
        n_sealed, n_closed = encryption.reseal()
    print(f"{n_sealed} texts sealed with the present secret")
    if n_closed:
        return _complain(
            f"{n_closed} texts are opened by none of the secrets and stay as they are", 1
        )
    return 0


def seed(config: Config, arguments: argparse.Namespace) -> int:
    """Load demo data, or the interactions of real people from files."""
    from dashboard.core import migrations

    if not arguments.ratings and (arguments.items or arguments.dry_run):
        wanting = "--items" if arguments.items else "--dry-run"
        return _complain(f"{wanting} needs --ratings", EXIT_USAGE)
    if not arguments.ratings and config.production:
        return _complain("demo data is not loaded in production", EXIT_USAGE)
    # A dry run does not even bring the tables up to date.
    app = _ready_app(config) if arguments.dry_run else _app(config)
    with app.app_context():
        if not arguments.dry_run:
            migrations.upgrade()
        if arguments.ratings:
            from seeds import ratings

            text = ratings.load(arguments.ratings, arguments.items, dry_run=arguments.dry_run)
            print(text)
        else:
            from seeds import demo

            demo.load_once(config)
            print(demo.sign_in_help(config))
    return 0


def recommend(config: Config, arguments: argparse.Namespace) -> int:
    """Print what the portal would recommend to one user, and why; or what is similar to an item."""
    from dashboard.recommendations import report

    with _ready_app(config).app_context():
        if hasattr(arguments, "item"):
            print(report.similar_to(arguments.item, n=arguments.n))
        else:
            print(report.for_user(arguments.user, n=arguments.n))
    return 0


def jobs_command(config: Config, arguments: argparse.Namespace) -> int:
    """List, show, cancel, retry or remove jobs."""
    with _ready_app(config).app_context():
        print(job_commands.run(arguments))
    return 0


def user(config: Config, arguments: argparse.Namespace) -> int:
    """Create an account with the roles asked for."""
    from dashboard.core import migrations

    account_commands.read_password(arguments)  # before anything is made
    with _app(config).app_context():
        migrations.upgrade()
        print(account_commands.run(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
