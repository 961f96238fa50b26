/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to PostgreSQL: a bounded pool, deadlines on everything, and errors that never hold a
 * password or a value. Used by postgres.c only.
 *
 * A connection that was lost, timed out or left in a transaction is closed when it is given back;
 * one that the server closed while it was idle is noticed before it is lent. So the store recovers
 * by itself when the server is back.
 */
#ifndef VS_STORE_PG_H
#define VS_STORE_PG_H

#include <libpq-fe.h>
#include <pthread.h>

#include "store/migrate.h"
#include "store/store.h"

enum { PG_NAMESPACES = 16, PG_PARAMS = 5 };

typedef struct pg_conn {
    PGconn *c;
    const struct pg_pool *pool;
    bool dead; /* lost, or given up in the middle of an answer */
    char ns[PG_NAMESPACES][64];
    uint32_t prepared[PG_NAMESPACES]; /* a bit per kind of statement */
    unsigned n_ns;
    struct pg_conn *next;
} pg_conn;

typedef struct pg_pool {
    PQconninfoOption *info; /* holds the password */
    char where[300];        /* "PostgreSQL at host:port, database name" */
    const char *password;   /* into info; NULL = none */
    int connect_ms, statement_ms;
    unsigned max;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    unsigned n_open; /* lent and idle */
    pg_conn *idle;
    const store_migration *migrations;
    size_t n_migrations;
} pg_pool;

/* Parses the settings; opens nothing yet. */
VS_MUST vs_code pg_pool_init(pg_pool *p, const vs_store_postgres *cfg, vs_error *err);
void pg_pool_free(pg_pool *p);
/* A connection for this thread until pg_give_back; its schema is the one that this build knows. */
VS_MUST vs_code pg_borrow(pg_pool *p, pg_conn **out, vs_error *err);
void pg_give_back(pg_pool *p, pg_conn *c);
/* One outside the pool's book-keeping of schemas: for the migration. */
VS_MUST vs_code pg_connect(const pg_pool *p, pg_conn **out, vs_error *err);
void pg_disconnect(pg_conn *c);

/* A parameter, in PostgreSQL's binary form. */
typedef struct pg_param {
    vs_span bytes;
    uint8_t number[8];
    bool is_number;
} pg_param;
pg_param pg_text(vs_span s);
pg_param pg_int(int64_t i);

typedef struct pg_statement {
    const char *sql, *doing;
    const char *ns; /* with `kind`: prepared once per connection and namespace; NULL = not */
    unsigned kind;
    unsigned n;
    pg_param params[PG_PARAMS];
} pg_statement;
/* Runs one statement. The answer is in binary form; clear it with pg_clear. Codes: VS_E_NOT_FOUND
 * for a table that is not there, VS_E_CONFLICT for a transaction that may be tried again. */
VS_MUST vs_code pg_run(pg_conn *c, const pg_statement *st, PGresult **out, vs_error *err);
/* The same without parameters and without an answer. */
VS_MUST vs_code pg_do(pg_conn *c, const char *sql, const char *doing, vs_error *err);
/* A connection on which even this fails is dead, and the server rolls back. */
void pg_roll_back(pg_conn *c);
/* Wipes what it held first. */
void pg_clear(PGresult **r);
vs_span pg_cell(const PGresult *r, int row, int column);
/* Of a bigint column; 0 when it is null. */
int64_t pg_number(const PGresult *r, int row, int column);

/* Brings the database to the newest version of the pool's list, under a lock that replicas share.
 * Each table that a migration changes is kept as vouchsafe_v<version before>_<table>. */
VS_MUST vs_code pg_migrate(pg_conn *c, vs_error *err);
/* Refuses a database that another release has changed since. */
VS_MUST vs_code pg_check_schema(pg_conn *c, vs_error *err);
/* Makes the table of a namespace when it is missing. */
VS_MUST vs_code pg_make_table(pg_conn *c, const char *ns, vs_error *err);

extern const store_migration pg_migrations[];
extern const size_t pg_n_migrations;

/* For tests: with another list of migrations. */
VS_MUST vs_code store_open_postgres_as(const vs_store_postgres *cfg, const store_migration *list,
                                       size_t n, vs_store **out, vs_error *err);

#endif
