"""The authorization matrix: every route, every kind of person.

What is written here is what was decided, apart from the code: `surfaces.ACCESS` must agree with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from dashboard import surfaces
from dashboard.accounts.models import User
from dashboard.analyses.services import create_upload
from dashboard.catalogue.models import ItemStatus
from dashboard.core.database import transaction
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.services import enqueue
from tests.factories.behaviour import make_item

EVERYBODY = frozenset({"visitor", "disabled", "learner", "analyst", "admin"})
WITH_ACCOUNT = frozenset({"learner", "analyst", "admin"})
ANALYSTS = frozenset({"analyst", "admin"})
ADMINS = frozenset({"admin"})
# Administrators run the place; what patients gave is their analyst's alone.
OWNERS = frozenset({"analyst"})
NOBODY: frozenset[str] = frozenset()

# endpoint -> who gets past the door; what is behind it may still be somebody else's (404).
MATRIX: dict[str, frozenset[str]] = {
    "static": EVERYBODY,
    "healthz": EVERYBODY,
    "language": EVERYBODY,
    "api-docs.openapi_json": EVERYBODY,
    "api_docs.page": EVERYBODY,
    "security.login": EVERYBODY,
    "security.register": EVERYBODY,
    "security.logout": EVERYBODY,
    "accounts.confirm_logout": EVERYBODY,
    "accounts.profile": WITH_ACCOUNT,
    "accounts.password": WITH_ACCOUNT,
    "accounts.sessions": WITH_ACCOUNT,
    "accounts.tokens": WITH_ACCOUNT,
    "accounts.revoke_tokens": WITH_ACCOUNT,
    "accounts_api.Tokens": EVERYBODY,
    "accounts_api.OwnTokens": WITH_ACCOUNT,
    "accounts_api.Me": WITH_ACCOUNT,
    "catalogue.home": EVERYBODY,
    "catalogue.course_list": EVERYBODY,
    "catalogue.position_list": EVERYBODY,
    "catalogue.course": EVERYBODY,
    "catalogue.position": EVERYBODY,
    "catalogue.cover": EVERYBODY,
    "catalogue.video_stream": EVERYBODY,
    "catalogue.video_poster": EVERYBODY,
    "catalogue.video_download": WITH_ACCOUNT,
    "catalogue.video_upload": ADMINS,
    "catalogue.video_update": ADMINS,
    "catalogue.video_check": ADMINS,
    "catalogue.video_delete_question": ADMINS,
    "catalogue.video_delete": ADMINS,
    "catalogue_api.items": EVERYBODY,
    "catalogue_api.item": EVERYBODY,
    "catalogue_api.item_videos": EVERYBODY,
    "catalogue_api.item_create": ADMINS,
    "catalogue_api.item_change": ADMINS,
    "catalogue_api.item_courses": ADMINS,
    "catalogue_api.uploads": ADMINS,
    "catalogue_api.upload": ADMINS,
    "activity.favourite": WITH_ACCOUNT,
    "activity.rate": WITH_ACCOUNT,
    "activity.favourites": WITH_ACCOUNT,
    "activity.continue_watching": WITH_ACCOUNT,
    "activity_api.events": WITH_ACCOUNT,
    "activity_api.favourites": WITH_ACCOUNT,
    "activity_api.progress": WITH_ACCOUNT,
    "recommendations.own_list": WITH_ACCOUNT,
    "recommendations.panel": EVERYBODY,
    "recommendations.related": EVERYBODY,
    "recommendations.why": WITH_ACCOUNT,
    "recommendations.dismiss": WITH_ACCOUNT,
    "recommendations.restore": WITH_ACCOUNT,
    "recommendations.open_item": WITH_ACCOUNT,
    "recommendations.ignore": WITH_ACCOUNT,
    "recommendations.heed": WITH_ACCOUNT,
    "recommendations_workspace.overview": ANALYSTS,
    "recommendations_workspace.runs": ANALYSTS,
    "recommendations_workspace.train": ANALYSTS,
    "recommendations_workspace.use": ANALYSTS,
    "recommendations_workspace.experiment": ANALYSTS,
    "recommendations_workspace.stop_experiment": ANALYSTS,
    "recommendations_workspace.lists": ADMINS,
    "recommendations_workspace.recipe": ANALYSTS,
    "recommendations_workspace.chart_data": ANALYSTS,
    "recommendations_api.Recommendations": WITH_ACCOUNT,
    "recommendations_api.Why": WITH_ACCOUNT,
    "recommendations_api.Related": EVERYBODY,
    "recommendations_api.Runs": ANALYSTS,
    "recommendations_api.Run": ANALYSTS,
    "organisation.structure": EVERYBODY,
    "organisation.way": EVERYBODY,
    "organisation.floor_plan": EVERYBODY,
    "organisation.backdrop": EVERYBODY,
    "organisation.portal_layers": ADMINS,
    "organisation_api.scene": EVERYBODY,
    "organisation_api.items": EVERYBODY,
    "organisation_api.search": EVERYBODY,
    "organisation_api.ways": WITH_ACCOUNT,
    "organisation_api.measures": ANALYSTS,
    "organisation_api.portal": ADMINS,
    "analyses.workspace": ANALYSTS,
    "analyses.upload": ANALYSTS,
    "analyses.upload_post": ANALYSTS,
    "analyses.sample": ANALYSTS,
    "analyses.remove_file": OWNERS,
    "analyses.repaired": OWNERS,
    "analyses.history": ANALYSTS,
    "analyses.history_alias": ANALYSTS,
    "analyses.history_search": ANALYSTS,
    "analyses.cancel": ANALYSTS,
    "analyses.retry": OWNERS,
    "analyses.delete_question": OWNERS,
    "analyses.delete": ANALYSTS,
    "analyses.result": ANALYSTS,
    "analyses.result_alias": ANALYSTS,
    "analyses.plot": ANALYSTS,
    "analyses.table": ANALYSTS,
    "analyses.report": ANALYSTS,
    "analyses.recipe": ANALYSTS,
    "analyses.reproduce": ANALYSTS,
    "analyses.seen": ANALYSTS,
    "analyses.compare": ANALYSTS,
    "analyses.reveal": ANALYSTS,
    "analyses.share": ANALYSTS,
    "analyses.revoke": ANALYSTS,
    "analyses.shared": EVERYBODY,
    "analyses.shared_table": EVERYBODY,
    "analyses.shared_plot": EVERYBODY,
    "analyses.shared_report": EVERYBODY,
    "analyses.shared_recipe": EVERYBODY,
    "analyses_api.Analyses": ANALYSTS,
    "analyses_api.Sample": ANALYSTS,
    "analyses_api.OneAnalysis": ANALYSTS,
    "analyses_api.Check": ANALYSTS,
    "analyses_api.Start": ANALYSTS,
    "analyses_api.Cancel": ANALYSTS,
    "analyses_api.Retry": ANALYSTS,
    "analyses_api.Reproduce": ANALYSTS,
    "analyses_api.Progress": ANALYSTS,
    "analyses_api.Table": ANALYSTS,
    "analyses_api.Plots": ANALYSTS,
    "analyses_api.files": ANALYSTS,
    "analyses_api.file": ANALYSTS,
    "analyses_api.whole_file": ANALYSTS,
    "serving.model_list": ANALYSTS,
    "serving.model_new": ANALYSTS,
    "serving.model": ANALYSTS,
    "serving.model_edit": ANALYSTS,
    "serving.model_delete": ANALYSTS,
    "serving.model_test": ANALYSTS,
    "serving.model_share": ANALYSTS,
    "serving.model_unshare": ANALYSTS,
    "serving.version_new": ANALYSTS,
    "serving.version_file": ANALYSTS,
    "serving.version_delete": ANALYSTS,
    "serving.deploy": ANALYSTS,
    "serving.deployment_list": ANALYSTS,
    "serving.deployment": ANALYSTS,
    "serving.deployment_state": ANALYSTS,
    "serving.deployment_start": ANALYSTS,
    "serving.deployment_pause": ANALYSTS,
    "serving.deployment_settings": ANALYSTS,
    "serving.deployment_token": ANALYSTS,
    "serving.deployment_delete": ANALYSTS,
    "serving.deployment_test": ANALYSTS,
    "serving.deployment_tasks": ANALYSTS,
    "serving.batch_new": ANALYSTS,
    "serving.task_list": ANALYSTS,
    "serving.task": ANALYSTS,
    "serving.task_result": ANALYSTS,
    "serving.task_cancel": ANALYSTS,
    "serving.train": ANALYSTS,
    "serving.training": ANALYSTS,
    "serving.training_recipe": ANALYSTS,
    "serving.reference": ANALYSTS,
    "serving.reference_delete": ANALYSTS,
    "serving_api.Models": ANALYSTS,
    "serving_api.OneModel": ANALYSTS,
    "serving_api.Versions": ANALYSTS,
    "serving_api.OneVersion": ANALYSTS,
    "serving_api.VersionFile": ANALYSTS,
    "serving_api.ModelTest": ANALYSTS,
    "serving_api.ModelDeployments": ANALYSTS,
    "serving_api.Deployments": ANALYSTS,
    "serving_api.OneDeployment": ANALYSTS,
    "serving_api.StartDeployment": ANALYSTS,
    "serving_api.PauseDeployment": ANALYSTS,
    "serving_api.DeploymentToken": ANALYSTS,
    "serving_api.Monitor": ANALYSTS,
    "serving_api.AllTasks": ANALYSTS,
    "serving_api.Reference": ANALYSTS,
    # Programs get in with a deployment's token; of people only these.
    "serving_api.Predict": ANALYSTS,
    "serving_api.Tasks": ANALYSTS,
    "serving_api.Batch": ANALYSTS,
    "serving_api.OneTask": ANALYSTS,
    "serving_api.CancelTask": ANALYSTS,
    "serving_api.TaskResult": ANALYSTS,
    "serving_api.uploads": ANALYSTS,
    "serving_api.upload": ANALYSTS,
    "inference.server": EVERYBODY,
    "inference.live": EVERYBODY,
    "inference.ready": EVERYBODY,
    "inference.model": ANALYSTS,
    "inference.model_version": ANALYSTS,
    "inference.model_ready": ANALYSTS,
    "inference.model_version_ready": ANALYSTS,
    "inference.infer": ANALYSTS,
    "inference.infer_version": ANALYSTS,
    # Whoever calls sends a name and a password along.
    **dict.fromkeys((f"legacy.{name}" for name in surfaces.LEGACY), EVERYBODY),
    "recommendations_api.UseRun": ANALYSTS,
    "recommendations_api.Interactions": ADMINS,
    "job_queue.job_list": WITH_ACCOUNT,
    "job_queue.job": WITH_ACCOUNT,
    "job_queue.cancel": WITH_ACCOUNT,
    "job_queue.retry": WITH_ACCOUNT,
    "job_queue.notices": WITH_ACCOUNT,
    "job_queue.read_notice": WITH_ACCOUNT,
    "job_queue.read_notices": WITH_ACCOUNT,
    "job_queue.clean_up": ADMINS,
    "job_operations.queue": ADMINS,
    "job_operations.workers": ADMINS,
    "job_operations.worker_list": ADMINS,
    "job_operations.drain": ADMINS,
    "job_operations.resume": ADMINS,
    "job_operations.dead_letters": ADMINS,
    "job_operations.retry_alike": ADMINS,
    "job_operations.remove_alike": ADMINS,
    "job_operations.settle_letters": ADMINS,
    "job_operations.metrics": ADMINS,
    "job_queue_api.Jobs": WITH_ACCOUNT,
    "job_queue_api.JobsStatus": WITH_ACCOUNT,
    "job_queue_api.JobById": WITH_ACCOUNT,
    "job_queue_api.JobProgress": WITH_ACCOUNT,
    "job_queue_api.JobLog": WITH_ACCOUNT,
    "job_queue_api.JobCancel": WITH_ACCOUNT,
    "job_queue_api.JobRetry": WITH_ACCOUNT,
    # Flask-Admin makes these addresses for every view; what they would delete is not for deleting.
    "admin_roles.delete_view": NOBODY,
    "admin_recommendations.delete_view": NOBODY,
    "admin_analysis_uploads.delete_view": NOBODY,
    "admin_analysis_runs.delete_view": NOBODY,
    "admin_analysis_files.delete_view": NOBODY,
    "admin_audit.delete_view": NOBODY,
    "admin_jobs.delete_view": NOBODY,
}
# Where a door is open to all and yet a stranger is asked to sign in for this particular thing.
ASKS_STRANGERS = {"catalogue.video_stream", "catalogue.video_poster"}
# A plain value for each kind of placeholder in an address.
SAMPLE = {"code": "en", "name": "similarity", "form": "csv", "token": "x" * 43, "filename": "x.css"}
SAMPLE |= {"public_id": "0" * 32, "version": "1"}
PLOT = {"group": "cluster", "plot_name": "density", "form": "svg", "table_name": "loci"}
SAMPLE_PER_ENDPOINT = {
    "admin": {"export_type": "csv"},
    "catalogue.cover": {"name": "none.png"},
    **dict.fromkeys(("analyses.plot", "analyses.shared_plot"), PLOT),
    **dict.fromkeys(("analyses.table", "analyses.shared_table", "analyses_api.Table"), PLOT),
}


@dataclass(frozen=True)
class World:
    """People with their browsers, and things that belong to the learner."""

    clients: dict[str, FlaskClient]
    ids: dict[str, int]


@pytest.fixture
def world(
    app: Flask, make_user: Callable[..., User], sign_in: Callable[[User], FlaskClient]
) -> Iterator[World]:
    learner = make_user("learner")
    people = {
        "disabled": make_user("learner", "analyst", "admin", active=False),
        "learner": learner,
        "analyst": make_user("learner", "analyst"),
        "admin": make_user("learner", "admin"),
    }
    item = make_item("Course")
    with transaction():
        job = enqueue(CleanUp(keep_days=30), owner_id=learner.id)
    clients = {
        "visitor": app.test_client(),
        **{name: sign_in(user) for name, user in people.items()},
    }
    names = ("video_id", "run_id", "unit_id", "file_id", "link_id", "user_id", "training_id")
    ids = dict.fromkeys((*names, "model_id", "number", "deployment_id"), 1)
    upload = create_upload(owner_id=people["analyst"].id)
    yield World(clients, {**ids, "item_id": item.id, "job_id": job.id, "upload_id": upload.id})


def who_may(endpoint: str) -> frozenset[str]:
    """Who gets past the door; the dashboard is for administrators, whatever views it grows."""
    if endpoint in MATRIX:
        return MATRIX[endpoint]
    assert endpoint.startswith(("admin.", "admin_"))
    return ADMINS


class TestMatrix:
    def test_covers_every_route_and_no_other(self, app: Flask) -> None:
        endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

        assert not set(MATRIX) - endpoints
        assert not [
            name for name in endpoints - set(MATRIX) if not name.startswith(("admin.", "admin_"))
        ]
        assert endpoints == set(surfaces.ACCESS)

    def test_opens_each_door_to_the_right_people_only(self, world: World, app: Flask) -> None:
        wrong = []
        for rule in app.url_map.iter_rules():
            for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                if rule.endpoint == "security.logout":
                    continue  # would end the sessions of this test; TestSignOut has it
                for name, client in world.clients.items():
                    wrong += _faults(rule, method, name, client, address(rule, world.ids, app))

        assert not wrong

    def test_hides_the_jobs_of_others(self, world: World) -> None:
        path = f"/jobs/{world.ids['job_id']}"
        status = {name: client.get(path).status_code for name, client in world.clients.items()}

        assert status == {
            "visitor": 302,
            "disabled": 302,
            "learner": 200,
            "analyst": 404,
            "admin": 200,
        }

    def test_hides_drafts_from_all_but_administrators(self, world: World) -> None:
        draft = make_item("Draft", status=ItemStatus.DRAFT)

        for path in (f"/courses/{draft.id}", f"/api/v1/items/{draft.id}"):
            status = {name: client.get(path).status_code for name, client in world.clients.items()}
            assert status == dict.fromkeys(world.clients, 404) | {"admin": 200}


class TestSafeMethods:
    def test_change_nothing(self, world: World, app: Flask) -> None:
        before = _row_counts()
        for rule in app.url_map.iter_rules():
            if "GET" in rule.methods and rule.endpoint not in MAY_RECORD:
                world.clients["admin"].get(address(rule, world.ids, app))

        assert _row_counts() == before


# A download is something a learner did, and counts as such (R061).
# An administrator who is refused is noted.
MAY_RECORD = {"catalogue.video_download", "analyses.delete_question", "analyses.repaired"}


def address(rule: Rule, ids: dict[str, int], app: Flask) -> str:
    """An address that fits the rule, with ids that exist."""
    prefix = rule.endpoint.partition("_")[0]
    values = {**SAMPLE, **ids, **SAMPLE_PER_ENDPOINT.get(prefix, {})}
    values |= SAMPLE_PER_ENDPOINT.get(rule.endpoint, {})
    with app.test_request_context():
        built = rule.build({name: values[name] for name in rule.arguments})
    assert built is not None
    return str(built[1])


def _faults(rule: Rule, method: str, name: str, client: FlaskClient, path: str) -> list[str]:
    # The header stands in for a CSRF token, which has tests of its own.
    answer = client.open(path, method=method, headers={"Authentication-Token": "none"})
    line = f"{method} {path} ({rule.endpoint}) as {name}: {answer.status_code}"
    refused = answer.status_code in (401, 403) or (answer.location or "").startswith("/login")
    if rule.endpoint == "security.login" or (
        rule.endpoint in ASKS_STRANGERS and name in ("visitor", "disabled")
    ):
        refused = False
    if answer.status_code >= 500 and rule.endpoint != "healthz":
        return [line]
    if name not in who_may(rule.endpoint) and not refused:
        return [f"{line}, should be refused"]
    if name in who_may(rule.endpoint) and refused:
        return [f"{line}, should be let in"]
    return []


def _row_counts() -> dict[str, int]:
    from sqlalchemy import func, select

    from dashboard.core.database import db, session

    session.rollback()
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in db.metadata.sorted_tables
    }
