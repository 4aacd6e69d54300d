#include "load.h"

/* Socket.IO 4 over Engine.IO 4, one packet to a WebSocket frame: "0{...}" the server opens,
 * "2" it pings, "40" connects to the namespace, "420" and "430" are an event and its
 * acknowledgement, number 0, "42" an event without, "44" a refusal. */

static size_t login(char *out, size_t room, const char *token)
{
    return wire_print(out, room, "40{\"token\":\"%s\"}", token);
}

static size_t listen_to(char *out, size_t room, const struct listening *what)
{
    return wire_print(out, room, "420[\"join\",\"%s\"]", what->room_id);
}

static size_t say(char *out, size_t room, const struct saying *what)
{
    return wire_print(out, room, "42[\"message\",{\"roomId\":\"%s\",\"content\":\"%s\"}]",
                      what->room_id, what->content);
}

static bool starts(const char *in, size_t length, const char *with)
{
    return length >= strlen(with) && !memcmp(in, with, strlen(with));
}

static size_t read_one(const char *in, size_t length, struct heard *heard)
{
    *heard = (struct heard){HEARD_NOTHING, in, length};
    if (starts(in, length, "42[\"message\""))
        heard->kind = HEARD_DELIVERY;
    else if (starts(in, length, "2"))
        heard->kind = HEARD_PING;
    else if (starts(in, length, "0{"))
        heard->kind = HEARD_GREETING;
    else if (starts(in, length, "40"))
        heard->kind = HEARD_WELCOME;
    else if (starts(in, length, "430"))
        heard->kind = HEARD_RECEIPT;
    else
        heard->kind = HEARD_REFUSAL; /* "44", "41", "1", or what this program does not know */
    return length;
}

const struct wire socketio_wire = {
    .name = "socketio", .path = "/socket.io/?EIO=4&transport=websocket", .pong = "3",
    .greets = true, .login = login, .listen = listen_to, .say = say, .read = read_one,
};
