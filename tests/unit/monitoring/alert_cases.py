"""For each alert a fault on which it fires, and what comes close to that and is none.

Series are in promtool's notation, a value a minute: `0+60` grows by 60 a minute, so by 1 a second.
"""

from dataclasses import dataclass

Series = dict[str, str]


@dataclass(frozen=True)
class Case:
    """`fault` and `close` are series in the place of, or besides, the healthy ones.

    They go on for `minutes`, then the alerts are looked at. `also` are alerts that the fault sets
    off as well, `less` those that what is close to it sets off. A series `""` is one that is
    missing.
    """

    alert: str
    fault: Series
    close: Series
    minutes: int = 20
    also: frozenset[str] = frozenset()
    less: frozenset[str] = frozenset()


GATEWAY = 'job="gateway",instance="gateway-1"'
WORKER = 'job="fanout-worker",instance="fanout-worker-1"'
ROOMS_API = 'job="rooms-api",instance="rooms-api-1"'

UP_1, UP_2 = f"up{{{GATEWAY}}}", 'up{job="gateway",instance="gateway-2"}'
OTHERS_UP = 'up{job="pushgateway",instance="pushgateway-1"}'
"""Of what has nothing to do with Allibe, in the same Prometheus."""
LONG_UP = 'up{job="allibe/allibe-gateway",instance="gateway-1"}'
SERVE_UP = 'up{job="allibe",instance="laptop"}'
"""`allibe serve`: all of them in one."""
UP_API = f"up{{{ROOMS_API}}}"
SHARDS_1 = f"allibe_worker_shards{{{WORKER}}}"
SHARDS_2 = 'allibe_worker_shards{job="fanout-worker",instance="fanout-worker-2"}'
REDIS = f'allibe_link_up{{link="redis",{GATEWAY}}}'
REDIS_2 = f'allibe_link_up{{link="redis",{WORKER}}}'
BLOCKED = f"allibe_bus_blocked{{{GATEWAY}}}"
LAG = f'allibe_event_loop_lag_seconds_bucket{{le="0.25",{GATEWAY}}}'
FILES = f"process_open_fds{{{GATEWAY}}}"
CALLS = f"allibe_database_calls{{{WORKER}}}"
CALL_SECONDS = f'allibe_database_call_seconds_bucket{{le="1",kind="write",{WORKER}}}'
HTTP_200 = f'allibe_http_request_seconds_count{{route="r",status="200",{ROOMS_API}}}'
HTTP_500 = f'allibe_http_request_seconds_count{{route="r",status="500",{ROOMS_API}}}'
KEYS = f"allibe_auth_key_fetches_total{{%s,{GATEWAY}}}"
KEYS_API_FAILED = f'allibe_auth_key_fetches_total{{result="failed",{ROOMS_API}}}'
KEYS_OK, KEYS_FAILED = KEYS % 'result="ok"', KEYS % 'result="failed"'
STALLED = f"allibe_worker_stalled_shards{{{WORKER}}}"
OLDEST = f'allibe_worker_oldest_command_seconds{{shard="3",{WORKER}}}'
QUEUE = f'allibe_worker_queue_length{{shard="3",{WORKER}}}'
DEAD_LETTERS = f"allibe_worker_dead_letters{{{WORKER}}}"
REJECTED = f"allibe_worker_messages_rejected_total{{{WORKER}}}"
GAPS = f"allibe_gateway_gaps_total{{{GATEWAY}}}"
SLOW = f'allibe_gateway_disconnects_total{{code="4409",{GATEWAY}}}'
INCOMPLETE = f'allibe_gateway_recoveries_total{{result="incomplete",{GATEWAY}}}'
RECOVERED = f'allibe_gateway_recoveries_total{{result="complete",{GATEWAY}}}'
NOT_RECOVERED = f'allibe_gateway_recoveries_total{{result="failed",{GATEWAY}}}'
SENT = f'allibe_push_decisions_total{{reason="sent",{WORKER}}}'
TIMED_OUT = f'allibe_push_decisions_total{{reason="timed_out",{WORKER}}}'
LATE = f"allibe_push_late_seconds{{{WORKER}}}"
DEAD = f'allibe_push_dead_total{{reason="gave_up",last="timed_out",{WORKER}}}'
IN_TIME = f'allibe_gateway_send_to_delivery_seconds_bucket{{le="0.25",{GATEWAY}}}'
DELIVERED = f"allibe_gateway_send_to_delivery_seconds_count{{{GATEWAY}}}"
CONFIRMED = f'allibe_bus_posts_total{{result="ok",{GATEWAY}}}'
NOT_CONFIRMED = f'allibe_bus_posts_total{{result="not_confirmed",{GATEWAY}}}'
REFUSED = f'allibe_bus_posts_total{{result="command_rejected",{GATEWAY}}}'

HEALTHY: Series = {
    UP_1: "1",
    UP_2: "1",
    UP_API: "1",
    OTHERS_UP: "1",
    f"up{{{WORKER}}}": "1",
    f"allibe_bus_shards{{{GATEWAY}}}": "16",
    SHARDS_1: "8",
    SHARDS_2: "8",
    REDIS: "1",
    REDIS_2: "1",
    BLOCKED: "0",
    LAG: "0+240",
    f'allibe_event_loop_lag_seconds_bucket{{le="1",{GATEWAY}}}': "0+240",
    f'allibe_event_loop_lag_seconds_bucket{{le="+Inf",{GATEWAY}}}': "0+240",
    FILES: "5000",
    f"process_max_fds{{{GATEWAY}}}": "10000",
    CALLS: "1",
    f"allibe_database_connections{{{WORKER}}}": "8",
    CALL_SECONDS: "0+600",
    f'allibe_database_call_seconds_bucket{{le="5",kind="write",{WORKER}}}': "0+600",
    f'allibe_database_call_seconds_bucket{{le="+Inf",kind="write",{WORKER}}}': "0+600",
    HTTP_200: "0+600",
    HTTP_500: "0",
    KEYS_OK: "0+1",
    KEYS_FAILED: "0",
    STALLED: "0",
    OLDEST: "0",
    QUEUE: "0",
    REJECTED: "0",
    GAPS: "0",
    f"allibe_gateway_connections{{{GATEWAY}}}": "5000",
    SLOW: "0",
    RECOVERED: "0+60",
    INCOMPLETE: "0",
    NOT_RECOVERED: "0",
    SENT: "0+60",
    TIMED_OUT: "0",
    DEAD: "0",
    LATE: "0",
    IN_TIME: "0+10000",
    DELIVERED: "0+10000",
    CONFIRMED: "0+10000",
    NOT_CONFIRMED: "0",
    REFUSED: "0",
}
"""A deployment in which all is well."""

DAY = 24 * 60

CASES = (
    Case(
        "AllibeNoGateway",
        {UP_1: "0", UP_2: ""},
        {UP_1: "0"},
        also=frozenset({"AllibeProcessDown"}),
        less=frozenset({"AllibeProcessDown"}),
    ),
    Case(
        "AllibeNoGateway",
        {UP_1: "", UP_2: ""},
        {UP_1: "", UP_2: "", UP_API: "", SERVE_UP: "1"},
    ),
    Case("AllibeNoRoomsApi", {UP_API: ""}, {UP_API: "1x18 0 1"}),
    Case("AllibeProcessDown", {UP_1: "0"}, {UP_1: "1x18 0 0"}),
    Case("AllibeProcessDown", {LONG_UP: "0"}, {OTHERS_UP: "0"}),
    Case("AllibeProcessDown", {SERVE_UP: "0"}, {SERVE_UP: "1"}),
    Case("AllibeShardsNotConsumed", {SHARDS_2: "7"}, {SHARDS_2: "9"}),
    Case("AllibeShardsNotConsumed", {SHARDS_1: "", SHARDS_2: ""}, {SHARDS_1: "16", SHARDS_2: ""}),
    Case("AllibeLinkDown", {REDIS: "0"}, {REDIS: "1x19 0"}),
    Case("AllibeBrokerBlocks", {BLOCKED: "1"}, {BLOCKED: "0x19 1"}),
    Case("AllibeShardsStall", {STALLED: "1"}, {STALLED: "0x19 1"}),
    Case("AllibeCommandsWait", {OLDEST: "12"}, {OLDEST: "9"}),
    Case("AllibeQueueLong", {QUEUE: "1001"}, {QUEUE: "999"}),
    Case("AllibeCommandsRejected", {REJECTED: "0x18 1 1"}, {REJECTED: "7"}),
    Case("AllibeDeadLettersWait", {DEAD_LETTERS: "1"}, {DEAD_LETTERS: "0x18 1 NaN"}),
    Case("AllibeEventLoopSlow", {LAG: "0+235"}, {LAG: "0+239"}),
    Case("AllibeFilesShort", {FILES: "8100"}, {FILES: "7900"}),
    Case("AllibeDatabaseBusy", {CALLS: "9"}, {CALLS: "8"}),
    Case("AllibeDatabaseSlow", {CALL_SECONDS: "0+590"}, {CALL_SECONDS: "0+598"}),
    Case("AllibeHttpErrors", {HTTP_500: "0+60"}, {HTTP_500: "0+20"}),
    Case("AllibeHttpErrors", {HTTP_200: "0", HTTP_500: "0+3"}, {HTTP_200: "0", HTTP_500: "0+1"}),
    Case("AllibeKeysNotFetched", {KEYS_OK: "5", KEYS_FAILED: "0+1"}, {KEYS_FAILED: "0+1"}),
    Case("AllibeKeysNotFetched", {KEYS_API_FAILED: "1+1"}, {KEYS_API_FAILED: "1"}),
    Case("AllibeGapsFrequent", {GAPS: "0+12"}, {GAPS: "0+5"}),
    Case("AllibeSlowConsumers", {SLOW: "0+6"}, {SLOW: "0+4"}),
    Case("AllibeRecoveriesIncomplete", {INCOMPLETE: "0+30"}, {INCOMPLETE: "0+15"}, minutes=60),
    Case(
        "AllibeRecoveriesIncomplete",
        {INCOMPLETE: "0+60"},
        {RECOVERED: "0", INCOMPLETE: "0+1"},
        minutes=60,
    ),
    Case("AllibePushesFail", {TIMED_OUT: "0+70"}, {TIMED_OUT: "0+50"}),
    Case("AllibePushesFail", {SENT: "", TIMED_OUT: "0+6"}, {SENT: "", TIMED_OUT: "0+3"}),
    Case("AllibePushesLate", {LATE: "61"}, {LATE: "59"}),
    Case("AllibePushesLost", {DEAD: "0+6"}, {DEAD: "0+2"}, minutes=60),
    Case("AllibePushesLost", {SENT: "", DEAD: "0+1"}, {SENT: "", DEAD: "0.5+0.5"}, minutes=60),
    Case(
        "AllibeDeliveryBudgetBurnsFast",
        {IN_TIME: "0+8400"},
        {IN_TIME: "0+9500"},
        minutes=90,
        also=frozenset({"AllibeDeliveryBudgetBurns"}),
        less=frozenset({"AllibeDeliveryBudgetBurns"}),
    ),
    Case(
        "AllibeReceiptBudgetBurnsFast",
        {NOT_CONFIRMED: "0+160"},
        {REFUSED: "0+160"},
        minutes=90,
        also=frozenset({"AllibeReceiptBudgetBurns"}),
    ),
    Case(
        "AllibeRecoveryBudgetBurnsFast",
        {NOT_RECOVERED: "0+1"},
        {RECOVERED: "0", NOT_RECOVERED: "0+1"},
        minutes=90,
        also=frozenset({"AllibeRecoveryBudgetBurns"}),
        less=frozenset({"AllibeRecoveryBudgetBurns"}),
    ),
    Case("AllibeDeliveryBudgetBurns", {IN_TIME: "0+9860"}, {IN_TIME: "0+9910"}, minutes=DAY),
    Case("AllibeReceiptBudgetBurns", {NOT_CONFIRMED: "0+14"}, {NOT_CONFIRMED: "0+9"}, minutes=DAY),
    Case(
        "AllibeRecoveryBudgetBurns",
        {RECOVERED: "0+10000", NOT_RECOVERED: "0+14"},
        {RECOVERED: "0+10000", NOT_RECOVERED: "0+9"},
        minutes=DAY,
    ),
)
