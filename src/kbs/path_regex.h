/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular expression over a whole path, on RE2: linear time, and the syntax that Trustee's
 * configurations are written in. Immutable once made, so threads may share it.
 */
#ifndef VS_KBS_PATH_REGEX_H
#define VS_KBS_PATH_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kbs_path_regex kbs_path_regex;

/* NULL when the pattern is not valid; `why` then holds a sentence. */
kbs_path_regex *kbs_path_regex_new(const char *pattern, char *why, size_t why_room);
void kbs_path_regex_free(kbs_path_regex *r);
/* True when the pattern matches all of the path, not a part of it. */
bool kbs_path_regex_match(const kbs_path_regex *r, const char *path, size_t n);

#ifdef __cplusplus
}
#endif

#endif
