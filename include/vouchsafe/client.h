/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvouchsafe-client: from inside a confidential guest, attest to a key broker service (KBS) and
 * get secrets. The KBS protocol of Confidential Containers: vouchsafe's server, and Trustee's.
 *
 *     vouchsafe_config config = {.size = sizeof config, .url = "https://kbs.example:8080"};
 *     vouchsafe_resource resource = {.path = "default/disk/1"};
 *     vouchsafe_client *client;
 *     vouchsafe_secret *secret;
 *     vouchsafe_failure why;
 *     if (vouchsafe_client_new(&config, &client, &why) != VOUCHSAFE_DONE)
 *         die(why.message);
 *     if (vouchsafe_get(client, &resource, &secret, &why) == VOUCHSAFE_DONE) {
 *         size_t size;
 *         const unsigned char *bytes = vouchsafe_secret_bytes(secret, &size);
 *         ...
 *         vouchsafe_secret_free(secret);
 *     }
 *     vouchsafe_client_free(client);
 *
 * Build with `pkg-config --cflags --libs vouchsafe-client`.
 *
 * What happens (RCAR: request, challenge, attestation, response): the server gives a nonce; the TEE
 * signs evidence that binds the nonce and a key made in the guest; the server verifies it and gives
 * a token (an EAR, a JWT); a secret comes encrypted to that key (a JWE), so that nobody on the way,
 * the operator of a proxy included, can read it. What the server's certificate is good for is the
 * other direction: that the secret is the real server's. Use https, and a trust root of your own.
 *
 * Results: everything but VOUCHSAFE_DONE left no output; then *out is NULL. Fail closed: a guest
 * without its secret must not go on as if it had one.
 *
 * Threads: a client belongs to one thread at a time; different clients are independent. Calls
 * block. No threads are made, no signal handlers set; SIGPIPE is held back in the calling thread
 * during a call. The environment is read, so do not change it (setenv) in another thread meanwhile.
 *
 * Memory: texts of a configuration are copied by vouchsafe_client_new; only `warn`, `evidence` and
 * their `user` must stay valid as long as the client. What is given out as vouchsafe_secret is the
 * caller's and outlives the client; its memory is overwritten when it is freed, and so is that of
 * keys.
 *
 * Environment: https_proxy, http_proxy, all_proxy, no_proxy, unless `proxy` is given;
 * VOUCHSAFE_TSM_PATH, VOUCHSAFE_RTMR_PATH, VOUCHSAFE_CCEL_PATH, AAEL_PATH, AA_TPM_DEVICE,
 * AA_TPM_AK_HANDLE, which say where the devices of a TEE are (vouchsafe-guest(1)); SSL_CERT_FILE
 * and SSL_CERT_DIR, OpenSSL's trust roots.
 */
#ifndef VOUCHSAFE_CLIENT_H
#define VOUCHSAFE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VOUCHSAFE_API   __attribute__((visibility("default")))
#define VOUCHSAFE_CHECK __attribute__((warn_unused_result))

/* "1.0.0"; the soname has the first number. A static text. */
VOUCHSAFE_API const char *vouchsafe_client_version(void);

typedef enum vouchsafe_result {
    VOUCHSAFE_DONE = 0,
    VOUCHSAFE_BAD_ARGUMENT,       /* of the caller's; nothing was sent */
    VOUCHSAFE_NO_EVIDENCE,        /* no TEE was found, or it (or the callback) failed */
    VOUCHSAFE_UNREACHABLE,        /* no connection, or it broke: later it may work */
    VOUCHSAFE_UNTRUSTED,          /* the server's certificate */
    VOUCHSAFE_TIMEOUT,            /* a request's, or the deadline */
    VOUCHSAFE_DENIED,             /* the server says no (401, 403). Trustee also answers so for a
                                     resource that is not there */
    VOUCHSAFE_NOT_FOUND,          /* 404 */
    VOUCHSAFE_REFUSED,            /* any other status than 200: vouchsafe_failure.http_status */
    VOUCHSAFE_NO_COMMON_PROTOCOL, /* none that is allowed, or none that goes with the key */
    VOUCHSAFE_BAD_ANSWER,         /* not the protocol, or a secret that the key does not open */
    VOUCHSAFE_OUT_OF_MEMORY,      /* or something is larger than this library takes (16 MiB) */
} vouchsafe_result;

/* Why something failed. Texts are NUL-terminated, cut when too long, and printable ASCII ('?' for
 * what is not); never a secret, key or token. Filled in by every call that fails; the pointer may
 * be NULL. */
typedef struct vouchsafe_failure {
    char message[1024];    /* one line: what failed, and the causes */
    int32_t http_status;   /* of the refusal that ended the call; 0 = it ended otherwise */
    char server_error[64]; /* the server's name for it: "PolicyDeny", ...; "" = none */
    char decision[64];     /* what a vouchsafe server's operator finds the reasons by; "" = none */
} vouchsafe_failure;

/* ---- secrets -----------------------------------------------------------------------------------
 */

/* Bytes in memory that is overwritten before it is freed. */
typedef struct vouchsafe_secret vouchsafe_secret;
/* Valid until the secret is freed; a NUL stands behind the last byte, not counted in *size (which
 * may be NULL). Never NULL. */
VOUCHSAFE_API const unsigned char *vouchsafe_secret_bytes(const vouchsafe_secret *s, size_t *size);
/* NULL-safe. */
VOUCHSAFE_API void vouchsafe_secret_free(vouchsafe_secret *s);

/* ---- evidence of one's own ---------------------------------------------------------------------
 */

/* Called during a handshake, in the thread of the call, with the digest that the evidence must be
 * bound to: 32, 48 or 64 bytes, 48 unless the server asks for another. Answer with
 * vouchsafe_evidence_give once and return true; else, after vouchsafe_evidence_fail if you like,
 * return false. It must not use the client, nor leave by longjmp or an exception. A handshake that
 * is tried again asks again. */
typedef struct vouchsafe_answer vouchsafe_answer;
typedef bool (*vouchsafe_evidence)(void *user, const unsigned char *report_data, size_t size,
                                   vouchsafe_answer *answer);
/* The evidence as the verifier of that TEE wants it, a JSON text of at most 1 MiB, for example
 * {"token":[217,1,143,...]} for "cca". It is copied. False: it is no JSON, or too large, and the
 * call will fail with that. */
VOUCHSAFE_API VOUCHSAFE_CHECK bool vouchsafe_evidence_give(vouchsafe_answer *answer,
                                                           const char *json, size_t size);
/* A line for the failure's message. */
VOUCHSAFE_API void vouchsafe_evidence_fail(vouchsafe_answer *answer, const char *why);

/* ---- clients -----------------------------------------------------------------------------------
 */

typedef struct vouchsafe_client vouchsafe_client;

/* Everything but `size` and `url` may be 0. */
typedef struct vouchsafe_config {
    size_t size;     /* sizeof(vouchsafe_config): later versions of the library have more members */
    const char *url; /* root of the server, "https://kbs.example:8080", without /kbs/v0 */

    /* Whom to trust besides the system's roots: PEM, one or more certificates. The server's
     * certificate is verified in any case. */
    const char *ca_file; /* a path */
    const char *ca_pem;  /* the text itself */

    const char *proxy;       /* "http://HOST:PORT", without a user; "" = none; NULL = environment */
    const char *unix_socket; /* path of a server's socket, instead of the URL's host and a proxy */
    const char *user_agent;  /* "NAME/VERSION"; NULL = "vouchsafe-client/VERSION" */

    /* Evidence. The TEE is looked for in the first vouchsafe_attest or vouchsafe_get. */
    const char *tee;    /* "tdx", "snp", "cca", "tpm", or "sample" where that is allowed; NULL =
                           whichever is there. With `evidence`: the name to give to the server */
    const char *device; /* report device: a directory like configfs-tsm, or a Unix socket;
                           NULL = environment, else the kernel's */
    bool allow_sample;  /* the sample attester, which proves nothing, where there is no TEE */
    vouchsafe_evidence evidence; /* NULL = by the TEE's own driver */
    void *evidence_user;

    /* The document that the guest was started with (TOML), for the server's policy. */
    const char *init_data;
    size_t init_data_size; /* 0 = none; at most 1 MiB */

    /* The oldest version of the protocol to go back to: "0.4.0", "0.3.0", "0.2.0" (NULL), "0.1.1".
     * Handshakes start with 0.4.0; a server that says it speaks another version gets that one, with
     * a word to `warn`. Who does not use https is told so by whoever answers, so this is how far
     * that may go: down to 0.2.0 the encryption of secrets is the same. 0.1.1 wraps them with
     * RSA1_5, does not authenticate their headers, and needs an RSA key; allow it for such a server
     * only. Before 0.4.0 there is no place for init data. */
    const char *oldest_protocol;

    uint32_t tries;    /* handshakes of vouchsafe_attest while the server denies or fails; 0 = 5 */
    uint32_t pause_ms; /* between them; 0 = 1000 */
    uint32_t connect_ms; /* to reach the server, for each request; 0 = 10000 */
    uint32_t request_ms; /* for each request with its answer; 0 = 60000 */
    /* For a call of this library as a whole; 0 = none. The time that the TEE, the callback or the
     * resolver of names takes counts, but is not cut short. */
    uint32_t deadline_ms;

    /* A line for the operator about something that did not end the call: a fallback to an older
     * version, a handshake tried again, the sample attester. NULL = nobody wants to know. */
    void (*warn)(void *user, const char *line);
    void *warn_user;
} vouchsafe_config;

/* Connects to nothing yet. VOUCHSAFE_BAD_ARGUMENT: says which. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_client_new(const vouchsafe_config *config,
                                                                    vouchsafe_client **out,
                                                                    vouchsafe_failure *why);
/* NULL-safe. Wipes the key. */
VOUCHSAFE_API void vouchsafe_client_free(vouchsafe_client *c);

/* ---- the TEE key: what secrets are encrypted to ------------------------------------------------
 */

/* A private key as PEM (PKCS#8, SEC1, PKCS#1; not encrypted): EC P-256 or P-521, or RSA of 2048 to
 * 8192 bits. A client without one makes a P-256 key for the first handshake (RSA for 0.1.1) and
 * uses it for all. Setting a key ends no session: what is fetched next should begin with
 * vouchsafe_attest. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_set_key(vouchsafe_client *c,
                                                                 const char *pem, size_t size,
                                                                 vouchsafe_failure *why);
/* The key as PEM (PKCS#8), for vouchsafe_get_with_token in another process. VOUCHSAFE_BAD_ARGUMENT:
 * there is none yet. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_get_key(vouchsafe_client *c,
                                                                 vouchsafe_secret **pem,
                                                                 vouchsafe_failure *why);

/* ---- calls -------------------------------------------------------------------------------------
 */

/* One handshake; *token is a compact JWS (RFC 7515) that the library has not verified: it is the
 * server's word, for others who trust the server. The session stays with the client. Tried again as
 * `tries` and `pause_ms` say. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_attest(vouchsafe_client *c,
                                                                vouchsafe_secret **token,
                                                                vouchsafe_failure *why);

typedef struct vouchsafe_resource {
    const char *path;   /* of the plugin "resource": "REPOSITORY/TYPE/TAG". Not percent-encoded; at
                           most 4000 bytes with the plugin's name */
    const char *plugin; /* NULL = "resource" */
    const char *query;  /* form-urlencoded, without '?'; NULL = none */
} vouchsafe_resource;

/* A secret, decrypted, with the client's session; attests first when the server wants that. At most
 * three requests for the secret, and no handshake is repeated. An empty secret is one. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_get(vouchsafe_client *c,
                                                             const vouchsafe_resource *resource,
                                                             vouchsafe_secret **secret,
                                                             vouchsafe_failure *why);
/* The same with a token that was made with this client's key (set before), without a TEE. DENIED
 * with server_error "TokenVerifierError": the token has run out or is not this server's. */
VOUCHSAFE_API VOUCHSAFE_CHECK vouchsafe_result vouchsafe_get_with_token(
    vouchsafe_client *c, const char *token, size_t size, const vouchsafe_resource *resource,
    vouchsafe_secret **secret, vouchsafe_failure *why);

/* The version of the protocol that the server took, "0.4.0"; "" before the first handshake. */
VOUCHSAFE_API const char *vouchsafe_protocol(const vouchsafe_client *c);
/* The TEE in use, "cca"; "" before the first handshake. Valid as long as the client. */
VOUCHSAFE_API const char *vouchsafe_tee(const vouchsafe_client *c);

#ifdef __cplusplus
}
#endif

#endif
