/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/dcap/pck.h"

#include "crypto/der.h"

#define OID_SGX "1.2.840.113741.1.13.1"

enum { PPID = 1, TCB, PCEID, FMSPC, TYPE, INSTANCE, CONFIGURATION };
enum {
    REQUIRED = 1u << PPID | 1u << TCB | 1u << PCEID | 1u << FMSPC | 1u << TYPE,
    PLATFORM = 1u << INSTANCE | 1u << CONFIGURATION,
};
enum { TCB_PARTS = 18, PCESVN = 17, CPUSVN = 18, CONFIGURATION_PARTS = 3 };

static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* The next member of a sequence of {OID, value}: its number below the OID `prefix`, and the value's
 * element. */
static vs_code next_member(vs_span *in, vs_span prefix, unsigned *number, vs_span *value,
                           vs_error *err)
{
    vs_span oid;
    VS_TRY(vs_der_take(in, VS_DER_SEQUENCE, value, err));
    VS_TRY(vs_der_take(value, VS_DER_OID, &oid, err));
    if (oid.n != prefix.n + 1 || !vs_span_starts(oid, prefix))
        return vs_fail(err, VS_E_INVALID, "a member with another object identifier");
    *number = oid.p[prefix.n];
    return VS_OK;
}

static vs_code mark(unsigned *seen, unsigned number, unsigned most, vs_error *err)
{
    if (number < 1 || number > most)
        return vs_fail(err, VS_E_INVALID, "member .%u is not known", number);
    if (*seen >> number & 1)
        return vs_fail(err, VS_E_INVALID, "member .%u is there twice", number);
    *seen |= 1u << number;
    return VS_OK;
}

static vs_code octets(vs_span value, uint8_t *out, size_t n, vs_error *err)
{
    vs_span bytes;
    VS_TRY(vs_der_only(value, VS_DER_OCTETS, &bytes, err));
    if (bytes.n != n)
        return vs_fail(err, VS_E_INVALID, "%zu bytes instead of %zu", bytes.n, n);
    memcpy(out, bytes.p, n);
    return VS_OK;
}

static vs_code read_tcb(vs_span value, dcap_pck *p, vs_error *err)
{
    uint8_t oid[sizeof sgx_oid + 1];
    unsigned seen = 0, number;
    vs_span in, member;
    memcpy(oid, sgx_oid, sizeof sgx_oid);
    oid[sizeof sgx_oid] = TCB;
    VS_TRY(vs_der_only(value, VS_DER_SEQUENCE, &in, err));
    while (in.n) {
        uint64_t v = 0;
        VS_TRY(next_member(&in, vs_span_of(oid, sizeof oid), &number, &member, err));
        VS_TRY(mark(&seen, number, TCB_PARTS, err));
        if (number == CPUSVN) {
            VS_TRY(octets(member, p->cpusvn, sizeof p->cpusvn, err));
            continue;
        }
        uint64_t most = number == PCESVN ? UINT16_MAX : UINT8_MAX;
        VS_TRY(vs_der_only_uint(member, VS_DER_INTEGER, most, &v, err));
        if (number == PCESVN)
            p->pcesvn = (uint16_t)v;
        else
            p->comp[number - 1] = (uint8_t)v;
    }
    return seen == (2u << TCB_PARTS) - 2 ? VS_OK
                                         : vs_fail(err, VS_E_INVALID, "a member is missing");
}

static vs_code read_configuration(vs_span value, dcap_pck *p, vs_error *err)
{
    bool *const parts[] = {&p->dynamic, &p->cached_keys, &p->smt};
    uint8_t oid[sizeof sgx_oid + 1];
    unsigned seen = 0, number;
    vs_span in, member;
    memcpy(oid, sgx_oid, sizeof sgx_oid);
    oid[sizeof sgx_oid] = CONFIGURATION;
    VS_TRY(vs_der_only(value, VS_DER_SEQUENCE, &in, err));
    while (in.n) {
        VS_TRY(next_member(&in, vs_span_of(oid, sizeof oid), &number, &member, err));
        VS_TRY(mark(&seen, number, CONFIGURATION_PARTS, err));
        VS_TRY(vs_der_only_bool(member, parts[number - 1], err));
    }
    return VS_OK;
}

static vs_code read_member(unsigned number, vs_span value, dcap_pck *p, vs_error *err)
{
    uint64_t type;
    switch (number) {
    case PPID: return octets(value, p->ppid, sizeof p->ppid, err);
    case TCB: return read_tcb(value, p, err);
    case PCEID: return octets(value, p->pceid, sizeof p->pceid, err);
    case FMSPC: return octets(value, p->fmspc, sizeof p->fmspc, err);
    case TYPE:
        VS_TRY(vs_der_only_uint(value, VS_DER_ENUMERATED, DCAP_SCALABLE_INTEGRITY, &type, err));
        p->type = (dcap_sgx_type)type;
        return VS_OK;
    case INSTANCE: return octets(value, p->instance, sizeof p->instance, err);
    default: return read_configuration(value, p, err);
    }
}

vs_code dcap_pck_read(const vs_certs *c, dcap_pck *out, vs_error *err)
{
    dcap_pck p = {0};
    unsigned seen = 0, number;
    vs_span whole, in, member;
    VS_TRY(vs_certs_extension(c, 0, OID_SGX, &whole, err));
    VS_TRY_WRAP(vs_der_only(whole, VS_DER_SEQUENCE, &in, err), err, "SGX extension");
    while (in.n) {
        VS_TRY_WRAP(next_member(&in, vs_span_of(sgx_oid, sizeof sgx_oid), &number, &member, err),
                    err, "SGX extension");
        VS_TRY_WRAP(mark(&seen, number, CONFIGURATION, err), err, "SGX extension");
        VS_TRY_WRAP(read_member(number, member, &p, err), err, "SGX extension, member .%u", number);
    }
    if ((seen & REQUIRED) != REQUIRED || ((seen & PLATFORM) != 0 && (seen & PLATFORM) != PLATFORM))
        return vs_fail(err, VS_E_INVALID, "SGX extension: a member is missing");
    p.platform = (seen & PLATFORM) != 0;
    *out = p;
    return VS_OK;
}
