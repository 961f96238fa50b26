/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the SQLite back end, and what both of its files need. */
#ifndef VS_STORE_SQLITE_SCHEMA_H
#define VS_STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>

#include "store/migrate.h"
#include "store/store.h"

/* An error of SQLite as ours. */
vs_code sqlite_fail(sqlite3 *db, int rc, const char *doing, vs_error *err);
VS_MUST vs_code sqlite_run(sqlite3 *db, const char *sql, vs_error *err);
void sqlite_roll_back(sqlite3 *db);

/* Brings an open file (or, with path NULL, a database in memory) to the newest version of `list`.
 * What is not ours or newer is refused before a byte is written. A file that has data is
 * copied first, to <path>.schema-<its version>. */
VS_MUST vs_code sqlite_prepare(sqlite3 *db, const char *path, const store_migration *list, size_t n,
                               vs_error *err);

extern const store_migration sqlite_migrations[];
extern const size_t sqlite_n_migrations;

/* For tests: with another list of migrations. */
VS_MUST vs_code store_open_sqlite_as(const char *path, const store_migration *list, size_t n,
                                     vs_store **out, vs_error *err);

#endif
