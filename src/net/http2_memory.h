/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VS_NET_HTTP2_MEMORY_H
#define VS_NET_HTTP2_MEMORY_H

#include <nghttp2/nghttp2.h>

/* malloc for nghttp2, which keeps headers (tokens, cookies) in its tables and buffers: everything
 * is wiped before it is given back. */
nghttp2_mem *vs_http2_memory(void);

#endif
