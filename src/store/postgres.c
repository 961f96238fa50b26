/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL, side by side with Trustee: its tables, our expiry beside them (pg_schema.c).
 *
 * Whoever writes touches the expiry first and the value second, so that writers of one key wait for
 * each other in one order. A row of vouchsafe_expiry counts only for the value whose digest it
 * holds; so at any moment, and whatever Trustee does, a value has its own expiry or none.
 */
#include "store/pg.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/backend.h"

enum { TRIES = 6, LIST_ROWS = 500 };

typedef struct postgres {
    vs_store base;
    pg_pool pool;
} postgres;

/* ---- statements ------------------------------------------------------------------------------ */

typedef enum kind {
    GET,
    PUT,
    PUT_EXPIRING,
    CREATE,
    CREATE_EXPIRING,
    SWAP,
    EVICT,
    REMOVE,
    PURGE
} kind;

/* $1 namespace, $2 key; @ is the namespace as a table name, of the grammar that store.c checks. */
static const char *const sql_of[] = {
    [GET] = "SELECT t.value, e.expires FROM \"@\" t LEFT JOIN vouchsafe_expiry e "
            "ON e.ns = $1::text AND e.key = t.key AND e.digest = sha256(t.value) "
            "WHERE t.key = $2::text",
    /* Counting the rows of e makes it go first. */
    [PUT] = "WITH e AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key = $2::text "
            "RETURNING 1) "
            "INSERT INTO \"@\" (key, value) "
            "SELECT $2::text, $3::bytea FROM (SELECT count(*) FROM e) first "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [PUT_EXPIRING] =
        "WITH e AS (INSERT INTO vouchsafe_expiry (ns, key, expires, digest) "
        "VALUES ($1::text, $2::text, $4::bigint, sha256($3::bytea)) ON CONFLICT (ns, key) "
        "DO UPDATE SET expires = excluded.expires, digest = excluded.digest RETURNING 1) "
        "INSERT INTO \"@\" (key, value) "
        "SELECT $2::text, $3::bytea FROM (SELECT count(*) FROM e) first "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [CREATE] = "WITH t AS (INSERT INTO \"@\" (key, value) VALUES ($2::text, $3::bytea) "
               "ON CONFLICT (key) DO NOTHING RETURNING key), "
               "e AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key IN "
               "(SELECT key FROM t)) SELECT count(*) FROM t",
    [CREATE_EXPIRING] =
        "WITH t AS (INSERT INTO \"@\" (key, value) VALUES ($2::text, $3::bytea) "
        "ON CONFLICT (key) DO NOTHING RETURNING key), "
        "e AS (INSERT INTO vouchsafe_expiry (ns, key, expires, digest) "
        "SELECT $1::text, key, $4::bigint, sha256($3::bytea) FROM t ON CONFLICT (ns, key) "
        "DO UPDATE SET expires = excluded.expires, digest = excluded.digest) "
        "SELECT count(*) FROM t",
    /* Who waits for another writer's end looks at the value again when it is his turn. */
    [SWAP] = "WITH e AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key = $2::text "
             "RETURNING 1) "
             "UPDATE \"@\" SET value = $3::bytea WHERE key = $2::text AND value = $4::bytea "
             "AND (SELECT count(*) FROM e) >= 0",
    [EVICT] = "WITH gone AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key = $2::text "
              "AND expires < $3::bigint RETURNING key, digest) "
              "DELETE FROM \"@\" t USING gone "
              "WHERE t.key = gone.key AND sha256(t.value) = gone.digest",
    [REMOVE] = "WITH e AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key = $2::text "
               "RETURNING 1) "
               "DELETE FROM \"@\" WHERE key = $2::text AND (SELECT count(*) FROM e) >= 0",
    /* Those that somebody is writing are left for the next time. */
    [PURGE] = "WITH gone AS (DELETE FROM vouchsafe_expiry WHERE ns = $1::text AND key IN "
              "(SELECT key FROM vouchsafe_expiry WHERE ns = $1::text AND expires < $2::bigint "
              "ORDER BY expires LIMIT $3::bigint FOR UPDATE SKIP LOCKED) RETURNING key, digest), "
              "t AS (DELETE FROM \"@\" t USING gone "
              "WHERE t.key = gone.key AND sha256(t.value) = gone.digest) "
              "SELECT count(*) FROM gone",
};

static const char *const doing_of[] = {
    [GET] = "reading",    [PUT] = "writing",   [PUT_EXPIRING] = "writing",
    [CREATE] = "writing", [EVICT] = "writing", [CREATE_EXPIRING] = "writing",
    [SWAP] = "writing",   [PURGE] = "purging", [REMOVE] = "removing",
};

/* Runs one of the above; `st` needs its parameters only. */
static vs_code run(pg_conn *c, kind k, const char *ns, pg_statement *st, PGresult **r,
                   vs_error *err)
{
    char sql[800];
    const char *at = strchr(sql_of[k], '@');
    (void)snprintf(sql, sizeof sql, "%.*s%s%s", (int)(at - sql_of[k]), sql_of[k], ns, at + 1);
    st->sql = sql;
    st->doing = doing_of[k];
    st->ns = ns;
    st->kind = k;
    return pg_run(c, st, r, err);
}

/* ---- around every operation ------------------------------------------------------------------ */

typedef struct job {
    vs_code (*run)(pg_conn *c, struct job *j, vs_error *err);
    bool reads; /* may be done again when the connection was lost in the middle */
    const char *ns;
    vs_span key;
    int64_t now;
    unsigned max;
    vs_buf *out;
    const vs_store_item *items;
    size_t n;
    vs_code (*each)(void *user, vs_span key);
    void *user;
} job;

/* Deadlocks and serialisation failures leave nothing behind: such a transaction is tried again. */
static vs_code work(vs_store *base, job *j, vs_error *err)
{
    pg_pool *pool = &((postgres *)base)->pool;
    for (unsigned try = 1;; try++) {
        pg_conn *c = NULL;
        VS_TRY(pg_borrow(pool, &c, err));
        vs_code code = j->run(c, j, err);
        bool again = code == VS_E_CONFLICT || (code == VS_E_IO && j->reads && c->dead && try == 1);
        pg_give_back(pool, c);
        if (!again || try == TRIES)
            return code;
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code get(pg_conn *c, job *j, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = 2, .params = {pg_text(vs_str(j->ns)), pg_text(j->key)}};
    vs_code code = run(c, GET, j->ns, &st, &r, err);
    if (code == VS_OK &&
        (PQntuples(r) == 0 || PQgetisnull(r, 0, 0) || store_expired(pg_number(r, 0, 1), j->now)))
        code = VS_E_NOT_FOUND;
    if (code == VS_E_NOT_FOUND) /* no such table: no such value */
        return store_not_found(j->ns, j->key, err);
    VS_TRY(code);
    return store_give(j->out, pg_cell(r, 0, 0), err);
}

static vs_code postgres_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                            vs_error *err)
{
    job j = {.run = get, .reads = true, .ns = ns, .key = key, .now = now, .out = out};
    return work(base, &j, err);
}

static vs_code give_keys(const PGresult *r, const job *j, vs_error *err)
{
    for (int row = 0; row < PQntuples(r); row++) {
        vs_span key = pg_cell(r, row, 0);
        if (!vs_store_key_ok(key))
            continue; /* another program's: nobody can ask for it */
        vs_code code = j->each(j->user, key);
        if (code != VS_OK)
            return vs_fail(err, code, "listing %s was stopped", j->ns);
    }
    return VS_OK;
}

/* Through a cursor: neither side ever holds the whole list. */
static vs_code list_all(pg_conn *c, job *j, vs_error *err)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "DECLARE keys NO SCROLL CURSOR FOR SELECT key FROM \"%s\" "
                   "ORDER BY key COLLATE \"C\"",
                   j->ns);
    vs_code code = pg_do(c, sql, "listing", err);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    (void)snprintf(sql, sizeof sql, "FETCH FORWARD %d FROM keys", LIST_ROWS);
    for (int rows = 1; code == VS_OK && rows > 0;) {
        VS_CLEANUP(pg_clear) PGresult *r = NULL;
        pg_statement st = {.sql = sql, .doing = "listing"};
        code = pg_run(c, &st, &r, err);
        rows = code == VS_OK ? PQntuples(r) : 0;
        if (code == VS_OK)
            code = give_keys(r, j, err);
    }
    return code;
}

static vs_code list(pg_conn *c, job *j, vs_error *err)
{
    VS_TRY(pg_do(c, "BEGIN READ ONLY", "listing", err));
    vs_code code = list_all(c, j, err);
    pg_roll_back(c);
    return code;
}

static vs_code postgres_list(vs_store *base, const char *ns,
                             vs_code (*each)(void *user, vs_span key), void *user, vs_error *err)
{
    postgres *s = (postgres *)base;
    pg_conn *c = NULL;
    VS_TRY(pg_borrow(&s->pool, &c, err));
    job j = {.ns = ns, .each = each, .user = user};
    vs_code code = list(c, &j, err); /* once: `each` has seen what it has seen */
    pg_give_back(&s->pool, c);
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

static vs_code put_value(pg_conn *c, const vs_store_item *it, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = it->expires ? 4 : 3,
                       .params = {pg_text(vs_str(it->ns)), pg_text(it->key), pg_text(it->value),
                                  pg_int(it->expires)}};
    return run(c, it->expires ? PUT_EXPIRING : PUT, it->ns, &st, &r, err);
}

static vs_code create_value(pg_conn *c, const vs_store_item *it, bool *created, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = it->expires ? 4 : 3,
                       .params = {pg_text(vs_str(it->ns)), pg_text(it->key), pg_text(it->value),
                                  pg_int(it->expires)}};
    VS_TRY(run(c, it->expires ? CREATE_EXPIRING : CREATE, it->ns, &st, &r, err));
    *created = PQntuples(r) == 1 && pg_number(r, 0, 0) == 1;
    return VS_OK;
}

static vs_code evict(pg_conn *c, const vs_store_item *it, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = 3,
                       .params = {pg_text(vs_str(it->ns)), pg_text(it->key), pg_int(vs_now_s())}};
    return run(c, EVICT, it->ns, &st, &r, err);
}

static vs_code swap_value(pg_conn *c, const vs_store_item *it, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = 4,
                       .params = {pg_text(vs_str(it->ns)), pg_text(it->key), pg_text(it->value),
                                  pg_text(it->old)}};
    VS_TRY(run(c, SWAP, it->ns, &st, &r, err));
    return strcmp(PQcmdTuples(r), "1") == 0 ? VS_OK : store_taken(it, err);
}

/* Of replicas that create the same key, the index lets one through; the others wait for its end. */
static vs_code put_one(pg_conn *c, const vs_store_item *it, vs_error *err)
{
    if (it->mode == VS_PUT_REPLACE)
        return put_value(c, it, err);
    if (it->mode == VS_PUT_SWAP)
        return swap_value(c, it, err);
    bool created = false;
    VS_TRY(create_value(c, it, &created, err));
    if (!created) { /* what is there may have expired */
        VS_TRY(evict(c, it, err));
        VS_TRY(create_value(c, it, &created, err));
    }
    return created ? VS_OK : store_taken(it, err);
}

static vs_code put_items(pg_conn *c, const job *j, const char **at, vs_error *err)
{
    *at = j->items[0].ns;
    if (j->n == 1 && j->items[0].mode == VS_PUT_REPLACE)
        return put_one(c, &j->items[0], err); /* one statement commits by itself */
    VS_TRY(pg_do(c, "BEGIN", "beginning", err));
    vs_code code = VS_OK;
    for (size_t i = 0; i < j->n && code == VS_OK; i++) {
        *at = j->items[i].ns;
        code = put_one(c, &j->items[i], err);
    }
    if (code == VS_OK)
        code = pg_do(c, "COMMIT", "committing", err);
    if (code != VS_OK)
        pg_roll_back(c);
    return code;
}

static vs_code put_all(pg_conn *c, job *j, vs_error *err)
{
    const char *ns;
    vs_code code = put_items(c, j, &ns, err);
    for (size_t i = 0; i < j->n && code == VS_E_NOT_FOUND; i++) { /* a table is missing */
        VS_TRY_WRAP(pg_make_table(c, ns, err), err, "table of namespace %s", ns);
        code = put_items(c, j, &ns, err);
    }
    return code == VS_E_NOT_FOUND ? vs_fail(err, VS_E_IO, "the table of %s goes away", ns) : code;
}

/* Names that PostgreSQL would cut, or that are those of our own tables. */
static vs_code check_name(const char *ns, vs_error *err)
{
    if (strlen(ns) > 63 || strncmp(ns, "vouchsafe_", 10) == 0)
        return vs_fail(err, VS_E_INVALID,
                       "storage namespace \"%s\" cannot be a PostgreSQL table's name here", ns);
    return VS_OK;
}

static vs_code postgres_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    for (size_t i = 0; i < n; i++)
        VS_TRY(check_name(items[i].ns, err));
    job j = {.run = put_all, .items = items, .n = n};
    return work(base, &j, err);
}

static vs_code take_out(pg_conn *c, job *j, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = 2, .params = {pg_text(vs_str(j->ns)), pg_text(j->key)}};
    vs_code code = run(c, REMOVE, j->ns, &st, &r, err);
    if (code == VS_E_NOT_FOUND || (code == VS_OK && strcmp(PQcmdTuples(r), "0") == 0))
        return store_not_found(j->ns, j->key, err);
    return code;
}

static vs_code postgres_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    job j = {.run = take_out, .ns = ns, .key = key};
    return work(base, &j, err);
}

/* ---- purging --------------------------------------------------------------------------------- */

static vs_code purge_namespace(pg_conn *c, const char *ns, int64_t now, unsigned *left,
                               vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.n = 3, .params = {pg_text(vs_str(ns)), pg_int(now), pg_int(*left)}};
    VS_TRY(run(c, PURGE, ns, &st, &r, err));
    int64_t gone = PQntuples(r) == 1 ? pg_number(r, 0, 0) : 0;
    *left -= gone > *left ? *left : (unsigned)gone;
    return VS_OK;
}

static vs_code purge(pg_conn *c, job *j, vs_error *err)
{
    VS_CLEANUP(pg_clear) PGresult *r = NULL;
    pg_statement st = {.sql = "SELECT DISTINCT ns FROM (SELECT ns FROM vouchsafe_expiry "
                              "WHERE expires < $1::bigint ORDER BY expires LIMIT $2::bigint) due",
                       .doing = "purging",
                       .n = 2,
                       .params = {pg_int(j->now), pg_int(j->max)}};
    VS_TRY(pg_run(c, &st, &r, err));
    unsigned left = j->max;
    for (int row = 0; row < PQntuples(r) && left > 0; row++) {
        char ns[VS_STORE_NS_MAX + 1];
        vs_span name = pg_cell(r, row, 0);
        (void)snprintf(ns, sizeof ns, "%.*s", VS_FMT(name));
        if (strspn(ns, "abcdefghijklmnopqrstuvwxyz_") != name.n)
            continue; /* not one that we can have written */
        vs_code code = purge_namespace(c, ns, j->now, &left, err);
        if (code != VS_OK && code != VS_E_NOT_FOUND)
            return code;
    }
    j->max = left;
    return VS_OK;
}

static vs_code postgres_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    job j = {.run = purge, .now = now, .max = *left};
    vs_code code = work(base, &j, err);
    *left = j.max;
    return code;
}

/* ---- health, opening, closing ---------------------------------------------------------------- */

/* A real commit, so that a standby, a full disk and a lost privilege show. */
static vs_code ping(pg_conn *c, job *j, vs_error *err)
{
    (void)j;
    return pg_do(c, "UPDATE vouchsafe_schema SET version = version", "probing", err);
}

static vs_code postgres_ping(vs_store *base, vs_error *err)
{
    job j = {.run = ping, .reads = true};
    return work(base, &j, err);
}

static void postgres_close(vs_store *base)
{
    postgres *s = (postgres *)base;
    pg_pool_free(&s->pool);
    free(s);
}

static const store_ops ops = {postgres_get,   postgres_put,  postgres_remove, postgres_list,
                              postgres_purge, postgres_ping, postgres_close};

/* The first connection brings the schema up to date and is the pool's first. */
static vs_code open_pool(pg_pool *pool, vs_error *err)
{
    pg_conn *c = NULL;
    VS_TRY(pg_connect(pool, &c, err));
    vs_code code = pg_migrate(c, err);
    pool->n_open = 1;
    pg_give_back(pool, c);
    return code;
}

vs_code store_open_postgres_as(const vs_store_postgres *cfg, const store_migration *list, size_t n,
                               vs_store **out, vs_error *err)
{
    *out = NULL;
    postgres *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    vs_code code = pg_pool_init(&s->pool, cfg, err);
    s->pool.migrations = list;
    s->pool.n_migrations = n;
    if (code == VS_OK)
        code = open_pool(&s->pool, err);
    if (code != VS_OK) {
        postgres_close(&s->base);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}

vs_code vs_store_open_postgres(const vs_store_postgres *cfg, vs_store **out, vs_error *err)
{
    return store_open_postgres_as(cfg, pg_migrations, pg_n_migrations, out, err);
}
