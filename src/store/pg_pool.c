/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

enum { CONNECT_MS = 5000, STATEMENT_MS = 10000, CONNECTIONS = 8, GRACE_MS = 1000 };

/* ---- settings -------------------------------------------------------------------------------- */

static const char *setting(const pg_pool *p, const char *name)
{
    for (const PQconninfoOption *o = p->info; o->keyword; o++)
        if (strcmp(o->keyword, name) == 0)
            return o->val;
    return NULL;
}

static bool set(const pg_pool *p, const char *name, const char *value)
{
    for (PQconninfoOption *o = p->info; value && o->keyword; o++)
        if (strcmp(o->keyword, name) == 0) {
            free(o->val);
            o->val = strdup(value);
            return o->val != NULL;
        }
    return true;
}

/* A password with a bare '@' or '/' makes a URL whose host, port or database is a piece of it, and
 * those are told in errors. */
static bool well_split(const pg_pool *p)
{
    const char *host = setting(p, "host"), *port = setting(p, "port"), *db = setting(p, "dbname");
    return !(host && strchr(host, '@')) && !(db && strchr(db, '@')) &&
           !(port && port[strspn(port, "0123456789,")] != 0);
}

/* libpq's own sentence about a URL it cannot read may quote the password, so it is not told. */
static vs_code read_url(pg_pool *p, const char *url, vs_error *err)
{
    char *why = NULL;
    p->info = PQconninfoParse(url, &why);
    PQfreemem(why);
    if (!p->info || !well_split(p))
        return vs_fail(err, VS_E_INVALID,
                       "the PostgreSQL URL cannot be read; its form is "
                       "postgresql://user:password@host:port/database, the password "
                       "percent-encoded");
    return VS_OK;
}

static vs_code read_settings(pg_pool *p, const vs_store_postgres *cfg, vs_error *err)
{
    if (cfg->url)
        return read_url(p, cfg->url, err);
    p->info = PQconndefaults();
    char port[16] = "";
    if (cfg->port)
        (void)snprintf(port, sizeof port, "%d", cfg->port);
    if (!p->info || !set(p, "host", cfg->host) || !set(p, "port", *port ? port : NULL) ||
        !set(p, "dbname", cfg->db) || !set(p, "user", cfg->username) ||
        !set(p, "password", cfg->password))
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    return VS_OK;
}

vs_code pg_pool_init(pg_pool *p, const vs_store_postgres *cfg, vs_error *err)
{
    *p = (pg_pool){.connect_ms = cfg->connect_ms ? cfg->connect_ms : CONNECT_MS,
                   .statement_ms = cfg->statement_ms ? cfg->statement_ms : STATEMENT_MS,
                   .max = cfg->connections ? cfg->connections : CONNECTIONS};
    (void)pthread_mutex_init(&p->lock, NULL);
    vs_cond_init(&p->freed);
    VS_TRY(read_settings(p, cfg, err));
    const char *host = setting(p, "host"), *port = setting(p, "port"), *db = setting(p, "dbname");
    (void)snprintf(p->where, sizeof p->where, "PostgreSQL at %.150s:%.8s, database %.100s",
                   host ? host : "localhost", port ? port : "5432", db ? db : "(the user's)");
    p->password = setting(p, "password");
    return VS_OK;
}

void pg_pool_free(pg_pool *p)
{
    while (p->idle) {
        pg_conn *next = p->idle->next;
        pg_disconnect(p->idle);
        p->idle = next;
    }
    for (PQconninfoOption *o = p->info; o && o->keyword; o++)
        if (o->val)
            vs_wipe(o->val, strlen(o->val));
    PQconninfoFree(p->info);
    (void)pthread_cond_destroy(&p->freed);
    (void)pthread_mutex_destroy(&p->lock);
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* libpq's text on one line; nothing of it when a password is inside. */
static const char *plain(const pg_conn *c, const char *text, char out[400])
{
    (void)snprintf(out, 400, "%s", text ? text : "");
    const char *secret = c->pool->password;
    if (text && secret && *secret && strstr(text, secret))
        (void)snprintf(out, 400, "(a message that holds the password)");
    size_t n = strlen(out);
    while (n && (out[n - 1] == '\n' || out[n - 1] == ' '))
        out[--n] = 0;
    for (size_t i = 0; i < n; i++)
        if (out[i] == '\n' || out[i] == '\t')
            out[i] = ' ';
    return out;
}

static vs_code lost(pg_conn *c, const char *doing, vs_error *err)
{
    char text[400];
    c->dead = true;
    return vs_fail(err, VS_E_IO, "%s: %s: connection lost: %s", c->pool->where, doing,
                   plain(c, PQerrorMessage(c->c), text));
}

static vs_code code_of(const char *state)
{
    static const struct {
        const char *prefix;
        vs_code code;
    } codes[] = {
        {"42P01", VS_E_NOT_FOUND}, {"40", VS_E_CONFLICT}, {"57014", VS_E_TIMEOUT},
        {"55P03", VS_E_TIMEOUT},   {"54", VS_E_LIMIT},    {"42501", VS_E_DENIED},
        {"42", VS_E_INTERNAL},
    };
    for (size_t i = 0; i < VS_COUNT(codes); i++)
        if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) == 0)
            return codes[i].code;
    return VS_E_IO;
}

/* Only the primary message: the detail may quote a row, and a row is a secret. */
static vs_code refused(pg_conn *c, const PGresult *r, const char *doing, vs_error *err)
{
    char text[400];
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0)
        c->dead = true; /* the server is going */
    if (!state)
        return lost(c, doing, err);
    vs_code code = code_of(state);
    if (code == VS_E_NOT_FOUND && primary && strstr(primary, "vouchsafe_"))
        code = VS_E_IO; /* one of our own tables was dropped: that is not an empty namespace */
    return vs_fail(err, code, "%s: %s: %s (SQLSTATE %s)", c->pool->where, doing,
                   plain(c, primary, text), state);
}

/* ---- statements ------------------------------------------------------------------------------ */

static vs_code wait_for(pg_conn *c, short events, int64_t deadline, const char *doing,
                        vs_error *err)
{
    for (;;) {
        int64_t left = (deadline - vs_mono_ns()) / 1000000;
        struct pollfd p = {.fd = PQsocket(c->c), .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        c->dead = true;
        return vs_fail(err, VS_E_TIMEOUT, "%s: %s: no answer within %d ms", c->pool->where, doing,
                       c->pool->statement_ms + GRACE_MS);
    }
    return VS_OK;
}

/* The next result of what was sent; NULL behind the last. */
static vs_code next_result(pg_conn *c, int64_t deadline, const char *doing, PGresult **out,
                           vs_error *err)
{
    *out = NULL;
    for (;;) {
        int unsent = PQflush(c->c);
        if (unsent < 0)
            return lost(c, doing, err);
        if (!unsent && !PQisBusy(c->c))
            break;
        VS_TRY(wait_for(c, unsent ? POLLIN | POLLOUT : POLLIN, deadline, doing, err));
        if (!PQconsumeInput(c->c))
            return lost(c, doing, err);
    }
    *out = PQgetResult(c->c);
    return VS_OK;
}

/* Server and client both end a statement that takes too long; the server first, so that its
 * precise error arrives and the connection stays. */
static vs_code collect(pg_conn *c, const char *doing, PGresult **out, vs_error *err)
{
    int64_t deadline = vs_mono_ns() + (c->pool->statement_ms + GRACE_MS) * INT64_C(1000000);
    vs_code code = VS_OK;
    *out = NULL;
    for (;;) {
        PGresult *r;
        vs_code got = next_result(c, deadline, doing, &r, code == VS_OK ? err : NULL);
        if (got != VS_OK) {
            pg_clear(out);
            return code == VS_OK ? got : code;
        }
        if (!r)
            break;
        ExecStatusType status = PQresultStatus(r);
        if (code == VS_OK && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            code = refused(c, r, doing, err);
        pg_clear(out);
        *out = r;
    }
    if (code == VS_OK && !*out)
        code = lost(c, doing, err);
    if (code != VS_OK)
        pg_clear(out);
    return code;
}

pg_param pg_text(vs_span s)
{
    return (pg_param){.bytes = {s.p ? s.p : (const uint8_t *)"", s.n}};
}

pg_param pg_int(int64_t i)
{
    pg_param p = {.is_number = true};
    for (unsigned at = 0; at < 8; at++)
        p.number[at] = (uint8_t)((uint64_t)i >> (56 - 8 * at));
    return p;
}

/* The place of a namespace in the connection's book; PG_NAMESPACES when that is full. */
static unsigned place_of(pg_conn *c, const char *ns)
{
    unsigned i = 0;
    while (i < c->n_ns && strcmp(c->ns[i], ns) != 0)
        i++;
    if (i == c->n_ns && i < PG_NAMESPACES) {
        (void)snprintf(c->ns[i], sizeof c->ns[i], "%s", ns);
        c->prepared[c->n_ns++] = 0;
    }
    return i;
}

static vs_code prepare(pg_conn *c, const pg_statement *st, char name[96], vs_error *err)
{
    unsigned at = st->ns ? place_of(c, st->ns) : PG_NAMESPACES;
    name[0] = 0;
    if (at == PG_NAMESPACES)
        return VS_OK;
    (void)snprintf(name, 96, "%u:%s", st->kind, st->ns);
    if (c->prepared[at] & UINT32_C(1) << st->kind)
        return VS_OK;
    if (!PQsendPrepare(c->c, name, st->sql, 0, NULL))
        return lost(c, st->doing, err);
    PGresult *r = NULL;
    vs_code code = collect(c, st->doing, &r, err);
    pg_clear(&r);
    if (code == VS_OK)
        c->prepared[at] |= UINT32_C(1) << st->kind;
    return code;
}

vs_code pg_run(pg_conn *c, const pg_statement *st, PGresult **out, vs_error *err)
{
    *out = NULL;
    char name[96];
    VS_TRY(prepare(c, st, name, err));
    const char *values[PG_PARAMS];
    int lengths[PG_PARAMS], formats[PG_PARAMS];
    for (unsigned i = 0; i < st->n; i++) {
        const pg_param *p = &st->params[i];
        values[i] = (const char *)(p->is_number ? p->number : p->bytes.p);
        lengths[i] = p->is_number ? 8 : (int)p->bytes.n;
        formats[i] = 1;
    }
    int sent =
        name[0] ? PQsendQueryPrepared(c->c, name, (int)st->n, values, lengths, formats, 1)
                : PQsendQueryParams(c->c, st->sql, (int)st->n, NULL, values, lengths, formats, 1);
    if (!sent)
        return lost(c, st->doing, err);
    return collect(c, st->doing, out, err);
}

vs_code pg_do(pg_conn *c, const char *sql, const char *doing, vs_error *err)
{
    PGresult *r = NULL;
    vs_code code = PQsendQuery(c->c, sql) ? collect(c, doing, &r, err) : lost(c, doing, err);
    pg_clear(&r);
    return code;
}

void pg_roll_back(pg_conn *c)
{
    if (!c->dead && pg_do(c, "ROLLBACK", "rolling back", NULL) != VS_OK)
        c->dead = true;
}

void pg_clear(PGresult **r)
{
    if (!*r)
        return;
    for (int row = 0; row < PQntuples(*r); row++)
        for (int column = 0; column < PQnfields(*r); column++)
            vs_wipe(PQgetvalue(*r, row, column), (size_t)PQgetlength(*r, row, column));
    PQclear(*r);
    *r = NULL;
}

vs_span pg_cell(const PGresult *r, int row, int column)
{
    return vs_span_of(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

int64_t pg_number(const PGresult *r, int row, int column)
{
    uint64_t v = 0;
    vs_span s = pg_cell(r, row, column);
    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | s.p[i];
    return (int64_t)v;
}

/* ---- connections ----------------------------------------------------------------------------- */

void pg_disconnect(pg_conn *c)
{
    PQfinish(c->c);
    free(c);
}

static vs_code start_connecting(pg_conn *c, vs_error *err)
{
    enum { OPTIONS_MAX = 64 };
    const char *names[OPTIONS_MAX + 1], *values[OPTIONS_MAX + 1];
    size_t n = 0;
    for (const PQconninfoOption *o = c->pool->info; o->keyword && n < OPTIONS_MAX - 2; o++)
        if (o->val && strcmp(o->keyword, "application_name") != 0 &&
            strcmp(o->keyword, "client_encoding") != 0) {
            names[n] = o->keyword;
            values[n++] = o->val;
        }
    names[n] = "application_name";
    values[n++] = "vouchsafe";
    names[n] = "client_encoding";
    values[n++] = "UTF8";
    names[n] = values[n] = NULL;
    c->c = PQconnectStartParams(names, values, 0);
    return c->c ? VS_OK : vs_fail(err, VS_E_NOMEM, "out of memory");
}

static vs_code finish_connecting(const pg_conn *c, vs_error *err)
{
    int64_t deadline = vs_mono_ns() + c->pool->connect_ms * INT64_C(1000000);
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    char text[400];
    while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
        if (PQstatus(c->c) == CONNECTION_BAD) {
            want = PGRES_POLLING_FAILED;
            break;
        }
        int64_t left = (deadline - vs_mono_ns()) / 1000000;
        struct pollfd p = {.fd = PQsocket(c->c),
                           .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return vs_fail(err, VS_E_TIMEOUT, "%s: cannot connect within %d ms", c->pool->where,
                           c->pool->connect_ms);
        want = PQconnectPoll(c->c);
    }
    if (want != PGRES_POLLING_OK)
        return vs_fail(err, VS_E_IO, "%s: cannot connect: %s", c->pool->where,
                       plain(c, PQerrorMessage(c->c), text));
    return VS_OK;
}

/* What the operations rely on, whatever the server's defaults are: what is acknowledged is on the
 * disk, each statement sees what was committed before it, nothing waits for ever. */
static vs_code settle(pg_conn *c, vs_error *err)
{
    if (PQsetnonblocking(c->c, 1) != 0)
        return lost(c, "setting up", err);
    char sql[400];
    (void)snprintf(sql, sizeof sql,
                   "SET statement_timeout = %d; SET lock_timeout = %d; "
                   "SET idle_in_transaction_session_timeout = %d; "
                   "SET default_transaction_isolation = 'read committed'; "
                   "SELECT set_config('synchronous_commit', 'on', false) "
                   "WHERE current_setting('synchronous_commit') = 'off'",
                   c->pool->statement_ms, c->pool->statement_ms, 2 * c->pool->statement_ms);
    return pg_do(c, sql, "setting up", err);
}

static void ignore_notice(void *user, const PGresult *r)
{
    (void)user, (void)r; /* "table exists already" and the like, which libpq would print */
}

vs_code pg_connect(const pg_pool *p, pg_conn **out, vs_error *err)
{
    *out = NULL;
    pg_conn *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    c->pool = p;
    vs_code code = start_connecting(c, err);
    if (code == VS_OK)
        code = finish_connecting(c, err);
    if (code == VS_OK) {
        (void)PQsetNoticeReceiver(c->c, ignore_notice, NULL);
        code = settle(c, err);
    }
    if (code != VS_OK) {
        pg_disconnect(c);
        return code;
    }
    *out = c;
    return VS_OK;
}

/* ---- the pool -------------------------------------------------------------------------------- */

/* Nothing comes unasked on a connection that is well, so what can be read is its end. */
static bool still_there(const pg_conn *c)
{
    struct pollfd p = {.fd = PQsocket(c->c), .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

static void forget(pg_pool *p, pg_conn *c)
{
    if (c)
        pg_disconnect(c);
    (void)pthread_mutex_lock(&p->lock);
    p->n_open--;
    (void)pthread_cond_signal(&p->freed);
    (void)pthread_mutex_unlock(&p->lock);
}

/* An idle one, or NULL and the right to open one. */
static vs_code take(pg_pool *p, pg_conn **out, vs_error *err)
{
    int64_t until = vs_mono_ns() + (int64_t)(p->statement_ms / 1000 + 1) * 1000000000;
    bool late = false;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->idle && p->n_open >= p->max && !late)
        late = !vs_cond_wait(&p->freed, &p->lock, until);
    bool may = p->idle || p->n_open < p->max;
    *out = p->idle;
    if (p->idle)
        p->idle = p->idle->next;
    else if (may)
        p->n_open++;
    (void)pthread_mutex_unlock(&p->lock);
    return may ? VS_OK
               : vs_fail(err, VS_E_TIMEOUT, "%s: all %u connections are busy", p->where, p->max);
}

vs_code pg_borrow(pg_pool *p, pg_conn **out, vs_error *err)
{
    for (;;) {
        VS_TRY(take(p, out, err));
        if (!*out)
            break;
        if (still_there(*out))
            return VS_OK;
        forget(p, *out);
    }
    vs_code code = pg_connect(p, out, err);
    if (code == VS_OK)
        code = pg_check_schema(*out, err);
    if (code != VS_OK) {
        forget(p, *out);
        *out = NULL;
    }
    return code;
}

void pg_give_back(pg_pool *p, pg_conn *c)
{
    if (c->dead || PQstatus(c->c) != CONNECTION_OK || PQtransactionStatus(c->c) != PQTRANS_IDLE) {
        forget(p, c);
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    c->next = p->idle;
    p->idle = c;
    (void)pthread_cond_signal(&p->freed);
    (void)pthread_mutex_unlock(&p->lock);
}
