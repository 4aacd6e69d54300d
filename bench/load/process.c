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

static double cpu_seconds(const char *stat)
{
    unsigned long user, system;
    const char *after_name = strrchr(stat, ')'); /* the name itself may hold spaces */
    static const char fields[] = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
    if (!after_name || sscanf(after_name + 1, fields, &user, &system) != 2)
        fail("cannot read '%s' of /proc", stat);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double processes_cpu_seconds(const struct processes *p)
{
    double seconds = 0;
    for (int i = 0; i < p->count; i++) {
        char text[1024];
        read_proc(p->pids[i], "stat", text, sizeof text);
        seconds += cpu_seconds(text);
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

struct parts parts_parse(const char *list)
{
    struct parts parts = {.count = 0};
    for (const char *at = list; *at;) {
        struct part *part = &parts.each[parts.count];
        char pids[512];
        int used = 0;
        if (parts.count == MAX_PARTS ||
            sscanf(at, "%31[^=,]=%511[0-9+]%n", part->name, pids, &used) != 2 || !used ||
            (at[used] && at[used] != ','))
            fail("--parts wants NAME=N[+N...],..., not '%s'", list);
        for (char *plus = pids; (plus = strchr(plus, '+'));)
            *plus = ',';
        part->roots = processes_parse(pids);
        parts.count++;
        at += used + (at[used] == ',');
    }
    return parts;
}

/* A process that has ended meanwhile counts for nothing: databases let connections come and go. */
static double tree_cpu_seconds(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    double seconds = *text ? cpu_seconds(text) : 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    file = fopen(path, "r");
    for (int child; file && fscanf(file, "%d", &child) == 1;)
        seconds += tree_cpu_seconds(child);
    if (file)
        fclose(file);
    return seconds;
}

double part_cpu_seconds(const struct part *part)
{
    double seconds = 0;
    for (int i = 0; i < part->roots.count; i++)
        seconds += tree_cpu_seconds(part->roots.pids[i]);
    return seconds;
}

double machine_cpu_seconds(void)
{
    unsigned long user, nice, system, idle, wait, irq, softirq;
    FILE *file = fopen("/proc/stat", "r");
    if (!file || fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait,
                        &irq, &softirq) != 7)
        fail("cannot read /proc/stat");
    fclose(file);
    return (double)(user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}
