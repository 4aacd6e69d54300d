/* The floor: the least that a WebSocket server can do to hand a message to a room. One thread, one
 * epoll loop, each message framed once, one send(2) for each delivery. It stores nothing, knows
 * nobody, and waits for who is slow. `floor PORT` listens on 127.0.0.1.
 *
 * The client's frames, whole and masked, hold "S<room>" (listen; answered with "R") or
 * "P<room>\n<text>" (hand the text to all who listen). */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_FILES = 65536, ROOMS = 8192, LONGEST_NAME = 64, LONGEST = 16384, EVENTS = 512 };

static struct connection {
    int upgraded;
    char *rest; /* the beginning of a frame or a request, or NULL */
    size_t length;
} connections[MAX_FILES]; /* by file descriptor */

static struct room { /* a hash table with linear probing; rooms and listeners only grow */
    char name[LONGEST_NAME];
    int *listeners, count, capacity;
} rooms[ROOMS];

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static struct room *room_named(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    if (length == 0 || length >= LONGEST_NAME)
        return NULL;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    for (uint32_t i = 0; i < ROOMS; i++) {
        struct room *room = &rooms[(hash + i) % ROOMS];
        if (!room->name[0])
            memcpy(room->name, name, length);
        if (!strncmp(room->name, name, length) && !room->name[length])
            return room;
    }
    return NULL;
}

static void listen_to(struct room *room, int fd)
{
    if (room->count == room->capacity) {
        room->capacity = room->capacity ? 2 * room->capacity : 2;
        room->listeners = realloc(room->listeners, sizeof(int) * (size_t)room->capacity);
        if (!room->listeners)
            give_up("realloc");
    }
    room->listeners[room->count++] = fd;
}

static void forget(int fd)
{
    for (struct room *room = rooms; room < rooms + ROOMS; room++)
        for (int i = 0; i < room->count; i++)
            if (room->listeners[i] == fd)
                room->listeners[i--] = room->listeners[--room->count];
    free(connections[fd].rest);
    connections[fd] = (struct connection){0};
    close(fd);
}

static void hand_on(const struct room *room, const char *text, size_t length)
{
    static char frame[LONGEST + 4];
    size_t header = length < 126 ? 2 : 4;
    frame[0] = (char)0x81;
    frame[1] = (char)(length < 126 ? length : 126);
    frame[2] = (char)(length >> 8), frame[3] = (char)length;
    memcpy(frame + header, text, length);
    for (int i = 0; i < room->count; i++) /* who has gone is noticed by its read */
        send(room->listeners[i], frame, header + length, MSG_NOSIGNAL);
}

/* Whether it was one of the two that we know. */
static int obey(int fd, const char *text, size_t length)
{
    const char *name = text + 1, *end = memchr(text, '\n', length);
    struct room *room = room_named(name, (size_t)((end ? end : text + length) - name));
    if (!room)
        return 0;
    if (*text == 'S')
        listen_to(room, fd), send(fd, "\x81\x01R", 3, MSG_NOSIGNAL);
    else if (*text == 'P' && end)
        hand_on(room, end + 1, (size_t)(text + length - end - 1));
    else
        return 0;
    return 1;
}

/* The bytes consumed, 0 when more are needed, -1 when it is nothing that we take. */
static ssize_t take_request(int fd, const char *in, size_t length)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const char *end = memmem(in, length, "\r\n\r\n", 4);
    if (!end)
        return length < LONGEST ? 0 : -1;
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    connections[fd].upgraded = 1;
    return end - in + 4;
}

static ssize_t take_frame(int fd, char *in, size_t available)
{
    const uint8_t *b = (uint8_t *)in;
    if (available < 2)
        return 0;
    size_t length = b[1] & 127, header = 6;
    if ((b[0] != 0x81 && b[0] != 0x82) || !(b[1] & 128) || length == 127)
        return -1;
    if (length == 126) {
        if (available < 4)
            return 0;
        length = (size_t)b[2] << 8 | b[3], header = 8;
    }
    if (length == 0 || length > LONGEST)
        return -1;
    if (available < header + length)
        return 0;
    char *text = in + header, *mask = text - 4;
    for (size_t i = 0; i < length; i++)
        text[i] ^= mask[i & 3];
    return obey(fd, text, length) ? (ssize_t)(header + length) : -1;
}

static void receive(int fd)
{
    static char in[4 * LONGEST];
    struct connection *c = &connections[fd];
    size_t length = c->length;
    if (length)
        memcpy(in, c->rest, length);
    ssize_t got = recv(fd, in + length, sizeof in - length, MSG_DONTWAIT), n = 1;
    if (got <= 0) {
        forget(fd);
        return;
    }
    length += (size_t)got;
    char *at = in;
    for (; length && n > 0; at += n, length -= (size_t)n)
        if ((n = c->upgraded ? take_frame(fd, at, length) : take_request(fd, at, length)) <= 0)
            break;
    free(c->rest);
    c->rest = length ? malloc(length) : NULL;
    c->length = length;
    if (length)
        memcpy(c->rest, at, length);
    if (n < 0)
        forget(fd);
}

static void welcome(int listener, int epoll)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (fd >= MAX_FILES) {
        close(fd);
        return;
    }
    /* Blocking: a send waits for who is slow, and gives up in the end. */
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

int main(int count, char **words)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)(count > 1 ? atoi(words[1]) : 0))};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        give_up("listen");
    struct epoll_event events[EVENTS], e = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                welcome(listener, epoll);
            else
                receive(events[i].data.fd);
        }
    }
}
