#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        fail("out of memory for %zu bytes", count * size);
    return memory;
}

void bytes_append(struct bytes *b, const void *more, size_t length)
{
    if (length == 0)
        return;
    if (b->length + length > b->capacity) {
        b->capacity = 2 * (b->length + length);
        b->start = realloc(b->start, b->capacity);
        if (!b->start)
            fail("out of memory for %zu bytes", b->capacity);
    }
    memcpy(b->start + b->length, more, length);
    b->length += length;
}

void bytes_drop(struct bytes *b, size_t length)
{
    b->length -= length;
    if (b->length) {
        memmove(b->start, b->start + length, b->length);
    } else {
        free(b->start);
        *b = (struct bytes){0};
    }
}
