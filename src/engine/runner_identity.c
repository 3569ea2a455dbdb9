#include "engine/runner_identity.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The start of a small file of /proc, without the line end. "" if it cannot be read. */
static void read_small(const char *path, char *to, size_t size)
{
    CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, to, size - 1);
    to[n > 0 ? n : 0] = '\0';
    to[strcspn(to, "\n")] = '\0';
}

/* Fields 3 (state) and 22 (start time) of /proc/<pid>/stat; the name before them may hold any
 * character. */
static bool process_stat(int pid, char *ret_state, char *ret_start, size_t size)
{
    char path[48], line[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    read_small(path, line, sizeof line);
    const char *after_name = strrchr(line, ')');
    if (!after_name || after_name[1] != ' ')
        return false;
    struct str rest = str_of(after_name + 2);
    struct str field = { 0 };
    *ret_state = rest.p[0];
    for (int i = 3; i <= 22; i++)
        field = str_cut(&rest, ' ');
    (void)snprintf(ret_start, size, "%.*s", STR_FMT(field));
    return field.n > 0;
}

void runner_identity_read(struct runner_identity *ret)
{
    char boot[64] = "", space[64] = "", state = 0;
    *ret = (struct runner_identity){ .pid = (int)getpid() };
    if (gethostname(ret->host, sizeof ret->host - 1) != 0)
        (void)snprintf(ret->host, sizeof ret->host, "unknown");
    read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 0] = '\0';
    (void)snprintf(ret->host_key, sizeof ret->host_key, "%.60s/%.60s", boot, space);
    if (!process_stat(ret->pid, &state, ret->pid_start, sizeof ret->pid_start))
        ret->pid_start[0] = '\0';
}

bool runner_is_gone(const struct runner_identity *me, const char *host_key, int pid,
                    const char *pid_start)
{
    char state = 0, start[32] = "";
    if (!host_key || !pid_start || !pid_start[0] || !streq(host_key, me->host_key))
        return false;
    if (!process_stat(pid, &state, start, sizeof start))
        return true;
    return state == 'Z' || state == 'X' || !streq(start, pid_start);
}
