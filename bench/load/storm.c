#include "load.h"

struct storm {
    struct fanout *result;
    uint32_t *missing; /* of each subscriber */
    uint64_t started, last_arrival;
};

static void deliver(void *context, uint32_t subscriber, struct marker marker, uint64_t at)
{
    struct storm *storm = context;
    storm->last_arrival = at;
    if (ledger_deliver(&storm->result->ledger, subscriber, marker.number) &&
        --storm->missing[subscriber] == 0)
        histogram_record(&storm->result->latency, at - storm->started);
}

static uint32_t missed_in(const struct options *o, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t number = room; number < o->messages; number += o->rooms)
        count += number >= o->missed_from;
    return count;
}

void storm_begin(struct crowd *crowd, struct fanout *f)
{
    const struct options *o = crowd->options;
    struct storm *storm = allocate(1, sizeof *storm);
    storm->result = f;
    storm->missing = allocate(o->subscribers, sizeof *storm->missing);
    for (uint32_t i = 0; i < o->subscribers; i++)
        storm->missing[i] = missed_in(o, i % o->rooms);
    f->ledger = ledger_open(o->subscribers, o->rooms, o->messages, 1);
    ledger_miss(&f->ledger, o->missed_from);
    crowd->deliver = deliver, crowd->context = storm;
    meter_start(f, o);
    storm->started = storm->last_arrival = now_ns();
}

void storm_end(struct crowd *crowd, struct fanout *f)
{
    const struct options *o = crowd->options;
    struct storm *storm = crowd->context;
    uint64_t patience = (uint64_t)(o->stall * NS_PER_SECOND), ready = now_ns();
    crowd->doing = "waiting for what was missed";
    while (f->ledger.in_flight && now_ns() < storm->last_arrival + patience)
        crowd_poll(crowd, now_ns() + NS_PER_SECOND / 10);
    uint64_t end = storm->last_arrival > ready ? storm->last_arrival : ready;
    f->elapsed_seconds = (double)(end - storm->started) / NS_PER_SECOND;
    meter_stop(f, o);
    crowd_wait(crowd, 0.2); /* a repeated delivery comes late */
}
