/* SPDX-License-Identifier: Apache-2.0 */
#include "api/key_fetch.h"

#include "net/http_client.h"

vs_code api_fetch_key(void *user, const char *url, vs_buf *out, vs_error *err)
{
    static const char *const headers[] = {"Accept: application/json, application/jwk-set+json, */*",
                                          NULL};
    const vs_http_client_config cfg = {.ca_file = user,
                                       .user_agent = "vouchsafe/" VS_VERSION,
                                       .connect_ms = 5000,
                                       .total_ms = 15000,
                                       .response_bytes = 1024 * 1024};
    const vs_http_call call = {.method = "GET", .url = url, .headers = headers};
    VS_CLEANUP(vs_http_client_free) vs_http_client *c = NULL;
    int status = 0;
    if (strncmp(url, "https://", 8) != 0)
        return vs_fail(err, VS_E_INVALID, "%.200s is not an https URL", url);
    VS_TRY(vs_http_client_new(&cfg, &c, err));
    VS_TRY(vs_http_client_do(c, &call, &status, out, err));
    if (status != 200)
        return vs_fail(err, VS_E_IO, "%.200s: the server answered with status %d", url, status);
    return VS_OK;
}
