# OpenSSL: published vectors of hashes, ciphers, MACs, key derivation; signatures, X.509, TLS in a pipe
# grade=basic time=90
h() { printf "$2" | openssl dgst -$1 -r | cut -d' ' -f1; }
for d in md5 sha1 sha256 sha384 sha512 sha3-256 blake2b512 sm3; do h $d abc; done
echo 00112233445566778899aabbccddeeff | xxd -r -p 2>/dev/null >p || printf '\000\021\042\063\104\125\146\167\210\231\252\273\314\335\356\377' >p
for k in 000102030405060708090a0b0c0d0e0f:128 000102030405060708090a0b0c0d0e0f1011121314151617:192 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f:256; do openssl enc -aes-${k#*:}-ecb -K ${k%:*} -nopad -in p | od -An -tx1; done
printf abc | openssl enc -chacha20 -K $(printf '0%.0s' $(seq 64)) -iv $(printf '0%.0s' $(seq 32)) | od -An -tx1
printf 'Hi There' | openssl mac -digest SHA256 -macopt hexkey:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b HMAC
openssl kdf -keylen 20 -kdfopt digest:SHA1 -kdfopt pass:password -kdfopt salt:salt -kdfopt iter:4096 PBKDF2
openssl kdf -keylen 16 -kdfopt pass:password -kdfopt salt:NaCl -kdfopt n:1024 -kdfopt r:8 -kdfopt p:16 SCRYPT
for a in 'RSA -pkeyopt rsa_keygen_bits:2048' 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:P-521' ED25519 ED448 ML-DSA-65; do
    openssl genpkey -algorithm $a -out k 2>/dev/null || { echo "no $a"; continue; }; openssl pkey -in k -pubout -out u; seq 1 100 >m
    openssl pkeyutl -sign -inkey k -rawin -in m -out s && openssl pkeyutl -verify -pubin -inkey u -rawin -in m -sigfile s; echo x >>m; openssl pkeyutl -verify -pubin -inkey u -rawin -in m -sigfile s 2>/dev/null; done
openssl genpkey -algorithm X25519 -out a; openssl genpkey -algorithm X25519 -out b; openssl pkey -in a -pubout -out ap; openssl pkey -in b -pubout -out bp
openssl pkeyutl -derive -inkey a -peerkey bp -out s1; openssl pkeyutl -derive -inkey b -peerkey ap -out s2; cmp s1 s2 && echo agreed
openssl req -x509 -newkey rsa:2048 -nodes -keyout ck -out cc -days 9 -subj /CN=ca 2>/dev/null; openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout lk -out lr -subj /CN=localhost 2>/dev/null
openssl x509 -req -in lr -CA cc -CAkey ck -days 8 -out lc 2>/dev/null; openssl verify -CAfile cc lc
openssl s_server -quiet -accept 127.0.0.1:4433 -cert lc -key lk -rev >/dev/null 2>&1 & s=$!; n=0; until (echo stressed; sleep 2) | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:4433 -CAfile cc -verify_return_error 2>/dev/null | grep desserts || [ $((n += 1)) -gt 20 ]; do sleep 1; done; kill $s
openssl prime 170141183460469231731687303715884105727 | sed 's/.*is/is/'; openssl speed -seconds 1 -bytes 1024 sha256 >/dev/null 2>&1; echo $?
true
