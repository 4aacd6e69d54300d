"""What a process tells operators of itself: its metrics, read over its operations port."""

from urllib.request import ProxyHandler, build_opener

from prometheus_client.parser import text_string_to_metric_families

from deploy.cluster.service import Service

SECONDS = 30.0
"""For an answer: a process under load gives it when it has time."""

_open = build_opener(ProxyHandler({})).open


def metric(service: Service, name: str, **labels: str) -> float:
    """Return the sample of that name, the sum of all that have these labels; 0 without any."""
    with _open(f"{service.ops_url}/metrics", timeout=SECONDS) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
