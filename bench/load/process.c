#include "load.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
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

/* Into `text`; false when the process is gone. */
static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    size_t length = fread(text, 1, size - 1, file);
    text[length] = 0;
    fclose(file);
    return length > 0;
}

/* With that of its children that have ended: databases let connections come and go. */
static double cpu_seconds(pid_t pid)
{
    char stat[1024];
    unsigned long user, system;
    long children_user, children_system;
    if (!read_proc(pid, "stat", stat, sizeof stat))
        return 0;
    const char *after_name = strrchr(stat, ')'); /* the name itself may hold spaces */
    static const char fields[] = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld";
    if (!after_name || sscanf(after_name + 1, fields, &user, &system, &children_user,
                              &children_system) != 4)
        fail("cannot read '%s' of /proc", stat);
    return ((double)(user + system) + (double)(children_user + children_system)) /
           (double)sysconf(_SC_CLK_TCK);
}

static double rss_kib(pid_t pid)
{
    char text[256];
    long pages = 0;
    if (read_proc(pid, "statm", text, sizeof text) && sscanf(text, "%*d %ld", &pages) != 1)
        fail("cannot read /proc/%d/statm", (int)pid);
    return (double)(pages * (sysconf(_SC_PAGESIZE) / 1024));
}

/* A process that has ended meanwhile counts for nothing more. */
static double sum_of_tree(pid_t pid, double (*measure)(pid_t))
{
    char pattern[64];
    glob_t tasks = {0};
    double sum = measure(pid);
    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/children", (int)pid);
    if (!glob(pattern, 0, NULL, &tasks))
        for (size_t i = 0; i < tasks.gl_pathc; i++) {
            FILE *file = fopen(tasks.gl_pathv[i], "r");
            for (int child; file && fscanf(file, "%d", &child) == 1;)
                sum += sum_of_tree(child, measure);
            if (file)
                fclose(file);
        }
    globfree(&tasks);
    return sum;
}

static double sum_of_trees(const struct processes *p, double (*measure)(pid_t))
{
    double sum = 0;
    for (int i = 0; i < p->count; i++) {
        if (kill(p->pids[i], 0) && errno == ESRCH)
            fail("the server process %d is gone", (int)p->pids[i]);
        sum += sum_of_tree(p->pids[i], measure);
    }
    return sum;
}

double processes_cpu_seconds(const struct processes *p)
{
    return sum_of_trees(p, cpu_seconds);
}

long processes_rss_kib(const struct processes *p)
{
    return (long)sum_of_trees(p, rss_kib);
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
