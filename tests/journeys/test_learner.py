"""A learner with a phone and nothing else: registers on the way, watches, comes back, is recommended something.

Domains: accounts, catalogue, activity, recommendations.
"""

import re
import uuid

from playwright.sync_api import Page, expect

from tests.factories.demo import DemoPortal
from tests.factories.portal import sign_in

PASSWORD = "seven brown bridges"


def new_phone() -> str:
    """A mobile number nobody has yet."""
    return f"138{uuid.uuid4().int % 10**8:08d}"


def register(page: Page, number: str) -> None:
    """Register on the form that the page shows, by phone number."""
    page.get_by_label("Phone number").fill(number)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Register").click()


def film_of(page: Page) -> str:
    """Opens a course with a film from the list; its address."""
    page.goto("/courses")
    page.get_by_role("link", name="Reading a mutation table").first.click()
    expect(page.locator("h1")).to_have_text("Reading a mutation table")
    return page.url


def test_registers_by_phone_and_comes_back_to_the_same_page(phone: Page, stack: DemoPortal) -> None:
    number = new_phone()
    course = film_of(phone)

    phone.get_by_role("main").get_by_role("link", name="Sign in").first.click()
    phone.get_by_role("main").get_by_role("link", name="Register").click()
    register(phone, number)

    expect(phone).to_have_url(re.compile(re.escape(course)))
    expect(phone.locator("video").first).to_be_visible()


def test_signs_in_again_in_another_spelling(phone: Page, stack: DemoPortal) -> None:
    number = new_phone()
    phone.goto("/register")
    register(phone, number)
    phone.goto("/logout")
    phone.get_by_role("main").get_by_role("button", name="Sign out").click()

    phone.goto("/me")
    sign_in(phone, f"+86 {number[:3]} {number[3:7]} {number[7:]}", PASSWORD)

    expect(phone.locator("h1")).to_have_text("My page")
    expect(phone.get_by_label("Phone number")).to_have_value(re.compile(number[-4:]))


def test_watches_and_resumes_where_she_stopped(phone: Page, stack: DemoPortal) -> None:
    stack.sign_in(phone, "learner")
    phone.goto("/courses/1")
    with phone.expect_response("**/api/v1/events") as answer:
        phone.locator("video").first.evaluate(
            """async (video) => {
                video.muted = true;
                await video.play();
                video.currentTime = 12;
                await new Promise((done) => video.addEventListener('seeked', done, {once: true}));
                await new Promise((done) => setTimeout(done, 1200));
                video.pause();
            }"""
        )
    assert answer.value.status == 202

    phone.goto("/")
    expect(phone.get_by_role("heading", name="Continue watching")).to_be_visible()
    phone.goto("/courses/1")
    phone.wait_for_function("() => document.querySelector('video').currentTime >= 11")


def test_what_she_likes_changes_what_is_recommended(phone: Page, stack: DemoPortal) -> None:
    number = new_phone()
    phone.goto("/register")
    register(phone, number)
    phone.goto("/")
    expect(phone.get_by_role("heading", name="Popular")).to_be_visible()

    film_of(phone)
    with phone.expect_response("**/api/v1/events"):
        phone.get_by_role("button", name="Favourite").click()
    phone.goto("/recommendations")

    expect(phone.get_by_role("main")).to_contain_text("Reading a mutation table")
    phone.get_by_role("link", name=re.compile("Why this")).first.click()
    expect(phone.locator("h1")).to_have_text(re.compile("^Why this: "))
    title = (phone.locator("h1").inner_text()).removeprefix("Why this: ")
    phone.get_by_role("button", name="Not interested").click()
    expect(phone.locator("h1")).to_have_text(re.compile("Recommended"))
    expect(phone.locator("[data-card]").filter(has_text=title)).to_have_count(0)

    phone.goto("/me/favourites")
    expect(phone.get_by_role("main")).to_contain_text("Reading a mutation table")
