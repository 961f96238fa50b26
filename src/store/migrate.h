/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas of the database back ends, version by version. Migrations run in order, all that are due
 * in one transaction; what they change is kept first (see each back end), and a database that is
 * newer than the list is refused untouched.
 */
#ifndef VS_STORE_MIGRATE_H
#define VS_STORE_MIGRATE_H

#include <stddef.h>

typedef struct store_migration {
    const char *sql;     /* leads from the version before to this one */
    const char *changes; /* PostgreSQL: our table that it alters or drops; NULL = only adds */
} store_migration;

/* What two releases say about a database of a third. */
#define STORE_NEWER                                                                                \
    "%s has schema version %lld, this build knows up to %zu: it was written by a newer release"

#endif
