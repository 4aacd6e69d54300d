#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>


static const struct known {
    const char *name, *help;
    size_t offset; /* of the field in struct options */
    enum { TEXT, COUNT, NUMBER } kind;
    double most;
} known[] = {
#define OPTION(kind, name, field, most, help) \
    {name, help, offsetof(struct options, field), kind, most}
    OPTION(TEXT, "--host", host, 0, "the server; loopback addresses only (127.0.0.1)"),
    OPTION(TEXT, "--port", ports, 0, "N[,N...]: its port, or those of several that are one"),
    OPTION(TEXT, "--protocol", protocol, 0, "allibe (if not told), rabbitmq, rabbitmq-persistent,\n"
           "                 rabbitmq-durable, socketio or bare"),
    OPTION(TEXT, "--path", path, 0, "of the WebSocket endpoint (as the protocol has it)"),
    OPTION(TEXT, "--token", token, 0, "access token of every connection, or:"),
    OPTION(TEXT, "--tokens", tokens, 0, "a file with a line for each: subscribers, then publishers"),
    OPTION(TEXT, "--pid", pids, 0, "N[,N...]: the server, for its CPU seconds and memory,\n"
           "                 with all that these processes have started"),
    OPTION(TEXT, "--parts", part_list, 0, "NAME=N[+N...],...: parts of it, for the CPU of each"),
    OPTION(COUNT, "--subscribers", subscribers, 1e6, "spread over the rooms"),
    OPTION(TEXT, "--room", room, 0, "the id of the only room, or:"),
    OPTION(TEXT, "--room-prefix", room_prefix, 0, "PREFIX1 to PREFIXn, as --rooms says"),
    OPTION(COUNT, "--rooms", rooms, 1e6, "(1)"),
    OPTION(COUNT, "--publishers", publishers, 1e6, "connections that send, in turn (1)"),
    OPTION(COUNT, "--everybody", everybody, 1, "1: subscribers send, in turn, and nobody else"),
    OPTION(COUNT, "--messages", messages, 1e9, "how many to send, to the rooms in turn"),
    OPTION(COUNT, "--in-flight", in_flight, 1e6, "closed loop: so many not with everybody, or:"),
    OPTION(COUNT, "--window", window, 1e6, "closed loop: send while fewer deliveries than so many\n"
           "                 messages make are outstanding, or:"),
    OPTION(NUMBER, "--rate", rate, 1e6, "open loop: so many a second, timed from when due"),
    OPTION(TEXT, "--phases", phase_list, 0, "KIND=N/SECONDS,...: several loads by the same crowd,\n"
           "                 one after the other; KIND is one of these three, and no phase sends\n"
           "                 more than --messages"),
    OPTION(NUMBER, "--seconds", seconds, 86400, "send no longer than that, if not all messages"),
    OPTION(COUNT, "--receipts", receipts, 1, "1: ask for a receipt of each, and count them"),
    OPTION(COUNT, "--padding", padding, MAX_PADDING, "bytes added to each message (0)"),
    OPTION(NUMBER, "--idle", idle, 86400, "send nothing, hold on for so many seconds"),
    OPTION(TEXT, "--resume", resume, 0, "a file with a line for each room: the last message that\n"
           "                 was seen; send nothing, and get --messages that were sent since, or:"),
    OPTION(COUNT, "--missed-from", missed_from, 1e9, "the number of the first message to get (0)"),
    OPTION(COUNT, "--connecting", connecting, 1e4, "connections being opened at once (100)"),
    OPTION(NUMBER, "--stall", stall, 86400, "give up after so many seconds of silence (10)"),
    OPTION(NUMBER, "--time-limit", time_limit, 86400, "give up on the whole (300 seconds)"),
};
enum { KNOWN = sizeof known / sizeof *known };

static void choose(struct options *o, const char *name, const char *value)
{
    const struct known *k = known;
    while (k < known + KNOWN && strcmp(k->name, name))
        k++;
    if (k == known + KNOWN || !value)
        fail("%s: %s; see --help", name, value ? "unknown" : "a value is missing");
    void *field = (char *)o + k->offset;
    char *end;
    double n = strtod(value, &end);
    if (k->kind != TEXT && (end == value || *end || !(n >= 0 && n <= k->most)))
        fail("%s wants a number up to %g, not '%s'", name, k->most, value);
    if (k->kind == TEXT)
        *(const char **)field = value;
    else if (k->kind == COUNT)
        *(uint32_t *)field = (uint32_t)n;
    else
        *(double *)field = n;
}

static void find_servers(struct options *o)
{
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, o->host, &server.sin_addr) != 1 ||
        ntohl(server.sin_addr.s_addr) >> 24 != 127)
        fail("--host must be a loopback address (127.x.y.z), not '%s'", o->host);
    for (const char *at = o->ports; *at;) {
        char *end;
        long port = strtol(at, &end, 10);
        if (end == at || port <= 0 || port > 65535 || (*end && *end != ',') ||
            o->server_count == MAX_SERVERS)
            fail("--port wants ports separated by commas, not '%s'", o->ports);
        server.sin_port = htons((uint16_t)port);
        o->servers[o->server_count++] = server;
        at = *end ? end + 1 : end;
    }
}

static char **read_lines(const char *path, uint32_t count)
{
    FILE *file = fopen(path, "r");
    char **lines = allocate(count, sizeof *lines);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        ssize_t length = file ? getline(&lines[i], &size, file) : -1;
        if (length <= 0)
            fail("%s: wanted %u lines", path, count);
        lines[i][strcspn(lines[i], "\n")] = 0;
    }
    fclose(file);
    return lines;
}

static void find_phases(struct options *o)
{
    for (const char *at = o->phase_list; *at;) {
        struct phase *phase = &o->phases[o->phase_count];
        char kind[16];
        double n;
        int used = 0;
        if (o->phase_count++ == MAX_PHASES ||
            sscanf(at, "%15[a-z-]=%lf/%lf%n", kind, &n, &phase->seconds, &used) != 3 ||
            (at[used] && at[used] != ',') || !(n > 0 && n <= 1e6 && phase->seconds > 0))
            fail("--phases wants KIND=N/SECONDS,..., not '%s'", at);
        if (!strcmp(kind, "rate"))
            phase->rate = n;
        else if (!strcmp(kind, "in-flight"))
            phase->in_flight = (uint32_t)n;
        else if (!strcmp(kind, "window"))
            phase->window = (uint32_t)n;
        else
            fail("--phases: there is no %s", kind);
        at += used + (at[used] == ',');
    }
}

void options_enter(struct options *o, const struct phase *phase)
{
    o->rate = phase->rate, o->in_flight = phase->in_flight, o->window = phase->window;
    o->seconds = phase->seconds;
}

static void check_wire(struct options *o)
{
    o->wire = wire_named(o->protocol);
    o->path = o->path ? o->path : o->wire->path;
    if (o->receipts && !o->wire->receipts)
        fail("%s has no receipts", o->protocol);
    if (o->resume && !o->wire->resumes)
        fail("%s does not resume", o->protocol);
    if (o->resume && (!o->messages || o->missed_from >= o->messages))
        fail("--resume wants --messages, and fewer of --missed-from");
}

static void check(struct options *o)
{
    find_servers(o);
    if (!o->server_count || !o->token == !o->tokens || !o->subscribers)
        fail("--port, --subscribers and one of --token and --tokens are needed; see --help");
    if (!o->room == !o->room_prefix || (o->room && o->rooms != 1))
        fail("one of --room and --room-prefix is needed, and --room is a single room");
    if (o->rooms < 1 || o->rooms > o->subscribers)
        fail("there must be a room, and a subscriber for each");
    check_wire(o);
    find_phases(o);
    if (o->everybody && o->subscribers % o->rooms)
        fail("--everybody wants as many subscribers in each room");
    if (o->everybody || o->idle > 0 || o->resume)
        o->publishers = 0;
    if (o->idle > 0)
        o->messages = 0;
    else if (!o->resume && (!options_senders(o) || !o->messages ||
                            !!o->in_flight + !!o->window + (o->rate > 0) +
                                !!o->phase_count != 1))
        fail("--messages and one of --in-flight, --window, --rate and --phases are needed, or "
             "--idle, or --resume");
}

struct options options_parse(char **words)
{
    struct options o = {.host = "127.0.0.1", .ports = "", .protocol = "allibe", .pids = "",
                        .part_list = "", .phase_list = "", .publishers = 1, .rooms = 1,
                        .connecting = 100, .stall = 10, .time_limit = 300};
    for (; *words; words += 2) {
        if (!strcmp(*words, "--help")) {
            for (int i = 0; i < KNOWN; i++)
                printf("  %-14s %s\n", known[i].name, known[i].help);
            exit(0);
        }
        choose(&o, words[0], words[1]);
    }
    check(&o);
    if (o.tokens)
        o.token_of = read_lines(o.tokens, o.subscribers + o.publishers);
    if (o.resume)
        o.since_of = read_lines(o.resume, o.rooms);
    o.processes = processes_parse(o.pids);
    o.parts = parts_parse(o.part_list);
    return o;
}

const char *options_token(const struct options *o, uint32_t connection)
{
    return o->token_of ? o->token_of[connection] : o->token;
}

uint32_t options_senders(const struct options *o)
{
    return o->everybody ? o->subscribers : o->publishers;
}

const struct sockaddr_in *options_server(const struct options *o, uint32_t connection)
{
    return &o->servers[(connection + connection / o->rooms) % o->server_count];
}

void options_room(const struct options *o, uint32_t index, char *id, size_t size)
{
    int length = o->room ? snprintf(id, size, "%s", o->room)
                         : snprintf(id, size, "%s%u", o->room_prefix, index + 1);
    if (length < 0 || (size_t)length >= size)
        fail("the room's name is too long");
}
