#include "load.h"

#include <stdlib.h>

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

struct ledger ledger_open(uint32_t subscribers, uint32_t rooms, uint32_t messages,
                          uint32_t senders)
{
    struct ledger l = {.subscribers = subscribers, .rooms = rooms, .messages = messages};
    l.row = (messages / rooms) / 8 + 1;
    l.missing = allocate(messages, sizeof *l.missing);
    l.seen = allocate(subscribers, l.row);
    l.room_senders = senders / common_divisor(senders, rooms);
    l.next = allocate((size_t)subscribers * l.room_senders, sizeof *l.next);
    return l;
}

void ledger_close(struct ledger *l)
{
    free(l->missing), free(l->seen), free(l->next);
    *l = (struct ledger){0};
}

uint32_t ledger_members(const struct ledger *l, uint32_t message)
{
    return l->subscribers / l->rooms + (message % l->rooms < l->subscribers % l->rooms);
}

void ledger_send(struct ledger *l)
{
    uint32_t members = ledger_members(l, l->sent);
    l->missing[l->sent++] = members;
    l->expected += members;
    l->in_flight++; /* no room is empty: options.c sees to it */
}

void ledger_miss(struct ledger *l, uint32_t from)
{
    while (l->sent < l->messages)
        ledger_send(l);
    for (uint32_t number = 0; number < from; number++) {
        uint32_t nth = number / l->rooms;
        for (uint32_t i = number % l->rooms; i < l->subscribers; i += l->rooms)
            l->seen[i * l->row + nth / 8] |= (uint8_t)(1 << nth % 8);
        l->expected -= l->missing[number];
        l->in_flight--;
    }
}

bool ledger_deliver(struct ledger *l, uint32_t subscriber, uint32_t message)
{
    if (message >= l->sent || message % l->rooms != subscriber % l->rooms) {
        l->misrouted++;
        return false;
    }
    uint32_t nth = message / l->rooms;
    uint8_t *byte = &l->seen[subscriber * l->row + nth / 8], bit = (uint8_t)(1 << nth % 8);
    if (*byte & bit) {
        l->duplicated++;
        return false;
    }
    uint32_t *next = &l->next[(size_t)subscriber * l->room_senders + nth % l->room_senders];
    l->disordered += message < *next;
    *next = message + 1;
    *byte |= bit;
    l->delivered++;
    l->in_flight -= --l->missing[message] == 0;
    return true;
}
