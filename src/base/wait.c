/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wait.h"

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

enum { STEP_MS = 100 };

static _Thread_local vs_wait current;
static _Thread_local const atomic_bool *halt;

vs_wait vs_wait_set(vs_wait w)
{
    vs_wait before = current;
    current = w;
    return before;
}

vs_wait vs_wait_current(void)
{
    return current;
}

void vs_wait_until_halted(const atomic_bool *halted)
{
    halt = halted;
}

bool vs_wait_over(const vs_wait *w)
{
    return (w->gone && atomic_load(w->gone)) || (w->until && vs_mono_ns() >= w->until) ||
           (w->in_vain && w->in_vain(w->user));
}

bool vs_wait_is_over(void)
{
    return (halt && atomic_load(halt)) || vs_wait_over(&current);
}

int64_t vs_wait_end(int64_t until)
{
    return current.until && current.until < until ? current.until : until;
}

int64_t vs_wait_step(int64_t until)
{
    int64_t step = vs_mono_ns() + (int64_t)STEP_MS * 1000000, end = vs_wait_end(until);
    bool in_steps = halt || current.gone || current.in_vain;
    return in_steps && step < end ? step : end;
}

int vs_wait_ms(int64_t until)
{
    int64_t ns = until - vs_mono_ns();
    return ns <= 0 ? 0 : ns / 1000000 >= INT32_MAX ? INT32_MAX : (int)(ns / 1000000 + 1);
}

bool vs_wait_pause(unsigned ms)
{
    int64_t until = vs_mono_ns() + (int64_t)ms * 1000000;
    while (!vs_wait_is_over()) {
        int left = vs_wait_ms(vs_wait_step(until));
        if (left == 0)
            return true;
        (void)poll(NULL, 0, left);
    }
    return false;
}
