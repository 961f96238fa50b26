/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/pkcs11_session.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/thread.h"

enum { SESSIONS = 8, WAIT_S = 10, SLOTS = 256, PIN_MAX = 1024, SERIAL = 16 };

struct hsm {
    const kbs_pkcs11_config *cfg;
    void *library;
    CK_FUNCTION_LIST *f;
    bool initialized; /* by us: then it is ours to finalize */
    bool known;       /* `serial` is that of the token found at the start */
    bool pin_refused;
    unsigned char serial[SERIAL];
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned n_open, n_idle;
    CK_SESSION_HANDLE idle[SESSIONS];
};

/* ---- errors -------------------------------------------------------------------------------------
 */

static const struct {
    CK_RV rv;
    const char *name;
    vs_code code;
    bool lost; /* a new session may help */
} known[] = {
#define K(name, code, lost)                                                                        \
    {                                                                                              \
        name, #name, code, lost                                                                    \
    }
    K(CKR_HOST_MEMORY, VS_E_NOMEM, false),
    K(CKR_GENERAL_ERROR, VS_E_IO, false),
    K(CKR_FUNCTION_FAILED, VS_E_IO, false),
    K(CKR_ARGUMENTS_BAD, VS_E_UNSUPPORTED, false),
    K(CKR_ATTRIBUTE_SENSITIVE, VS_E_DENIED, false),
    K(CKR_ATTRIBUTE_TYPE_INVALID, VS_E_INVALID, false),
    K(CKR_ATTRIBUTE_VALUE_INVALID, VS_E_INVALID, false),
    K(CKR_BUFFER_TOO_SMALL, VS_E_LIMIT, false),
    K(CKR_DATA_INVALID, VS_E_INVALID, false),
    K(CKR_DATA_LEN_RANGE, VS_E_LIMIT, false),
    K(CKR_DEVICE_ERROR, VS_E_IO, true),
    K(CKR_DEVICE_MEMORY, VS_E_LIMIT, false),
    K(CKR_DEVICE_REMOVED, VS_E_IO, true),
    K(CKR_ENCRYPTED_DATA_INVALID, VS_E_CRYPTO, false),
    K(CKR_ENCRYPTED_DATA_LEN_RANGE, VS_E_CRYPTO, false),
    K(CKR_FUNCTION_NOT_SUPPORTED, VS_E_UNSUPPORTED, false),
    K(CKR_KEY_FUNCTION_NOT_PERMITTED, VS_E_DENIED, false),
    K(CKR_KEY_TYPE_INCONSISTENT, VS_E_INVALID, false),
    K(CKR_MECHANISM_INVALID, VS_E_UNSUPPORTED, false),
    K(CKR_MECHANISM_PARAM_INVALID, VS_E_UNSUPPORTED, false),
    K(CKR_OBJECT_HANDLE_INVALID, VS_E_CONFLICT, false),
    K(CKR_KEY_HANDLE_INVALID, VS_E_CONFLICT, false),
    K(CKR_PIN_INCORRECT, VS_E_DENIED, false),
    K(CKR_PIN_INVALID, VS_E_DENIED, false),
    K(CKR_PIN_LEN_RANGE, VS_E_DENIED, false),
    K(CKR_PIN_EXPIRED, VS_E_DENIED, false),
    K(CKR_PIN_LOCKED, VS_E_DENIED, false),
    K(CKR_SESSION_CLOSED, VS_E_IO, true),
    K(CKR_SESSION_COUNT, VS_E_LIMIT, false),
    K(CKR_SESSION_HANDLE_INVALID, VS_E_IO, true),
    K(CKR_SESSION_READ_ONLY, VS_E_DENIED, false),
    K(CKR_SLOT_ID_INVALID, VS_E_IO, true),
    K(CKR_TEMPLATE_INCONSISTENT, VS_E_INVALID, false),
    K(CKR_TOKEN_NOT_PRESENT, VS_E_IO, true),
    K(CKR_TOKEN_NOT_RECOGNIZED, VS_E_IO, true),
    K(CKR_TOKEN_WRITE_PROTECTED, VS_E_DENIED, false),
    K(CKR_USER_NOT_LOGGED_IN, VS_E_IO, true),
    K(CKR_USER_PIN_NOT_INITIALIZED, VS_E_INVALID, false),
    K(CKR_CRYPTOKI_NOT_INITIALIZED, VS_E_IO, false),
#undef K
};

static vs_code fail_rv(const char *what, CK_RV rv, vs_error *err)
{
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].rv == rv)
            return vs_fail(err, known[i].code, "%s: the HSM says %s", what, known[i].name);
    return vs_fail(err, VS_E_IO, "%s: the HSM says 0x%lx", what, rv);
}

static bool is_lost(CK_RV rv)
{
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].rv == rv)
            return known[i].lost;
    return false;
}

static bool about_pin(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
           rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LOCKED;
}

/* ---- token and login: under the lock ------------------------------------------------------------
 */

/* The slot of slot_index at the start; later on that of the same token, wherever it is now. */
static vs_code find_slot(hsm *h, CK_SLOT_ID *out, vs_error *err)
{
    CK_SLOT_ID slots[SLOTS];
    CK_ULONG n = SLOTS;
    CK_TOKEN_INFO info;
    CK_RV rv = h->f->C_GetSlotList(CK_TRUE, slots, &n);
    if (rv != CKR_OK)
        return fail_rv("listing slots", rv, err);
    for (CK_ULONG i = 0; i < n; i++) {
        if (!h->known && (int64_t)i != h->cfg->slot_index)
            continue;
        rv = h->f->C_GetTokenInfo(slots[i], &info);
        if (rv != CKR_OK) {
            if (!h->known)
                return fail_rv("reading the token's description", rv, err);
            continue;
        }
        if (h->known && memcmp(info.serialNumber, h->serial, SERIAL) != 0)
            continue;
        memcpy(h->serial, info.serialNumber, SERIAL);
        h->known = true;
        *out = slots[i];
        return VS_OK;
    }
    return h->known ? vs_fail(err, VS_E_IO, "the token is not there any more")
                    : vs_fail(err, VS_E_NOT_FOUND,
                              "slot_index is %lld, but the module has %lu slots with a token",
                              (long long)h->cfg->slot_index, n);
}

static vs_code log_in(hsm *h, CK_SESSION_HANDLE s, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(PIN_MAX);
    vs_span pin = vs_str(h->cfg->pin);
    if (h->pin_refused)
        return vs_fail(err, VS_E_DENIED,
                       "the HSM has refused the PIN before; it is not tried again, so that the "
                       "token does not lock itself");
    if (h->cfg->pin_file) {
        VS_TRY_WRAP(vs_read_file(h->cfg->pin_file, &file, err), err, "the PIN");
        pin = vs_buf_span(&file);
        while (pin.n > 0 && (pin.p[pin.n - 1] == '\n' || pin.p[pin.n - 1] == '\r'))
            pin.n--;
    }
    if (pin.n == 0)
        return vs_fail(err, VS_E_INVALID, "the PIN is empty");
    CK_RV rv = h->f->C_Login(s, CKU_USER, (unsigned char *)(uintptr_t)pin.p, pin.n);
    h->pin_refused = about_pin(rv);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? VS_OK : fail_rv("login", rv, err);
}

/* Logged in? An object that is private cannot be seen otherwise: it would seem to be missing. */
static vs_code make_ready(hsm *h, CK_SESSION_HANDLE s, CK_RV *rv, vs_error *err)
{
    CK_SESSION_INFO info;
    *rv = h->f->C_GetSessionInfo(s, &info);
    if (*rv != CKR_OK)
        return fail_rv("looking at a session", *rv, err);
    return info.state == CKS_RW_USER_FUNCTIONS ? VS_OK : log_in(h, s, err);
}

static vs_code open_session(hsm *h, CK_SESSION_HANDLE *out, vs_error *err)
{
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE s;
    VS_TRY(find_slot(h, &slot, err));
    CK_RV rv = h->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s);
    if (rv != CKR_OK)
        return fail_rv("opening a session", rv, err);
    vs_code code = make_ready(h, s, &rv, err);
    if (code != VS_OK)
        (void)h->f->C_CloseSession(s);
    *out = s;
    return code;
}

/* An idle session that still works, or a new one; the place in the pool is already ours. */
static vs_code fill_place(hsm *h, CK_SESSION_HANDLE *out, vs_error *err)
{
    while (h->n_idle > 0) {
        CK_SESSION_HANDLE s = h->idle[--h->n_idle];
        CK_RV rv;
        vs_code code = make_ready(h, s, &rv, err);
        if (code == VS_OK) {
            *out = s;
            return VS_OK;
        }
        (void)h->f->C_CloseSession(s);
        if (rv == CKR_OK) /* the session is good, the login was refused */
            return code;
        h->n_open--;
    }
    h->n_open++;
    return open_session(h, out, err);
}

/* ---- the pool -----------------------------------------------------------------------------------
 */

static vs_code take(hsm *h, CK_SESSION_HANDLE *out, vs_error *err)
{
    int64_t until = vs_mono_ns() + (int64_t)WAIT_S * 1000000000;
    bool late = false;
    (void)pthread_mutex_lock(&h->lock);
    while (!late && h->n_idle == 0 && h->n_open >= SESSIONS)
        late = !vs_cond_wait(&h->room, &h->lock, until);
    vs_code code;
    if (h->n_idle == 0 && h->n_open >= SESSIONS) {
        code = vs_fail(err, VS_E_TIMEOUT, "all %d sessions of the HSM are busy", SESSIONS);
    } else {
        code = fill_place(h, out, err);
        if (code != VS_OK) {
            h->n_open--;
            (void)pthread_cond_signal(&h->room);
        }
    }
    (void)pthread_mutex_unlock(&h->lock);
    return code;
}

static void give(hsm *h, CK_SESSION_HANDLE s, bool good)
{
    if (!good)
        (void)h->f->C_CloseSession(s);
    (void)pthread_mutex_lock(&h->lock);
    if (good)
        h->idle[h->n_idle++] = s;
    else
        h->n_open--;
    (void)pthread_cond_signal(&h->room);
    (void)pthread_mutex_unlock(&h->lock);
}

vs_code hsm_run(hsm *h, const char *what, hsm_work work, void *user, vs_error *err)
{
    CK_RV rv = CKR_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        CK_SESSION_HANDLE s;
        VS_TRY_WRAP(take(h, &s, err), err, "%s", what);
        rv = work(h->f, s, user);
        give(h, s, !is_lost(rv));
        if (rv == CKR_OK)
            return VS_OK;
        if (!is_lost(rv))
            break;
        vs_log(VS_LOG_WARN, "pkcs11", "the session was lost, logging in again", NULL);
    }
    return fail_rv(what, rv, err);
}

/* ---- the module ---------------------------------------------------------------------------------
 */

static vs_code load(hsm *h, vs_error *err)
{
    CK_C_GetFunctionList get_list = NULL;
    h->library = dlopen(h->cfg->module, RTLD_NOW | RTLD_LOCAL);
    if (!h->library)
        return vs_fail(err, VS_E_NOT_FOUND, "%s", dlerror());
    *(void **)&get_list = dlsym(h->library, "C_GetFunctionList");
    if (!get_list || get_list(&h->f) != CKR_OK || !h->f)
        return vs_fail(err, VS_E_INVALID, "%s is no PKCS#11 module", h->cfg->module);
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = h->f->C_Initialize(&args);
    h->initialized = rv == CKR_OK;
    return rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED
               ? VS_OK
               : fail_rv("starting the module", rv, err);
}

static vs_code nothing_to_do(hsm *h, vs_error *err)
{
    CK_SESSION_HANDLE s;
    VS_TRY(take(h, &s, err));
    give(h, s, true);
    return VS_OK;
}

vs_code hsm_open(const kbs_pkcs11_config *cfg, hsm **out, vs_error *err)
{
    *out = NULL;
    hsm *h = calloc(1, sizeof *h);
    if (!h)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    h->cfg = cfg;
    (void)pthread_mutex_init(&h->lock, NULL);
    vs_cond_init(&h->room);
    vs_code code = load(h, err);
    if (code == VS_OK)
        code = nothing_to_do(h, err);
    if (code != VS_OK)
        hsm_close(&h);
    *out = h;
    return code;
}

void hsm_close(hsm **hp)
{
    hsm *h = *hp;
    if (!h)
        return;
    *hp = NULL;
    while (h->n_idle > 0)
        (void)h->f->C_CloseSession(h->idle[--h->n_idle]);
    if (h->initialized)
        (void)h->f->C_Finalize(NULL);
    if (h->library)
        (void)dlclose(h->library);
    (void)pthread_cond_destroy(&h->room);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}
