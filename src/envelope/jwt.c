/* SPDX-License-Identifier: Apache-2.0 */
/* The registered time claims of a JWT: RFC 7519 section 4.1. */
#include <inttypes.h>

#include "envelope/jose.h"

/* Far enough from the ends of int64 that adding a leeway or subtracting now cannot overflow. */
static const int64_t time_max = INT64_C(1) << 60;

static int64_t clamp(int64_t t)
{
    return t > time_max ? time_max : t < -time_max ? -time_max : t;
}

/* A NumericDate in seconds, fractions dropped. *there is false when the claim is absent. */
static vs_code get_time(vs_val claims, const char *name, int64_t *t, bool *there, vs_error *err)
{
    vs_val v = vs_getc(claims, name);
    *there = vs_defined(v);
    if (!*there)
        return VS_OK;
    if (v.kind != VS_NUMBER)
        return vs_fail(err, VS_E_INVALID, "claim \"%s\" must be a number, not %s", name,
                       vs_kind_name((vs_kind)v.kind));
    if (vs_is_int(v)) {
        *t = clamp(v.u.i);
        return VS_OK;
    }
    double d = vs_num_to_double(v);
    *t = d >= 0x1p60 ? time_max : d <= -0x1p60 ? -time_max : (int64_t)d;
    return VS_OK;
}

static vs_code check_exp(vs_val claims, const vs_jwt_times *t, vs_error *err)
{
    int64_t exp = 0;
    bool there;
    VS_TRY(get_time(claims, "exp", &exp, &there, err));
    if (!there)
        return t->need_exp ? vs_fail(err, VS_E_INVALID, "claim \"exp\" is missing") : VS_OK;
    /* "on or after which the JWT MUST NOT be accepted" */
    if (clamp(t->now) - clamp(t->leeway) >= exp)
        return vs_fail(err, VS_E_EXPIRED, "token expired %" PRId64 " s ago", clamp(t->now) - exp);
    return VS_OK;
}

/* nbf and iat: must not lie in the future. */
static vs_code check_past(vs_val claims, const char *name, const vs_jwt_times *t, vs_error *err)
{
    int64_t start = 0;
    bool there;
    VS_TRY(get_time(claims, name, &start, &there, err));
    if (there && start > clamp(t->now) + clamp(t->leeway))
        return vs_fail(err, VS_E_EXPIRED, "claim \"%s\" is %" PRId64 " s in the future", name,
                       start - clamp(t->now));
    return VS_OK;
}

vs_code vs_jwt_check_times(vs_val claims, const vs_jwt_times *t, vs_error *err)
{
    if (claims.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "claims are not an object");
    VS_TRY(check_exp(claims, t, err));
    if (t->check_nbf)
        VS_TRY(check_past(claims, "nbf", t, err));
    if (t->check_iat)
        VS_TRY(check_past(claims, "iat", t, err));
    return VS_OK;
}
