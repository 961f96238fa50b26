/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module of one token with one RSA key, from the PEM file that VS_DOUBLE_KEY names: what
 * SoftHSM lacks, OAEP with SHA-256, by OpenSSL. Strict about parameters, as HSMs are; anything that
 * the plugin does not need is not there.
 */
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLIC = 1, PRIVATE = 2, LABEL_MAX = 64 };

static EVP_PKEY *key;
static struct { /* one session is enough */
    bool open, logged_in;
    CK_OBJECT_HANDLE found;
    EVP_PKEY_CTX *encrypts, *decrypts;
} s;

static CK_RV initialize(void *args)
{
    (void)args;
    const char *path = getenv("VS_DOUBLE_KEY");
    FILE *f = path ? fopen(path, "r") : NULL;
    if (!f)
        return CKR_GENERAL_ERROR;
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    (void)fclose(f);
    return key ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV finalize(void *args)
{
    (void)args;
    EVP_PKEY_free(key);
    key = NULL;
    return CKR_OK;
}

static CK_RV slot_list(unsigned char present, CK_SLOT_ID *list, CK_ULONG *n)
{
    (void)present;
    if (list && *n >= 1)
        list[0] = 7;
    *n = 1;
    return CKR_OK;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    if (slot != 7)
        return CKR_SLOT_ID_INVALID;
    memset(info, ' ', sizeof *info);
    return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    (void)flags, (void)app, (void)notify;
    if (slot != 7 || s.open)
        return CKR_SESSION_COUNT;
    s.open = true;
    *out = 1;
    return CKR_OK;
}

static CK_RV close_session(CK_SESSION_HANDLE h)
{
    (void)h;
    EVP_PKEY_CTX_free(s.encrypts);
    EVP_PKEY_CTX_free(s.decrypts);
    memset(&s, 0, sizeof s);
    return CKR_OK;
}

static CK_RV session_info(CK_SESSION_HANDLE h, CK_SESSION_INFO *info)
{
    (void)h;
    *info = (CK_SESSION_INFO){.slotID = 7,
                              .state = s.logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION};
    return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE h, CK_USER_TYPE who, unsigned char *pin, CK_ULONG n)
{
    (void)h;
    if (who != CKU_USER || n != 4 || memcmp(pin, "1234", 4) != 0)
        return CKR_PIN_INCORRECT;
    s.logged_in = true;
    return CKR_OK;
}

static CK_RV find_init(CK_SESSION_HANDLE h, CK_ATTRIBUTE *wanted, CK_ULONG n)
{
    (void)h;
    CK_OBJECT_CLASS class = 0;
    if (n != 2 || wanted[0].type != CKA_CLASS || wanted[0].ulValueLen != sizeof class)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    memcpy(&class, wanted[0].pValue, sizeof class);
    bool named = wanted[1].ulValueLen == 3 && memcmp(wanted[1].pValue, "key", 3) == 0;
    s.found = named && class == CKO_PUBLIC_KEY    ? PUBLIC
              : named && class == CKO_PRIVATE_KEY ? PRIVATE
                                                  : 0;
    return CKR_OK;
}

static CK_RV find(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *out, CK_ULONG room, CK_ULONG *n)
{
    (void)h;
    *n = s.found && room ? 1 : 0;
    if (*n)
        *out = s.found;
    return CKR_OK;
}

static CK_RV find_final(CK_SESSION_HANDLE h)
{
    (void)h;
    s.found = 0;
    return CKR_OK;
}

/* OAEP with SHA-256 for both, and an empty label; nothing else. */
static CK_RV begin(const CK_MECHANISM *how, bool right_key, int (*init)(EVP_PKEY_CTX *),
                   EVP_PKEY_CTX **out)
{
    if (!right_key || *out)
        return CKR_KEY_HANDLE_INVALID;
    if (how->mechanism != CKM_RSA_PKCS_OAEP)
        return CKR_MECHANISM_INVALID;
    const CK_RSA_PKCS_OAEP_PARAMS *p = how->pParameter;
    if (how->ulParameterLen != sizeof *p || p->hashAlg != CKM_SHA256 || p->mgf != CKG_MGF1_SHA256 ||
        p->source != CKZ_DATA_SPECIFIED || p->pSourceData || p->ulSourceDataLen)
        return CKR_MECHANISM_PARAM_INVALID;
    *out = EVP_PKEY_CTX_new(key, NULL);
    bool good = *out && init(*out) > 0 &&
                EVP_PKEY_CTX_set_rsa_padding(*out, RSA_PKCS1_OAEP_PADDING) > 0 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(*out, EVP_sha256()) > 0 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(*out, EVP_sha256()) > 0;
    return good ? CKR_OK : CKR_FUNCTION_FAILED;
}

static CK_RV encrypt_init(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE k)
{
    (void)h;
    return begin(how, k == PUBLIC, EVP_PKEY_encrypt_init, &s.encrypts);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE k)
{
    (void)h;
    return begin(how, k == PRIVATE && s.logged_in, EVP_PKEY_decrypt_init, &s.decrypts);
}

static CK_RV encrypt(CK_SESSION_HANDLE h, unsigned char *in, CK_ULONG n_in, unsigned char *out,
                     CK_ULONG *n)
{
    (void)h;
    bool good = s.encrypts && EVP_PKEY_encrypt(s.encrypts, out, n, in, n_in) > 0;
    EVP_PKEY_CTX_free(s.encrypts);
    s.encrypts = NULL;
    return good ? CKR_OK : CKR_DATA_LEN_RANGE;
}

static CK_RV decrypt(CK_SESSION_HANDLE h, unsigned char *in, CK_ULONG n_in, unsigned char *out,
                     CK_ULONG *n)
{
    (void)h;
    bool good = s.decrypts && EVP_PKEY_decrypt(s.decrypts, out, n, in, n_in) > 0;
    EVP_PKEY_CTX_free(s.decrypts);
    s.decrypts = NULL;
    return good ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    static CK_FUNCTION_LIST list = {.version = {2, 40},
                                    .C_Initialize = initialize,
                                    .C_Finalize = finalize,
                                    .C_GetSlotList = slot_list,
                                    .C_GetTokenInfo = token_info,
                                    .C_OpenSession = open_session,
                                    .C_CloseSession = close_session,
                                    .C_GetSessionInfo = session_info,
                                    .C_Login = login,
                                    .C_FindObjectsInit = find_init,
                                    .C_FindObjects = find,
                                    .C_FindObjectsFinal = find_final,
                                    .C_EncryptInit = encrypt_init,
                                    .C_Encrypt = encrypt,
                                    .C_DecryptInit = decrypt_init,
                                    .C_Decrypt = decrypt};
    *out = &list;
    return CKR_OK;
}
