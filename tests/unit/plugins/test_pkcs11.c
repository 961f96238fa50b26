/* SPDX-License-Identifier: Apache-2.0 */
/* The pkcs11 plugin with SoftHSM: a token of its own in a temporary directory. */
#include "request.h"

#include <dlfcn.h>
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

#include "base/io.h"
#include "plugins/pkcs11_session.h"

#define PIN   "canary-pin-77"
#define LABEL "wrapping key"

static const char *const modules[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                      "/usr/lib64/pkcs11/libsofthsm2.so"};
static const char *module;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

typedef struct fixture {
    char dir[64];
    void *library;
    CK_FUNCTION_LIST *f;
    CK_SLOT_ID slot;
    kbs_pkcs11_config cfg;
    kbs_plugin plugin;
    vs_arena a;
    vs_buf out;
    vs_error err;
} fixture;

static void say(fixture *f, CK_RV rv, const char *what)
{
    (void)f;
    if (rv != CKR_OK)
        fail_msg("%s: 0x%lx", what, rv);
}
#define P11(call) say(f, f->f->call, #call)

static void make_pair(fixture *f, CK_SESSION_HANDLE s, const char *label)
{
    CK_ULONG bits = 2048;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_MECHANISM how = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    void *name = (void *)(uintptr_t)label;
    CK_ATTRIBUTE pub[] = {{CKA_TOKEN, &yes, sizeof yes},
                          {CKA_ENCRYPT, &yes, sizeof yes},
                          {CKA_MODULUS_BITS, &bits, sizeof bits},
                          {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
                          {CKA_LABEL, name, strlen(label)}};
    CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &yes, sizeof yes},
                           {CKA_PRIVATE, &yes, sizeof yes},
                           {CKA_DECRYPT, &yes, sizeof yes},
                           {CKA_LABEL, name, strlen(label)}};
    CK_OBJECT_HANDLE a, b;
    P11(C_GenerateKeyPair(s, &how, pub, VS_COUNT(pub), priv, VS_COUNT(priv), &a, &b));
}

static void make_token(fixture *f)
{
    CK_SLOT_ID slots[8];
    CK_ULONG n = VS_COUNT(slots);
    CK_SESSION_HANDLE s;
    unsigned char label[32];
    memset(label, ' ', sizeof label);
    memcpy(label, "vouchsafe test", 14);
    P11(C_Initialize(NULL));
    P11(C_GetSlotList(CK_FALSE, slots, &n));
    P11(C_InitToken(slots[0], (unsigned char *)(uintptr_t) "so-pin-1", 8, label));
    P11(C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
    P11(C_Login(s, CKU_SO, (unsigned char *)(uintptr_t) "so-pin-1", 8));
    P11(C_InitPIN(s, (unsigned char *)(uintptr_t)PIN, strlen(PIN)));
    P11(C_Logout(s));
    P11(C_Login(s, CKU_USER, (unsigned char *)(uintptr_t)PIN, strlen(PIN)));
    make_pair(f, s, LABEL);
    P11(C_Finalize(NULL));
}

static void open_plugin(fixture *f)
{
    CK_SLOT_ID slots[8];
    CK_ULONG n = VS_COUNT(slots);
    assert_vs_ok(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), &f->err);
    P11(C_GetSlotList(CK_TRUE, slots, &n));
    f->slot = slots[0];
}

static void close_plugin(fixture *f)
{
    if (f->plugin.ops)
        f->plugin.ops->free(f->plugin.self);
    f->plugin = (kbs_plugin){0};
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    char conf[100], text[200];
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "%s", P_tmpdir "/vs-hsm-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", f->dir);
    (void)snprintf(text, sizeof text,
                   "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                   f->dir);
    assert_vs_ok(vs_write_file(conf, vs_str(text), 0600, &f->err), &f->err);
    (void)setenv("SOFTHSM2_CONF", conf, 1);
    vs_arena_init(&f->a, 0);
    f->out = (vs_buf)VS_BUF(1 << 20);
    f->library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(f->library);
    CK_C_GetFunctionList get = NULL;
    *(void **)&get = dlsym(f->library, "C_GetFunctionList");
    assert_true(get && get(&f->f) == CKR_OK);
    make_token(f);
    f->cfg = (kbs_pkcs11_config){.module = module, .pin = PIN, .sha1 = true, .lookup_label = LABEL};
    open_plugin(f);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    fixture *f = *state;
    close_plugin(f);
    vs_arena_free(&f->a);
    vs_buf_free(&f->out);
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)unsetenv("SOFTHSM2_CONF");
    free(f);
    return 0;
}

static vs_code tell(fixture *f, kbs_method method, const char *path, vs_span body)
{
    return handle_on(&f->a, &f->plugin, (request){method, path, body, {{0}}}, &f->out, &f->err);
}

/* ---- wrap-key ----------------------------------------------------------------------------------
 */

static void what_is_wrapped_is_unwrapped(void **state)
{
    fixture *f = *state;
    uint8_t secret[190];
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 7);
    for (size_t n = 1; n <= sizeof secret; n += 63) {
        assert_vs_ok(tell(f, KBS_POST, "wrap-key", vs_span_of(secret, n)), &f->err);
        assert_int_equal(f->out.n, 256);
        vs_span wrapped = vs_dup(&f->a, vs_buf_span(&f->out));
        assert_vs_ok(tell(f, KBS_GET, "wrap-key", wrapped), &f->err);
        assert_span_eq(vs_buf_span(&f->out), vs_span_of(secret, n));
        uint8_t *flipped = (uint8_t *)(uintptr_t)wrapped.p;
        flipped[n] ^= 1;
        assert_int_not_equal(tell(f, KBS_GET, "wrap-key", wrapped), VS_OK);
        assert_int_equal(f->out.n, 0);
        assert_int_not_equal(tell(f, KBS_GET, "wrap-key", vs_span_head(wrapped, 255)), VS_OK);
    }
}

/* kbs.md 11 row 14: a request must not end the server when the key is not there. */
static void a_missing_or_ambiguous_key_is_an_error(void **state)
{
    fixture *f = *state;
    f->cfg.lookup_label = "none";
    assert_vs_code(tell(f, KBS_POST, "wrap-key", VS_LIT("x")), VS_E_NOT_FOUND);
    assert_says(&f->err, "no public key in the HSM has the label \"none\"");
    assert_vs_code(tell(f, KBS_GET, "wrap-key", VS_LIT("x")), VS_E_NOT_FOUND);
    f->cfg.lookup_label = LABEL;
    CK_SESSION_HANDLE s;
    P11(C_OpenSession(f->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
    make_pair(f, s, LABEL);
    assert_vs_code(tell(f, KBS_POST, "wrap-key", VS_LIT("x")), VS_E_CONFLICT);
    assert_vs_code(tell(f, KBS_GET, "wrap-key", VS_LIT("x")), VS_E_CONFLICT);
}

static void sizes_and_methods_that_cannot_be_are_errors(void **state)
{
    fixture *f = *state;
    uint8_t big[4096] = {0};
    assert_int_not_equal(tell(f, KBS_POST, "wrap-key", VS_LIT("")), VS_OK);
    assert_int_not_equal(tell(f, KBS_GET, "wrap-key", VS_LIT("")), VS_OK);
    assert_int_not_equal(tell(f, KBS_POST, "wrap-key", vs_span_of(big, 300)), VS_OK);
    assert_int_not_equal(tell(f, KBS_POST, "wrap-key", vs_span_of(big, sizeof big)), VS_OK);
    static const struct {
        kbs_method method;
        const char *path;
    } bad[] = {{KBS_PUT, "wrap-key"},
               {KBS_DELETE, "wrap-key"},
               {KBS_GET, ""},
               {KBS_GET, "wrap-key/"},
               {KBS_GET, "wrap-key/x"},
               {KBS_GET, "other"},
               {KBS_PUT, "resource/a/b/c"},
               {KBS_GET, "resource"},
               {KBS_GET, "resource/a/b"},
               {KBS_POST, "resource/a/b/c/d"},
               {KBS_GET, "resource/../b/c"},
               {KBS_GET, "resource/a/b/\"c"},
               {KBS_DELETE, "resource/a//c"},
               {KBS_GET, "resource/a/b/%2e%2e"},
               {KBS_GET, "resource/a/b/\xc0\xae"}};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        assert_int_not_equal(tell(f, bad[i].method, bad[i].path, VS_LIT("x")), VS_OK);
        assert_int_not_equal(check_on(&f->a, &f->plugin,
                                      (request){bad[i].method, bad[i].path, VS_LIT("x"), {{0}}},
                                      &f->err),
                             VS_OK);
    }
}

/* SoftHSM 2.6 has OAEP with SHA-1 only: what the HSM cannot do is a precise error. */
static void sha_256_is_asked_for_by_default(void **state)
{
    fixture *f = *state;
    f->cfg.sha1 = false;
    vs_code code = tell(f, KBS_POST, "wrap-key", VS_LIT("x"));
    if (code == VS_OK) {
        vs_span wrapped = vs_dup(&f->a, vs_buf_span(&f->out));
        assert_vs_ok(tell(f, KBS_GET, "wrap-key", wrapped), &f->err);
        f->cfg.sha1 = true; /* a different padding */
        assert_int_not_equal(tell(f, KBS_GET, "wrap-key", wrapped), VS_OK);
    } else {
        assert_int_equal(code, VS_E_UNSUPPORTED);
        assert_says(&f->err, "wrapping: the HSM says CKR_");
    }
}

/* ---- objects -----------------------------------------------------------------------------------
 */

static void secrets_are_objects_that_outlive_the_process(void **state)
{
    fixture *f = *state;
    assert_vs_code(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), VS_E_NOT_FOUND);
    assert_vs_ok(tell(f, KBS_POST, "resource/a/b/c", VS_LIT("one")), &f->err);
    assert_int_equal(f->out.n, 0);
    assert_vs_ok(tell(f, KBS_POST, "resource/a/b/d", VS_LIT("other")), &f->err);
    assert_vs_ok(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), &f->err);
    assert_span_is(vs_buf_span(&f->out), "one");
    assert_vs_ok(tell(f, KBS_POST, "resource/a/b/c", VS_LIT("two\0\xff")), &f->err);
    close_plugin(f);
    open_plugin(f);
    assert_vs_ok(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), &f->err);
    assert_span_eq(vs_buf_span(&f->out), VS_LIT("two\0\xff"));
    assert_vs_ok(tell(f, KBS_DELETE, "resource/a/b/c", VS_LIT("")), &f->err);
    assert_vs_code(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), VS_E_NOT_FOUND);
    assert_vs_code(tell(f, KBS_DELETE, "resource/a/b/c", VS_LIT("")), VS_E_NOT_FOUND);
    assert_vs_ok(tell(f, KBS_GET, "resource/a/b/d", VS_LIT("")), &f->err);
    assert_span_is(vs_buf_span(&f->out), "other");
    assert_vs_code(tell(f, KBS_POST, "resource/a/b/c", VS_LIT("")), VS_E_INVALID);
}

static void what_the_hsm_keeps_is_not_given(void **state)
{
    fixture *f = *state;
    CK_SESSION_HANDLE s;
    CK_OBJECT_HANDLE h;
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ATTRIBUTE object[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_TOKEN, &yes, sizeof yes},
                             {CKA_SENSITIVE, &yes, sizeof yes},
                             {CKA_EXTRACTABLE, &no, sizeof no},
                             {CKA_LABEL, (void *)(uintptr_t) "a/b/c", 5},
                             {CKA_VALUE, (void *)(uintptr_t) "hidden", 6}};
    P11(C_OpenSession(f->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
    P11(C_CreateObject(s, object, VS_COUNT(object), &h));
    assert_vs_code(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), VS_E_DENIED);
    assert_int_equal(f->out.n, 0);
    P11(C_CreateObject(s, object, VS_COUNT(object), &h)); /* two: which one is meant? */
    assert_vs_code(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), VS_E_CONFLICT);
    assert_vs_ok(tell(f, KBS_POST, "resource/a/b/c", VS_LIT("mended")), &f->err);
    assert_vs_ok(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), &f->err);
    assert_span_is(vs_buf_span(&f->out), "mended");
}

/* ---- login -------------------------------------------------------------------------------------
 */

static void a_lost_token_is_logged_in_to_again(void **state)
{
    fixture *f = *state;
    assert_vs_ok(tell(f, KBS_POST, "resource/a/b/c", VS_LIT("kept")), &f->err);
    for (int i = 0; i < 3; i++) {
        P11(C_CloseAllSessions(f->slot));
        assert_vs_ok(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), &f->err);
        assert_span_is(vs_buf_span(&f->out), "kept");
        CK_SESSION_HANDLE s; /* and when only the login is lost */
        P11(C_OpenSession(f->slot, CKF_SERIAL_SESSION, NULL, NULL, &s));
        P11(C_Logout(s));
        P11(C_CloseSession(s));
        assert_vs_ok(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), &f->err);
        assert_span_is(vs_buf_span(&f->out), "kept");
    }
}

/* A token locks itself after some wrong PINs: requests must not do that. */
static void a_refused_pin_is_not_tried_again(void **state)
{
    fixture *f = *state;
    CK_TOKEN_INFO info;
    f->cfg.pin = "canary-wrong";
    P11(C_CloseAllSessions(f->slot));
    for (int i = 0; i < 20; i++)
        assert_vs_code(tell(f, KBS_GET, "resource/a/b/c", VS_LIT("")), VS_E_DENIED);
    assert_says(&f->err, "not tried again");
    P11(C_GetTokenInfo(f->slot, &info));
    assert_false(info.flags & CKF_USER_PIN_LOCKED);
    close_plugin(f);
    assert_vs_code(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_E_DENIED);
    assert_says(&f->err, "login: the HSM says CKR_PIN_INCORRECT");
}

/* hazard 34. */
static void no_error_holds_the_pin_or_a_secret(void **state)
{
    fixture *f = *state;
    char text[VS_ERROR_TEXT];
    static const char *const pins[] = {"canary-wrong", "", "canary-pin-that-is-much-too-long-"};
    close_plugin(f);
    for (size_t i = 0; i < VS_COUNT(pins); i++) {
        f->cfg.pin = pins[i];
        assert_int_not_equal(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_OK);
        assert_null(strstr(vs_error_text(&f->err, text, sizeof text), "canary"));
    }
    f->cfg.pin = PIN;
    open_plugin(f);
    assert_int_not_equal(tell(f, KBS_GET, "wrap-key", VS_LIT("canary-body")), VS_OK);
    assert_null(strstr(vs_error_text(&f->err, text, sizeof text), "canary"));
}

static void the_pin_can_be_in_a_file(void **state)
{
    fixture *f = *state;
    char path[100];
    (void)snprintf(path, sizeof path, "%s/pin", f->dir);
    close_plugin(f);
    f->cfg.pin = NULL;
    f->cfg.pin_file = path;
    assert_vs_code(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_E_NOT_FOUND);
    assert_vs_ok(vs_write_file(path, VS_LIT(PIN "\n"), 0600, &f->err), &f->err);
    open_plugin(f);
}

static void a_wrong_module_or_slot_stops_the_start(void **state)
{
    fixture *f = *state;
    close_plugin(f);
    f->cfg.slot_index = 9;
    assert_vs_code(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_E_NOT_FOUND);
    assert_says(&f->err, "slot_index is 9");
    f->cfg.slot_index = 0;
    f->cfg.module = "/nonexistent.so";
    assert_vs_code(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_E_NOT_FOUND);
    f->cfg.module = "libm.so.6";
    assert_vs_code(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), VS_E_INVALID);
    assert_says(&f->err, "no PKCS#11 module");
}

/* ---- threads -----------------------------------------------------------------------------------
 */

typedef struct worker {
    fixture *f;
    int i;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    vs_arena a;
    vs_buf out = VS_BUF(4096);
    vs_error err;
    char path[32], value[32];
    bool good = true;
    vs_arena_init(&a, 0);
    (void)snprintf(path, sizeof path, "resource/a/b/%d", w->i);
    for (int n = 0; n < 5 && good; n++) {
        (void)snprintf(value, sizeof value, "%d-%d", w->i, n);
        const kbs_plugin *p = &w->f->plugin;
        good = handle_on(&a, p, (request){KBS_POST, path, vs_str(value), {{0}}}, &out, &err) ==
                   VS_OK &&
               handle_on(&a, p, (request){KBS_GET, path, VS_LIT(""), {{0}}}, &out, &err) == VS_OK &&
               vs_span_is(vs_buf_span(&out), value) &&
               handle_on(&a, p, (request){KBS_POST, "wrap-key", vs_str(value), {{0}}}, &out,
                         &err) == VS_OK;
    }
    vs_buf_free(&out);
    vs_arena_free(&a);
    return good ? NULL : w;
}

static void more_threads_than_sessions_get_their_turn(void **state)
{
    fixture *f = *state;
    enum { THREADS = 12 };
    pthread_t threads[THREADS];
    worker w[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){f, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    for (size_t i = 0; i < VS_COUNT(modules) && !module; i++)
        if (access(modules[i], R_OK) == 0)
            module = modules[i];
    if (!module) {
        printf("1..0 # SKIP SoftHSM is not installed\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(what_is_wrapped_is_unwrapped),
        T(a_missing_or_ambiguous_key_is_an_error),
        T(sizes_and_methods_that_cannot_be_are_errors),
        T(sha_256_is_asked_for_by_default),
        T(secrets_are_objects_that_outlive_the_process),
        T(what_the_hsm_keeps_is_not_given),
        T(a_lost_token_is_logged_in_to_again),
        T(a_refused_pin_is_not_tried_again),
        T(no_error_holds_the_pin_or_a_secret),
        T(the_pin_can_be_in_a_file),
        T(a_wrong_module_or_slot_stops_the_start),
        T(more_threads_than_sessions_get_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
