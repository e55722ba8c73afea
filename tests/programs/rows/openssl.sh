# openssl: digests and ciphers with published vectors, keys, certificates, verification
printf abc | openssl dgst -sha256; printf abc | openssl dgst -sha3-256; printf abc | openssl dgst -blake2b512
printf '00112233445566778899aabbccddeeff' | xxd -r -p 2>/dev/null > p || perl -e 'print pack("H*","00112233445566778899aabbccddeeff")' > p
openssl enc -aes-128-ecb -nopad -K 000102030405060708090a0b0c0d0e0f -in p | od -An -tx1 | tr -d ' \n'; echo
openssl enc -aes-256-cbc -K 00 -iv 00 -in p -out c 2>/dev/null; openssl enc -d -aes-256-cbc -K 00 -iv 00 -in c 2>/dev/null | cmp - p && echo cbc ok
openssl enc -chacha20 -K 00 -iv 00 -in p 2>/dev/null | od -An -tx1 | tr -d ' \n'; echo
openssl genpkey -quiet -algorithm ed25519 -out k 2>/dev/null || openssl genpkey -algorithm ed25519 -out k; openssl pkeyutl -sign -inkey k -rawin -in p -out s; openssl pkeyutl -verify -inkey k -rawin -in p -sigfile s
openssl ecparam -name prime256v1 -genkey -noout -out e; openssl req -x509 -key e -subj /CN=test -days 10 -out crt; openssl verify -CAfile crt crt; openssl dgst -sha256 -sign e -out sig p; openssl ec -in e -pubout -out pub 2>/dev/null; openssl dgst -sha256 -verify pub -signature sig p
openssl genrsa -out rsa 1024 2>/dev/null; openssl rsa -in rsa -check -noout 2>&1; openssl prime 1000003; openssl rand -hex 8 | wc -c
