/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of a JSON text as they are written there: for documents whose signature is over their text
 * (serialising a parsed document again may lose what the reader did not know).
 *
 * The text must have been read by vs_json_parse without an error: this is no parser of its own, and
 * never reads beyond the text.
 */
#ifndef VS_TEE_DCAP_RAWJSON_H
#define VS_TEE_DCAP_RAWJSON_H

#include "base/buf.h"

/* The text of member `key` of the object whose text this is; empty when there is none. A key that
 * is written with escapes is not found. */
vs_span rawjson_member(vs_span object, const char *key);
/* Takes the text of the next element of the array whose text was in *array at first; false at the
 * end. */
bool rawjson_next(vs_span *array, vs_span *element);
/* Appends the text without the white space between its tokens. */
void rawjson_minify(vs_buf *out, vs_span text);

#endif
