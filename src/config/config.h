/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files as tables of keys: what is read, what it means, what it falls back to. The
 * reader (read.c) and the printed reference both come from a program's table.
 *
 * An unknown key is an error with a suggestion, an obsolete one a warning that names the new one, a
 * key of a part that this build lacks an error that says so.
 */
#ifndef VS_CONFIG_CONFIG_H
#define VS_CONFIG_CONFIG_H

#include "value/value.h"

typedef enum config_type {
    CONFIG_TABLE, /* a table; its members follow with longer paths. A bool at offset, if any, is set
                   */
    CONFIG_TABLES, /* an array of tables; members' offsets are those of an element */
    CONFIG_TEXT,   /* const char * */
    CONFIG_FLAG,   /* bool */
    CONFIG_COUNT,  /* int64_t within min..max */
    CONFIG_TEXTS,  /* const char *const * at offset, size_t at n_offset */
    CONFIG_CHOICE, /* int: the value of one of `choices` */
    CONFIG_ANY,    /* whatever it is, it is not looked at */
} config_type;

typedef enum config_status {
    CONFIG_CURRENT,
    CONFIG_OLD, /* still read; `hint` is the key that replaced it, `meaning` how (may be empty) */
    CONFIG_UNUSED, /* accepted without effect; `hint` says why */
} config_status;

typedef struct config_choice {
    const char *name;
    int value;
    const char *lacks; /* a part that this build does not have; choosing it is an error */
} config_choice;

enum { CONFIG_NOWHERE = SIZE_MAX >> 1 };

typedef struct config_key {
    const char *path; /* dotted, from the top of the file */
    config_type type;
    config_status status;
    const char *hint;
    size_t offset,
        n_offset;   /* in what is read into, or in an element of the CONFIG_TABLES around */
    size_t element; /* CONFIG_TABLES: bytes of one */
    int64_t min, max;
    const config_choice *choices; /* ends with a NULL name */
    const char *fallback;         /* as it would be written in the file; NULL = none */
    const char *meaning;
    bool secret; /* its value is not shown */
} config_key;

typedef struct config_table {
    const config_key *keys;
    size_t n;
    bool lenient; /* an unknown key is a warning: for files of the guest, which are measured and
                     written for several versions of a program */
} config_table;

/* Sets every key outside lists of tables that has a fallback to it, in the struct at `out`. */
void config_table_fallbacks(const config_table *t, void *out);
/* Reads a parsed file into the struct at `out`, which holds the fallbacks. Text is copied onto the
 * arena and NUL terminated; keys that are not given leave what is there. */
VS_MUST vs_code config_table_read(const config_table *t, vs_arena *a, vs_val file, void *out,
                                  vs_error *err);

/* The member of a parsed file at a dotted path; undefined when it does not have it. */
vs_val config_member(vs_val file, const char *path);
/* Fails when the file has one of `keys` (NULL at the end) below the table `section` ("" = the top):
 * what somebody wrote down must not be without effect. `why` says where it belongs. */
VS_MUST vs_code config_refuse_keys(vs_val file, const char *section, const char *const *keys,
                                   const char *why, vs_error *err);

/* What is in effect, in the order of the table: [{"key", "value", "from": "file" or "default"}], of
 * an obsolete key also "now", of one without effect "no-effect". Keys that have neither a value nor
 * a fallback are left out; keys of the tables of a list, "plugins[0].name", are there when the file
 * has them. `file` was read by config_table_read. */
VS_MUST vs_code config_table_show(const config_table *t, vs_val file, vs_arena *a, vs_val *out,
                                  vs_error *err);

typedef enum config_format { CONFIG_TOML, CONFIG_JSON, CONFIG_YAML } config_format;
/* By the end of the name: .toml, .json, .yaml or .yml; `other` for any other. */
config_format config_format_of(const char *path, config_format other);
/* A file of 1 MiB at most. */
VS_MUST vs_code config_file_parse(const char *path, config_format other, vs_arena *a, vs_val *out,
                                  vs_error *err);
/* The same, then fallbacks and its keys. *file (may be NULL): all of it. */
VS_MUST vs_code config_table_load(const config_table *t, const char *path, config_format other,
                                  vs_arena *a, void *out, vs_val *file, vs_error *err);

/* "IPv4:port" or "[IPv6]:port". */
bool config_socket_ok(const char *text);
/* Nobody but this machine can reach it: 127.0.0.0/8 or [::1]. `text` is as above. */
bool config_socket_is_loopback(const char *text);

#endif
