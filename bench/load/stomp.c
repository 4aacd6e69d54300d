#include "load.h"

/* As much of STOMP 1.2 as a load needs, in the words of Allibe and of RabbitMQ's Web STOMP. Each
 * frame is written with the NUL that ends it. */

static size_t connect_to_allibe(char *out, size_t room, const char *token)
{
    return 1 + wire_print(out, room,
                          "CONNECT\naccept-version:1.2\nhost:bench\nheart-beat:0,0\n"
                          "Authorization:%s\n\n", token);
}

/* Its receipt follows what is sent again, and says whether that was all. */
static size_t subscribe_to_allibe(char *out, size_t room, const struct listening *what)
{
    return 1 + wire_print(out, room,
                          "SUBSCRIBE\nid:sub-0\ndestination:/topic/rooms/%s\nreceipt:sub-0\n"
                          "%s%s%s\n", what->room_id, what->since ? "x-since:" : "",
                          what->since ? what->since : "", what->since ? "\n" : "");
}

/* Whoever sends has typed: the server has looked up by then what the user may do. */
static size_t type_to_allibe(char *out, size_t room, const char *room_id)
{
    return 1 + wire_print(out, room,
                          "SEND\ndestination:/app/typing\nreceipt:type-0\n\n{\"roomId\":\"%s\"}",
                          room_id);
}

static size_t send_to_allibe(char *out, size_t room, const struct saying *what)
{
    char receipt[MARKER_LENGTH + 1];
    marker_write(receipt, what->marker);
    return 1 + wire_print(out, room,
                          "SEND\ndestination:/app/message\ncontent-type:application/json\n%s%s%s\n"
                          "{\"content\":\"%s\",\"roomId\":\"%s\"}",
                          what->receipt ? "receipt:" : "", what->receipt ? receipt : "",
                          what->receipt ? "\n" : "", what->content, what->room_id);
}

/* The token is the user's name, a colon, and the password. */
static size_t connect_to_rabbitmq(char *out, size_t room, const char *token)
{
    int name = (int)strcspn(token, ":");
    return 1 + wire_print(out, room,
                          "CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n"
                          "login:%.*s\npasscode:%s\n\n", name, token,
                          token[name] ? token + name + 1 : "");
}

static size_t subscribe_to_rabbitmq(char *out, size_t room, const struct listening *what)
{
    return 1 + wire_print(out, room,
                          "SUBSCRIBE\nid:sub-0\ndestination:/topic/%s\nreceipt:sub-0\n\n",
                          what->room_id);
}

/* A queue that stays, and keeps what comes while its subscriber is away. */
static size_t subscribe_durably(char *out, size_t room, const struct listening *what)
{
    return 1 + wire_print(out, room,
                          "SUBSCRIBE\nid:sub-0\ndestination:/topic/%s\nreceipt:sub-0\n"
                          "durable:true\nauto-delete:false\nx-queue-name:listener-%u\n\n",
                          what->room_id, what->index);
}

static size_t send_to_rabbitmq_with(char *out, size_t room, const struct saying *what,
                                    const char *header)
{
    char receipt[MARKER_LENGTH + 1];
    marker_write(receipt, what->marker);
    return 1 + wire_print(out, room,
                          "SEND\ndestination:/topic/%s\ncontent-type:application/json\n%s%s%s%s\n"
                          "{\"content\":\"%s\",\"roomId\":\"%s\"}",
                          what->room_id, header, what->receipt ? "receipt:" : "",
                          what->receipt ? receipt : "", what->receipt ? "\n" : "", what->content,
                          what->room_id);
}

static size_t send_to_rabbitmq(char *out, size_t room, const struct saying *what)
{
    return send_to_rabbitmq_with(out, room, what, "");
}

static size_t send_durably(char *out, size_t room, const struct saying *what)
{
    return send_to_rabbitmq_with(out, room, what, "persistent:true\n");
}

static bool is(const char *frame, size_t length, const char *command)
{
    size_t n = strlen(command);
    return length > n && !memcmp(frame, command, n) && (frame[n] == '\n' || frame[n] == '\r');
}

static void refuse(struct heard *heard, const char *header)
{
    const char *found = memmem(heard->text, heard->length, header, strlen(header));
    heard->kind = HEARD_REFUSAL;
    if (found) {
        heard->text = found + strlen(header);
        heard->length = strcspn(heard->text, "\r\n"); /* the frame's NUL bounds it */
    }
}

static void tell_apart(struct heard *heard)
{
    if (is(heard->text, heard->length, "MESSAGE"))
        heard->kind = HEARD_DELIVERY;
    else if (is(heard->text, heard->length, "RECEIPT"))
        heard->kind = HEARD_RECEIPT;
    else if (is(heard->text, heard->length, "CONNECTED"))
        heard->kind = HEARD_WELCOME;
    else if (is(heard->text, heard->length, "ERROR"))
        refuse(heard, "\nmessage:");
    static const char not_all[] = "\nx-recovered:false";
    if (heard->kind == HEARD_RECEIPT &&
        memmem(heard->text, heard->length, not_all, sizeof not_all - 1))
        refuse(heard, "\nx-");
}

/* The next frame, or nothing when there were only EOLs: heart-beats, or left over from the last
 * one. A frame is taken to end at its first NUL: the JSON bodies here never contain one. */
static size_t read_frame(const char *in, size_t length, struct heard *heard)
{
    size_t skipped = 0;
    while (skipped < length && (in[skipped] == '\n' || in[skipped] == '\r'))
        skipped++;
    const char *start = in + skipped, *end = memchr(start, 0, length - skipped);
    *heard = (struct heard){HEARD_NOTHING, start, end ? (size_t)(end - start) : 0};
    if (!end)
        return skipped == length ? skipped : 0;
    tell_apart(heard);
    return (size_t)(end - in) + 1;
}

#define STOMP .subprotocol = "v12.stomp", .receipts = true, .pieces = true, .read = read_frame

const struct wire allibe_wire = {
    .name = "allibe", .path = "/allibe-ws", .resumes = true, STOMP,
    .login = connect_to_allibe, .listen = subscribe_to_allibe,
    .announce = type_to_allibe, .say = send_to_allibe,
};

const struct wire rabbitmq_wire = {
    .name = "rabbitmq", .path = "/ws", STOMP,
    .login = connect_to_rabbitmq, .listen = subscribe_to_rabbitmq, .say = send_to_rabbitmq,
};

/* Sends what durable queues keep, and listens without one. */
const struct wire rabbitmq_persistent_wire = {
    .name = "rabbitmq-persistent", .path = "/ws", STOMP,
    .login = connect_to_rabbitmq, .listen = subscribe_to_rabbitmq, .say = send_durably,
};

const struct wire rabbitmq_durable_wire = {
    .name = "rabbitmq-durable", .path = "/ws", .resumes = true, STOMP,
    .login = connect_to_rabbitmq, .listen = subscribe_durably, .say = send_durably,
};
