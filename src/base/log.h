/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event on stderr, for operators. Never secrets, tokens or evidence.
 *
 * Text form:  2026-11-24T03:18:21Z INFO kbs: attested  tee=cca decision=...
 * JSON form:  {"time":"...","level":"info","module":"kbs","msg":"attested","tee":"cca"}
 * Fields are name/value pairs; values are quoted or escaped so that hostile text cannot forge a
 * line. Thread safe: each line is one write(2). Lines that belong to a request (base/trace.h) have
 * a field "request". On the journal's socket (JOURNAL_STREAM) a line starts with its priority,
 * "<6>".
 */
#ifndef VS_BASE_LOG_H
#define VS_BASE_LOG_H

#include "base/error.h"

typedef enum vs_log_level { VS_LOG_ERROR, VS_LOG_WARN, VS_LOG_INFO, VS_LOG_DEBUG } vs_log_level;

/* Called once by a program before threads start. Defaults: info, text, fd 2. */
void vs_log_setup(vs_log_level level, bool json, int fd);
/* As RUST_LOG: error, warn, info, debug, trace (off = errors only), or a list "kbs=debug,warn", of
 * which the level without a target counts, and when there is none the most verbose one: there is
 * one level for all that a program says. What follows a '/' is not looked at. False, and nothing is
 * changed, when the text names no level. */
bool vs_log_level_of(const char *text, vs_log_level *level);
/* Any thread. */
void vs_log_set_level(vs_log_level level);
bool vs_log_on(vs_log_level level);

/* Fields: NULL-terminated list of (const char *name, const char *value) pairs. A NULL value drops
 * the pair. */
void vs_log(vs_log_level level, const char *module, const char *msg, ...) __attribute__((sentinel));
/* Logs `err` (all causes) as field "error". */
void vs_log_error(vs_log_level level, const char *module, const char *msg, const vs_error *err);

#endif
