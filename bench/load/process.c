#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


struct processes processes_parse(const char *list)
{
    struct processes p = {.count = 0};
    for (const char *at = list; *at;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at || pid <= 0 || (*end && *end != ',') || p.count == MAX_PROCESSES)
            fail("--pid wants process ids separated by commas, not '%s'", list);
        p.pids[p.count++] = (pid_t)pid;
        at = *end ? end + 1 : end;
    }
    return p;
}

static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail("the server process %d is gone", (int)pid);
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
}

double processes_cpu_seconds(const struct processes *p)
{
    double seconds = 0;
    for (int i = 0; i < p->count; i++) {
        char text[1024];
        unsigned long user, system;
        read_proc(p->pids[i], "stat", text, sizeof text);
        const char *after_name = strrchr(text, ')'); /* the name itself may hold spaces */
        static const char fields[] = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
        if (!after_name || sscanf(after_name + 1, fields, &user, &system) != 2)
            fail("cannot read /proc/%d/stat", (int)p->pids[i]);
        seconds += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    return seconds;
}

long processes_rss_kib(const struct processes *p)
{
    long kib = 0;
    for (int i = 0; i < p->count; i++) {
        char text[256];
        long pages;
        read_proc(p->pids[i], "statm", text, sizeof text);
        if (sscanf(text, "%*d %ld", &pages) != 1)
            fail("cannot read /proc/%d/statm", (int)p->pids[i]);
        kib += pages * (sysconf(_SC_PAGESIZE) / 1024);
    }
    return kib;
}
