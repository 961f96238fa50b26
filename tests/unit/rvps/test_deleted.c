/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator has deleted does not come back with a message that was heard before. */
#include "endorser.h"

#include "../store/pg_server.h"

#include <pthread.h>

#include "rvps/comids.h"

#define BL       "cca.software-component/BL/digests"
#define M1       "cca.software-component/M1/digests"
#define ABSENT   "absent"
#define DELETED  "was deleted; it comes back with a higher version"
#define VALUE(x) "[\"" x "\"]"

/* A signed CoRIM of no profile: its values are plain ones. */
static vs_span plain(const fixture *f, const char *id, const char *comids)
{
    vs_span m = manifest(vs_sprintf(&arena, "{\"corim-id\":\"%s\",\"comids\":[%s]}", id, comids));
    return signed_by(f, &f->leaf, m);
}

static const char *comid(const char *tag, int version, const char *what, const char *digest)
{
    return vs_sprintf(&arena, COMID("%s", "%d", REFS(VALUES(COMPONENT("%s", "%s")))), tag, version,
                      digest, what); /* in the order of the text */
}

static vs_code replay(fixture *f, vs_span in)
{
    return send_by(f, in, "");
}

static void delete_it(fixture *f, const char *name)
{
    assert_vs_ok(rvps_delete(f->r, vs_str(name), VS_LIT("admin"), &err), &err);
}

static void anchored(fixture *f)
{
    with_options(f, (rvps_options){.anchors = f->anchors, .require_signed = true});
}

static void assert_stays_away(fixture *f, vs_span in, const char *name)
{
    assert_vs_code(replay(f, in), VS_E_CONFLICT);
    expect_reason(DELETED);
    expect(f, name, ABSENT);
}

static void a_plain_value_stays_deleted(void **state)
{
    fixture *f = *state;
    anchored(f);
    vs_span first = plain(f, "p", comid("t", 1, "BL", DIGEST_1));
    assert_vs_ok(replay(f, first), &err);
    assert_vs_ok(replay(f, first), &err); /* nothing was deleted yet */
    expect(f, BL, VALUE(HEX_1));
    delete_it(f, BL);
    assert_stays_away(f, first, BL);
    assert_vs_code(rvps_delete(f->r, VS_LIT(BL), VS_LIT("admin"), &err), VS_E_NOT_FOUND);
    assert_stays_away(f, first, BL);
    /* Signed anew, which anybody who may sign can do, it is the same statement. */
    assert_stays_away(f, plain(f, "p", comid("t", 1, "BL", DIGEST_1)), BL);
    /* Its signer may say something newer; an administrator may send what there was. */
    vs_span second = plain(f, "p", comid("t", 2, "BL", DIGEST_2));
    assert_vs_ok(replay(f, second), &err);
    expect(f, BL, VALUE(HEX_2));
    assert_vs_code(replay(f, first), VS_E_CONFLICT);
    delete_it(f, BL);
    assert_stays_away(f, second, BL);
    assert_vs_ok(send(f, second), &err);
    assert_vs_ok(replay(f, second), &err);
    expect(f, BL, VALUE(HEX_2));
}

/* Every way in which a CoRIM names a value. */
static void all_that_a_signed_message_can_say_stays_deleted(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"ACME/Box/fw/digests", "ACME/Box/fw/svn",
                                        "ACME/Box/fw/min_svn", "ACME/Box/fw/raw_bytes",
                                        "ACME/Box/claim7/BL/SN/raw_bytes"};
    vs_span m[] = {measurement("626677", "a10281820158"
                                         "20"
                                         "01010101010101010101010101010101"
                                         "01010101010101010101010101010101"),
                   measurement("626677", "a10103"), measurement("626677", "a101d9022905"),
                   measurement("626677", "a104d9023042abcd"),
                   measurement("07", "a3"
                                     "04d9023042abcd"
                                     "0862534e"
                                     "0b62424c")};
    vs_span in = signed_by(f, &f->leaf, manifest_of(m, VS_COUNT(m), 0, 0));
    anchored(f);
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        assert_vs_ok(send(f, in), &err); /* an administrator, who may */
        assert_true(vs_defined(value_at(f, names[i], NOW)));
        delete_it(f, names[i]);
        assert_stays_away(f, in, names[i]);
    }
}

/* Whoever gave what stood there at last: all of them are marked. */
static void no_former_giver_brings_it_back_either(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors});
    vs_span one = plain(f, "p", comid("t", 1, "BL", DIGEST_1));
    vs_span two = plain(f, "p", comid("u", 1, "BL", DIGEST_2));
    vs_span three = plain(f, "q", comid("t", 1, "BL", DIGEST_2));
    assert_vs_ok(replay(f, one), &err);
    assert_vs_ok(replay(f, two), &err);
    assert_vs_ok(replay(f, three), &err);
    vs_span sample = message("sample", VS_LIT("{\"" BL "\":[\"mine\"]}"));
    assert_vs_ok(rvps_register(f->r, sample, NOW, &err), &err);
    expect(f, BL, VALUE("mine"));
    delete_it(f, BL);
    assert_stays_away(f, one, BL);
    assert_stays_away(f, two, BL);
    assert_stays_away(f, three, BL);
    /* An approved value in its place, as `collect` registers it, is not undone either. */
    assert_vs_ok(
        rvps_register_vouched(f->r, sample, VS_LIT("collected from decision x"), NOW, &err), &err);
    assert_vs_code(replay(f, one), VS_E_CONFLICT);
    expect(f, BL, VALUE("mine"));
    /* Nor does the manifest without its signature bring anything back. */
    vs_span bare = manifest("{\"corim-id\":\"p\",\"comids\":[" COMID(
        "t", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))) "]}");
    assert_vs_code(replay(f, bare), VS_E_DENIED);
    /* What nobody has heard yet is news. */
    assert_vs_ok(replay(f, plain(f, "r", comid("t", 1, "BL", DIGEST_2))), &err);
    expect(f, BL, VALUE(HEX_2));
}

static void only_those_are_marked_that_gave_it(void **state)
{
    fixture *f = *state;
    anchored(f);
    const char *bl = comid("bl", 1, "BL", DIGEST_1), *m1 = comid("m1", 1, "M1", DIGEST_1);
    vs_span both = plain(f, "p", vs_sprintf(&arena, "%s,%s", bl, m1));
    assert_vs_ok(replay(f, both), &err);
    delete_it(f, BL);
    assert_stays_away(f, both, BL);
    expect(f, M1, VALUE(HEX_1));
    assert_vs_ok(replay(f, plain(f, "p", m1)), &err);
    assert_stays_away(f, plain(f, "p", bl), BL);
}

/* Beside the records of the profile, a CoRIM of it gives plain names: neither lets the other back.
 */
static void names_of_a_cca_manifest_stand_for_each_other(void **state)
{
    fixture *f = *state;
    anchored(f);
    vs_span in = signed_by(f, &f->leaf, platform_manifest("t", 1, DIGEST_1));
    assert_vs_ok(replay(f, in), &err);
    delete_it(f, BL);
    assert_stays_away(f, in, BL);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_1, "t", "1") "]");
    assert_vs_ok(send(f, in), &err);
    delete_it(f, PLATFORM_NAME);
    assert_stays_away(f, in, PLATFORM_NAME);
}

/* A stranger's CoMID of the same ids neither marks the vendor's, nor makes its taking over costly.
 */
static void strangers_marks_are_nobodys(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors});
    assert_vs_ok(send_by(f, platform_manifest("t", 9, DIGEST_2), ""), &err);
    vs_span in = signed_by(f, &f->leaf, key_manifest("t", 1, KEYS(KEY_TRIPLE(UEID_A, KEY_A))));
    assert_vs_ok(replay(f, in), &err);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, 1); /* the stranger's, marked as such */
    delete_it(f, PLATFORM_NAME);
    assert_vs_ok(replay(f, in), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
}

static void a_name_has_so_many_givers_at_most(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(8 << 20);
    anchored(f);
    for (unsigned i = 0; i <= RVPS_GIVERS_MAX; i++)
        vs_buf_printf(&b, "%s" COMID("g%u", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))),
                      i ? "," : "{\"corim-id\":\"p\",\"comids\":[", i);
    vs_buf_puts(&b, "]}");
    vs_span text = on_arena(&b), in;
    vs_val v;
    vs_buf out = VS_BUF(8 << 20);
    assert_vs_ok(vs_json_parse(&arena, text, NULL, &v, &err), &err);
    assert_vs_ok(corim_put_manifest(&out, &arena, v, NULL, 0, &err), &err);
    in = on_arena(&out);
    assert_vs_code(replay(f, signed_by(f, &f->leaf, in)), VS_E_LIMIT);
    expect_reason("4097 CoMIDs have given it, at most 4096: delete the value");
}

/* ---- kept -------------------------------------------------------------------------------------
 */

typedef struct place {
    const char *kind, *path;
    pg_server *server;
} place;

static vs_store *open_place(const place *p)
{
    vs_store *s = NULL;
    if (strcmp(p->kind, "postgres") == 0) {
        const vs_store_postgres cfg = {
            .host = p->server->dir, .db = "postgres", .username = "postgres"};
        assert_vs_ok(vs_store_open_postgres(&cfg, &s, &err), &err);
    } else if (strcmp(p->kind, "sqlite") == 0) {
        assert_vs_ok(vs_store_open_sqlite(vs_sprintf(&arena, "%s/db", p->path), &s, &err), &err);
    } else {
        assert_vs_ok((strcmp(p->kind, "localfs") == 0 ? vs_store_open_localfs
                                                      : vs_store_open_localjson)(p->path, &s, &err),
                     &err);
    }
    return s;
}

/* Two replicas, of which one hears what the other has deleted, also after both have ended. */
static void stays_deleted_in(fixture *f, const place *p)
{
    vs_store *memory = f->store, *one = open_place(p), *two = open_place(p);
    vs_span in = plain(f, "p", comid("t", 1, "BL", DIGEST_1));
    vs_span key = signed_by(f, &f->leaf, key_manifest("k", 1, KEYS(KEY_TRIPLE(UEID_A, KEY_A))));
    f->store = one;
    anchored(f);
    assert_vs_ok(replay(f, in), &err);
    assert_vs_ok(replay(f, key), &err);
    f->store = two;
    anchored(f);
    expect(f, BL, VALUE(HEX_1));
    delete_it(f, BL);
    delete_it(f, CPAK_A);
    for (unsigned round = 0; round < 2; round++) {
        f->store = one;
        anchored(f);
        assert_stays_away(f, in, BL);
        assert_stays_away(f, key, CPAK_A);
        rvps_free(&f->r);
        vs_store_close(&one);
        vs_store_close(&two);
        one = open_place(p);
        two = open_place(p);
    }
    f->store = two;
    anchored(f);
    assert_stays_away(f, in, BL);
    assert_vs_ok(replay(f, plain(f, "p", comid("t", 2, "BL", DIGEST_2))), &err);
    expect(f, BL, VALUE(HEX_2));
    f->store = memory;
    anchored(f);
    vs_store_close(&one);
    vs_store_close(&two);
}

static void every_store_keeps_what_was_deleted(void **state)
{
    fixture *f = *state;
    static const char *const kinds[] = {"sqlite", "localfs", "localjson"};
    for (size_t i = 0; i < VS_COUNT(kinds); i++) {
        char dir[] = "/tmp/vs-deleted-XXXXXX", command[64];
        assert_non_null(mkdtemp(dir));
        stays_deleted_in(f, &(place){.kind = kinds[i], .path = dir});
        (void)snprintf(command, sizeof command, "rm -rf %s", dir);
        assert_int_equal(system(command), 0);
    }
    pg_server server;
    if (!pg_server_new(&server))
        return;
    stays_deleted_in(f, &(place){.kind = "postgres", .server = &server});
    pg_server_stop(&server, SIGQUIT);
    char command[96];
    (void)snprintf(command, sizeof command, "rm -rf %s", server.dir);
    assert_int_equal(system(command), 0);
}

/* ---- at once ----------------------------------------------------------------------------------
 */

typedef struct replayer {
    fixture *f;
    vs_span message;
    vs_code code;
} replayer;

static void *replay_until_refused(void *user)
{
    replayer *r = user;
    while (r->code == VS_OK)
        r->code = rvps_register(r->f->r, r->message, NOW, NULL);
    return NULL;
}

static void a_replay_at_the_same_moment_loses(void **state)
{
    fixture *f = *state;
    enum { REPLAYERS = 3 };
    for (int round = 1; round <= 10; round++) {
        replayer r[REPLAYERS];
        pthread_t t[REPLAYERS];
        anchored(f);
        vs_span in = plain(f, "p", comid("t", round, "BL", DIGEST_1));
        assert_vs_ok(replay(f, in), &err);
        for (int i = 0; i < REPLAYERS; i++) {
            r[i] = (replayer){f, message("corim", in), VS_OK};
            assert_int_equal(pthread_create(&t[i], NULL, replay_until_refused, &r[i]), 0);
        }
        delete_it(f, BL);
        for (int i = 0; i < REPLAYERS; i++) {
            (void)pthread_join(t[i], NULL);
            assert_vs_code(r[i].code, VS_E_CONFLICT);
        }
        expect(f, BL, ABSENT);
    }
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(a_plain_value_stays_deleted),
        with_fixture(all_that_a_signed_message_can_say_stays_deleted),
        with_fixture(no_former_giver_brings_it_back_either),
        with_fixture(only_those_are_marked_that_gave_it),
        with_fixture(names_of_a_cca_manifest_stand_for_each_other),
        with_fixture(strangers_marks_are_nobodys),
        with_fixture(a_name_has_so_many_givers_at_most),
        with_fixture(every_store_keeps_what_was_deleted),
        with_fixture(a_replay_at_the_same_moment_loses),
    };
    return cmocka_run_group_tests_name("deleted", tests, NULL, NULL);
}
