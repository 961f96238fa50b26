/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we keep in a PostgreSQL database. The values are in Trustee's tables: one per namespace,
 * named as it, with `key` and `value` and nothing else. Ours stand beside them:
 *
 *   vouchsafe_schema  one row: the version of the rest
 *   vouchsafe_expiry  when a value expires. A row speaks of the value whose SHA-256 it holds, so a
 *                     value that Trustee has put in its place since does not inherit the expiry.
 */
#include "store/pg.h"

#include <stdio.h>

enum { LOCK_ID = 0x7673746f }; /* "vsto": an advisory lock for changes of the schema */

const store_migration pg_migrations[] = {
    {.sql = "CREATE TABLE vouchsafe_schema (version bigint NOT NULL);"
            "INSERT INTO vouchsafe_schema VALUES (0);"
            "CREATE TABLE vouchsafe_expiry (ns text COLLATE \"C\" NOT NULL, "
            "key text COLLATE \"C\" NOT NULL, expires bigint NOT NULL, digest bytea NOT NULL, "
            "PRIMARY KEY (ns, key));"
            "CREATE INDEX vouchsafe_expiry_expires ON vouchsafe_expiry (expires);"},
};
const size_t pg_n_migrations = VS_COUNT(pg_migrations);

static vs_code read_version(pg_conn *c, int64_t *version, vs_error *err)
{
    *version = 0;
    PGresult *r = NULL;
    pg_statement st = {.sql = "SELECT version FROM vouchsafe_schema",
                       .doing = "reading the schema version"};
    vs_code code = pg_run(c, &st, &r, err);
    if (code == VS_OK && PQntuples(r) != 1)
        code = vs_fail(err, VS_E_INVALID, "%s: vouchsafe_schema must hold one row, not %d",
                       c->pool->where, PQntuples(r));
    if (code == VS_OK)
        *version = pg_number(r, 0, 0);
    pg_clear(&r);
    if (code == VS_OK && (*version < 1 || (uint64_t)*version > c->pool->n_migrations))
        code = *version < 1
                   ? vs_fail(err, VS_E_INVALID, "%s has the impossible schema version %lld",
                             c->pool->where, (long long)*version)
                   : vs_fail(err, VS_E_UNSUPPORTED, STORE_NEWER, c->pool->where,
                             (long long)*version, c->pool->n_migrations);
    return code;
}

static vs_code is_there(pg_conn *c, bool *out, vs_error *err)
{
    PGresult *r = NULL;
    pg_statement st = {.sql = "SELECT 1 WHERE to_regclass('vouchsafe_schema') IS NOT NULL",
                       .doing = "looking for the schema"};
    vs_code code = pg_run(c, &st, &r, err);
    *out = code == VS_OK && PQntuples(r) == 1;
    pg_clear(&r);
    return code;
}

static vs_code lock_schema(pg_conn *c, vs_error *err)
{
    PGresult *r = NULL;
    pg_statement st = {.sql = "SELECT pg_advisory_xact_lock($1::bigint)",
                       .doing = "locking the schema",
                       .n = 1,
                       .params = {pg_int(LOCK_ID)}};
    vs_code code = pg_run(c, &st, &r, err);
    pg_clear(&r);
    return code;
}

/* One step. What it changes is kept under a name that says which version wrote it. */
static vs_code step(pg_conn *c, size_t from, vs_error *err)
{
    const store_migration *m = &c->pool->migrations[from];
    char sql[256];
    if (m->changes) {
        (void)snprintf(sql, sizeof sql, "CREATE TABLE vouchsafe_v%zu_%.40s AS TABLE \"%.60s\"",
                       from, m->changes, m->changes);
        VS_TRY(pg_do(c, sql, "keeping a table before its migration", err));
    }
    VS_TRY(pg_do(c, m->sql, "migrating the schema", err));
    (void)snprintf(sql, sizeof sql, "UPDATE vouchsafe_schema SET version = %zu", from + 1);
    return pg_do(c, sql, "migrating the schema", err);
}

static vs_code migrate_locked(pg_conn *c, vs_error *err)
{
    VS_TRY(lock_schema(c, err));
    int64_t version = 0;
    bool there = false;
    VS_TRY(is_there(c, &there, err));
    if (there)
        VS_TRY(read_version(c, &version, err));
    for (size_t v = (size_t)version; v < c->pool->n_migrations; v++)
        VS_TRY_WRAP(step(c, v, err), err, "migration from version %zu to %zu", v, v + 1);
    return VS_OK;
}

static vs_code in_transaction(pg_conn *c, vs_code (*what)(pg_conn *c, vs_error *err), vs_error *err)
{
    VS_TRY(pg_do(c, "BEGIN", "beginning", err));
    vs_code code = what(c, err);
    if (code == VS_OK)
        code = pg_do(c, "COMMIT", "committing", err);
    if (code != VS_OK)
        pg_roll_back(c);
    return code;
}

vs_code pg_migrate(pg_conn *c, vs_error *err)
{
    return in_transaction(c, migrate_locked, err);
}

vs_code pg_check_schema(pg_conn *c, vs_error *err)
{
    int64_t version = 0;
    VS_TRY(read_version(c, &version, err));
    if ((uint64_t)version != c->pool->n_migrations)
        return vs_fail(err, VS_E_INVALID, "%s went back to schema version %lld while in use",
                       c->pool->where, (long long)version);
    return VS_OK;
}

/* Keys sort bytewise, so that a listing walks the index. Replicas may do this at the same time. */
vs_code pg_make_table(pg_conn *c, const char *ns, vs_error *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE IF NOT EXISTS \"%s\" "
                   "(key text COLLATE \"C\" PRIMARY KEY, value bytea NOT NULL)",
                   ns);
    VS_TRY(pg_do(c, "BEGIN", "beginning", err));
    vs_code code = lock_schema(c, err);
    if (code == VS_OK)
        code = pg_do(c, sql, "creating a table", err);
    if (code == VS_OK)
        code = pg_do(c, "COMMIT", "committing", err);
    if (code != VS_OK)
        pg_roll_back(c);
    return code;
}
