"""The prediction server's HTTP: what callers may send, how they are told what they may not, and who waits for whom."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse

import pytest

from jobs.engines.scoring import http_server, room
from jobs.engines.scoring.http_messages import Request, Response
from jobs.engines.scoring.http_server import Server

TEXT = b"Content-Type: text/plain\r\n"


class Echo:
    """Answers with the method, the path, the query and the body; /refused without reading it."""

    async def answer(self, request: Request) -> Response:
        if request.path == "/refused":
            return Response(401, b"no", TEXT)
        if request.path == "/broken":
            raise ValueError("a fault of ours")
        body = await request.body()
        if request.path == "/slow":
            await asyncio.sleep(0.3)
        if request.path == "/large":
            body = b"x" * 2**24
        return Response(200, f"{request.method} {request.query} ".encode() + body, TEXT)

    def refusal(self, status: int) -> Response:
        return Response(status, b"refused", TEXT)


class Running:
    """A server in a thread of its own."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.loop, self.stopping = asyncio.new_event_loop(), asyncio.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)

    def _run(self) -> None:
        async def main() -> None:
            self.server = Server(Echo())
            await self.server.run(host="127.0.0.1", port=self.port, stopping=self.stopping)

        self.loop.run_until_complete(main())

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.loop.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, *pieces: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02)
            return _all(connection)


def _all(connection: socket.socket) -> bytes:
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


def post(path: bytes = b"/x", body: bytes = b"body", more: bytes = b"") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (path, more, len(body))
    return head + body


CLOSE = b"Connection: close\r\n"


class TestRequests:
    def test_keeps_a_connection_open(self, server: Running) -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        for number in range(3):
            connection.request("POST", f"/x?n={number}", b"body")
            answer: HTTPResponse = connection.getresponse()
            assert answer.read() == f"POST n={number} body".encode()
            assert answer.headers["Date"].endswith("GMT")
        connection.close()

    def test_takes_a_request_in_pieces(self, server: Running) -> None:
        whole = post(more=CLOSE)

        for cut in (1, 20, len(whole) - 5, len(whole) - 1):
            assert server.say(whole[:cut], whole[cut:]).endswith(b"POST  body")

    def test_answers_requests_sent_ahead_in_turn(self, server: Running) -> None:
        said = server.say(post(b"/slow", b"one") + post(b"/x", b"two") + post(b"/x", b"3", CLOSE))

        places = [said.index(word) for word in (b"POST  one", b"POST  two", b"POST  3")]
        assert places == sorted(places)
        assert said.count(b"HTTP/1.1 200") == 3

    def test_takes_a_chunked_body(self, server: Running) -> None:
        head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%b\r\n" % CLOSE

        assert server.say(head + b"2\r\nbo\r\n", b"2\r\ndy\r\n0\r\n\r\n").endswith(b"POST  body")

    def test_asks_for_a_body_that_waits_to_be_asked_for(self, server: Running) -> None:
        whole = post(more=CLOSE + b"Expect: 100-continue\r\n")
        with server.connect() as connection:
            connection.sendall(whole[:-4])
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(whole[-4:])
            assert _all(connection).endswith(b"POST  body")

    def test_serves_http_1_0(self, server: Running) -> None:
        said = server.say(b"POST /x HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody")

        assert b"Connection: close" in said
        assert said.endswith(b"POST  body")

    def test_skips_blank_lines_between_requests(self, server: Running) -> None:
        said = server.say(post() + b"\r\n\r\n\r\n\r\n" + post(more=CLOSE))

        assert said.count(b"POST  body") == 2

    def test_sends_no_body_to_head(self, server: Running) -> None:
        said = server.say(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", post(more=CLOSE))

        head, _, rest = said.partition(b"\r\n\r\n")
        assert b"Content-Length: 6" in head
        assert rest.startswith(b"HTTP/1.1 200")

    def test_sends_a_large_answer_to_a_slow_reader(self, server: Running) -> None:
        with server.connect() as connection:
            connection.sendall(post(b"/large") + post(more=CLOSE))
            time.sleep(0.2)

            assert _all(connection).endswith(b"POST  body")


class TestRefusals:
    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", 400),
            (b"\x00\xff\r\n\r\n", 400),
            (b"POST /x HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            (b"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST /x HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", 400),
            (b"POST /x HTTP/1.1\r\n: nameless\r\n\r\n", 400),
            (b"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"POST /x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
            (b"POST /x HTTP/1.1\r\nA: " + b"a" * http_server.MAX_HEADER_BYTES, 431),
            (post(b"/broken"), 500),
        ],
    )
    def test_says_what_is_wrong_and_goes_on(
        self, server: Running, sent: bytes, status: int
    ) -> None:
        with server.connect() as connection:
            connection.sendall(sent)
            assert connection.recv(4096).startswith(b"HTTP/1.1 %d " % status)

        assert server.say(post(more=CLOSE)).endswith(b"POST  body")

    def test_does_not_wait_for_a_body_that_it_refuses(self, server: Running) -> None:
        with server.connect() as connection:
            connection.sendall(b"POST /refused HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n[")

            said = _all(connection)
        assert said.startswith(b"HTTP/1.1 401 ")
        assert b"Connection: close" in said

    def test_a_body_is_never_taken_for_the_next_request(self, server: Running) -> None:
        hidden = post(b"/x", b"smuggled", CLOSE)

        said = server.say(post(b"/refused", hidden), post(more=CLOSE))

        assert said.count(b"HTTP/1.1") == 2
        assert b"smuggled" not in said

    @pytest.mark.parametrize(
        ("version", "more", "body"),
        [
            pytest.param(b" HTTP/1.1", b"", b"zz\r\n", id="broken-chunk"),
            pytest.param(
                b" HTTP/1.1", b"", b"1000001\r\n" + b"x" * (2**24 + 1), id="too-long-chunks"
            ),
            pytest.param(b" HTTP/1.1", b"Content-Length: 3\r\n", b"zz\r\n", id="both-lengths"),
            pytest.param(
                b" HTTP/1.0", b"Connection: keep-alive\r\n", b"0\r\n\r\n", id="chunks-in-1.0"
            ),
            pytest.param(b"", b"", b"0\r\n\r\n", id="chunks-without-version"),
        ],
    )
    def test_what_follows_a_broken_body_is_no_request(
        self, server: Running, version: bytes, more: bytes, body: bytes
    ) -> None:
        head = b"POST /x%b\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (version, more)

        # The body comes after the head was taken.
        said = server.say(head, body + post(b"/x", b"smuggled", CLOSE))

        assert said.count(b"HTTP/1.1 ") == 1
        assert b"Connection: close" in said
        assert b"smuggled" not in said


class TestPatience:
    def test_nobody_waits_for_stalled_senders(self, server: Running) -> None:
        stalled = [server.connect() for _ in range(50)]
        for number, connection in enumerate(stalled):
            connection.sendall(post()[: 10 + number])
        started = time.monotonic()

        assert server.say(post(more=CLOSE)).endswith(b"POST  body")
        assert time.monotonic() - started < 1
        for connection in stalled:
            connection.close()

    @pytest.mark.parametrize("cut", [10, -1])
    def test_gives_up_a_request_that_never_ends(
        self, server: Running, cut: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", 0.1)
        with server.connect() as connection:
            connection.sendall(post()[:cut])

            assert _all(connection).startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize("more", [b"", CLOSE])
    def test_gives_up_a_caller_who_never_reads(
        self, server: Running, more: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", 0.1)
        with server.connect() as connection:
            connection.sendall(post(b"/large", more=more))
            time.sleep(1.3)

            assert len(_all(connection)) < 2**24

    def test_closes_what_nobody_uses(
        self, server: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_server, "IDLE_S", 0.1)
        with server.connect() as connection:
            assert connection.recv(10) == b""

    def test_takes_so_many_callers_and_no_more(
        self, server: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_server, "MAX_CONNECTIONS", 0)

        assert server.say(b"").startswith(b"HTTP/1.1 503 ")

    def test_answers_what_it_took_before_it_stops(self) -> None:
        server = Running()
        with server.connect() as busy, server.connect() as idle:
            busy.sendall(post(b"/slow"))
            time.sleep(0.1)
            server.stop()

            assert _all(busy).endswith(b"POST  body")
            assert idle.recv(10) == b""


MIB = 2**20
N_CALLERS = 12


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


class TestRoom:
    @pytest.fixture(autouse=True)
    def little(self, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        _until(lambda: server.server.room.held == 0)
        monkeypatch.setattr(room, "MAX_HELD_BYTES", 4 * MIB)

    def test_many_large_bodies_never_fill_the_memory(self, server: Running) -> None:
        together = threading.Barrier(N_CALLERS)
        held: list[int] = []

        def body() -> Iterator[bytes]:
            yield b"x" * (MIB // 2)
            together.wait(10)
            held.append(server.server.room.held)
            for _ in range(8):
                yield b"x" * (MIB // 16)
                held.append(server.server.room.held)

        def send(_number: int) -> int:
            connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
            with contextlib.closing(connection):
                connection.request("POST", "/slow", body(), {"Content-Length": str(MIB)})
                answer = connection.getresponse()
                assert len(answer.read()) == (MIB + 6 if answer.status == 200 else 7)
                return answer.status

        with ThreadPoolExecutor(N_CALLERS) as pool:
            statuses = list(pool.map(send, range(N_CALLERS)))

        assert set(statuses) == {200, 503}
        assert 2 <= statuses.count(200) <= 4
        # A piece more of each has come when it is refused.
        assert max(held) <= 4 * MIB + N_CALLERS * (room.SMALL_BYTES + 2**18)
        _until(lambda: server.server.room.held == 0)

    def test_short_requests_are_answered_all_the_same(self, server: Running) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stalled = stack.enter_context(server.connect())
                stalled.sendall(post(body=b"x" * MIB)[:-1000])
            _until(lambda: server.server.room.held > 3.9 * MIB)

            assert server.say(post(more=CLOSE)).endswith(b"POST  body")
            # One that says how long it is going to be is told at once.
            head = post(body=b"x" * MIB, more=b"Expect: 100-continue\r\n")[:-MIB]
            assert server.say(head).startswith(b"HTTP/1.1 503 ")
            # One that does not, as soon as it is too long.
            chunks = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n"
            for pieces in ([chunks, b"x" * 2**18], [chunks + b"x" * 2**18]):
                assert server.say(*pieces).startswith(b"HTTP/1.1 503 ")
        _until(lambda: server.server.room.held == 0)

    def test_requests_sent_ahead_are_given_up_after_the_answer(
        self, server: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(room, "MAX_HELD_BYTES", 0)

        said = server.say(post(b"/slow"), post(body=b"x" * 2 * room.SMALL_BYTES))

        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.endswith(b"POST  body")
        assert b"Connection: close" in said

    def test_blank_lines_take_no_room(self, server: Running) -> None:
        with server.connect() as connection:
            connection.sendall(b"\r\n" * 2**18)
            connection.sendall(post(more=CLOSE))

            assert _all(connection).endswith(b"POST  body")
            assert server.server.room.held == 0

    def test_answers_that_nobody_reads_take_room(self, server: Running) -> None:
        with server.connect() as connection:
            connection.sendall(post(b"/large", more=CLOSE))
            _until(lambda: server.server.room.held > 4 * MIB)

            assert server.say(post(body=b"x" * MIB)).startswith(b"HTTP/1.1 503 ")
            assert len(_all(connection)) > 2**24
        _until(lambda: server.server.room.held == 0)
