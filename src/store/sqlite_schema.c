/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_schema.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

enum { APPLICATION_ID = 0x7673746f }; /* "vsto", so that a foreign database is never written to */

/* Keys are TEXT with the default BINARY collation: memcmp order. The index on expiry holds only
 * what can expire, so that a purge costs what it removes. */
const store_migration sqlite_migrations[] = {
    {.sql = "CREATE TABLE kv (id INTEGER PRIMARY KEY, ns TEXT NOT NULL, key TEXT NOT NULL, "
            "value BLOB NOT NULL, expires INTEGER NOT NULL, UNIQUE (ns, key)) STRICT;"
            "CREATE INDEX kv_expires ON kv (expires) WHERE expires > 0;"},
    /* Triggers, so that whoever writes counts. What expires comes and goes with every attestation,
     * and nobody keeps it. A number is drawn and not counted up: a database that was put back to an
     * earlier state would come to the same numbers with other contents. */
    {.sql = "CREATE TABLE changes (n INTEGER NOT NULL) STRICT;"
            "INSERT INTO changes VALUES (random() | 1);"
            "CREATE TRIGGER kv_inserted AFTER INSERT ON kv WHEN new.expires = 0 "
            "BEGIN UPDATE changes SET n = random() | 1; END;"
            "CREATE TRIGGER kv_updated AFTER UPDATE ON kv WHEN new.expires = 0 OR old.expires = 0 "
            "BEGIN UPDATE changes SET n = random() | 1; END;"
            "CREATE TRIGGER kv_deleted AFTER DELETE ON kv WHEN old.expires = 0 "
            "BEGIN UPDATE changes SET n = random() | 1; END;"},
};
const size_t sqlite_n_migrations = VS_COUNT(sqlite_migrations);

vs_code sqlite_fail(sqlite3 *db, int rc, const char *doing, vs_error *err)
{
    vs_code code = VS_E_IO;
    switch (rc & 0xff) {
    case SQLITE_NOMEM: code = VS_E_NOMEM; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = VS_E_TIMEOUT; break;
    case SQLITE_TOOBIG: code = VS_E_LIMIT; break;
    case SQLITE_MISUSE:
    case SQLITE_ERROR: code = VS_E_INTERNAL; break;
    default: break;
    }
    return vs_fail(err, code, "database: %s: %s", doing, db ? sqlite3_errmsg(db) : "out of memory");
}

vs_code sqlite_run(sqlite3 *db, const char *sql, vs_error *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? VS_OK : sqlite_fail(db, rc, sql, err);
}

void sqlite_roll_back(sqlite3 *db)
{
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static vs_code read_int(sqlite3 *db, const char *sql, int64_t *out, vs_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW ? VS_OK : sqlite_fail(db, rc, sql, err);
}

/* Judges a file before anything is written to it. Version 0 = an empty database. */
static vs_code read_version(sqlite3 *db, size_t newest, int64_t *version, vs_error *err)
{
    int64_t id = 0, tables = 0;
    VS_TRY(read_int(db, "PRAGMA application_id", &id, err));
    VS_TRY(read_int(db, "PRAGMA user_version", version, err));
    VS_TRY(read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err));
    if (id == 0 && *version == 0 && tables == 0)
        return VS_OK;
    if (id != APPLICATION_ID)
        return vs_fail(err, VS_E_INVALID, "the file is an SQLite database of another program");
    if (*version < 1)
        return vs_fail(err, VS_E_INVALID, "the file has the impossible schema version %lld",
                       (long long)*version);
    if ((uint64_t)*version > newest)
        return vs_fail(err, VS_E_UNSUPPORTED, STORE_NEWER, "the file", (long long)*version, newest);
    return VS_OK;
}

/* All of it as of one moment: another process may be making the database. */
static vs_code judge(sqlite3 *db, size_t newest, int64_t *version, vs_error *err)
{
    VS_TRY(sqlite_run(db, "BEGIN", err));
    vs_code code = read_version(db, newest, version, err);
    sqlite_roll_back(db);
    return code;
}

/* ---- the copy before a migration ------------------------------------------------------------- */

static vs_code copy_into(sqlite3 *from, const char *path, vs_error *err)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;
    vs_code code = VS_OK;
    if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE)
        code = sqlite_fail(to, sqlite3_errcode(to), "copying", err);
    if (b && sqlite3_backup_finish(b) != SQLITE_OK && code == VS_OK)
        code = sqlite_fail(to, sqlite3_errcode(to), "copying", err);
    if (sqlite3_close(to) != SQLITE_OK && code == VS_OK)
        code = vs_fail(err, VS_E_INTERNAL, "closing the copy");
    return code;
}

/* The caller holds the write lock, so nothing changes; a second connection reads. The copy is under
 * its name only when it is whole. */
static vs_code copy_file(const char *path, int64_t version, vs_error *err)
{
    char part[PATH_MAX], whole[PATH_MAX];
    if ((size_t)snprintf(part, sizeof part, "%s.schema-%lld.part", path, (long long)version) >=
            sizeof part ||
        (size_t)snprintf(whole, sizeof whole, "%s.schema-%lld", path, (long long)version) >=
            sizeof whole)
        return vs_fail(err, VS_E_LIMIT, "path is too long: %s", path);
    (void)unlink(part); /* of an attempt that was interrupted */
    VS_TRY(vs_create_file(part, (vs_span){NULL, 0}, 0600, err));
    sqlite3 *from = NULL;
    int rc = sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    vs_code code = rc == SQLITE_OK ? copy_into(from, part, err)
                                   : sqlite_fail(from, rc, "opening for the copy", err);
    (void)sqlite3_close(from);
    if (code == VS_OK && rename(part, whole) != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "cannot rename %s", part);
    if (code != VS_OK)
        (void)unlink(part);
    else
        vs_log(VS_LOG_INFO, "store", "the database was copied before its schema changes", "copy",
               whole, NULL);
    return code;
}

/* ---- migrating ------------------------------------------------------------------------------- */

static vs_code migrate_locked(sqlite3 *db, const char *path, const store_migration *list, size_t n,
                              vs_error *err)
{
    int64_t version = 0; /* again: another process may have been faster */
    VS_TRY(read_version(db, n, &version, err));
    if (version > 0 && (size_t)version < n && path)
        VS_TRY_WRAP(copy_file(path, version, err), err, "copying the file before its migration");
    for (size_t v = (size_t)version; v < n; v++) {
        char sql[100];
        VS_TRY_WRAP(sqlite_run(db, list[v].sql, err), err, "migration from version %zu to %zu", v,
                    v + 1);
        (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
                       APPLICATION_ID, v + 1);
        VS_TRY(sqlite_run(db, sql, err));
    }
    return VS_OK;
}

static vs_code migrate(sqlite3 *db, const char *path, const store_migration *list, size_t n,
                       vs_error *err)
{
    VS_TRY(sqlite_run(db, "BEGIN IMMEDIATE", err));
    vs_code code = migrate_locked(db, path, list, n, err);
    if (code == VS_OK)
        code = sqlite_run(db, "COMMIT", err);
    if (code != VS_OK)
        sqlite_roll_back(db);
    return code;
}

vs_code sqlite_prepare(sqlite3 *db, const char *path, const store_migration *list, size_t n,
                       vs_error *err)
{
    int64_t version = 0;
    VS_TRY(judge(db, n, &version, err));
    if (path) {
        /* SQLite does not wait here when two processes switch at once. */
        vs_code code = sqlite_run(db, "PRAGMA journal_mode = WAL", err);
        for (int i = 0; code == VS_E_TIMEOUT && i < 50; i++) {
            (void)usleep(20000);
            code = sqlite_run(db, "PRAGMA journal_mode = WAL", err);
        }
        VS_TRY(code);
    }
    return (size_t)version < n ? migrate(db, path, list, n, err) : VS_OK;
}
