#include "local/account.h"

#include "base/fs.h"
#include "base/proc.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* uid and gid of the platform's user; false without an error if there is no such user. */
static bool look_up(uid_t *ret_uid, gid_t *ret_gid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[4096];
    if (getpwnam_r(ACCOUNT_NAME, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return false;
    *ret_uid = found->pw_uid;
    *ret_gid = found->pw_gid;
    return true;
}

static bool make_user(struct arena *a, struct err *e)
{
    uid_t uid;
    gid_t gid;
    if (look_up(&uid, &gid))
        return true;
    struct proc_spec useradd = {
        .argv = (const char *[]){ "/usr/sbin/useradd", "--system", "--user-group",
                                  "--no-create-home", "--home-dir", "/nonexistent", "--shell",
                                  "/usr/sbin/nologin", ACCOUNT_NAME, NULL },
        .timeout_ms = 20000,
        .merge_stderr = true,
    };
    struct proc_result result;
    if (!proc_run(a, &useradd, &result, e))
        return err_wrap(e, "create user " ACCOUNT_NAME);
    if (!look_up(&uid,
                 &gid)) /* a second `up` may have been faster: what counts is that it exists */
        return err_set(e, ERR_IO, "create user " ACCOUNT_NAME ": %.*s",
                       STR_FMT(str_trim(result.out)));
    return true;
}

/* Every folder above must let the user pass. */
static bool check_way(struct arena *a, const char *dir, struct err *e)
{
    uid_t uid = 0;
    gid_t gid;
    (void)look_up(&uid, &gid);
    char *way = arena_strdup(a, dir);
    for (char *slash = strrchr(way, '/'); slash && slash != way; slash = strrchr(way, '/')) {
        struct stat st;
        *slash = '\0';
        if (stat(way, &st) != 0)
            return err_system(e, "look at %s", way);
        if (!(st.st_mode & S_IXOTH) && st.st_uid != uid) {
            err_set(e, ERR_CONFIG, "%s is closed to user " ACCOUNT_NAME, way);
            return err_hint(e,
                            "LOCKFLIGHT_STATE_DIR=/var/lib/lockflight/<name> lockflight local up");
        }
    }
    return true;
}

static bool own(const char *dir, struct err *e)
{
    uid_t uid;
    gid_t gid;
    if (!look_up(&uid, &gid) || chown(dir, uid, gid) != 0 || chmod(dir, 0700) != 0)
        return err_system(e, "give %s to " ACCOUNT_NAME, dir);
    return true;
}

static char *parent(struct arena *a, const char *path)
{
    char *copy = arena_strdup(a, path);
    char *slash = strrchr(copy, '/');
    if (slash && slash != copy)
        *slash = '\0';
    return copy;
}

/* A folder below /tmp could have been laid there by somebody else. */
static bool check_owner(const char *dir, struct err *e)
{
    struct stat st;
    uid_t uid = geteuid();
    gid_t gid;
    if (uid == 0)
        (void)look_up(&uid, &gid);
    if (lstat(dir, &st) != 0)
        return err_system(e, "look at %s", dir);
    if (S_ISDIR(st.st_mode) && (st.st_uid == uid || st.st_uid == 0) && !(st.st_mode & 022))
        return true;
    err_set(e, ERR_CONFIG, "%s belongs to somebody else, or others may write to it", dir);
    return err_hint(e, "rm -r %s", dir);
}

bool account_prepare(struct arena *a, const char *state_dir, const char *run_dir, struct err *e)
{
    bool is_root = geteuid() == 0;
    mode_t above = is_root ? 0755 : 0700;
    if (is_root && !make_user(a, e))
        return false;
    if (!fs_mkdirs(parent(a, state_dir), above, e) || !fs_mkdirs(parent(a, run_dir), above, e) ||
        !fs_mkdirs(state_dir, 0700, e) || (is_root && !own(state_dir, e)) ||
        !fs_mkdirs(run_dir, 0700, e) || (is_root && !own(run_dir, e)))
        return false;
    if (!check_owner(state_dir, e) || !check_owner(run_dir, e) ||
        !check_owner(parent(a, run_dir), e))
        return false;
    return !is_root || (check_way(a, state_dir, e) && check_way(a, run_dir, e));
}

bool account_become(struct err *e)
{
    uid_t uid;
    gid_t gid;
    if (geteuid() != 0)
        return true;
    if (!look_up(&uid, &gid))
        return err_set(e, ERR_IO, "there is no user " ACCOUNT_NAME);
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return err_system(e, "become " ACCOUNT_NAME);
    if (setuid(0) == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(e, ERR_IO, "could not give up root");
    return true;
}
