/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sandbox.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* ---- system calls ------------------------------------------------------------------------------
 */

/* What libc, OpenSSL, SQLite, libpq, libcurl and libevent need to serve. */
static const char *const allowed[] = {
    /* memory, threads, time */
    "alarm",
    "arch_prctl",
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "clone3",
    "exit",
    "exit_group",
    "futex",
    "get_robust_list",
    "getcpu",
    "getrandom",
    "gettimeofday",
    "madvise",
    "membarrier",
    "mlock",
    "mlock2",
    "mremap",
    "munlock",
    "munmap",
    "nanosleep",
    "pause",
    "restart_syscall",
    "rseq",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "time",
    /* who we are; limits may be lowered */
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpgrp",
    "getpid",
    "getppid",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "gettid",
    "getuid",
    "prctl",
    "prlimit64",
    "setrlimit",
    "sysinfo",
    "uname",
    "umask",
    /* signals to ourselves */
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "setitimer",
    "sigaltstack",
    "sigreturn",
    "tgkill",
    /* descriptors */
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "fcntl",
    "ioctl",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "pselect6",
    "read",
    "readv",
    "select",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    "write",
    "writev",
    /* files: which ones is Landlock's business */
    "access",
    "chmod",
    "copy_file_range",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchmod",
    "fchmodat",
    "fchown",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getcwd",
    "getdents",
    "getdents64",
    "link",
    "linkat",
    "lseek",
    "lstat",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pread64",
    "preadv",
    "pwrite64",
    "pwritev",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "stat",
    "statfs",
    "statx",
    "sync_file_range",
    "truncate",
    "unlink",
    "unlinkat",
    "utimensat",
    /* network */
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socketpair",
#if defined(__SANITIZE_ADDRESS__) /* the leak check at exit looks at its own threads */
    "ptrace",
    "wait4",
    "sched_setaffinity",
    "process_vm_readv",
#endif
};

/* A program of ours never asks for these: whoever does is not us. What is in neither list fails
 * with ENOSYS, which libraries that try what is new know how to take. */
static const char *const deadly[] = {
    "execveat",     "mount",
    "umount2",      "pivot_root",
    "chroot",       "unshare",
    "setns",        "init_module",
    "finit_module", "delete_module",
    "kexec_load",   "kexec_file_load",
    "bpf",          "perf_event_open",
    "userfaultfd",  "setuid",
    "setgid",       "setresuid",
    "setresgid",    "reboot",
    "swapon",       "process_vm_writev",
#if !defined(__SANITIZE_ADDRESS__)
    "ptrace",       "process_vm_readv",
#endif
};

/* Deadly, too, but to a server that runs a program; what else that needs. */
static const char *const starting[] = {"execve", "fork", "vfork"};
static const char *const running[] = {"getpgid", "kill", "setpgid", "wait4", "waitid"};

/* 0 or -errno. A name that this architecture does not have is passed over. */
static int add(scmp_filter_ctx f, uint32_t action, const char *name)
{
    int nr = seccomp_syscall_resolve_name(name);
    int failed = nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(f, action, nr, 0);
    return failed == -EEXIST ? 0 : failed; /* on two lists */
}

static int add_all(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t n)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < n; i++)
        failed = add(f, action, names[i]);
    return failed;
}

/* Memory is never both written and run; no sockets but those of IP, Unix, and the kernel's list of
 * addresses (getaddrinfo); kill reaches nobody else. */
static int add_with_arguments(scmp_filter_ctx f)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int failed = 0;
    for (size_t i = 0; !failed && i < VS_COUNT(families); i++)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    static const int protections[] = {0, PROT_WRITE, PROT_EXEC};
    for (size_t i = 0; !failed && i < VS_COUNT(protections); i++)
        failed = seccomp_rule_add(
            f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, (scmp_datum_t)protections[i]));
    return failed;
}

/* 0 or -errno. */
static int restrict_calls(bool runs)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!f)
        return -ENOMEM;
    int failed = add_all(f, SCMP_ACT_ALLOW, allowed, VS_COUNT(allowed));
    if (!failed)
        failed = add_all(f, SCMP_ACT_KILL_PROCESS, deadly, VS_COUNT(deadly));
    if (!failed)
        failed =
            add_all(f, runs ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS, starting, VS_COUNT(starting));
    if (!failed && runs)
        failed = add_all(f, SCMP_ACT_ALLOW, running, VS_COUNT(running));
    if (!failed)
        failed = add_with_arguments(f);
    if (!failed)
        failed = seccomp_load(f);
    seccomp_release(f);
    return failed;
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* Newer than the headers of the oldest system we build on. */
#define LL_REFER    (1ULL << 13) /* version 2 */
#define LL_TRUNCATE (1ULL << 14) /* version 3 */
#define LL_IOCTL    (1ULL << 15) /* version 5 */

enum { LL_VERSION = 1 << 0, RUN_DEPTH = 4 };

/* Libraries are loaded without the right to execute, which is that of execve. */
#define LL_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LL_RUN  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define LL_WRITE                                                                                   \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |  \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |    \
     LL_REFER | LL_TRUNCATE)
#define LL_ALL                                                                                     \
    (LL_RUN | LL_WRITE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO |             \
     LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LL_IOCTL)
#define LL_FILE_ONLY                                                                               \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |   \
     LL_TRUNCATE | LL_IOCTL)

/* Libraries loaded late, the resolver, trust stores, time zones, our own state in /proc. */
static const char *const system_read[] = {"/etc",         "/usr",
                                          "/lib",         "/lib64",
                                          "/proc",        "/sys/devices/system/cpu",
                                          "/dev/urandom", "/run/systemd/resolve",
                                          "/run/nscd",    "/nix/store"};
static const char *const system_write[] = {"/dev/null"};

typedef struct ruleset {
    int fd;
    uint64_t handled;
} ruleset;

static vs_code allow(const ruleset *r, const char *path, uint64_t access, vs_error *err)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0) /* what is not there needs no leave */
        return errno == ENOENT || errno == ENOTDIR ? VS_OK
                                                   : vs_fail_errno(err, VS_E_IO, errno, "%s", path);
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= LL_FILE_ONLY;
    struct landlock_path_beneath_attr rule = {.allowed_access = access & r->handled,
                                              .parent_fd = fd};
    long failed = syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int why = errno;
    (void)close(fd);
    return failed ? vs_fail_errno(err, VS_E_IO, why, "%s", path) : VS_OK;
}

/* The directory of a file; "." for a name alone. */
static const char *directory_of(const char *file, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s", file);
    char *slash = strrchr(out, '/');
    if (!slash)
        return ".";
    slash[slash == out] = 0;
    return out;
}

/* Where the kernel would find a program by name. False when nowhere. */
static bool find_program(const char *name, char out[PATH_MAX])
{
    vs_span dirs = vs_str(getenv("PATH"));
    if (strchr(name, '/'))
        return snprintf(out, PATH_MAX, "%s", name) < PATH_MAX;
    for (bool more = true; more;) {
        vs_span dir = vs_span_cut(dirs, ':', &dirs, &more);
        int n = snprintf(out, PATH_MAX, "%.*s/%s", VS_FMT(dir), name);
        if (n > 0 && n < PATH_MAX && access(out, X_OK) == 0)
            return true;
    }
    return false;
}

/* What the kernel starts to run the file, "" for nothing else. `head` is its beginning, n bytes. */
static void interpreter_of(const char *head, size_t n, char out[PATH_MAX])
{
    Elf64_Ehdr e;
    Elf64_Phdr p;
    out[0] = 0;
    if (n > 2 && memcmp(head, "#!", 2) == 0) {
        vs_span rest, line = vs_span_cut(vs_span_of(head + 2, n - 2), '\n', &rest, NULL);
        vs_span word = vs_span_cut(vs_span_trim(line), ' ', &rest, NULL);
        (void)snprintf(out, PATH_MAX, "%.*s", VS_FMT(word));
        return;
    }
    if (n < sizeof e || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
        return;
    memcpy(&e, head, sizeof e);
    for (size_t i = 0; i < e.e_phnum && e.e_phentsize == sizeof p; i++) {
        if (e.e_phoff > n || (n - e.e_phoff) / sizeof p <= i)
            return;
        memcpy(&p, head + e.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type == PT_INTERP && p.p_offset < n && p.p_filesz <= n - p.p_offset)
            (void)snprintf(out, PATH_MAX, "%.*s", (int)p.p_filesz, head + p.p_offset);
    }
}

/* A script's interpreter may have a loader, too. */
static vs_code allow_program(const ruleset *r, const char *name, vs_error *err)
{
    char path[PATH_MAX], head[4096];
    if (!find_program(name, path))
        return VS_OK; /* starting it will say so */
    for (unsigned i = 0; i < RUN_DEPTH && path[0]; i++) {
        VS_TRY(allow(r, path, LL_RUN, err));
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
        if (fd >= 0)
            (void)close(fd);
        interpreter_of(head, n > 0 ? (size_t)n : 0, path);
    }
    return VS_OK;
}

static vs_code allow_all(const sandbox *s, const ruleset *r, vs_error *err)
{
    char dir[PATH_MAX];
    for (size_t i = 0; i < VS_COUNT(system_read); i++)
        VS_TRY(allow(r, system_read[i], LL_READ, err));
    for (size_t i = 0; i < VS_COUNT(system_write); i++)
        VS_TRY(allow(r, system_write[i], LL_WRITE, err));
    for (size_t i = 0; i < s->n_read; i++) {
        VS_TRY(allow(r, s->read[i], LL_READ, err)); /* a link leads elsewhere */
        VS_TRY(allow(r, directory_of(s->read[i], dir), LL_READ, err));
    }
    for (size_t i = 0; i < s->n_write; i++)
        VS_TRY(allow(r, s->write[i], LL_WRITE, err));
    for (size_t i = 0; i < s->n_write_beside; i++)
        VS_TRY(allow(r, directory_of(s->write_beside[i], dir), LL_WRITE, err));
    return s->program ? allow_program(r, s->program, err) : VS_OK;
}

/* *version is 0 when the kernel has no Landlock. */
static vs_code restrict_files(const sandbox *s, int *version, vs_error *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_VERSION);
    *version = abi < 0 ? 0 : (int)abi;
    if (abi < 1)
        return VS_OK;
    ruleset r = {.handled = LL_ALL};
    r.handled &=
        ~((abi < 2 ? LL_REFER : 0) | (abi < 3 ? LL_TRUNCATE : 0) | (abi < 5 ? LL_IOCTL : 0));
    struct landlock_ruleset_attr attr = {.handled_access_fs = r.handled};
    r.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (r.fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "Landlock");
    vs_code code = allow_all(s, &r, err);
    if (code == VS_OK && syscall(SYS_landlock_restrict_self, r.fd, 0) != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "Landlock");
    (void)close(r.fd);
    return code;
}

/* ---- both -------------------------------------------------------------------------------------
 */

static void put(const char **list, size_t *n, const char *path)
{
    if (path && *path && *n < SANDBOX_PATHS)
        list[(*n)++] = path;
}

void sandbox_may_write(sandbox *s, const char *dir)
{
    put(s->write, &s->n_write, dir);
}

void sandbox_may_write_beside(sandbox *s, const char *file)
{
    put(s->write_beside, &s->n_write_beside, file);
}

void sandbox_may_read(sandbox *s, const char *file)
{
    put(s->read, &s->n_read, file && strncmp(file, "file://", 7) == 0 ? file + 7 : file);
}

void sandbox_may_run(sandbox *s, const char *program)
{
    s->program = program;
}

vs_code sandbox_enter(const sandbox *s, vs_error *err)
{
    int landlock = 0;
    char version[16];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "no_new_privs");
    VS_TRY_WRAP(restrict_files(s, &landlock, err), err, "sandbox");
    int seccomp = restrict_calls(s->program != NULL);
    if (seccomp == -ENOMEM)
        return vs_fail(err, VS_E_NOMEM, "sandbox: out of memory");
    (void)snprintf(version, sizeof version, "version %d", landlock);
    bool whole = landlock && seccomp == 0;
    vs_log(whole ? VS_LOG_INFO : VS_LOG_WARN, "serve",
           whole ? "sandbox is on" : "sandbox: this kernel does not have all of it", "seccomp",
           seccomp == 0 ? "on" : "not available", "landlock", landlock ? version : "not available",
           NULL);
    return VS_OK;
}
