#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Returns when it may dial again: who has been given something does not ask for it twice. */
static void broken(struct connection *c, const char *reason)
{
    int error = errno;
    if (c->stage == READY || c->given || !crowd_put_off(c->crowd, c->index)) {
        errno = error;
        lost(c, reason);
    }
    close(c->fd);
    c->fd = -1; /* what it holds is freed when it dials again: somebody may be reading it now */
}

static void flush(struct connection *c)
{
    while (c->fd >= 0 && c->out.length) {
        ssize_t n = send(c->fd, c->out.start, c->out.length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return; /* EPOLLOUT comes when there is room again */
        if (n < 0) {
            broken(c, NULL);
            return;
        }
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

static void send_login(struct connection *c)
{
    const struct options *o = c->crowd->options;
    char frame[16384];
    connection_send(c, frame, o->wire->login(frame, sizeof frame, options_token(o, c->index)));
}

static void subscribe(struct connection *c)
{
    const struct options *o = c->crowd->options;
    uint32_t room = c->index % o->rooms;
    char frame[2048], id[LONGEST_ID];
    options_room(o, room, id, sizeof id);
    struct listening what = {id, c->index, o->since_of ? o->since_of[room] : NULL};
    connection_send(c, frame, o->wire->listen(frame, sizeof frame, &what));
}

static void announce(struct connection *c)
{
    const struct options *o = c->crowd->options;
    char frame[2048], id[LONGEST_ID];
    options_room(o, (c->index - o->subscribers) % o->rooms, id, sizeof id);
    connection_send(c, frame, o->wire->announce(frame, sizeof frame, id));
}

static void upgrade(struct connection *c)
{
    const struct options *o = c->crowd->options;
    ws_append_upgrade(&c->out, o->host, ntohs(options_server(o, c->index)->sin_port), o->path,
                      o->wire->subprotocol);
    flush(c);
}

/* Enters the next stage that this wire has, and sends what it begins with. */
static void advance(struct connection *c)
{
    const struct wire *wire = c->crowd->options->wire;
    c->stage++;
    if (c->stage == GREETING && !wire->greets)
        c->stage++;
    if (c->stage == LOGGING_IN && !wire->login)
        c->stage++;
    if (c->stage == SUBSCRIBING && publishes(c) && !wire->announce)
        c->stage++;
    if (c->stage == UPGRADING)
        upgrade(c);
    else if (c->stage == LOGGING_IN)
        send_login(c);
    else if (c->stage == SUBSCRIBING && publishes(c))
        announce(c);
    else if (c->stage == SUBSCRIBING)
        subscribe(c);
    else if (c->stage == READY)
        c->crowd->ready++;
}

static void take_receipt(struct connection *c, const struct heard *heard)
{
    const struct crowd *crowd = c->crowd;
    struct marker marker;
    if (c->stage == SUBSCRIBING)
        advance(c);
    else if (c->stage == READY && crowd->confirm &&
             marker_find(heard->text, heard->length, &marker))
        crowd->confirm(crowd->context, marker, c->read_at);
}

static void refused(struct connection *c, const struct heard *heard)
{
    char reason[256];
    snprintf(reason, sizeof reason, "the server answered: %.*s",
             (int)(heard->length < 200 ? heard->length : 200), heard->text);
    broken(c, reason);
}

static void take_heard(struct connection *c, const struct heard *heard)
{
    const struct crowd *crowd = c->crowd;
    struct marker marker;
    if (heard->kind == HEARD_DELIVERY) {
        c->given = true;
        if (crowd->deliver && marker_find(heard->text, heard->length, &marker))
            crowd->deliver(crowd->context, c->index, marker, c->read_at);
    } else if (heard->kind == HEARD_RECEIPT) {
        take_receipt(c, heard);
    } else if (heard->kind == HEARD_PING) {
        connection_send(c, crowd->options->wire->pong, strlen(crowd->options->wire->pong));
    } else if (heard->kind == HEARD_REFUSAL) {
        refused(c, heard);
    } else if ((heard->kind == HEARD_GREETING && c->stage == GREETING) ||
               (heard->kind == HEARD_WELCOME && c->stage == LOGGING_IN)) {
        advance(c);
    }
}

static size_t take_text(struct connection *c, const char *in, size_t length)
{
    const struct wire *wire = c->crowd->options->wire;
    struct heard heard;
    size_t used = 0, n;
    while (used < length && (n = wire->read(in + used, length - used, &heard)) > 0) {
        used += n;
        take_heard(c, &heard);
        if (c->fd < 0)
            return length; /* of a connection that is no more */
    }
    return used;
}

/* Parses in place; only a STOMP frame that the end of a WebSocket frame cuts is kept. */
static void take_payload(struct connection *c, const struct ws_frame *frame)
{
    if (!c->crowd->options->wire->pieces && frame->opcode == WS_CONTINUATION)
        lost(c, "a message in several WebSocket frames, which this program does not read");
    if (c->text.length) {
        bytes_append(&c->text, frame->payload, frame->length);
        bytes_drop(&c->text, take_text(c, c->text.start, c->text.length));
    } else {
        size_t used = take_text(c, frame->payload, frame->length);
        bytes_append(&c->text, frame->payload + used, frame->length - used);
    }
    if (c->text.length > WS_MAX_FRAME)
        lost(c, "a STOMP frame does not end");
}

static void closed(struct connection *c, const struct ws_frame *frame)
{
    const uint8_t *code = (const uint8_t *)frame->payload;
    char reason[256] = "the server closed without a code";
    if (frame->length >= 2)
        snprintf(reason, sizeof reason, "the server closed with %d %.*s", code[0] << 8 | code[1],
                 (int)frame->length - 2, frame->payload + 2);
    broken(c, reason);
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
    const char *subprotocol = c->crowd->options->wire->subprotocol;
    size_t n = upgrading ? ws_read_upgrade(in, length, subprotocol)
                         : ws_read_frame(in, length, &frame);
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
    if (got <= 0) {
        broken(c, got ? NULL : "the server hung up");
        return false;
    }
    char *in = window + HEADROOM - c->wire.length;
    size_t length = c->wire.length + (size_t)got, n;
    if (c->wire.length) {
        memcpy(in, c->wire.start, c->wire.length);
        bytes_drop(&c->wire, c->wire.length);
    }
    while (length && c->fd >= 0 && (n = take(c, in, length)) > 0)
        in += n, length -= n;
    if (c->fd >= 0)
        bytes_append(&c->wire, in, length);
    return c->fd >= 0 && got == READ_SIZE;
}

void connection_handle(struct connection *c, uint32_t events)
{
    if (c->stage == DIALLING) {
        socklen_t size = sizeof errno;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errno, &size);
        if (errno)
            broken(c, NULL);
        else
            advance(c);
    } else if (events & EPOLLOUT) {
        flush(c);
    }
    if (c->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        while (receive(c))
            ;
}
