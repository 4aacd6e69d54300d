"""`hot_metrics`: what Prometheus is told is what prometheus_client's own metrics would tell."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from allibe_services.hot_metrics import HotCounter, HotHistogram

BUCKETS = (0.001, 0.5, 1, 10)


def told(registry: CollectorRegistry) -> list[object]:
    """Return what a scrape says, without the time at which a metric was made."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [
        (one.name, one.documentation, one.type, sample.name, sample.labels, sample.value)
        for one in families
        for sample in one.samples
        if not sample.name.endswith("_created")
    ]


def test_a_histogram_tells_what_the_librarys_would() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    hot = HotHistogram("a_seconds", "Some time.", buckets=BUCKETS, registry=ours)
    usual = Histogram("a_seconds", "Some time.", buckets=BUCKETS, registry=theirs)
    for seconds in (0, 0.001, 0.0011, 0.5, 0.75, 1, 9.99, 10, 10.5, 1e9):
        hot.observe(seconds)
        usual.observe(seconds)
        assert told(ours) == told(theirs)


def test_a_counter_tells_what_the_librarys_would() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    hot = HotCounter("things", "Some things.", registry=ours)
    usual = Counter("things", "Some things.", registry=theirs)
    assert told(ours) == told(theirs)
    for _ in range(3):
        hot.inc()
        usual.inc()
    assert told(ours) == told(theirs)


def test_clocks_that_disagree_make_no_sum_fall() -> None:
    registry = CollectorRegistry()
    hot = HotHistogram("a_seconds", "Some time.", buckets=BUCKETS, registry=registry)
    hot.observe(2.0)
    hot.observe(-1.0)
    assert registry.get_sample_value("a_seconds_sum") == 2.0
    assert registry.get_sample_value("a_seconds_count") == 2
    assert registry.get_sample_value("a_seconds_bucket", {"le": "0.001"}) == 1
