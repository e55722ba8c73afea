# self tests of OpenSSL's FIPS module, GnuTLS and libgcrypt, of every algorithm that they have
# grade=hard group=suites time=200 memory=500
cat >t.c <<'C'
#include <gcrypt.h>
#include <gnutls/gnutls.h>
#include <gnutls/crypto.h>
#include <gnutls/self-test.h>
#include <stdio.h>
#define RUN(what) printf("%s: %d\n", #what, what(GNUTLS_SELF_TEST_FLAG_ALL, 0))
int main(void)
{
    RUN(gnutls_cipher_self_test);
    RUN(gnutls_mac_self_test);
    RUN(gnutls_digest_self_test);
    RUN(gnutls_pk_self_test);
    RUN(gnutls_hkdf_self_test);
    RUN(gnutls_pbkdf2_self_test);
    RUN(gnutls_tlsprf_self_test);
    printf("libgcrypt %d", gcry_check_version(GCRYPT_VERSION) != NULL);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    printf(" %s\n", gcry_strerror(gcry_control(GCRYCTL_SELFTEST)));
    return 0;
}
C
gcc -O1 -o t t.c -lgnutls -lgcrypt && ./t
openssl fipsinstall -out f.cnf -module "$(ls /usr/lib/*/ossl-modules/fips.so)" >fips 2>&1 || cat fips
sed -n 's/^\t*\([A-Za-z0-9_ -]*\) : (\([A-Za-z0-9_]*\)) : \([A-Za-z]*\)$/\2 \1 \3/p' fips | sort | uniq -c | tr -s ' '
grep PASSED fips
