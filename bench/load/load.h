/* The load generator's parts, from the ground up; each has a .c file of its name.
 * main.c gathers a crowd, runs one scenario and prints one line of JSON. */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* ---- base: the clock, the one way to give up, growing byte strings */

#define NS_PER_SECOND 1000000000ull

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

/* Prints one line on stderr and exits with 1. A benchmark that limps on measures nothing. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *allocate(size_t count, size_t size); /* zeroed; never NULL */

struct bytes { /* empty holds no memory: ten thousand idle connections have none */
    char *start;
    size_t length, capacity;
};

void bytes_append(struct bytes *b, const void *more, size_t length);
void bytes_drop(struct bytes *b, size_t length); /* from the front; frees when nothing is left */

/* ---- histogram: latencies. Log-bucketed after HDR Histogram, 128 buckets for each power of two,
 * so that a quantile is within 0.4 % of what was recorded, at any scale. */

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count, max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *h, uint64_t value);
double histogram_quantile(const struct histogram *h, double q); /* 0 < q <= 1; 0 when empty */

/* ---- ledger: who has been handed what. One bit for each (subscriber, message of its room), so
 * that a lost, a repeated and a misrouted delivery are each counted for what they are, in whatever
 * order they come; one countdown for each message, which is in flight until everybody has it. And
 * what a sender sent to a room has to come in that order to each of its subscribers.
 * Message n goes to room n mod R, subscriber i sits in room i mod R. */

struct ledger {
    uint32_t subscribers, rooms, messages;
    uint32_t sent, in_flight;
    uint64_t expected, delivered, duplicated, misrouted, disordered;
    uint32_t *missing;
    uint8_t *seen;
    uint64_t row;          /* bytes of `seen` for each subscriber */
    uint32_t *next;        /* of each (subscriber, sender to its room): no lower number may come */
    uint32_t room_senders; /* who send to a room in turn: message n comes from sender n mod P */
};

struct ledger ledger_open(uint32_t subscribers, uint32_t rooms, uint32_t messages,
                          uint32_t senders);
void ledger_close(struct ledger *l);
uint32_t ledger_members(const struct ledger *l, uint32_t message); /* who are to get it */
void ledger_send(struct ledger *l); /* notes that message number l->sent went out */
void ledger_miss(struct ledger *l, uint32_t from); /* all went out, nobody has any from there on */
bool ledger_deliver(struct ledger *l, uint32_t subscriber, uint32_t message); /* is it a new one? */

/* ---- process: what processes have used, as the kernel counts it */

#define MAX_PROCESSES 64

struct processes {
    pid_t pids[MAX_PROCESSES];
    int count;
};

/* Each counts with all that it has started, now (a database starts one for each connection). */
struct processes processes_parse(const char *list);      /* "12,34"; fails on anything else */
double processes_cpu_seconds(const struct processes *p); /* user + system, in steps of 10 ms */
long processes_rss_kib(const struct processes *p);

/* What a distributed server consists of. */

#define MAX_PARTS 16

struct parts {
    struct part {
        char name[32];
        struct processes roots;
    } each[MAX_PARTS];
    int count;
};

struct parts parts_parse(const char *list); /* "gateway=12+13,worker=14" */
double machine_cpu_seconds(void); /* of everything that ran on this machine since it started */

/* ---- ws: WebSocket, the client's half (RFC 6455), without sockets */

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING, WS_PONG };

#define WS_MAX_FRAME (128 * 1024) /* a server frame beyond is taken for a framing error */

struct ws_frame {
    enum ws_opcode opcode;
    const char *payload; /* points into the bytes that were read */
    size_t length;
};

void ws_append_upgrade(struct bytes *out, const char *host, uint32_t port, const char *path,
                       const char *subprotocol); /* NULL: none */
void ws_append_frame(struct bytes *out, enum ws_opcode opcode, const char *payload, size_t length);

/* Both return the bytes consumed, or 0 when more are needed; they fail on a violation. */
size_t ws_read_upgrade(const char *in, size_t length, const char *subprotocol);
size_t ws_read_frame(const char *in, size_t length, struct ws_frame *frame);

/* ---- marker: what a message carries in its content, so that each delivery can be recognised and
 * timed, whatever the protocol */

struct marker {
    uint64_t sent_at; /* ns, on this machine's monotonic clock */
    uint32_t number;  /* of the message, from 0 */
};

/* On the wire: @@<20 digits: ns>@@<10 digits: number>@@ */
enum { MARKER_TIME_DIGITS = 20, MARKER_NUMBER_DIGITS = 10,
       MARKER_LENGTH = MARKER_TIME_DIGITS + MARKER_NUMBER_DIGITS + 6 };

void marker_write(char out[MARKER_LENGTH + 1], struct marker m);
bool marker_find(const char *in, size_t length, struct marker *m);

/* ---- wire: what a kind of server speaks inside WebSocket frames. wire.c lists them, each other
 * file is a family: stomp.c, socketio.c, bare.c */

#define MAX_PADDING 8192 /* a message of ours holds no more content than that */

struct heard {
    enum {
        HEARD_NOTHING,
        HEARD_GREETING, /* the server's first word, where it has the first word */
        HEARD_WELCOME,  /* logged in */
        HEARD_RECEIPT,  /* subscribed, or a message is confirmed: the text then has its marker */
        HEARD_DELIVERY,
        HEARD_PING, /* answered with the wire's `pong` */
        HEARD_REFUSAL,
    } kind;
    const char *text;
    size_t length;
};

struct listening {
    const char *room_id;
    uint32_t index;    /* of the connection */
    const char *since; /* the last message that it has, or NULL */
};

struct saying {
    const char *room_id;
    struct marker marker;
    const char *content; /* the marker as text, then padding */
    bool receipt;
};

struct wire {
    const char *name, *path;
    const char *subprotocol; /* NULL: none */
    const char *pong;
    bool greets; /* the login waits for the server's greeting */
    bool receipts, resumes, pieces; /* pieces: what is read may go on in the next frame */

    /* Each writes to `out` and returns the length; it fails when `room` bytes are not enough.
     * No login, or no announcement by who only sends: NULL. */
    size_t (*login)(char *out, size_t room, const char *token);
    size_t (*listen)(char *out, size_t room, const struct listening *what);
    size_t (*announce)(char *out, size_t room, const char *room_id);
    size_t (*say)(char *out, size_t room, const struct saying *what);

    /* Returns the bytes consumed, or 0 when more are needed. */
    size_t (*read)(const char *in, size_t length, struct heard *heard);
};

extern const struct wire allibe_wire, rabbitmq_wire, rabbitmq_persistent_wire,
    rabbitmq_durable_wire, socketio_wire, bare_wire;

const struct wire *wire_named(const char *name); /* fails when there is none */

/* The length of what was printed to `out`, which has to have room for it and a NUL. */
size_t wire_print(char *out, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- options: the command line */

#define MAX_SERVERS 8
#define LONGEST_ID 128 /* of a room */
#define MAX_PHASES 8

struct options {
    const char *host, *ports, *path, *token, *tokens, *pids, *part_list, *room, *room_prefix,
        *protocol, *resume, *phase_list;
    uint32_t subscribers, publishers, rooms, messages, in_flight, window, padding, connecting,
        receipts, everybody, missed_from;
    double rate, seconds, idle, stall, time_limit; /* a second; seconds */
    struct phase {
        double rate, seconds;
        uint32_t in_flight, window; /* one of the three */
    } phases[MAX_PHASES];
    uint32_t phase_count;
    const struct wire *wire;
    struct sockaddr_in servers[MAX_SERVERS]; /* host and ports; loopback only */
    uint32_t server_count;
    char **token_of; /* a line of the file for each connection, or NULL: they share `token` */
    char **since_of; /* a line of the file for each room, or NULL: nobody resumes */
    struct processes processes;
    struct parts parts;
};

struct options options_parse(char **words); /* without the program's name, NULL at the end */
void options_enter(struct options *o, const struct phase *phase); /* the load is now as it says */
void options_room(const struct options *o, uint32_t index, char *id, size_t size);
const char *options_token(const struct options *o, uint32_t connection);
uint32_t options_senders(const struct options *o); /* publishers, or everybody */

/* Connections take the servers in turn, and publishers another one than the first subscriber of
 * the same room: what a load balancer makes is never better than that. */
const struct sockaddr_in *options_server(const struct options *o, uint32_t connection);

/* ---- crowd: everybody who is connected, subscribers first, then publishers; opened with bounded
 * concurrency; and the one event loop that all waiting goes through */

struct connection;

struct crowd {
    const struct options *options;
    struct connection *connections;
    uint32_t count, opened, ready;
    uint32_t *waiting; /* a ring of those that dial again, after a pause; in a storm alone */
    uint64_t put_off, dialled_again;
    int epoll;
    uint64_t deadline;
    const char *doing; /* for the reason given when the time limit passes */

    /* Called for each message that reaches a subscriber, and for each receipt of one, when set. */
    void (*deliver)(void *context, uint32_t subscriber, struct marker marker, uint64_t at);
    void (*confirm)(void *context, struct marker marker, uint64_t at);
    void *context;
};

void crowd_open(struct crowd *crowd, const struct options *o);
void crowd_gather(struct crowd *crowd); /* returns when all are ready */
bool crowd_put_off(struct crowd *crowd, uint32_t connection); /* may it dial again later? */
void crowd_poll(struct crowd *crowd, uint64_t until); /* one wait, cut short by what happens */
void crowd_wait(struct crowd *crowd, double seconds);
void crowd_publish(struct crowd *crowd, uint32_t room, struct marker marker);

/* ---- connection: one socket, its way through the stages, and what arrives on it */

/* In this order; a publisher announces itself instead of subscribing. */
enum stage { DIALLING, UPGRADING, GREETING, LOGGING_IN, SUBSCRIBING, READY };

struct connection {
    struct crowd *crowd;
    uint32_t index;
    int fd; /* negative: it waits to dial again */
    enum stage stage;
    bool given;               /* something was delivered to it */
    struct bytes out;         /* not yet sent */
    struct bytes wire, text; /* the beginning of a WebSocket frame, of what it carries */
    uint64_t dial_at;         /* again */
    uint64_t read_at;         /* when the bytes that are being parsed came in */
};

void connection_open(struct crowd *crowd, struct connection *c, uint32_t index);
void connection_handle(struct connection *c, uint32_t events);
void connection_send(struct connection *c, const char *frame, size_t length);

/* ---- scenario: the load itself, and what came of it */

struct fanout {
    struct ledger ledger;
    struct histogram latency, receipts; /* ns */
    double elapsed_seconds;             /* first SEND to last delivery */
    double server_cpu_seconds, own_cpu_seconds, machine_cpu_seconds;
    double part_cpu_seconds[MAX_PARTS];
    uint64_t confirmed, unconfirmed; /* receipts that came, and that should have */
};

/* What processes use from the one to the other goes into `f`. */
void meter_start(struct fanout *f, const struct options *o);
void meter_stop(struct fanout *f, const struct options *o);

void run_fanout(struct crowd *crowd, struct fanout *f); /* f zeroed */

/* ---- storm: everybody comes back at once and is sent what was missed. `latency` is then the time
 * from the first connection's first packet until a subscriber has all of it, one for each. Who is
 * turned away before it was given anything dials again, as clients do. */

void storm_begin(struct crowd *crowd, struct fanout *f); /* f zeroed; before the crowd gathers */
void storm_end(struct crowd *crowd, struct fanout *f);   /* returns when all have everything */

#endif
