/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key-value store with namespaces: policies, resources, reference values, sessions.
 *
 * Every write is atomic and durable when the call returns VS_OK: after a crash the old or the new
 * value is there, never a mixture. Thread safe: any thread may call any function at any time.
 * Values may be secrets: they are read into wiped buffers only.
 *
 * Namespaces are [a-z_]+ words. Keys are 1..512 bytes of printable ASCII without `\` and `%`;
 * segments between '/' are not empty and do not start with '.' (so a key can never leave its
 * namespace, and no layer can decode it into another key). Other keys are VS_E_INVALID.
 */
#ifndef VS_STORE_STORE_H
#define VS_STORE_STORE_H

#include "base/buf.h"

typedef struct vs_store vs_store;

enum { VS_STORE_VALUE_MAX = 16 * 1024 * 1024 };

/* The key grammar, for callers that want to refuse a name early. */
bool vs_store_key_ok(vs_span key);

/* Per process, lost at exit. */
VS_MUST vs_code vs_store_open_memory(vs_store **out, vs_error *err);
/* One SQLite file (WAL, synchronous=FULL), created with mode 0600; schema versioned, refused when
 * newer than this build. */
VS_MUST vs_code vs_store_open_sqlite(const char *path, vs_store **out, vs_error *err);
/* Trustee's LocalFs: file <dir>/<namespace>/<key>, each '/' of the key written as the four
 * characters \x2F (kbs.md 8.5). Expiry is kept in a side file. */
VS_MUST vs_code vs_store_open_localfs(const char *dir, vs_store **out, vs_error *err);
/* The older layout of the resource plugin: nested directories <dir>/<r>/<t>/<g>; the namespace is
 * not part of the path (kbs.md 12.1). Symbolic links are not followed out of <dir>. */
VS_MUST vs_code vs_store_open_tree(const char *dir, vs_store **out, vs_error *err);
/* Trustee's LocalJson: one file <dir>/<namespace>, an object of key and base64url of the value,
 * with padding (kbs.md 8.5). Each write rewrites the file, 64 MiB at most. Expiry is kept in a side
 * file.
 */
VS_MUST vs_code vs_store_open_localjson(const char *dir, vs_store **out, vs_error *err);

/* PostgreSQL in Trustee's layout: a table per namespace, made when missing. Zero and NULL mean what
 * libpq takes (PGHOST and so on), or the default in brackets. */
typedef struct vs_store_postgres {
    const char *url; /* when given, host to password are not looked at */
    const char *host, *db, *username, *password;
    int port;
    unsigned connections; /* at most so many (8); who needs another one waits */
    int connect_ms;       /* (5000) */
    int statement_ms;     /* (10000) */
} vs_store_postgres;
VS_MUST vs_code vs_store_open_postgres(const vs_store_postgres *cfg, vs_store **out, vs_error *err);

/* One store made of several: namespaces that are not in `routes` are in `rest`; what is kept with a
 * namespace, "<namespace>_history", goes where it goes. The parts must
 * outlive it and are not closed with it. */
typedef struct vs_store_route {
    const char *ns;
    vs_store *store;
} vs_store_route;
VS_MUST vs_code vs_store_open_routed(vs_store *rest, const vs_store_route *routes, size_t n,
                                     vs_store **out, vs_error *err);
/* `rest` with one of its values kept in a file that other programs know and may write: its text
 * counts, and the next reader sees it. `rest` holds a copy, which opening brings up to date; when
 * there is a copy but no file, the file is made of it. Values that are put together with that one
 * are put into `rest` first. `rest` must outlive it and is not closed with it. */
VS_MUST vs_code vs_store_open_with_file(vs_store *rest, const char *ns, const char *key,
                                        const char *path, vs_store **out, vs_error *err);
void vs_store_close(vs_store **s);

/* Appends the value to `out`; one that does not fit its cap is VS_E_LIMIT. VS_E_NOT_FOUND when
 * absent or expired at `now` (seconds; 0 = do not look at expiry). */
VS_MUST vs_code vs_store_get(vs_store *s, const char *ns, vs_span key, int64_t now, vs_buf *out,
                             vs_error *err);

/* *n = a number that is another one after a value of the namespace was put or deleted, whatever
 * process did it; values that expire do not count. Ask first, read then: what was read stands while
 * the number stays. 0: this back end cannot tell, as with files that others write. Costs as much as
 * reading a short value. */
VS_MUST vs_code vs_store_changes(vs_store *s, const char *ns, uint64_t *n, vs_error *err);

typedef enum vs_put_mode {
    VS_PUT_REPLACE, /* create or overwrite */
    VS_PUT_CREATE,  /* VS_E_EXISTS when there is one (that has not expired) */
    VS_PUT_SWAP,    /* overwrite what is `old` to the byte, VS_E_CONFLICT otherwise; no expiry */
} vs_put_mode;
/* `expires`: seconds since the epoch after which the value counts as absent; 0 = never. */
VS_MUST vs_code vs_store_put(vs_store *s, const char *ns, vs_span key, vs_span value,
                             int64_t expires, vs_put_mode mode, vs_error *err);
typedef struct vs_store_item {
    const char *ns;
    vs_span key, value;
    int64_t expires;
    vs_put_mode mode;
    vs_span old; /* VS_PUT_SWAP */
} vs_store_item;
/* Puts several values. With SQLite, PostgreSQL and memory all or none of them; with LocalJson all
 * or none of each namespace; with the other file back ends all are checked first, modes included
 * (but for the tree, which has no VS_PUT_SWAP), then written one after another up to the first
 * failure. */
VS_MUST vs_code vs_store_put_all(vs_store *s, const vs_store_item *items, size_t n, vs_error *err);
/* VS_E_NOT_FOUND when there was none. */
VS_MUST vs_code vs_store_delete(vs_store *s, const char *ns, vs_span key, vs_error *err);
/* Calls `each` for the keys of a namespace in bytewise order, expired ones that were not purged yet
 * included; it must not call the store. A code other than VS_OK from it ends the listing and is
 * returned. */
VS_MUST vs_code vs_store_list(vs_store *s, const char *ns, vs_code (*each)(void *user, vs_span key),
                              void *user, vs_error *err);
/* Removes at most `max` values that expired before `now`; cheap when there are none. */
VS_MUST vs_code vs_store_purge(vs_store *s, int64_t now, unsigned max, vs_error *err);
/* All of them, or as many as can be removed within some seconds: what clients can make expire they
 * must not be able to pile up. In rounds, between which others write. */
VS_MUST vs_code vs_store_purge_all(vs_store *s, int64_t now, vs_error *err);
/* Does it work now? Makes one small durable write, so that a full disk, a read-only file and a
 * server that is gone show, as a precise error; the next call after the cause is gone succeeds. A
 * write has its price: callers on behalf of strangers limit its rate. (The tree back end, which may
 * be read-only, looks at its directory only.) */
VS_MUST vs_code vs_store_ping(vs_store *s, vs_error *err);

#endif
