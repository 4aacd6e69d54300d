#include "load.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { MAX_EVENTS = 512, SPARE_FILES = 16, MOST_DIALS = 50 };

#define DIAL_AGAIN_NS (NS_PER_SECOND / 2)

static void allow_files(uint32_t needed)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < needed)
        fail("%u open files are needed, and the limit is %llu (ulimit -Hn)", needed,
             (unsigned long long)limit.rlim_cur);
}

void crowd_poll(struct crowd *crowd, uint64_t until)
{
    struct epoll_event events[MAX_EVENTS];
    uint64_t now = now_ns();
    if (now > crowd->deadline)
        fail("the time limit of %g s passed while %s (%u of %u connections ready)",
             crowd->options->time_limit, crowd->doing, crowd->ready, crowd->count);
    uint64_t wait = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(wait / NS_PER_SECOND), (long)(wait % NS_PER_SECOND)};
    int n = epoll_pwait2(crowd->epoll, events, MAX_EVENTS, &timeout, NULL);
    for (int i = 0; i < n; i++)
        connection_handle(events[i].data.ptr, events[i].events);
}

void crowd_wait(struct crowd *crowd, double seconds)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * NS_PER_SECOND);
    while (now_ns() < end)
        crowd_poll(crowd, end);
}

void crowd_open(struct crowd *crowd, const struct options *o)
{
    prctl(PR_SET_TIMERSLACK, 1); /* else each timed wait ends up to 50 us late */
    *crowd = (struct crowd){.options = o, .doing = "connecting"};
    crowd->count = o->subscribers + o->publishers;
    crowd->connections = allocate(crowd->count, sizeof *crowd->connections);
    if (o->resume)
        crowd->waiting = allocate(crowd->count, sizeof *crowd->waiting);
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->deadline = now_ns() + (uint64_t)(o->time_limit * NS_PER_SECOND);
    allow_files(crowd->count + SPARE_FILES);
}

bool crowd_put_off(struct crowd *crowd, uint32_t connection)
{
    uint64_t most = (uint64_t)MOST_DIALS * crowd->count;
    if (!crowd->waiting || crowd->put_off == most)
        return false;
    crowd->waiting[crowd->put_off++ % crowd->count] = connection;
    crowd->connections[connection].dial_at = now_ns() + DIAL_AGAIN_NS;
    return true;
}

static void dial_again(struct crowd *crowd)
{
    while (crowd->dialled_again < crowd->put_off) {
        uint32_t first = crowd->waiting[crowd->dialled_again % crowd->count];
        struct connection *c = &crowd->connections[first];
        if (c->dial_at > now_ns())
            return;
        crowd->dialled_again++;
        bytes_drop(&c->out, c->out.length);
        bytes_drop(&c->wire, c->wire.length);
        bytes_drop(&c->text, c->text.length);
        connection_open(crowd, c, first);
    }
}

void crowd_gather(struct crowd *crowd)
{
    uint32_t at_once = crowd->options->connecting;
    for (; crowd->ready < crowd->count; crowd_poll(crowd, now_ns() + NS_PER_SECOND / 10)) {
        dial_again(crowd);
        for (; crowd->opened < crowd->count && crowd->opened - crowd->ready < at_once;
             crowd->opened++)
            connection_open(crowd, &crowd->connections[crowd->opened], crowd->opened);
    }
}

/* The marker as text, and the padding behind it. */
static const char *content(struct marker marker, uint32_t padding)
{
    static char text[MARKER_LENGTH + MAX_PADDING + 1];
    marker_write(text, marker);
    memset(text + MARKER_LENGTH, 'x', padding);
    text[MARKER_LENGTH + padding] = 0;
    return text;
}

void crowd_publish(struct crowd *crowd, uint32_t room, struct marker marker)
{
    const struct options *o = crowd->options;
    char id[LONGEST_ID], frame[MAX_PADDING + 1024];
    options_room(o, room, id, sizeof id);
    struct saying what = {id, marker, content(marker, o->padding), o->receipts};
    size_t length = o->wire->say(frame, sizeof frame, &what);
    uint32_t sender = marker.number % options_senders(o) + (o->everybody ? 0 : o->subscribers);
    connection_send(&crowd->connections[sender], frame, length);
}
