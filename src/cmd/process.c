/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { STOP_S = SERVER_DRAIN_MS / 1000 + 2 };

#define TICK_NS (60 * (int64_t)1000000000)

void server_log(const char *text, bool json)
{
    vs_log_level level = VS_LOG_INFO;
    bool known = !text || vs_log_level_of(text, &level);
    vs_log_setup(level, json, 2);
    if (!known)
        vs_log(VS_LOG_WARN, "log", "unknown log level, using info", "given", text, NULL);
}

/* A crash of a process that holds secrets must not write them to disk. */
static void harden_process(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static sigset_t awaited(void)
{
    sigset_t out;
    (void)sigemptyset(&out);
    (void)sigaddset(&out, SIGTERM);
    (void)sigaddset(&out, SIGINT);
    (void)sigaddset(&out, SIGHUP);
    return out;
}

/* The signals are blocked in all threads, so that only server_wait sees them. */
void server_prepare(void)
{
    sigset_t signals = awaited();
    harden_process();
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* A request that waits for a program that hangs would keep us from ending: what is acknowledged is
 * durable, so nothing is lost by leaving. */
static void give_up(int sig)
{
    static const char text[] = "stopping took too long: left with requests in flight\n";
    (void)sig;
    (void)!write(2, text, sizeof text - 1);
    _exit(EXIT_FAILURE);
}

static void leave_in_time(void)
{
    (void)signal(SIGALRM, give_up);
    (void)alarm(STOP_S);
}

/* Twice in the time in which the manager wants a sign of life. */
static struct timespec pause_of(const supervisor *manager)
{
    int64_t ns = TICK_NS;
    if (manager->watchdog_ns && manager->watchdog_ns / 2 < ns)
        ns = manager->watchdog_ns / 2;
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

void server_wait(const supervisor *manager, const server_events *events)
{
    const sigset_t signals = awaited();
    const struct timespec pause = pause_of(manager);
    int64_t ticked = vs_mono_ns();
    supervisor_ready(manager);
    for (;;) {
        int sig = sigtimedwait(&signals, NULL, &pause);
        if (sig == SIGHUP) {
            supervisor_reloading(manager);
            if (events->reload)
                events->reload(events->user);
            supervisor_ready(manager);
        } else if (sig > 0) {
            vs_log(VS_LOG_INFO, "serve", "stopping", "signal",
                   sig == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
            supervisor_stopping(manager);
            leave_in_time();
            return;
        }
        supervisor_alive(manager);
        if (events->tick && vs_mono_ns() - ticked >= TICK_NS) {
            ticked = vs_mono_ns();
            events->tick(events->user);
        }
    }
}
