#include "load.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { MAX_EVENTS = 512, SPARE_FILES = 16 };

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

void crowd_gather(struct crowd *crowd, const struct options *o)
{
    prctl(PR_SET_TIMERSLACK, 1); /* else each timed wait ends up to 50 us late */
    *crowd = (struct crowd){.options = o, .doing = "connecting"};
    crowd->count = o->subscribers + o->publishers;
    crowd->connections = allocate(crowd->count, sizeof *crowd->connections);
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->deadline = now_ns() + (uint64_t)(o->time_limit * NS_PER_SECOND);
    allow_files(crowd->count + SPARE_FILES);
    for (; crowd->ready < crowd->count; crowd_poll(crowd, now_ns() + NS_PER_SECOND / 10))
        for (; crowd->opened < crowd->count && crowd->opened - crowd->ready < o->connecting;
             crowd->opened++)
            connection_open(crowd, &crowd->connections[crowd->opened], crowd->opened);
}

void crowd_publish(struct crowd *crowd, uint32_t room, struct marker marker)
{
    const struct options *o = crowd->options;
    char room_id[128], frame[STOMP_MAX_PADDING + 512];
    options_room(o, room, room_id, sizeof room_id);
    size_t length = stomp_send(frame, sizeof frame, room_id, marker, o->padding, o->receipts);
    uint32_t publisher = o->subscribers + marker.number % o->publishers;
    connection_send(&crowd->connections[publisher], frame, length);
}
