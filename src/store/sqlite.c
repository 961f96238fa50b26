/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQLite file: a single writing connection behind a mutex, and as many reading connections as
 * threads read at the same time (WAL readers never wait for the writer). The memory store is the
 * same on a private in-memory database, where the one connection also reads.
 */
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "store/sqlite_schema.h"

enum {
    BUSY_MS = 5000, /* another process may hold the write lock during a checkpoint */
    IDLE_READERS = 32,
};

typedef enum statement {
    GET,
    LIST,
    PUT,
    CREATE,
    SWAP,
    REMOVE,
    PURGE,
    CHANGES,
    N_STATEMENTS
} statement;

static const char *const sql_of[N_STATEMENTS] = {
    [GET] = "SELECT value, expires FROM kv WHERE ns = ?1 AND key = ?2",
    [LIST] = "SELECT key FROM kv WHERE ns = ?1 ORDER BY key",
    [PUT] =
        "INSERT INTO kv (ns, key, value, expires) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (ns, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
    [CREATE] = "INSERT INTO kv (ns, key, value, expires) VALUES (?1, ?2, ?3, ?4) "
               "ON CONFLICT (ns, key) DO UPDATE SET value = excluded.value, "
               "expires = excluded.expires WHERE kv.expires > 0 AND kv.expires < ?5",
    [SWAP] = "UPDATE kv SET value = ?3, expires = ?4 WHERE ns = ?1 AND key = ?2 AND value = ?5",
    [REMOVE] = "DELETE FROM kv WHERE ns = ?1 AND key = ?2",
    [PURGE] = "DELETE FROM kv WHERE id IN (SELECT id FROM kv WHERE expires > 0 AND expires < ?1 "
              "ORDER BY expires LIMIT ?2)",
    [CHANGES] = "SELECT n FROM changes",
};

typedef struct conn {
    sqlite3 *db;
    sqlite3_stmt *stmt[N_STATEMENTS]; /* prepared on first use */
    struct conn *next;
} conn;

typedef struct sqlite_store {
    vs_store base;
    char *path; /* NULL = in memory */
    pthread_mutex_t write_lock;
    conn *writer; /* NULL after a failure that a new connection may not have */
    pthread_mutex_t pool_lock;
    conn *idle; /* a stack: the warmest cache is taken first */
    unsigned n_idle;
} sqlite_store;

/* ---- memory that is wiped -------------------------------------------------------------------- */

/* SQLite's page cache and row buffers hold secrets, so everything it frees is wiped first. */
static void *wiping_malloc(int n)
{
    return malloc((size_t)n);
}

static void wiping_free(void *p)
{
    if (p)
        vs_wipe(p, malloc_usable_size(p));
    free(p);
}

static int usable_size(void *p)
{
    size_t n = p ? malloc_usable_size(p) : 0;
    return n > INT_MAX ? INT_MAX : (int)n;
}

static void *wiping_realloc(void *p, int n)
{
    void *q = malloc((size_t)n);
    if (!q)
        return NULL;
    size_t had = p ? malloc_usable_size(p) : 0;
    if (p)
        memcpy(q, p, had < (size_t)n ? had : (size_t)n);
    wiping_free(p);
    return q;
}

static int round_up(int n)
{
    return n > INT_MAX - 7 ? n : (n + 7) & ~7;
}

static int no_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void no_shutdown(void *unused)
{
    (void)unused;
}

static void configure_once(void)
{
    static const sqlite3_mem_methods wiping = {
        .xMalloc = wiping_malloc,
        .xFree = wiping_free,
        .xRealloc = wiping_realloc,
        .xSize = usable_size,
        .xRoundup = round_up,
        .xInit = no_init,
        .xShutdown = no_shutdown,
    };
    /* Has no effect but an error when something else in the process started SQLite before. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &wiping) != SQLITE_OK)
        vs_log(VS_LOG_WARN, "store", "SQLite was started already: its memory is not wiped", NULL);
    /* No lookaside pool: it would hand memory around without coming by the allocator above. */
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void conn_free(conn *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < N_STATEMENTS; i++)
        (void)sqlite3_finalize(c->stmt[i]);
    (void)sqlite3_close(c->db);
    free(c);
}

/* Settings of a connection, not of the file. */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -1024;"
                               "PRAGMA journal_size_limit = 8388608;";

static vs_code conn_open(const char *path, conn **out, vs_error *err)
{
    *out = NULL;
    conn *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    /* No SQLITE_OPEN_CREATE: create_file made it, with the right mode from its first moment. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path ? path : ":memory:", &c->db, flags, NULL);
    vs_code code = VS_OK;
    if (rc != SQLITE_OK)
        code = sqlite_fail(c->db, rc, "opening", err);
    else if (sqlite3_db_readonly(c->db, "main") == 1) /* SQLite is content with less than asked */
        code = vs_fail(err, VS_E_IO,
                       "the file cannot be written: it or its file system is read-only for this "
                       "user");
    else
        (void)sqlite3_busy_timeout(c->db, BUSY_MS);
    if (code == VS_OK)
        (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (code == VS_OK)
        code = sqlite_run(c->db, settings, err);
    if (code != VS_OK) {
        conn_free(c);
        return code;
    }
    *out = c;
    return VS_OK;
}

static vs_code prepared(conn *c, statement which, sqlite3_stmt **out, vs_error *err)
{
    if (!c->stmt[which]) {
        int rc = sqlite3_prepare_v3(c->db, sql_of[which], -1, SQLITE_PREPARE_PERSISTENT,
                                    &c->stmt[which], NULL);
        if (rc != SQLITE_OK)
            return sqlite_fail(c->db, rc, "preparing", err);
    }
    *out = c->stmt[which];
    return VS_OK;
}

/* Makes a statement ready for its next use and drops its pointers into the caller's data. */
static void rest(sqlite3_stmt **st)
{
    if (!*st)
        return;
    (void)sqlite3_reset(*st);
    (void)sqlite3_clear_bindings(*st);
}

static void bind_text(sqlite3_stmt *st, int at, vs_span s)
{
    (void)sqlite3_bind_text(st, at, (const char *)s.p, (int)s.n, SQLITE_STATIC);
}

/* A reading connection for this thread until give_back. */
static vs_code borrow(sqlite_store *s, conn **out, vs_error *err)
{
    if (!s->path) {
        (void)pthread_mutex_lock(&s->write_lock);
        *out = s->writer;
        return VS_OK;
    }
    (void)pthread_mutex_lock(&s->pool_lock);
    *out = s->idle;
    if (s->idle) {
        s->idle = s->idle->next;
        s->n_idle--;
    }
    (void)pthread_mutex_unlock(&s->pool_lock);
    if (*out)
        return VS_OK;
    VS_TRY(conn_open(s->path, out, err));
    vs_code code = sqlite_run((*out)->db, "PRAGMA query_only = ON", err);
    if (code != VS_OK)
        conn_free(*out);
    return code;
}

static void give_back(sqlite_store *s, conn *c, vs_code code)
{
    if (!s->path) {
        (void)pthread_mutex_unlock(&s->write_lock);
        return;
    }
    (void)pthread_mutex_lock(&s->pool_lock);
    bool keep = code != VS_E_IO && s->n_idle < IDLE_READERS;
    if (keep) {
        c->next = s->idle;
        s->idle = c;
        s->n_idle++;
    }
    (void)pthread_mutex_unlock(&s->pool_lock);
    if (!keep)
        conn_free(c);
}

/* ---- operations ------------------------------------------------------------------------------ */

static vs_code get_with(conn *c, const char *ns, vs_span key, int64_t now, vs_buf *out,
                        vs_error *err)
{
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, GET, &st, err));
    bind_text(st, 1, vs_str(ns));
    bind_text(st, 2, key);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_DONE || (rc == SQLITE_ROW && store_expired(sqlite3_column_int64(st, 1), now)))
        return store_not_found(ns, key, err);
    if (rc != SQLITE_ROW)
        return sqlite_fail(c->db, rc, "reading", err);
    const void *p = sqlite3_column_blob(st, 0);
    size_t n = (size_t)sqlite3_column_bytes(st, 0);
    if (!p && sqlite3_errcode(c->db) == SQLITE_NOMEM)
        return sqlite_fail(c->db, SQLITE_NOMEM, "reading", err);
    return store_give(out, vs_span_of(p, n), err);
}

static vs_code sqlite_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                          vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    conn *c = NULL;
    VS_TRY(borrow(s, &c, err));
    vs_code code = get_with(c, ns, key, now, out, err);
    give_back(s, c, code);
    return code;
}

static vs_code changes_with(conn *c, uint64_t *n, vs_error *err)
{
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, CHANGES, &st, err));
    int rc = sqlite3_step(st);
    if (rc == SQLITE_DONE)
        return vs_fail(err, VS_E_INVALID, "database: the count of changes is gone");
    if (rc != SQLITE_ROW)
        return sqlite_fail(c->db, rc, "reading", err);
    *n = (uint64_t)sqlite3_column_int64(st, 0);
    return VS_OK;
}

/* Of all namespaces together. */
static vs_code sqlite_changes(vs_store *base, const char *ns, uint64_t *n, vs_error *err)
{
    (void)ns;
    sqlite_store *s = (sqlite_store *)base;
    conn *c = NULL;
    VS_TRY(borrow(s, &c, err));
    vs_code code = changes_with(c, n, err);
    give_back(s, c, code);
    return code;
}

static vs_code list_with(conn *c, const char *ns, vs_code (*each)(void *user, vs_span key),
                         void *user, vs_error *err)
{
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, LIST, &st, err));
    bind_text(st, 1, vs_str(ns));
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const void *p = sqlite3_column_text(st, 0);
        vs_code code = each(user, vs_span_of(p, (size_t)sqlite3_column_bytes(st, 0)));
        if (code != VS_OK)
            return vs_fail(err, code, "listing %s was stopped", ns);
    }
    return rc == SQLITE_DONE ? VS_OK : sqlite_fail(c->db, rc, "listing", err);
}

static vs_code sqlite_list(vs_store *base, const char *ns, vs_code (*each)(void *user, vs_span key),
                           void *user, vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    conn *c = NULL;
    VS_TRY(borrow(s, &c, err));
    vs_code code = list_with(c, ns, each, user, err);
    give_back(s, c, code);
    return code;
}

/* Outside a transaction a statement commits by itself: it is durable when step says DONE. */
static vs_code write_with(conn *c, sqlite3_stmt *st, int *changes, vs_error *err)
{
    int rc = sqlite3_step(st);
    *changes = rc == SQLITE_DONE ? sqlite3_changes(c->db) : 0;
    return rc == SQLITE_DONE ? VS_OK : sqlite_fail(c->db, rc, "writing", err);
}

/* A NULL pointer would bind NULL, not an empty blob. */
static void bind_value(sqlite3_stmt *st, int at, vs_span s)
{
    if (s.n)
        (void)sqlite3_bind_blob(st, at, s.p, (int)s.n, SQLITE_STATIC);
    else
        (void)sqlite3_bind_zeroblob(st, at, 0);
}

static vs_code put_one(conn *c, const vs_store_item *rec, vs_error *err)
{
    static const statement of[] = {
        [VS_PUT_REPLACE] = PUT, [VS_PUT_CREATE] = CREATE, [VS_PUT_SWAP] = SWAP};
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, of[rec->mode], &st, err));
    bind_text(st, 1, vs_str(rec->ns));
    bind_text(st, 2, rec->key);
    bind_value(st, 3, rec->value);
    (void)sqlite3_bind_int64(st, 4, rec->expires);
    if (rec->mode == VS_PUT_CREATE)
        (void)sqlite3_bind_int64(st, 5, vs_now_s());
    else if (rec->mode == VS_PUT_SWAP)
        bind_value(st, 5, rec->old);
    int changes = 0;
    VS_TRY(write_with(c, st, &changes, err));
    return changes ? VS_OK : store_taken(rec, err);
}

static vs_code put_with(conn *c, const vs_store_item *items, size_t n, vs_error *err)
{
    if (n == 1)
        return put_one(c, items, err);
    VS_TRY(sqlite_run(c->db, "BEGIN IMMEDIATE", err));
    vs_code code = VS_OK;
    for (size_t i = 0; i < n && code == VS_OK; i++)
        code = put_one(c, &items[i], err);
    if (code == VS_OK)
        code = sqlite_run(c->db, "COMMIT", err);
    if (code != VS_OK)
        sqlite_roll_back(c->db);
    return code;
}

/* The writing connection, locked until finish_writing. */
static vs_code begin_writing(sqlite_store *s, vs_error *err)
{
    (void)pthread_mutex_lock(&s->write_lock);
    vs_code code = s->writer ? VS_OK : conn_open(s->path, &s->writer, err);
    if (code != VS_OK)
        (void)pthread_mutex_unlock(&s->write_lock);
    return code;
}

/* After an I/O error a file's connection is not used again: with the cause gone, a file system that
 * was mounted again or a disk that has room, the next one works. */
static vs_code finish_writing(sqlite_store *s, vs_code code)
{
    if (code == VS_E_IO && s->path) {
        conn_free(s->writer);
        s->writer = NULL;
    }
    (void)pthread_mutex_unlock(&s->write_lock);
    return code;
}

static vs_code sqlite_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    VS_TRY(begin_writing(s, err));
    return finish_writing(s, put_with(s->writer, items, n, err));
}

static vs_code remove_with(conn *c, const char *ns, vs_span key, vs_error *err)
{
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, REMOVE, &st, err));
    bind_text(st, 1, vs_str(ns));
    bind_text(st, 2, key);
    int changes = 0;
    VS_TRY(write_with(c, st, &changes, err));
    return changes ? VS_OK : store_not_found(ns, key, err);
}

static vs_code sqlite_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    VS_TRY(begin_writing(s, err));
    return finish_writing(s, remove_with(s->writer, ns, key, err));
}

static vs_code purge_with(conn *c, int64_t now, unsigned *left, vs_error *err)
{
    VS_CLEANUP(rest) sqlite3_stmt *st = NULL;
    VS_TRY(prepared(c, PURGE, &st, err));
    (void)sqlite3_bind_int64(st, 1, now);
    (void)sqlite3_bind_int64(st, 2, (int64_t)*left);
    int changes = 0;
    VS_TRY(write_with(c, st, &changes, err));
    *left -= (unsigned)changes < *left ? (unsigned)changes : *left;
    return VS_OK;
}

static vs_code sqlite_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    VS_TRY(begin_writing(s, err));
    return finish_writing(s, purge_with(s->writer, now, left, err));
}

/* A row comes and goes in one commit: its pages are written, so that a full disk shows. */
static vs_code probe_with(const conn *c, vs_error *err)
{
    static const char sql[] = "BEGIN IMMEDIATE;"
                              "INSERT OR REPLACE INTO kv (ns, key, value, expires) "
                              "VALUES ('store_probe', 'probe', zeroblob(0), 1);"
                              "DELETE FROM kv WHERE ns = 'store_probe' AND key = 'probe';"
                              "COMMIT";
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    vs_code code = rc == SQLITE_OK ? VS_OK : sqlite_fail(c->db, rc, "probing", err);
    if (code != VS_OK)
        sqlite_roll_back(c->db);
    return code;
}

static vs_code sqlite_ping(vs_store *base, vs_error *err)
{
    sqlite_store *s = (sqlite_store *)base;
    VS_TRY(begin_writing(s, err));
    return finish_writing(s, probe_with(s->writer, err));
}

static void sqlite_close(vs_store *base)
{
    sqlite_store *s = (sqlite_store *)base;
    while (s->idle) {
        conn *next = s->idle->next;
        conn_free(s->idle);
        s->idle = next;
    }
    conn_free(s->writer); /* the last one out folds the log back into the file */
    (void)pthread_mutex_destroy(&s->write_lock);
    (void)pthread_mutex_destroy(&s->pool_lock);
    free(s->path);
    free(s);
}

/* ---- opening --------------------------------------------------------------------------------- */

static const store_ops ops = {sqlite_get,   sqlite_put,  sqlite_remove, sqlite_list,
                              sqlite_purge, sqlite_ping, sqlite_close,  sqlite_changes};

/* The file exists with mode 0600 before SQLite sees it; SQLite gives its log files the same mode.
 */
static vs_code create_file(const char *path, vs_error *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        if ((size_t)snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path) >= sizeof dir)
            return vs_fail(err, VS_E_LIMIT, "path is too long: %s", path);
        VS_TRY(vs_make_dirs(dir, 0700, err));
    }
    struct stat st;
    if (stat(path, &st) != 0) {
        vs_code code = vs_create_file(path, (vs_span){NULL, 0}, 0600, err);
        if (code != VS_E_EXISTS)
            return code;
        if (stat(path, &st) != 0) /* another process was faster, and undid it */
            return vs_fail_errno(err, VS_E_IO, errno, "cannot look at %s", path);
    }
    if (!S_ISREG(st.st_mode))
        return vs_fail(err, VS_E_INVALID, "%s is not a regular file", path);
    if (st.st_mode & 077)
        vs_log(VS_LOG_WARN, "store", "the database can be read by other users", "path", path, NULL);
    return VS_OK;
}

static vs_code open_at(const char *path, const store_migration *list, size_t n, vs_store **out,
                       vs_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, configure_once);
    *out = NULL;
    sqlite_store *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    (void)pthread_mutex_init(&s->write_lock, NULL);
    (void)pthread_mutex_init(&s->pool_lock, NULL);
    vs_code code = VS_OK;
    /* "./" keeps SQLite from reading a name like ":memory:" or "file:..." as something special. */
    if (path && asprintf(&s->path, "%s%s", path[0] == '/' ? "" : "./", path) < 0) {
        s->path = NULL;
        code = vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    if (code == VS_OK)
        code = conn_open(s->path, &s->writer, err);
    if (code == VS_OK)
        code = sqlite_prepare(s->writer->db, s->path, list, n, err);
    if (code != VS_OK) {
        sqlite_close(&s->base);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}

vs_code store_open_sqlite_as(const char *path, const store_migration *list, size_t n,
                             vs_store **out, vs_error *err)
{
    *out = NULL;
    VS_TRY_WRAP(create_file(path, err), err, "opening the database %s", path);
    VS_TRY_WRAP(open_at(path, list, n, out, err), err, "opening the database %s", path);
    return VS_OK;
}

vs_code vs_store_open_sqlite(const char *path, vs_store **out, vs_error *err)
{
    return store_open_sqlite_as(path, sqlite_migrations, sqlite_n_migrations, out, err);
}

vs_code vs_store_open_memory(vs_store **out, vs_error *err)
{
    return open_at(NULL, sqlite_migrations, sqlite_n_migrations, out, err);
}
