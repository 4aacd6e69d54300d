#include "load.h"

#include <stdio.h>
#include <unistd.h>

static const double saturated_above = 0.9; /* of a core: beyond, this program is the bottleneck */
static const double settle_seconds = 0.3;  /* before the first SEND: what connecting left to do */

struct gathering {
    double seconds, server_cpu_seconds, own_cpu_seconds;
    long rss_before_kib, rss_after_kib;
};

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static double microseconds(const struct histogram *h, double quantile)
{
    return histogram_quantile(h, quantile) / 1e3;
}

static void report_times(const char *name, const struct histogram *h)
{
    printf(",\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f}", name,
           microseconds(h, 0.5), microseconds(h, 0.99), microseconds(h, 0.999),
           (double)h->max / 1e3);
}

static struct gathering gather(struct crowd *crowd)
{
    const struct options *o = crowd->options;
    const struct processes self = {{getpid()}, 1};
    struct gathering g = {.rss_before_kib = processes_rss_kib(&o->processes)};
    double cpu = processes_cpu_seconds(&o->processes), own = processes_cpu_seconds(&self);
    uint64_t started = now_ns();
    crowd_gather(crowd);
    g.seconds = (double)(now_ns() - started) / NS_PER_SECOND;
    g.server_cpu_seconds = processes_cpu_seconds(&o->processes) - cpu;
    g.own_cpu_seconds = processes_cpu_seconds(&self) - own;
    if (!o->resume)
        crowd_wait(crowd, o->idle > 0 ? o->idle : settle_seconds);
    g.rss_after_kib = processes_rss_kib(&o->processes);
    return g;
}

static void report_crowd(const struct crowd *crowd, const struct gathering *g)
{
    const struct options *o = crowd->options;
    printf("\"connections\":%u,\"subscribers\":%u,\"publishers\":%u,\"rooms\":%u,"
           "\"connect_seconds\":%.3f,\"dialled_again\":%llu,\"connects_per_second\":%.0f,"
           "\"connect_cpu_seconds\":%.2f,\"connects_per_cpu_second\":%.0f,"
           "\"connect_generator_cpu\":%.3f,"
           "\"rss_before_kib\":%ld,\"rss_after_kib\":%ld,\"kib_per_connection\":%.2f",
           crowd->count, o->subscribers, o->publishers, o->rooms, g->seconds,
           (unsigned long long)crowd->dialled_again, ratio(crowd->count, g->seconds),
           g->server_cpu_seconds, ratio(crowd->count, g->server_cpu_seconds),
           ratio(g->own_cpu_seconds, g->seconds), g->rss_before_kib, g->rss_after_kib,
           (double)(g->rss_after_kib - g->rss_before_kib) / crowd->count);
}

static void report_fanout(const struct fanout *f)
{
    const struct ledger *l = &f->ledger;
    double busy = ratio(f->own_cpu_seconds, f->elapsed_seconds);
    printf("\"messages\":%u,\"deliveries\":%llu,\"lost\":%llu,\"duplicated\":%llu,"
           "\"misrouted\":%llu,\"disordered\":%llu,\"elapsed_seconds\":%.3f,\"deliveries_per_second\":%.0f,"
           "\"server_cpu_seconds\":%.2f,\"server_cpu\":%.3f,\"deliveries_per_cpu_second\":%.0f,"
           "\"generator_cpu\":%.3f,\"saturated\":%s,\"machine_cpu\":%.3f",
           l->sent, (unsigned long long)l->delivered,
           (unsigned long long)(l->expected - l->delivered), (unsigned long long)l->duplicated,
           (unsigned long long)l->misrouted, (unsigned long long)l->disordered, f->elapsed_seconds,
           ratio((double)l->delivered, f->elapsed_seconds), f->server_cpu_seconds,
           ratio(f->server_cpu_seconds, f->elapsed_seconds),
           ratio((double)l->delivered, f->server_cpu_seconds), busy,
           busy > saturated_above ? "true" : "false",
           ratio(f->machine_cpu_seconds, f->elapsed_seconds));
    report_times("latency_us", &f->latency);
    if (f->confirmed) {
        printf(",\"receipts\":%llu", (unsigned long long)f->confirmed);
        report_times("receipt_us", &f->receipts);
    }
}

static void report_parts(const struct fanout *f, const struct parts *parts)
{
    for (int i = 0; i < parts->count; i++)
        printf("%s\"%s\":%.2f", i ? "," : ",\"part_cpu_seconds\":{", parts->each[i].name,
               f->part_cpu_seconds[i]);
    if (parts->count)
        putchar('}');
}

/* A benchmark of a server that loses something measures nothing. */
static void check_whole(const struct fanout *f, const struct options *o)
{
    const struct ledger *l = &f->ledger;
    bool cut_short = l->sent < o->messages && o->seconds <= 0;
    if (l->delivered < l->expected || cut_short || l->duplicated || l->misrouted ||
        l->disordered || f->unconfirmed)
        fail("%llu deliveries lost, %llu repeated, %llu in the wrong room, %llu out of order; "
             "%llu receipts missing; %u of %u messages sent",
             (unsigned long long)(l->expected - l->delivered), (unsigned long long)l->duplicated,
             (unsigned long long)l->misrouted, (unsigned long long)l->disordered,
             (unsigned long long)f->unconfirmed, l->sent, o->messages);
}

static void report(const struct fanout *f, const struct options *o)
{
    report_fanout(f);
    report_parts(f, &o->parts);
}

static void run_phases(struct crowd *crowd, struct options *o, struct fanout *f)
{
    for (uint32_t i = 0; i < o->phase_count; i++) {
        *f = (struct fanout){0};
        options_enter(o, &o->phases[i]);
        run_fanout(crowd, f);
        check_whole(f, o);
        printf(i ? ",{" : ",\"phases\":[{");
        report(f, o);
        putchar('}');
        ledger_close(&f->ledger);
    }
    putchar(']');
}

int main(int count, char **words)
{
    static struct fanout f;
    struct options o = options_parse(count ? words + 1 : words);
    struct crowd crowd;
    crowd_open(&crowd, &o);
    if (o.resume)
        storm_begin(&crowd, &f);
    struct gathering g = gather(&crowd);
    putchar('{');
    report_crowd(&crowd, &g);
    if (o.phase_count) {
        run_phases(&crowd, &o, &f);
    } else if (o.messages) {
        if (o.resume)
            storm_end(&crowd, &f);
        else
            run_fanout(&crowd, &f);
        putchar(',');
        report(&f, &o);
    }
    puts("}");
    if (o.messages && !o.phase_count)
        check_whole(&f, &o);
    return 0;
}
