/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appraisal of a verified token. Every comparison leaves a sentence when it fails; nothing stops at
 * the first. Components are counted from 0, as in the policy input.
 */
#include "tee/cca/verify.h"

#include "base/enc.h"
#include "tee/cca/endorsed.h"

enum {
    MISMATCHES_MAX = 32, /* sentences kept */
    MISMATCHES_SHOWN = 3 /* in the error */
};

/* ---- sentences --------------------------------------------------------------------------------
 */

typedef struct findings {
    vs_arena *a;
    vs_vec list;
    size_t n;
} findings;

static void find(findings *f, const char *sentence)
{
    if (f->n++ < MISMATCHES_MAX)
        vs_vec_add(&f->list, vs_cstring(sentence));
}

static vs_val end_findings(findings *f)
{
    if (f->n > MISMATCHES_MAX)
        vs_vec_add(&f->list, vs_cstring(vs_sprintf(f->a, "and %zu more", f->n - MISMATCHES_MAX)));
    return vs_vec_end_array(&f->list);
}

static const char *hex(vs_arena *a, vs_span bytes)
{
    vs_span text = vs_hex_encode_arena(a, bytes);
    return vs_sprintf(a, "%.*s", VS_FMT(text));
}

/* Text of the token, for a sentence. */
static const char *quoted(vs_arena *a, vs_span text)
{
    vs_span shown = vs_utf8_scrub(a, vs_span_head(text, 64));
    return vs_sprintf(a, "\"%.*s\"", VS_FMT(shown));
}

static const char *component_name(vs_arena *a, size_t i, const cca_component *c)
{
    return c->type.p ? vs_sprintf(a, "component %zu %s", i, quoted(a, c->type))
                     : vs_sprintf(a, "component %zu", i);
}

/* ---- one component against what is endorsed ---------------------------------------------------
 */

/* A label that the endorsement leaves out may be anything. */
static bool label_fits(vs_span endorsed, vs_span got)
{
    return !endorsed.p || (got.p && vs_span_eq(endorsed, got));
}

static bool labels_fit(const cca_component *endorsed, const cca_component *got)
{
    return vs_span_eq(endorsed->signer_id, got->signer_id) &&
           label_fits(endorsed->type, got->type) && label_fits(endorsed->version, got->version);
}

static const char *label_difference(vs_arena *a, const char *what, vs_span endorsed, vs_span got)
{
    if (label_fits(endorsed, got))
        return "";
    return vs_sprintf(a, ", %s %s is not the endorsed %s", what, got.p ? quoted(a, got) : "(none)",
                      quoted(a, endorsed));
}

/* Begins with ", ". */
static const char *label_differences(vs_arena *a, const cca_component *endorsed,
                                     const cca_component *got)
{
    const char *signer = vs_span_eq(endorsed->signer_id, got->signer_id)
                             ? ", signer matches"
                             : vs_sprintf(a, ", signer %s is not the endorsed %s",
                                          hex(a, got->signer_id), hex(a, endorsed->signer_id));
    return vs_sprintf(a, "%s%s%s", signer, label_difference(a, "type", endorsed->type, got->type),
                      label_difference(a, "version", endorsed->version, got->version));
}

/* ---- the JSON reference store (3.2) -----------------------------------------------------------
 */

static bool stored_component_matches(const cca_component *ref, const cca_component *got)
{
    return vs_span_eq(ref->value, got->value) && labels_fit(ref, got);
}

/* How far an entry is from the platform; 0 = it matches. An ordered list of equal length: a missing
 * or an additional component is a mismatch. */
static size_t distance(const cca_platform_ref *ref, const cca_platform *p)
{
    size_t n = !vs_span_eq(ref->config, p->config);
    size_t both = ref->n_components < p->n_components ? ref->n_components : p->n_components;
    n += ref->n_components + p->n_components - 2 * both;
    for (size_t i = 0; i < both; i++)
        n += !stored_component_matches(&ref->components[i], &p->components[i]);
    return n;
}

static void compare_with_entry(const cca_platform_ref *ref, const cca_platform *p, findings *f)
{
    vs_arena *a = f->a;
    size_t entry = ref->order;
    for (size_t i = 0; i < ref->n_components && i < p->n_components; i++) {
        const cca_component *got = &p->components[i], *want = &ref->components[i];
        if (!stored_component_matches(want, got))
            find(f, vs_sprintf(a, "%s: digest %s %s the value of rv-store entry %zu%s",
                               component_name(a, i, got), hex(a, got->value),
                               vs_span_eq(want->value, got->value) ? "is" : "is not", entry,
                               label_differences(a, want, got)));
    }
    if (ref->n_components != p->n_components)
        find(f, vs_sprintf(a, "%zu software components, rv-store entry %zu has %zu",
                           p->n_components, entry, ref->n_components));
    if (!vs_span_eq(ref->config, p->config))
        find(f, vs_sprintf(a, "configuration %s is not the %s of rv-store entry %zu",
                           hex(a, p->config), hex(a, ref->config), entry));
}

/* The nearest entry of the same product; NULL when there is none. */
static const cca_platform_ref *nearest_entry(const cca_stores *s, const cca_platform *p)
{
    size_t n, best_distance = SIZE_MAX;
    const cca_platform_ref *ref = cca_find_platforms(s, p->implementation_id, &n), *best = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(&ref[i], p);
        if (d < best_distance) {
            best = &ref[i];
            best_distance = d;
        }
    }
    return best;
}

static vs_val store_entry(vs_arena *a, size_t entry)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "rv-store", vs_int((int64_t)entry));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val list_of_one(vs_arena *a, vs_val item)
{
    vs_vec list = {.a = a};
    vs_vec_add(&list, item);
    return vs_vec_end_array(&list);
}

/* ---- the provider's platform endorsements (3.1) -----------------------------------------------
 */

static bool has_value(const cca_endorsed_component *c, vs_span value)
{
    for (size_t i = 0; i < c->n_values; i++)
        if (vs_span_eq(c->values[i], value))
            return true;
    return false;
}

enum { WHOLE_MATCH = 15 };

static unsigned nearness(const cca_endorsed_component *c, const cca_component *got)
{
    return (has_value(c, got->value) ? 8u : 0) | (label_fits(c->labels.type, got->type) ? 4u : 0) |
           (vs_span_eq(c->labels.signer_id, got->signer_id) ? 2u : 0) |
           (label_fits(c->labels.version, got->version) ? 1u : 0);
}

static const cca_endorsed_component *nearest(const cca_platform_record *r, const cca_component *got)
{
    const cca_endorsed_component *best = NULL;
    unsigned best_nearness = 0;
    for (size_t i = 0; i < r->n_components; i++) {
        unsigned n = nearness(&r->components[i], got);
        if (!best || n > best_nearness) {
            best = &r->components[i];
            best_nearness = n;
        }
    }
    return best;
}

/* How many digests are endorsed for a component of this type. */
static size_t values_endorsed(const cca_platform_record *r, const cca_component *got)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_components; i++)
        if (label_fits(r->components[i].labels.type, got->type))
            n += r->components[i].n_values;
    return n;
}

static const char *component_mismatch(vs_arena *a, size_t i, const cca_component *got,
                                      const cca_platform_record *r,
                                      const cca_endorsed_component *near)
{
    const char *name = component_name(a, i, got);
    if (!near)
        return vs_sprintf(a, "%s: %s endorses no software components", name, r->record.name);
    if (has_value(near, got->value))
        return vs_sprintf(a, "%s: digest %s is endorsed%s", name, hex(a, got->value),
                          label_differences(a, &near->labels, got));
    return vs_sprintf(a, "%s: digest %s is not an endorsed value (%zu endorsed)%s", name,
                      hex(a, got->value), values_endorsed(r, got),
                      label_differences(a, &near->labels, got));
}

static bool config_fits(const cca_endorsed_config *c, vs_span got)
{
    if (c->value.n != got.n)
        return false;
    for (size_t i = 0; i < got.n; i++)
        if ((c->value.p[i] ^ got.p[i]) & (c->mask.p ? c->mask.p[i] : 0xff))
            return false;
    return true;
}

static const char *config_mismatch(vs_arena *a, const cca_platform_record *r, vs_span got)
{
    if (r->n_configs == 0)
        return vs_sprintf(a, "configuration %s: %s endorses no configuration", hex(a, got),
                          r->record.name);
    const cca_endorsed_config *c = &r->configs[0];
    return vs_sprintf(a, "configuration %s is not an endorsed value (%zu endorsed: %s%s%s%s)",
                      hex(a, got), r->n_configs, hex(a, c->value), c->mask.p ? " under mask " : "",
                      c->mask.p ? hex(a, c->mask) : "", r->n_configs > 1 ? ", ..." : "");
}

/* Which entries of a record had a part in the match. */
typedef struct entries_used {
    bool *used;
    uint32_t n;
} entries_used;

static vs_val provenance_of(vs_arena *a, const cca_record *r, const entries_used *u)
{
    vs_vec list = {.a = a};
    for (uint32_t i = 0; i < u->n; i++)
        if (u->used[i])
            vs_vec_add(&list, cca_provenance(a, r, i));
    return vs_vec_end_array(&list);
}

static bool components_endorsed(const cca_platform_record *r, const cca_platform *p, findings *f,
                                entries_used *u)
{
    bool all = true;
    for (size_t i = 0; i < p->n_components; i++) {
        const cca_component *got = &p->components[i];
        const cca_endorsed_component *near = nearest(r, got);
        if (near && nearness(near, got) == WHOLE_MATCH) {
            u->used[near->entry] = true;
            continue;
        }
        all = false;
        find(f, component_mismatch(f->a, i, got, r, near));
    }
    return all;
}

/* ---- what is endorsed and not there ------------------------------------------------------------
 *
 * A token that leaves a component out must not pass for one that has it. An entry of the record
 * (one CoMID's components) is whole when the token has a component of each of its types, as that
 * entry endorses it. An entry that is not whole may be another release of what a whole entry
 * endorses: then they share a type, and it does not count. Otherwise it is a part of the platform,
 * and each of its types that the token does not have at all is missing.
 *
 * Only what somebody vouches for counts here, as whole and as missing: a stranger may add to what
 * is endorsed, where strangers are heard, but demand nothing and excuse nothing.
 */

/* The vouched components of one entry. */
typedef struct endorsed_part {
    const cca_endorsed_component *from, *to;
    bool matched[CCA_COMPONENTS_MAX]; /* which of the token's fit one of them */
} endorsed_part;

static bool next_part(const cca_platform_record *r, const cca_platform *p, endorsed_part *part)
{
    const cca_endorsed_component *end = r->components + r->n_components;
    part->from = part->to ? part->to : r->components;
    while (part->from < end && !part->from->vouched)
        part->from++;
    part->to = part->from;
    memset(part->matched, 0, sizeof part->matched);
    while (part->to < end && part->to->entry == part->from->entry) {
        for (size_t i = 0; i < p->n_components; i++)
            part->matched[i] |= nearness(part->to, &p->components[i]) == WHOLE_MATCH;
        part->to++;
    }
    return part->from < part->to;
}

/* Is there one of the token's that is of the type of `c`, or that fits it when it has none? Among
 * those that `among` says, all when it is NULL. */
static bool has_type_of(const cca_platform *p, const cca_endorsed_component *c, const bool *among)
{
    for (size_t i = 0; i < p->n_components; i++) {
        const cca_component *got = &p->components[i];
        bool is = c->labels.type.p ? got->type.p && vs_span_eq(c->labels.type, got->type)
                                   : nearness(c, got) == WHOLE_MATCH;
        if (is && (!among || among[i]))
            return true;
    }
    return false;
}

static bool is_whole(const endorsed_part *part, const cca_platform *p)
{
    for (const cca_endorsed_component *c = part->from; c < part->to; c++)
        if (!has_type_of(p, c, part->matched))
            return false;
    return true;
}

static bool shares_a_type(const endorsed_part *part, const cca_platform *p, const bool *whole)
{
    for (const cca_endorsed_component *c = part->from; c < part->to; c++)
        if (has_type_of(p, c, whole))
            return true;
    return false;
}

static bool find_missing(const cca_platform_record *r, const endorsed_part *part,
                         const cca_platform *p, findings *f)
{
    bool any = false;
    for (const cca_endorsed_component *c = part->from; c < part->to; c++) {
        vs_span type = c->labels.type;
        if (has_type_of(p, c, NULL))
            continue;
        any = true;
        find(f, vs_sprintf(f->a, "no component %s%s: %s, entry %u, endorses one",
                           type.p ? "" : "of signer ",
                           type.p ? quoted(f->a, type) : hex(f->a, c->labels.signer_id),
                           r->record.name, c->entry));
    }
    return any;
}

static bool none_missing(const cca_platform_record *r, const cca_platform *p, findings *f)
{
    bool whole[CCA_COMPONENTS_MAX] = {false}, missing = false;
    for (endorsed_part part = {0}; next_part(r, p, &part);)
        if (is_whole(&part, p))
            for (size_t i = 0; i < p->n_components; i++)
                whole[i] |= part.matched[i];
    for (endorsed_part part = {0}; next_part(r, p, &part);)
        if (!is_whole(&part, p) && !shares_a_type(&part, p, whole))
            missing |= find_missing(r, &part, p, f);
    return !missing;
}

static bool config_endorsed(const cca_platform_record *r, const cca_platform *p, findings *f,
                            entries_used *u)
{
    for (size_t i = 0; i < r->n_configs; i++)
        if (config_fits(&r->configs[i], p->config)) {
            u->used[r->configs[i].entry] = true;
            return true;
        }
    find(f, config_mismatch(f->a, r, p->config));
    return false;
}

/* The vector of 3.1, for an accepted life cycle. */
static void set_by_endorsements(ear_vector *v, bool components, bool config)
{
    ear_set(v, EAR_HARDWARE, 2);
    ear_set(v, EAR_EXECUTABLES, components ? 2 : 33);
    ear_set(v, EAR_CONFIGURATION, config ? 2 : 32);
    ear_set(v, EAR_RUNTIME_OPAQUE, 2);
    ear_set(v, EAR_STORAGE_OPAQUE, 2);
}

/* Against all entries of the record together. */
static vs_code judge_by_record(const cca_platform_record *r, const cca_platform *p, cca_verdict *v,
                               findings *f, vs_error *err)
{
    entries_used used = {.n = r->record.entries.len};
    used.used = vs_zalloc(f->a, used.n * sizeof *used.used);
    VS_TRY(vs_arena_check(f->a, err));
    bool components = components_endorsed(r, p, f, &used);
    components &= none_missing(r, p, f);
    bool config = config_endorsed(r, p, f, &used);
    set_by_endorsements(&v->platform, components, config);
    v->platform_matched = components && config;
    if (v->platform_matched)
        v->platform_by = provenance_of(f->a, &r->record, &used);
    return VS_OK;
}

/* ---- the platform -----------------------------------------------------------------------------
 */

static void judge_by_store(size_t entry, cca_verdict *v, vs_arena *a)
{
    ear_set(&v->platform, EAR_HARDWARE, 2);
    ear_set(&v->platform, EAR_EXECUTABLES, 2);
    ear_set(&v->platform, EAR_CONFIGURATION, 2);
    ear_set(&v->platform, EAR_RUNTIME_OPAQUE, 32);
    v->platform_matched = true;
    v->platform_by = list_of_one(a, store_entry(a, entry));
}

/* Nobody endorses the product, or only the store does and says otherwise. */
static void judge_unknown(const cca_stores *s, const cca_platform_ref *near, const cca_platform *p,
                          const cca_record *r, cca_verdict *v, findings *f)
{
    if (near)
        compare_with_entry(near, p, f);
    else
        find(f, vs_sprintf(f->a,
                           "no reference entry for this implementation id: it is neither in the "
                           "reference value store nor endorsed as %s",
                           r->name));
    if (s->has_references) {
        ear_set(&v->platform, EAR_HARDWARE, 97);
        return;
    }
    set_by_endorsements(&v->platform, false, false);
}

static vs_code appraise_platform(const cca_basis *b, const cca_platform *p, cca_verdict *v,
                                 findings *f, vs_error *err)
{
    const cca_stores *s = &b->snapshot->stores;
    const cca_platform_ref *near = nearest_entry(s, p);
    if (near && distance(near, p) == 0) {
        judge_by_store(near->order, v, b->a);
        return VS_OK;
    }
    cca_platform_record r = {0};
    VS_TRY(cca_find_record(b->endorsements, b->a, CCA_PLATFORM_RECORD, p->implementation_id,
                           &r.record, err));
    if (!vs_defined(r.record.entries)) {
        judge_unknown(s, near, p, &r.record, v, f);
        return VS_OK;
    }
    VS_TRY(cca_read_platform_record(b->a, &r, err));
    VS_TRY(judge_by_record(&r, p, v, f, err));
    if (near && !v->platform_matched)
        compare_with_entry(near, p, f);
    return VS_OK;
}

static void appraise_lifecycle(const cca_snapshot *s, const cca_platform *p, cca_verdict *v,
                               findings *f)
{
    v->lifecycle_accepted = s->lifecycles >> p->lifecycle & 1;
    if (v->lifecycle_accepted)
        return;
    ear_set(&v->platform, EAR_INSTANCE_IDENTITY, 96);
    ear_set(&v->platform, EAR_RUNTIME_OPAQUE, 96);
    ear_set(&v->platform, EAR_STORAGE_OPAQUE, 96);
    find(f, vs_sprintf(f->a, "lifecycle 0x%04x (%s) is not accepted: its secrets are not safe",
                       p->lifecycle_value, cca_lifecycle_name(p->lifecycle)));
}

/* ---- the realm --------------------------------------------------------------------------------
 */

/* What the JSON store says (3.2): -97 no entry with this RIM, 96 other REMs, 2; *entry in the last
 * case. */
static int8_t realm_in_store(const cca_stores *s, const cca_realm *r, size_t *entry)
{
    size_t n;
    const cca_realm_ref *ref = cca_find_realms(s, r->rim, &n);
    for (size_t i = 0; i < n; i++) {
        bool same = true;
        for (unsigned k = 0; k < CCA_REMS; k++)
            same = same && vs_span_eq(ref[i].rem[k], r->rem[k]);
        if (same) {
            *entry = ref[i].order;
            return 2;
        }
    }
    return n ? 96 : -97;
}

static cca_endorsed compare(vs_span endorsed, vs_span got)
{
    if (!endorsed.p)
        return CCA_NOTHING_ENDORSED;
    return vs_span_eq(endorsed, got) ? CCA_ENDORSED : CCA_CONTRADICTED;
}

/* 96: another RPV; 3: another REM; 2: all that is endorsed is as endorsed. */
static int8_t judge_realm(const cca_endorsed_realm *e, const cca_realm *r)
{
    if (compare(e->rpv, r->rpv) == CCA_CONTRADICTED)
        return 96;
    for (unsigned i = 0; i < CCA_REMS; i++)
        if (compare(e->rem[i], r->rem[i]) == CCA_CONTRADICTED)
            return 3;
    return 2;
}

static void explain_realm(const cca_endorsed_realm *e, uint32_t entry, const cca_realm_record *rec,
                          const cca_realm *r, cca_verdict *v, findings *f)
{
    vs_arena *a = f->a;
    v->rpv = compare(e->rpv, r->rpv);
    if (v->rpv == CCA_CONTRADICTED)
        find(f, vs_sprintf(a, "RPV %s is not the %s that %s, entry %u endorses", hex(a, r->rpv),
                           hex(a, e->rpv), rec->record.name, entry));
    for (unsigned i = 0; i < CCA_REMS; i++) {
        v->rem[i] = compare(e->rem[i], r->rem[i]);
        if (v->rem[i] == CCA_CONTRADICTED)
            find(f, vs_sprintf(a, "REM %u %s is not the %s that %s, entry %u endorses", i,
                               hex(a, r->rem[i]), hex(a, e->rem[i]), rec->record.name, entry));
    }
}

/* The best entry counts, whatever their order. 33 when there is none. */
static int8_t realm_in_record(const cca_realm_record *rec, const cca_realm *r, cca_verdict *v,
                              findings *f)
{
    uint32_t best = 0;
    int8_t best_value = 33;
    for (uint32_t i = 0; i < rec->n_realms; i++) {
        int8_t value = judge_realm(&rec->realms[i], r);
        if (i == 0 || value < best_value) {
            best = i;
            best_value = value;
        }
    }
    if (rec->n_realms == 0)
        return best_value;
    v->rim_endorsed = true;
    explain_realm(&rec->realms[best], best, rec, r, v, f);
    if (best_value == 2)
        v->realm_by = list_of_one(f->a, cca_provenance(f->a, &rec->record, best));
    return best_value;
}

/* For the operator, who finds here what to look for and what to do. */
static const char *missing_record(const cca_basis *b, const cca_record *r, int8_t executables)
{
    const char *stored =
        executables == 96 ? "rv-store has this RIM with other REMs only, and " : "";
    if (!b->endorsements)
        return vs_sprintf(b->a, "%sendorsement %s would not count (\"rvps-endorsements\": false)",
                          stored, r->name);
    return vs_sprintf(
        b->a,
        "%sthere is no endorsement %s: to endorse this RIM, submit a CoRIM of the "
        "realm (vouchsafe rim -o corim, vouchsafe corim sign, vouchsafe corim submit)",
        stored, r->name);
}

static vs_code appraise_realm(const cca_basis *b, const cca_realm *r, cca_verdict *v, findings *f,
                              vs_error *err)
{
    const cca_stores *s = &b->snapshot->stores;
    cca_realm_record rec = {0};
    size_t entry = 0;
    VS_TRY(cca_find_record(b->endorsements, b->a, CCA_REALM_RECORD, r->rim, &rec.record, err));
    int8_t executables = s->has_references ? realm_in_store(s, r, &entry) : 33;
    bool in_store = executables == 2;
    if (vs_defined(rec.record.entries)) {
        VS_TRY(cca_read_realm_record(b->a, &rec, err));
        int8_t endorsed = realm_in_record(&rec, r, v, f);
        if (!in_store)
            executables = endorsed;
    }
    if (!in_store && rec.n_realms == 0)
        v->realm_unendorsed = missing_record(b, &rec.record, executables);
    if (executables == 2 && !vs_defined(v->realm_by))
        v->realm_by = list_of_one(b->a, store_entry(b->a, entry));
    v->realm_known = executables == 2;
    ear_set(&v->realm, EAR_EXECUTABLES, executables);
    return VS_OK;
}

/* ---- both -------------------------------------------------------------------------------------
 */

static vs_code refuse_platform(const cca_verdict *v, vs_arena *a, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(16 * 1024);
    vs_val list = v->platform_mismatches;
    VS_TRY(vs_arena_check(a, err));
    for (uint32_t i = 0; i < list.len && i < MISMATCHES_SHOWN; i++) {
        vs_buf_puts(&text, i ? "; " : "");
        vs_buf_put(&text, vs_text(list.u.items[i]));
    }
    if (list.len > MISMATCHES_SHOWN)
        vs_buf_printf(&text, "; and %u more", list.len - MISMATCHES_SHOWN);
    VS_TRY(vs_buf_check(&text, err));
    vs_span s = vs_buf_span(&text);
    return vs_fail(err, VS_E_UNTRUSTED, "platform token: %.*s", VS_FMT(s));
}

static vs_code appraise(const cca_basis *b, const cca_token *t, cca_verdict *v, vs_error *err)
{
    findings platform = {.a = b->a, .list = {.a = b->a}};
    findings realm = {.a = b->a, .list = {.a = b->a}};
    VS_TRY(appraise_platform(b, &t->platform, v, &platform, err));
    appraise_lifecycle(b->snapshot, &t->platform, v, &platform);
    /* 3.2: beside a platform that the store does not know, nothing is said of the realm. */
    if (v->platform.value[EAR_HARDWARE] == 97)
        cca_set_all(&v->realm, 0);
    else
        VS_TRY(appraise_realm(b, &t->realm, v, &realm, err));
    v->platform_mismatches = end_findings(&platform);
    v->realm_mismatches = end_findings(&realm);
    return vs_arena_check(b->a, err);
}

vs_code cca_appraise(const cca_basis *b, const cca_token *t, cca_verdict *v, vs_error *err)
{
    if (!v->anchor || !v->realm_bound)
        return vs_fail(err, VS_E_INTERNAL, "appraisal of a CCA token that was not verified");
    vs_code code = appraise(b, t, v, err);
    if (code != VS_OK) {
        cca_set_all(&v->platform, -1);
        cca_set_all(&v->realm, -1);
        return code;
    }
    if ((v->platform_matched && v->lifecycle_accepted) || b->snapshot->policy_decides)
        return VS_OK;
    return refuse_platform(v, b->a, err);
}
