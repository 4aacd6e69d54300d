"""@stomp/stompjs over sockjs-client 1.6 in Chromium, against a real process, on each transport."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from allibe_gateway.doors.sockjs.pages import CLIENT_URL
from tests.support.backstage import Backstage
from tests.support.browser import StartDemo
from tests.support.node import NODE
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("node_packages")

SOCKJS = NODE / "node_modules/sockjs-client/dist/sockjs.min.js"
STOMPJS = NODE / "node_modules/@stomp/stompjs/bundles/stomp.umd.min.js"

TRANSPORTS = (
    "websocket",
    "xhr-streaming",
    "eventsource",
    "htmlfile",
    "xhr-polling",
    "jsonp-polling",
    "iframe-eventsource",
    "iframe-htmlfile",
    "iframe-xhr-polling",
)
"""All that sockjs-client has, but those of Internet Explorer."""

ODD = "안녕하세요 👋 100% %41 \u2028\u200d </script><!-- \"q\" \\ 'q'"

BODY = '<ol id="messages"></ol><p id="transport"></p>'

SCRIPT = """({ url, transport, token, room }) => {
  let last = { receipt: 'subscribed' };
  let socket;
  const client = new StompJs.Client({
    webSocketFactory: () => {
      socket = new SockJS(url, null, { transports: transport, timeout: 20000 });
      return socket;
    },
    connectHeaders: { Authorization: token },
    reconnectDelay: 50,
    onConnect: () => {
      client.watchForReceipt('subscribed', () => {
        document.getElementById('transport').textContent = socket.transport;
      });
      client.subscribe(`/topic/rooms/${room}`, (message) => {
        last = { ...last, 'x-since': message.headers['message-id'] };
        const item = document.createElement('li');
        item.textContent = JSON.parse(message.body).content;
        document.getElementById('messages').append(item);
      }, last);
    },
  });
  client.activate();
  window.post = (content) => client.publish({
    destination: '/app/message',
    body: JSON.stringify({ content, roomId: room }),
  });
}"""


class Chat:
    """The page of this test: a list of messages, and a way to post."""

    def __init__(self, page: Page, origin: str, url: str, **parameters: str) -> None:
        self.page = page
        page.goto(f"{origin}/allibe-ws")  # any page of this origin
        page.set_content(BODY)
        page.add_script_tag(path=SOCKJS)
        page.add_script_tag(path=STOMPJS)
        page.evaluate(SCRIPT, {"url": f"{url}/allibe-ws"} | parameters)
        expect(page.locator("#transport")).to_have_text(parameters["transport"])

    def post(self, content: str) -> None:
        self.page.evaluate("(content) => window.post(content)", content)

    def shows(self, *contents: str) -> None:
        expect(self.page.locator("#messages li")).to_have_text([*contents])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window in which the iframe's page finds sockjs-client where it looks for it."""
    context = browser.new_context()
    headers = {"Access-Control-Allow-Origin": "*"}
    context.route(CLIENT_URL, lambda route: route.fulfill(path=SOCKJS, headers=headers))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_transport_carries_messages_both_ways(
    server: Server, backstage: Backstage, page: Page, transport: str
) -> None:
    room = backstage.room(server, "SockJS")
    chat = Chat(
        page, server.url, server.url, transport=transport, token=server.token("alice"), room=room
    )
    chat.post(ODD)
    chat.shows(ODD)
    backstage.say(server, room, "bob", "and back")
    chat.shows(ODD, "and back")
    assert backstage.contents(server, room) == [ODD, "and back"]


@pytest.mark.long
@pytest.mark.parametrize("transport", ["xhr-streaming", "eventsource", "jsonp-polling"])
def test_a_stream_goes_on_without_a_hole_when_the_server_dies(
    start_demo: StartDemo, backstage: Backstage, page: Page, transport: str
) -> None:
    """As in Node, where it is tried each time."""
    server = start_demo()
    room = backstage.room(server, "SockJS")
    chat = Chat(
        page, server.url, server.url, transport=transport, token=server.token("alice"), room=room
    )
    backstage.say(server, room, "bob", "before")
    chat.shows("before")
    server.kill()
    server.restart()
    backstage.say(server, room, "bob", "after")
    chat.shows("before", "after")


def test_a_listed_page_of_another_origin_may_use_it(
    server: Server, start_demo: StartDemo, backstage: Backstage, page: Page
) -> None:
    """The list is ALLIBE_ORIGINS. The others need a page of the server's own in an iframe."""
    elsewhere, server = server.url, start_demo(ALLIBE_ORIGINS=server.url)
    for transport in ("websocket", "xhr-streaming", "eventsource", "xhr-polling"):
        room, token = backstage.room(server, "SockJS"), server.token("alice")
        chat = Chat(page, elsewhere, server.url, transport=transport, token=token, room=room)
        chat.post(ODD)
        chat.shows(ODD)
