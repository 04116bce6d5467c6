"""`run.py jobs list|show|cancel|retry|purge`: the arguments, and who answers them (report.py)."""

import argparse

from dashboard.core.arguments import count_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands below `run.py jobs`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(what=name)
        return sub

    list_ = add("list", "the newest jobs")
    list_.add_argument("--state", help="queued, running, done, failed or cancelled")
    list_.add_argument("--kind")
    list_.add_argument("-n", type=count_from(1), default=20, metavar="N", help="how many")
    for name, text in (
        ("show", "everything about a job"),
        ("cancel", "end a job that waits or runs"),
        ("retry", "queue a failed or cancelled job again"),
    ):
        add(name, text).add_argument("job_id", type=count_from(1))
    purge = add("purge", "remove finished jobs with their files")
    purge.add_argument("--state", default="failed", help="done, failed (default) or cancelled")
    purge.add_argument("--older-than-days", type=count_from(0), default=0, metavar="N")


def run(arguments: argparse.Namespace) -> str:
    """Carry the command out inside the application; what to print. Raises DomainError."""
    from dashboard.job_queue import report

    if arguments.what == "list":
        return report.list_jobs(state=arguments.state, kind=arguments.kind, n=arguments.n)
    if arguments.what == "purge":
        return report.purge(state=arguments.state, older_than_days=arguments.older_than_days)
    deeds = {"show": report.show, "cancel": report.cancel, "retry": report.retry}
    return deeds[arguments.what](arguments.job_id)
