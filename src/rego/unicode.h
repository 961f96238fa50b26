/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Go's unicode and strconv packages say of a code point (Unicode 15.0.0): simple case mapping,
 * classes, and quoting. Independent of the process's locale.
 */
#ifndef VS_REGO_UNICODE_H
#define VS_REGO_UNICODE_H

#include "base/buf.h"

uint32_t rego_to_upper(uint32_t cp);
uint32_t rego_to_lower(uint32_t cp);
bool rego_is_letter(uint32_t cp);
bool rego_is_digit(uint32_t cp); /* decimal digits of any script */
/* Letters, marks, numbers, punctuation, symbols and the ASCII space. */
bool rego_is_printable(uint32_t cp);

/* As vs_utf8_next, but also says whether the bytes there were a code point: if not, *at passes one
 * byte and the result is U+FFFD. */
uint32_t rego_next_rune(vs_span s, size_t *at, bool *valid);

/* Go's quoted form of a string; `quote` is '"', or '\'' for a rune. What is not printable, and with
 * `ascii` what is beyond ASCII, is escaped. */
void rego_go_quote(vs_buf *out, vs_span s, char quote, bool ascii);
/* Go's string or rune literal of the quote text.p[0] as its content, onto `out`; false when it is
 * malformed. *runes = the number of code points, *rune = the last of them. */
bool rego_go_unquote(vs_buf *out, vs_span text, size_t *runes, uint32_t *rune);

#endif
