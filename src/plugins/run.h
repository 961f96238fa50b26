/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program: fixed arguments, no shell, a deadline, bounded output. */
#ifndef VS_PLUGINS_RUN_H
#define VS_PLUGINS_RUN_H

#include "base/buf.h"

/* Runs argv[0] (looked for in PATH when it has no '/') with a NULL-terminated argv and no other
 * environment than PATH, standard input empty. What it writes to standard output and error is
 * appended to `out`; more than its cap ends the program and is VS_E_LIMIT. After `timeout_ms` it is
 * killed with all that it started: VS_E_TIMEOUT. An exit status other than 0 is VS_E_IO. */
VS_MUST vs_code run_program(const char *const *argv, unsigned timeout_ms, vs_buf *out,
                            vs_error *err);

#endif
