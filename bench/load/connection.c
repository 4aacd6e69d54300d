#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { PORTS_PER_ADDRESS = 20000, HEADROOM = WS_MAX_FRAME + 16, READ_SIZE = 256 * 1024 };

static bool publishes(const struct connection *c)
{
    return c->index >= c->crowd->options->subscribers;
}

/* `errno` says why when `reason` does not. */
_Noreturn static void lost(const struct connection *c, const char *reason)
{
    fail("%s %u: %s", publishes(c) ? "publisher" : "subscriber", c->index,
         reason ? reason : strerror(errno));
}

static void flush(struct connection *c)
{
    while (c->out.length) {
        ssize_t n = send(c->fd, c->out.start, c->out.length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            lost(c, NULL);
        if (n < 0)
            return; /* EPOLLOUT comes when there is room again */
        bytes_drop(&c->out, (size_t)n);
    }
}

void connection_send(struct connection *c, const char *frame, size_t length)
{
    ws_append_frame(&c->out, WS_TEXT, frame, length);
    flush(c);
}

/* A new source address for every 20,000 connections: one has only 28,000 ports to give. */
void connection_open(struct crowd *crowd, struct connection *c, uint32_t index)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *c = (struct connection){.crowd = crowd, .index = index, .fd = fd};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in source = {.sin_family = AF_INET};
    const struct sockaddr_in *server = options_server(crowd->options, index);
    source.sin_addr.s_addr = htonl(0x7f000001u + ((index / PORTS_PER_ADDRESS + 1) << 8));
    if (fd < 0 || bind(fd, (struct sockaddr *)&source, sizeof source) ||
        (connect(fd, (const struct sockaddr *)server, sizeof *server) && errno != EINPROGRESS))
        lost(c, NULL);
    /* Edge-triggered: set once, and the kernel need not look again after each read. */
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* Enters the next stage and sends what it begins with. */
static void advance(struct connection *c)
{
    const struct options *o = c->crowd->options;
    char frame[16384], room[128];
    c->stage++;
    if (c->stage == UPGRADING) {
        ws_append_upgrade(&c->out, o->host, ntohs(options_server(o, c->index)->sin_port), o->path);
        flush(c);
    } else if (c->stage == LOGGING_IN) {
        connection_send(c, frame, stomp_connect(frame, sizeof frame, options_token(o, c->index)));
    } else if (c->stage == SUBSCRIBING && publishes(c)) {
        /* Whoever sends has typed: the server has looked up by then what the user may do. */
        options_room(o, (c->index - o->subscribers) % o->rooms, room, sizeof room);
        connection_send(c, frame, stomp_type(frame, sizeof frame, room));
    } else if (c->stage == SUBSCRIBING) {
        options_room(o, c->index % o->rooms, room, sizeof room);
        connection_send(c, frame, stomp_subscribe(frame, sizeof frame, room));
    } else {
        c->crowd->ready++;
    }
}

static void take_stomp(struct connection *c, const struct stomp_frame *frame)
{
    const struct crowd *crowd = c->crowd;
    struct marker marker;
    if (stomp_is(frame, "MESSAGE")) {
        if (crowd->deliver && stomp_marker(frame, &marker))
            crowd->deliver(crowd->context, c->index, marker, c->read_at);
    } else if (stomp_is(frame, "ERROR")) {
        const char *text;
        char reason[256];
        int length = stomp_reason(frame, &text);
        snprintf(reason, sizeof reason, "the server answered ERROR: %.*s", length, text);
        lost(c, reason);
    } else if ((c->stage == LOGGING_IN && stomp_is(frame, "CONNECTED")) ||
               (c->stage == SUBSCRIBING && stomp_is(frame, "RECEIPT"))) {
        advance(c);
    } else if (c->stage == READY && crowd->confirm && stomp_is(frame, "RECEIPT") &&
               stomp_marker(frame, &marker)) {
        crowd->confirm(crowd->context, marker, c->read_at);
    }
}

static size_t take_stomp_frames(struct connection *c, const char *in, size_t length)
{
    struct stomp_frame frame;
    size_t used = 0, n;
    while (used < length && (n = stomp_read(in + used, length - used, &frame)) > 0) {
        used += n;
        take_stomp(c, &frame);
    }
    return used;
}

/* Parses in place; only a STOMP frame that the end of a WebSocket frame cuts is kept. */
static void take_payload(struct connection *c, const struct ws_frame *frame)
{
    if (c->stomp.length) {
        bytes_append(&c->stomp, frame->payload, frame->length);
        bytes_drop(&c->stomp, take_stomp_frames(c, c->stomp.start, c->stomp.length));
    } else {
        size_t used = take_stomp_frames(c, frame->payload, frame->length);
        bytes_append(&c->stomp, frame->payload + used, frame->length - used);
    }
    if (c->stomp.length > WS_MAX_FRAME)
        lost(c, "a STOMP frame does not end");
}

_Noreturn static void closed(struct connection *c, const struct ws_frame *frame)
{
    const uint8_t *code = (const uint8_t *)frame->payload;
    char reason[256] = "the server closed without a code";
    if (frame->length >= 2)
        snprintf(reason, sizeof reason, "the server closed with %d %.*s", code[0] << 8 | code[1],
                 (int)frame->length - 2, frame->payload + 2);
    lost(c, reason);
}

static void take_frame(struct connection *c, const struct ws_frame *frame)
{
    if (frame->opcode <= WS_BINARY) {
        take_payload(c, frame);
    } else if (frame->opcode == WS_PING) {
        ws_append_frame(&c->out, WS_PONG, frame->payload, frame->length);
        flush(c);
    } else if (frame->opcode == WS_CLOSE) {
        closed(c, frame);
    }
}

/* One step of the handshake or one frame; returns the bytes consumed, or 0. */
static size_t take(struct connection *c, const char *in, size_t length)
{
    struct ws_frame frame;
    bool upgrading = c->stage == UPGRADING;
    size_t n = upgrading ? ws_read_upgrade(in, length) : ws_read_frame(in, length, &frame);
    if (n > 0 && upgrading)
        advance(c);
    else if (n > 0)
        take_frame(c, &frame);
    return n;
}

/* What was left of the last read is put back in front of this one, so that parsing is in place.
 * Returns whether there may be more: a read that did not fill the window emptied the socket. */
static bool receive(struct connection *c)
{
    static char window[HEADROOM + READ_SIZE];
    ssize_t got = recv(c->fd, window + HEADROOM, READ_SIZE, 0);
    c->read_at = now_ns();
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0)
        lost(c, got ? NULL : "the server hung up");
    char *in = window + HEADROOM - c->wire.length;
    size_t length = c->wire.length + (size_t)got, n;
    if (c->wire.length) {
        memcpy(in, c->wire.start, c->wire.length);
        bytes_drop(&c->wire, c->wire.length);
    }
    while (length && (n = take(c, in, length)) > 0)
        in += n, length -= n;
    bytes_append(&c->wire, in, length);
    return got == READ_SIZE;
}

void connection_handle(struct connection *c, uint32_t events)
{
    if (c->stage == DIALLING) {
        socklen_t size = sizeof errno;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errno, &size);
        if (errno)
            lost(c, NULL);
        advance(c);
    } else if (events & EPOLLOUT) {
        flush(c);
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        while (receive(c))
            ;
}
