"""`run.py user create`: the arguments, and what they do."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands below `run.py user`."""
    users = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = users.add_parser("create", help="create an account; asks for the password")
    create.add_argument("--email")
    create.add_argument("--phone")
    create.add_argument("--username")
    create.add_argument("--admin", action="store_true", help="grant the role admin")
    create.add_argument("--analyst", action="store_true", help="grant the role analyst")
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    create.set_defaults(password="")


def read_password(arguments: argparse.Namespace) -> None:
    """Ask for the password, twice, or read it from standard input. Raises Invalid."""
    import getpass

    from dashboard.core.errors import Invalid

    try:
        if arguments.password_stdin:
            arguments.password = sys.stdin.readline().rstrip("\n")
            return
        arguments.password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != arguments.password:
            raise Invalid("the two passwords differ")
    except EOFError:
        raise Invalid("no password was given; --password-stdin takes it from a pipe") from None


def run(arguments: argparse.Namespace) -> str:
    """Make the account inside the application; what to print. Raises DomainError."""
    from dashboard.accounts import services

    roles = ["learner", *(role for role in ("admin", "analyst") if getattr(arguments, role))]
    user = services.register(
        email=arguments.email,
        phone=arguments.phone,
        user_name=arguments.username,
        password=arguments.password,
        roles=roles,
    )
    return f"created user {user.id} ({', '.join(roles)})"
