/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pkcs11 plugin (kbs.md 3.1): an RSA key in a HSM that wraps and unwraps what guests keep, and
 * secrets that are objects in the HSM.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "plugins/pkcs11_session.h"
#include "plugins/plugins.h"

enum { OBJECTS = 16, RSA_BYTES_MAX = 2048 };

typedef struct pkcs11 {
    const kbs_pkcs11_config *cfg;
    hsm *hsm;
    pthread_rwlock_t objects; /* while one is replaced there are two */
} pkcs11;

/* One request as a piece of work. */
typedef struct job {
    const pkcs11 *p;
    vs_span label, in;
    vs_buf *out;
    CK_ULONG found; /* objects with the label */
    bool hidden;    /* there is one whose value the HSM does not give */
} job;

#define ATTRIBUTE(t, v, n)                                                                         \
    {                                                                                              \
        .type = (t), .pValue = (void *)(uintptr_t)(v), .ulValueLen = (n)                           \
    }

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* At most OBJECTS handles of a class and a label. */
static CK_RV find(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
                  vs_span label, CK_OBJECT_HANDLE out[OBJECTS], CK_ULONG *n)
{
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_CLASS, &class, sizeof class),
                             ATTRIBUTE(CKA_LABEL, label.p, label.n)};
    *n = 0;
    CK_RV rv = f->C_FindObjectsInit(s, wanted, VS_COUNT(wanted));
    if (rv != CKR_OK)
        return rv;
    rv = f->C_FindObjects(s, out, OBJECTS, n);
    CK_RV end = f->C_FindObjectsFinal(s);
    return rv != CKR_OK ? rv : end;
}

/* ---- wrap-key -----------------------------------------------------------------------------------
 */

static CK_RV crypt(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, job *j, bool encrypt)
{
    CK_OBJECT_HANDLE keys[OBJECTS];
    CK_RSA_PKCS_OAEP_PARAMS oaep = {
        .hashAlg = j->p->cfg->sha1 ? CKM_SHA_1 : CKM_SHA256,
        .mgf = j->p->cfg->sha1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256,
        .source = CKZ_DATA_SPECIFIED,
    };
    CK_MECHANISM how = {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
    unsigned char *in = (unsigned char *)(uintptr_t)j->in.p;
    CK_ULONG n = RSA_BYTES_MAX;
    vs_buf_clear(j->out);
    CK_RV rv = find(f, s, encrypt ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY, j->label, keys, &j->found);
    if (rv != CKR_OK || j->found != 1)
        return rv;
    rv = encrypt ? f->C_EncryptInit(s, &how, keys[0]) : f->C_DecryptInit(s, &how, keys[0]);
    if (rv != CKR_OK)
        return rv;
    unsigned char *at = vs_buf_reserve(j->out, RSA_BYTES_MAX);
    if (!at)
        return CKR_HOST_MEMORY;
    rv = encrypt ? f->C_Encrypt(s, in, j->in.n, at, &n) : f->C_Decrypt(s, in, j->in.n, at, &n);
    vs_buf_truncate(j->out, rv == CKR_OK && n <= RSA_BYTES_MAX ? n : 0);
    return rv;
}

static CK_RV wrap(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user)
{
    return crypt(f, s, user, true);
}

static CK_RV unwrap(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user)
{
    return crypt(f, s, user, false);
}

static vs_code one_key(const job *j, const char *kind, vs_error *err)
{
    if (j->found == 1)
        return VS_OK;
    return vs_fail(err, j->found ? VS_E_CONFLICT : VS_E_NOT_FOUND,
                   j->found ? "several %s keys in the HSM have the label \"%.*s\""
                            : "no %s key in the HSM has the label \"%.*s\"",
                   kind, VS_FMT(j->label));
}

static const char *parameters(const pkcs11 *p)
{
    return p->cfg->sha1 ? "CKM_RSA_PKCS_OAEP with CKM_SHA_1 and CKG_MGF1_SHA1"
                        : "CKM_RSA_PKCS_OAEP with CKM_SHA256 and CKG_MGF1_SHA256";
}

/* Appends to `out` what becomes of `in`. */
static vs_code run_crypt(const pkcs11 *p, bool encrypt, vs_span in, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf result = VS_BUF(RSA_BYTES_MAX);
    job j = {.p = p, .label = vs_str(p->cfg->lookup_label), .in = in, .out = &result};
    VS_TRY_WRAP(
        hsm_run(p->hsm, encrypt ? "wrapping" : "unwrapping", encrypt ? wrap : unwrap, &j, err), err,
        "%s", parameters(p));
    VS_TRY(one_key(&j, encrypt ? "public" : "private", err));
    vs_buf_put(out, vs_buf_span(&result));
    return vs_buf_check(out, err);
}

static vs_code wrap_key(pkcs11 *p, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    if (call->body.n == 0 || call->body.n > RSA_BYTES_MAX)
        return vs_fail(err, VS_E_INVALID, "the body of wrap-key has %zu bytes, not 1 to %d",
                       call->body.n, RSA_BYTES_MAX);
    return run_crypt(p, call->method == KBS_POST, call->body, out, err);
}

/* What the HSM refuses shows at the start, not with the first guest. It is no reason not to start:
 * secrets that are objects need no key. */
static void try_key(const pkcs11 *p)
{
    VS_CLEANUP(vs_buf_free) vs_buf wrapped = VS_BUF(RSA_BYTES_MAX), back = VS_BUF(RSA_BYTES_MAX);
    const vs_span probe = VS_LIT("probe");
    vs_error err = {0};
    vs_code code = run_crypt(p, true, probe, &wrapped, &err);
    if (code == VS_OK)
        code = run_crypt(p, false, vs_buf_span(&wrapped), &back, &err);
    if (code == VS_OK && !vs_span_eq(vs_buf_span(&back), probe))
        code = vs_fail(&err, VS_E_MISMATCH, "what was wrapped is not what is unwrapped");
    if (code == VS_OK)
        vs_log(VS_LOG_INFO, "pkcs11", "the key wraps and unwraps", "label", p->cfg->lookup_label,
               "mechanism", parameters(p), NULL);
    else
        vs_log_error(VS_LOG_WARN, "pkcs11",
                     "wrap-key will not work (see rsa_mechanism and "
                     "lookup_label); secrets that are objects do",
                     &err);
}

/* ---- objects ------------------------------------------------------------------------------------
 */

static CK_RV read_object(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user)
{
    job *j = user;
    CK_OBJECT_HANDLE objects[OBJECTS];
    vs_buf_clear(j->out);
    j->hidden = false;
    CK_RV rv = find(f, s, CKO_SECRET_KEY, j->label, objects, &j->found);
    if (rv != CKR_OK || j->found != 1)
        return rv;
    CK_ATTRIBUTE value = ATTRIBUTE(CKA_VALUE, NULL, 0);
    rv = f->C_GetAttributeValue(s, objects[0], &value, 1);
    j->hidden = rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
                (rv == CKR_OK && value.ulValueLen == (CK_ULONG)-1);
    if (rv != CKR_OK || j->hidden)
        return j->hidden ? CKR_OK : rv;
    CK_ULONG room = value.ulValueLen;
    value.pValue = vs_buf_reserve(j->out, room);
    if (!value.pValue)
        return CKR_HOST_MEMORY;
    rv = f->C_GetAttributeValue(s, objects[0], &value, 1);
    bool good = rv == CKR_OK && value.ulValueLen <= room;
    vs_buf_truncate(j->out, good ? value.ulValueLen : 0);
    return rv != CKR_OK ? rv : good ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV destroy(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, const CK_OBJECT_HANDLE *list,
                     CK_ULONG n)
{
    CK_RV rv = CKR_OK;
    for (CK_ULONG i = 0; i < n && rv == CKR_OK; i++)
        rv = f->C_DestroyObject(s, list[i]);
    return rv;
}

/* The new object is there before the old one goes: a failure in the middle loses no secret. Two
 * that a crash has left are refused by read_object until somebody sets the secret again. */
static CK_RV write_object(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user)
{
    job *j = user;
    CK_OBJECT_HANDLE old[OBJECTS], made;
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ATTRIBUTE object[] = {
        ATTRIBUTE(CKA_CLASS, &class, sizeof class),   ATTRIBUTE(CKA_KEY_TYPE, &type, sizeof type),
        ATTRIBUTE(CKA_TOKEN, &yes, sizeof yes),       ATTRIBUTE(CKA_PRIVATE, &yes, sizeof yes),
        ATTRIBUTE(CKA_SENSITIVE, &no, sizeof no),     ATTRIBUTE(CKA_EXTRACTABLE, &yes, sizeof yes),
        ATTRIBUTE(CKA_LABEL, j->label.p, j->label.n), ATTRIBUTE(CKA_VALUE, j->in.p, j->in.n)};
    CK_RV rv = find(f, s, CKO_SECRET_KEY, j->label, old, &j->found);
    if (rv == CKR_OK)
        rv = f->C_CreateObject(s, object, VS_COUNT(object), &made);
    return rv == CKR_OK ? destroy(f, s, old, j->found) : rv;
}

static CK_RV delete_objects(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user)
{
    job *j = user;
    CK_OBJECT_HANDLE old[OBJECTS];
    CK_ULONG n = 0;
    CK_RV rv = find(f, s, CKO_SECRET_KEY, j->label, old, &n);
    if (rv == CKR_OK) {
        j->found = n;
        rv = destroy(f, s, old, n);
    }
    return rv;
}

static vs_code get_object(pkcs11 *p, vs_span label, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(VS_STORE_VALUE_MAX);
    job j = {.p = p, .label = label, .out = &value};
    VS_TRY(hsm_run(p->hsm, "reading a secret", read_object, &j, err));
    VS_TRY(one_key(&j, "secret", err));
    if (j.hidden)
        return vs_fail(err, VS_E_DENIED, "the HSM does not give the value of \"%.*s\"",
                       VS_FMT(label));
    vs_buf_put(out, vs_buf_span(&value));
    return vs_buf_check(out, err);
}

static vs_code change_object(pkcs11 *p, const kbs_plugin_call *call, vs_span label, vs_error *err)
{
    job j = {.p = p, .label = label, .in = call->body};
    if (call->method == KBS_POST)
        return call->body.n > 0
                   ? hsm_run(p->hsm, "storing a secret", write_object, &j, err)
                   : vs_fail(err, VS_E_INVALID, "a secret in a HSM has at least one byte");
    VS_TRY(hsm_run(p->hsm, "deleting a secret", delete_objects, &j, err));
    return j.found ? VS_OK : one_key(&j, "secret", err);
}

static vs_code handle_object(pkcs11 *p, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    vs_span label;
    VS_TRY(kbs_resource_path(call, 1, &label, err));
    bool reads = call->method == KBS_GET;
    (void)(reads ? pthread_rwlock_rdlock(&p->objects) : pthread_rwlock_wrlock(&p->objects));
    vs_code code = reads ? get_object(p, label, out, err) : change_object(p, call, label, err);
    (void)pthread_rwlock_unlock(&p->objects);
    return code;
}

/* ---- the plugin ---------------------------------------------------------------------------------
 */

static vs_code check(void *self, const kbs_plugin_call *call, vs_error *err)
{
    (void)self;
    vs_span label;
    bool wrapping = call->n_path == 1 && vs_span_is(call->path[0], "wrap-key");
    bool object = call->n_path > 0 && vs_span_is(call->path[0], "resource");
    if (call->method == KBS_PUT || (wrapping && call->method == KBS_DELETE) ||
        (!wrapping && !object))
        return vs_fail(err, VS_E_UNSUPPORTED, "the pkcs11 plugin has no such method or path");
    return wrapping ? VS_OK : kbs_resource_path(call, 1, &label, err);
}

static vs_code handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    VS_TRY(check(self, call, err));
    return call->n_path == 1 ? wrap_key(self, call, out, err) : handle_object(self, call, out, err);
}

static void free_pkcs11(void *self)
{
    pkcs11 *p = self;
    hsm_close(&p->hsm);
    (void)pthread_rwlock_destroy(&p->objects);
    free(p);
}

static const kbs_plugin_ops ops = {.check = check, .handle = handle, .free = free_pkcs11};

vs_code pkcs11_plugin(const kbs_pkcs11_config *cfg, kbs_plugin *out, vs_error *err)
{
    pkcs11 *p = calloc(1, sizeof *p);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    p->cfg = cfg;
    (void)pthread_rwlock_init(&p->objects, NULL);
    vs_code code = hsm_open(cfg, &p->hsm, err);
    if (code != VS_OK) {
        free_pkcs11(p);
        return code;
    }
    try_key(p);
    *out = (kbs_plugin){&ops, p};
    return VS_OK;
}
