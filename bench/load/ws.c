#include "load.h"

#include <stdio.h>

/* The key is the RFC's own example: the answer is not verified, it is our server on loopback. */
void ws_append_upgrade(struct bytes *out, const char *host, uint32_t port, const char *path,
                       const char *subprotocol)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
                          path, host, port, subprotocol ? "Sec-WebSocket-Protocol: " : "",
                          subprotocol ? subprotocol : "", subprotocol ? "\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof request)
        fail("the path is too long");
    bytes_append(out, request, (size_t)length);
}

size_t ws_read_upgrade(const char *in, size_t length, const char *subprotocol)
{
    const char *end = memmem(in, length, "\r\n\r\n", 4);
    if (!end && length < 16384)
        return 0;
    const char *line = memchr(in, '\r', length);
    int shown = line ? (int)(line - in) : 0;
    if (!end || strncmp(in, "HTTP/1.1 101 ", 13) != 0)
        fail("the WebSocket handshake was refused: %.*s", shown, in);
    size_t consumed = (size_t)(end - in) + 4;
    if (subprotocol && !memmem(in, consumed, subprotocol, strlen(subprotocol)))
        fail("the server did not choose the subprotocol %s", subprotocol);
    return consumed;
}

void ws_append_frame(struct bytes *out, enum ws_opcode opcode, const char *payload, size_t length)
{
    static uint32_t mask = 0x9e3779b9; /* xorshift32: it has to change, not to be secret */
    mask ^= mask << 13, mask ^= mask >> 17, mask ^= mask << 5;

    unsigned char header[8] = {(unsigned char)(0x80 | opcode)};
    size_t n = 2;
    if (length < 126) {
        header[1] = (unsigned char)(0x80 | length);
    } else if (length <= 0xffff) {
        header[1] = 0x80 | 126;
        header[n++] = (unsigned char)(length >> 8);
        header[n++] = (unsigned char)length;
    } else {
        fail("refusing to send a frame of %zu bytes", length);
    }
    memcpy(header + n, &mask, 4);
    bytes_append(out, header, n + 4);
    bytes_append(out, payload, length);
    char *body = out->start + out->length - length;
    for (size_t i = 0; i < length; i++)
        body[i] ^= (char)header[n + (i & 3)];
}

size_t ws_read_frame(const char *in, size_t length, struct ws_frame *frame)
{
    const unsigned char *b = (const unsigned char *)in;
    if (length < 2)
        return 0;
    if (b[0] & 0x70 || b[1] & 0x80)
        fail("framing error: a reserved bit, or a masked frame from the server");
    size_t size_bytes = b[1] == 126 ? 2 : b[1] == 127 ? 8 : 0;
    size_t header = 2 + size_bytes;
    if (length < header)
        return 0;
    uint64_t payload = size_bytes ? 0 : b[1];
    for (size_t i = 2; i < header; i++)
        payload = payload << 8 | b[i];
    if (payload > WS_MAX_FRAME)
        fail("framing error: a frame of %llu bytes", (unsigned long long)payload);
    if (length - header < payload)
        return 0;
    *frame = (struct ws_frame){b[0] & 15, in + header, payload};
    return header + payload;
}
