/* SPDX-License-Identifier: Apache-2.0 */
/* For files that hold a table of keys: one line per key. */
#ifndef VS_CONFIG_MACROS_H
#define VS_CONFIG_MACROS_H

#include <stddef.h>

#include "config/config.h"

/* Kinds of lines. F = fallback, M = meaning. */
#define SECTION(p, m)                                                                              \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLE, .offset = CONFIG_NOWHERE, .meaning = m                    \
    }
#define SECTION_AT(p, o, m)                                                                        \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLE, .offset = o, .meaning = m                                 \
    }
#define LIST(p, o, n, e, m)                                                                        \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLES, .offset = o, .n_offset = n, .element = sizeof(e),        \
        .meaning = m                                                                               \
    }
#define TEXT(p, o, f, m)                                                                           \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXT, .offset = o, .fallback = f, .meaning = m                   \
    }
#define SECRET(p, o, m)                                                                            \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXT, .offset = o, .meaning = m, .secret = true                  \
    }
#define TEXTS(p, o, n, f, m)                                                                       \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXTS, .offset = o, .n_offset = n, .fallback = f, .meaning = m   \
    }
#define FLAG(p, o, f, m)                                                                           \
    {                                                                                              \
        .path = p, .type = CONFIG_FLAG, .offset = o, .fallback = f, .meaning = m                   \
    }
#define COUNT(p, o, lo, hi, f, m)                                                                  \
    {                                                                                              \
        .path = p, .type = CONFIG_COUNT, .offset = o, .min = lo, .max = hi, .fallback = f,         \
        .meaning = m                                                                               \
    }
#define CHOICE(p, o, c, f, m)                                                                      \
    {                                                                                              \
        .path = p, .type = CONFIG_CHOICE, .offset = o, .choices = c, .fallback = f, .meaning = m   \
    }
/* H = the key of today, M = how it says the same when that is not plain; "" otherwise. */
#define OLD_TEXT(p, o, h, m)                                                                       \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXT, .status = CONFIG_OLD, .hint = h, .offset = o, .meaning = m \
    }
#define OLD_FLAG(p, o, h, m)                                                                       \
    {                                                                                              \
        .path = p, .type = CONFIG_FLAG, .status = CONFIG_OLD, .hint = h, .offset = o, .meaning = m \
    }
#define OLD_CHOICE(p, o, c, h, m)                                                                  \
    {                                                                                              \
        .path = p, .type = CONFIG_CHOICE, .status = CONFIG_OLD, .hint = h, .offset = o,            \
        .choices = c, .meaning = m                                                                 \
    }
#define OLD_LIST(p, o, n, e, h, m)                                                                 \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLES, .status = CONFIG_OLD, .hint = h, .offset = o,            \
        .n_offset = n, .element = sizeof(e), .meaning = m                                          \
    }
#define UNUSED(p, h)                                                                               \
    {                                                                                              \
        .path = p, .type = CONFIG_ANY, .status = CONFIG_UNUSED, .hint = h, .meaning = "no effect"  \
    }

#endif
