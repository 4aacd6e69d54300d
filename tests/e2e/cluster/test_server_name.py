"""What the processes of a cluster say of their server: see `tests/e2e/test_server_name.py`."""

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients


async def test_no_process_tells_a_version(cluster: Cluster, clients: Clients) -> None:
    """On its own ports and behind the load balancer; gateways by WebSocket, too."""
    gateways = [cluster.url, *(gateway.url for gateway in cluster.gateways)]
    asked = [f"{url}/allibe-ws/info" for url in gateways]
    asked += [f"{url}/api/chat/rooms" for url in (cluster.url, cluster.rooms_api.url)]
    asked += [f"{service.ops_url}/livez" for service in cluster.services]
    told = {}
    for url in asked:
        async with clients.session.get(url) as answer:
            told[url] = answer.headers.get("Server")
    for url in gateways:
        async with clients.session.ws_connect(f"{url}/allibe-ws") as web_socket:
            told[f"{url}/allibe-ws"] = web_socket._response.headers.get("Server")
    assert set(told.values()) == {"allibe"}, told
