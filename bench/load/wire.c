#include "load.h"

#include <stdarg.h>
#include <stdio.h>

static const struct wire *const wires[] = {
    &allibe_wire,  &rabbitmq_wire, &rabbitmq_persistent_wire, &rabbitmq_durable_wire,
    &socketio_wire, &bare_wire,
};

const struct wire *wire_named(const char *name)
{
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
        if (!strcmp(wires[i]->name, name))
            return wires[i];
    fail("--protocol: there is no %s", name);
}

size_t wire_print(char *out, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        fail("a frame of %d bytes is too long", length);
    return (size_t)length;
}
