/* SPDX-License-Identifier: Apache-2.0 */
#include "as/ticket.h"

#include "as/internal.h"
#include "base/enc.h"
#include "base/io.h"

enum { KEY_ID = 1, IV = 12, TAG = 16 };
enum { SEALED_MAX = 1 + IV + AS_TICKET_STATE_MAX + TAG };

/* ---- tickets --------------------------------------------------------------------------------- */

vs_code as_ticket_key_load(as_ticket_key *k, vs_store *store, const char *name, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(sizeof k->key);
    vs_code code = vs_store_get(store, AS_SECRET_NAMESPACE, vs_str(name), 0, &key, err);
    if (code == VS_E_NOT_FOUND) {
        uint8_t fresh[sizeof k->key];
        vs_random(fresh, sizeof fresh);
        code = vs_store_put(store, AS_SECRET_NAMESPACE, vs_str(name),
                            vs_span_of(fresh, sizeof fresh), 0, VS_PUT_CREATE, err);
        vs_wipe(fresh, sizeof fresh);
        if (code == VS_OK || code == VS_E_EXISTS) /* another replica may have been first */
            code = vs_store_get(store, AS_SECRET_NAMESPACE, vs_str(name), 0, &key, err);
    }
    VS_TRY_WRAP(code, err, "the session key in the store");
    if (key.n != sizeof k->key)
        return vs_fail(err, VS_E_INVALID, "the stored session key has %zu bytes", key.n);
    memcpy(k->key, key.p, sizeof k->key);
    return VS_OK;
}

vs_code as_ticket_key_check(const as_ticket_key *k, vs_store *store, const char *name,
                            vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(sizeof k->key);
    VS_TRY(vs_store_get(store, AS_SECRET_NAMESPACE, vs_str(name), 0, &key, err));
    if (!vs_ct_eq(vs_buf_span(&key), vs_span_of(k->key, sizeof k->key)))
        return vs_fail(err, VS_E_CONFLICT, "the session key in the store is not the one in use");
    return VS_OK;
}

vs_code as_ticket_seal(const as_ticket_key *k, vs_span label, vs_span state, vs_buf *ticket,
                       vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(SEALED_MAX);
    uint8_t iv[IV];
    vs_random(iv, sizeof iv);
    vs_buf_putc(&sealed, KEY_ID);
    vs_buf_put(&sealed, vs_span_of(iv, sizeof iv));
    VS_TRY(vs_gcm_seal(k->key, iv, label, state, &sealed, err));
    VS_TRY(vs_buf_check(&sealed, err));
    vs_b64_encode(ticket, VS_B64_URL, vs_buf_span(&sealed));
    return vs_buf_check(ticket, err);
}

vs_code as_ticket_open(const as_ticket_key *k, vs_span label, vs_span ticket, vs_buf *state,
                       vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(SEALED_MAX);
    VS_TRY(vs_b64_decode(&sealed, VS_B64_URL, ticket, err));
    if (sealed.n < 1 + IV + TAG || sealed.p[0] != KEY_ID)
        return vs_fail(err, VS_E_PARSE, "not a session of this service");
    return vs_gcm_open(k->key, sealed.p + 1, label, vs_span_from(vs_buf_span(&sealed), 1 + IV),
                       state, err);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

typedef struct place {
    vs_buf name;              /* hexadecimal SHA-256 of the id */
    uint8_t key[VS_HASH_MAX]; /* of AES-256-GCM: the first 32 bytes */
} place;

static void place_free(place *p)
{
    vs_buf_free(&p->name);
    vs_wipe(p->key, sizeof p->key);
}

static vs_code place_of(const as_keep *k, place *out, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    vs_span id = vs_span_of(k->id, sizeof k->id);
    out->name = (vs_buf)VS_BUF(2 * VS_HASH_MAX);
    VS_TRY(vs_digest(VS_SHA256, id, VS_LIT(""), VS_LIT(""), md, err));
    vs_hex_encode(&out->name, vs_span_of(md, vs_hash_size(VS_SHA256)));
    VS_TRY(vs_hmac(VS_SHA256, id, vs_str(k->label), out->key, err));
    return vs_buf_check(&out->name, err);
}

vs_code as_keep_put(vs_store *store, const as_keep *k, vs_span value, int64_t expires,
                    vs_put_mode mode, vs_error *err)
{
    VS_CLEANUP(place_free) place at = {0};
    VS_CLEANUP(vs_buf_free) vs_buf record = VS_BUF(AS_KEPT_MAX + IV + TAG);
    VS_TRY(place_of(k, &at, err));
    vs_span name = vs_buf_span(&at.name);
    uint8_t iv[IV];
    vs_random(iv, sizeof iv);
    vs_buf_put(&record, vs_span_of(iv, sizeof iv));
    VS_TRY(vs_gcm_seal(at.key, iv, name, value, &record, err));
    VS_TRY(vs_buf_check(&record, err));
    return vs_store_put(store, k->ns, name, vs_buf_span(&record), expires, mode, err);
}

vs_code as_keep_get(vs_store *store, const as_keep *k, int64_t now, vs_buf *value, vs_error *err)
{
    VS_CLEANUP(place_free) place at = {0};
    VS_CLEANUP(vs_buf_free) vs_buf record = VS_BUF(AS_KEPT_MAX + IV + TAG);
    VS_TRY(place_of(k, &at, err));
    vs_span name = vs_buf_span(&at.name);
    VS_TRY(vs_store_get(store, k->ns, name, now, &record, err));
    if (record.n < IV + TAG)
        return vs_fail(err, VS_E_PARSE, "the stored session is damaged");
    VS_TRY_WRAP(
        vs_gcm_open(at.key, record.p, name, vs_span_from(vs_buf_span(&record), IV), value, err),
        err, "the stored session is damaged");
    return VS_OK;
}
