#include "load.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* On the wire: @@<20 digits: ns>@@<10 digits: number>@@ */
enum { TIME_DIGITS = 20, NUMBER_DIGITS = 10, MARKER_LENGTH = TIME_DIGITS + NUMBER_DIGITS + 6 };

/* Counts the NUL that ends the text: it ends the STOMP frame too. */
__attribute__((format(printf, 3, 4)))
static size_t write_frame(char *out, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        fail("a STOMP frame of %d bytes is too long", length);
    return (size_t)length + 1;
}

size_t stomp_connect(char *out, size_t room, const char *token)
{
    return write_frame(out, room,
                       "CONNECT\naccept-version:1.2\nhost:bench\nheart-beat:0,0\n"
                       "Authorization:%s\n\n", token);
}

size_t stomp_subscribe(char *out, size_t room, const char *room_id)
{
    return write_frame(out, room,
                       "SUBSCRIBE\nid:sub-0\ndestination:/topic/rooms/%s\nreceipt:sub-0\n\n",
                       room_id);
}

size_t stomp_type(char *out, size_t room, const char *room_id)
{
    return write_frame(out, room,
                       "SEND\ndestination:/app/typing\nreceipt:type-0\n\n{\"roomId\":\"%s\"}",
                       room_id);
}

size_t stomp_send(char *out, size_t room, const char *room_id, struct marker m, size_t padding,
                  bool receipt)
{
    static char fill[STOMP_MAX_PADDING];
    if (!fill[0])
        memset(fill, 'x', sizeof fill);
    char marker[MARKER_LENGTH + 1];
    snprintf(marker, sizeof marker, "@@%020" PRIu64 "@@%010" PRIu32 "@@", m.sent_at, m.number);
    return write_frame(out, room,
                       "SEND\ndestination:/app/message\ncontent-type:application/json\n%s%s%s\n"
                       "{\"content\":\"%s%.*s\",\"roomId\":\"%s\"}",
                       receipt ? "receipt:" : "", receipt ? marker : "", receipt ? "\n" : "",
                       marker, (int)padding, fill, room_id);
}

size_t stomp_read(const char *in, size_t length, struct stomp_frame *frame)
{
    size_t skipped = 0; /* EOLs between frames are heart-beats or left over from the last one */
    while (skipped < length && (in[skipped] == '\n' || in[skipped] == '\r'))
        skipped++;
    const char *start = in + skipped, *end = memchr(start, 0, length - skipped);
    *frame = (struct stomp_frame){start, end ? (size_t)(end - start) : 0};
    if (end)
        return (size_t)(end - in) + 1;
    return skipped == length ? skipped : 0;
}

bool stomp_is(const struct stomp_frame *frame, const char *command)
{
    size_t n = strlen(command);
    return frame->length > n && !memcmp(frame->bytes, command, n) &&
           (frame->bytes[n] == '\n' || frame->bytes[n] == '\r');
}

int stomp_reason(const struct stomp_frame *frame, const char **text)
{
    static const char header[] = "\nmessage:";
    const char *end = frame->bytes + frame->length;
    const char *found = memmem(frame->bytes, frame->length, header, sizeof header - 1);
    *text = found ? found + sizeof header - 1 : end;
    return (int)strcspn(*text, "\r\n"); /* the frame's NUL bounds it */
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

bool stomp_marker(const struct stomp_frame *frame, struct marker *marker)
{
    const char *end = frame->bytes + frame->length;
    const char *at = memchr(frame->bytes, '@', frame->length); /* far faster than memmem */
    uint64_t number;
    if (!at || end - at < MARKER_LENGTH || at[1] != '@' ||
        !digits(at + 2, TIME_DIGITS, &marker->sent_at) ||
        !digits(at + 2 + TIME_DIGITS + 2, NUMBER_DIGITS, &number))
        return false;
    marker->number = (uint32_t)number;
    return true;
}
