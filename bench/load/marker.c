#include "load.h"

#include <inttypes.h>
#include <stdio.h>

void marker_write(char out[MARKER_LENGTH + 1], struct marker m)
{
    snprintf(out, MARKER_LENGTH + 1, "@@%020" PRIu64 "@@%010" PRIu32 "@@", m.sent_at, m.number);
}

static bool digits(const char *at, int count, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *value = *value * 10 + (uint64_t)(at[i] - '0');
    }
    return true;
}

static bool read_at(const char *at, const char *end, struct marker *m)
{
    uint64_t number;
    if (end - at < MARKER_LENGTH || at[1] != '@' ||
        !digits(at + 2, MARKER_TIME_DIGITS, &m->sent_at) ||
        !digits(at + 2 + MARKER_TIME_DIGITS + 2, MARKER_NUMBER_DIGITS, &number))
        return false;
    m->number = (uint32_t)number;
    return true;
}

/* memchr is far faster than memmem. RabbitMQ's message-ids hold an @@ as well. */
bool marker_find(const char *in, size_t length, struct marker *m)
{
    const char *end = in + length;
    for (const char *at = in; (at = memchr(at, '@', (size_t)(end - at))); at++)
        if (read_at(at, end, m))
            return true;
    return false;
}
