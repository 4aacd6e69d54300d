#include "load.h"

/* What bench/peers/floor.c speaks: "S<room>" subscribes and is answered with "R"; "P<room>\n<text>"
 * is handed on to the room as it is. */

static size_t listen_to(char *out, size_t room, const struct listening *what)
{
    return wire_print(out, room, "S%s", what->room_id);
}

static size_t say(char *out, size_t room, const struct saying *what)
{
    return wire_print(out, room, "P%s\n%s", what->room_id, what->content);
}

static size_t read_one(const char *in, size_t length, struct heard *heard)
{
    *heard = (struct heard){*in == 'R' ? HEARD_RECEIPT : HEARD_DELIVERY, in, length};
    return length;
}

const struct wire bare_wire = {
    .name = "bare", .path = "/", .listen = listen_to, .say = say, .read = read_one,
};
