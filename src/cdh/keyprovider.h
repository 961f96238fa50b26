/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ocicrypt key provider protocol (guest.md 6.3): JSON in, JSON out, for layers of encrypted
 * container images. Bytes are read as base64 or as arrays of numbers and written as arrays of
 * numbers, which Rust peers take alone.
 *
 * The result and whatever was unwrapped are secrets: they live in buffers that are wiped.
 */
#ifndef VS_CDH_KEYPROVIDER_H
#define VS_CDH_KEYPROVIDER_H

#include "cdh/source.h"

enum { CDH_KEYPROVIDER_MAX = 4 * 1024 * 1024 };

typedef enum cdh_key_op { /* a set */
                          CDH_KEY_UNWRAP = 1,
                          CDH_KEY_WRAP = 2,
                          /* "keypath" may name a file: only when whoever asks has this process's
                             rights anyway. */
                          CDH_KEY_FILES = 4,
} cdh_key_op;

/* By the member "op", which must be one of `allowed`:
 * "keyunwrap" gives the private options of a layer, whose wrapping key is the resource `kid`;
 * "keywrap" gives an annotation packet. The parameter text (of the first provider named) is
 * "keyid=<resource URI>" and, to take the key from a file instead of the source,
 * "::keypath=<file of 32 bytes>" behind it, which needs CDH_KEY_FILES. */
VS_MUST vs_code cdh_keyprovider(cdh_source *source, cdh_key_op allowed, vs_span input,
                                vs_buf *output, vs_error *err);
/* That `input` is a request to unwrap, of a form that can be read: what upstream tells apart from a
 * key that does not unwrap. */
VS_MUST vs_code cdh_keyprovider_check_unwrap(vs_span input, vs_error *err);

#endif
