#include "load.h"

#include <unistd.h>

#define NEVER UINT64_MAX

static const double linger_seconds = 0.2; /* after the last: a repeated delivery comes late */

struct run {
    const struct options *options;
    struct fanout *result;
    uint64_t started, last_arrival;
};

static void deliver(void *context, uint32_t subscriber, struct marker marker, uint64_t at)
{
    struct run *run = context;
    run->last_arrival = at;
    if (ledger_deliver(&run->result->ledger, subscriber, marker.number))
        histogram_record(&run->result->latency, at > marker.sent_at ? at - marker.sent_at : 0);
}

static void confirm(void *context, struct marker marker, uint64_t at)
{
    struct run *run = context;
    run->last_arrival = at;
    run->result->confirmed++;
    histogram_record(&run->result->receipts, at > marker.sent_at ? at - marker.sent_at : 0);
}

static bool all_sent(const struct run *run, uint64_t now)
{
    const struct options *o = run->options;
    return run->result->ledger.sent == o->messages ||
           (o->seconds > 0 && now > run->started + (uint64_t)(o->seconds * NS_PER_SECOND));
}

/* Open loop: by the clock, whatever the server does. Closed loop: as soon as there is room. */
static uint64_t next_due(const struct run *run, uint64_t now)
{
    const struct options *o = run->options;
    const struct ledger *l = &run->result->ledger;
    if (all_sent(run, now))
        return NEVER;
    if (o->rate > 0)
        return run->started + (uint64_t)(l->sent * (NS_PER_SECOND / o->rate));
    if (o->in_flight)
        return l->in_flight < o->in_flight ? now : NEVER;
    uint64_t worth = (uint64_t)o->window * ledger_members(l, l->sent);
    return l->expected - l->delivered < worth ? now : NEVER;
}

/* The marker bears the time at which the message was due, not the time at which it got out: when
 * the server or this program falls behind, the wait counts (no coordinated omission). */
static void publish_due(struct crowd *crowd, struct run *run)
{
    struct ledger *l = &run->result->ledger;
    for (;;) {
        uint64_t now = now_ns(), due = next_due(run, now);
        if (due > now)
            return;
        struct marker marker = {due, l->sent};
        ledger_send(l);
        crowd_publish(crowd, marker.number % run->options->rooms, marker);
    }
}

static bool finished(const struct run *run, uint64_t now)
{
    const struct ledger *l = &run->result->ledger;
    uint64_t patience = (uint64_t)(run->options->stall * NS_PER_SECOND);
    uint64_t receipts = run->options->receipts ? l->sent : 0;
    if (l->in_flight == 0 && all_sent(run, now) && run->result->confirmed >= receipts)
        return true;
    if (l->in_flight == 0 && !all_sent(run, now))
        return false;
    return now > run->last_arrival + patience && now > run->started + patience;
}

/* The first reading is kept negative until the second one is added. */
static void read_meter(struct fanout *f, const struct options *o, int sign)
{
    const struct processes self = {{getpid()}, 1};
    f->server_cpu_seconds += sign * processes_cpu_seconds(&o->processes);
    f->own_cpu_seconds += sign * processes_cpu_seconds(&self);
    f->machine_cpu_seconds += sign * machine_cpu_seconds();
    for (int i = 0; i < o->parts.count; i++)
        f->part_cpu_seconds[i] += sign * processes_cpu_seconds(&o->parts.each[i].roots);
}

void meter_start(struct fanout *f, const struct options *o)
{
    read_meter(f, o, -1);
}

void meter_stop(struct fanout *f, const struct options *o)
{
    read_meter(f, o, 1);
}

void run_fanout(struct crowd *crowd, struct fanout *f)
{
    const struct options *o = crowd->options;
    struct run run = {.options = o, .result = f};
    f->ledger = ledger_open(o->subscribers, o->rooms, o->messages, options_senders(o));
    crowd->deliver = deliver, crowd->confirm = confirm, crowd->context = &run, crowd->doing = "sending";

    meter_start(f, o);
    run.started = run.last_arrival = now_ns();
    for (uint64_t now; !finished(&run, now = now_ns());) {
        publish_due(crowd, &run);
        uint64_t due = next_due(&run, now), tenth = now + NS_PER_SECOND / 10;
        crowd_poll(crowd, due < tenth ? due : tenth);
    }
    f->elapsed_seconds = (double)(run.last_arrival - run.started) / NS_PER_SECOND;
    meter_stop(f, o);
    f->unconfirmed = o->receipts ? f->ledger.sent - f->confirmed : 0;
    crowd_wait(crowd, linger_seconds);
}
