# nginx under load: many connections, kept and not, large files, TLS handshakes; nothing fails and nothing is lost
# grade=hard group=suites time=300 memory=1000
. /matrix/lib.sh
echo 'www-data:x:33:33::/:/bin/sh' >>/etc/passwd; mkdir -p w /var/log/nginx /var/lib/nginx/body /run; head -c 300000 /dev/zero | tr '\0' z >w/big; echo hello >w/i.html; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=localhost 2>/dev/null
printf 'worker_processes 2; worker_rlimit_nofile 1024; error_log /tmp/err; pid /tmp/n.pid; events { worker_connections 512; }\nhttp { access_log /tmp/access; sendfile on; server { listen 127.0.0.1:8081; root /tmp/w; } server { listen 127.0.0.1:8443 ssl; ssl_certificate /tmp/c.pem; ssl_certificate_key /tmp/k.pem; root /tmp/w; } }\n' >n.conf
nginx -c /tmp/n.conf -e /tmp/err 2>/dev/null; ready curl -s http://127.0.0.1:8081/i.html
a() { ab -q -s 120 "$@" >log 2>&1; echo "$? $(sed -n 's/^\(Complete requests\|Failed requests\|Keep-Alive requests\|HTML transferred\): *\([0-9]*\).*/\1 \2,/p' log | tr '\n' ' ')"; }
a -n 2000 -c 50 http://127.0.0.1:8081/i.html; a -k -n 8000 -c 50 http://127.0.0.1:8081/i.html | sed 's/Keep-Alive requests [0-9]*/kept/'; a -n 500 -c 20 http://127.0.0.1:8081/big; a -n 100 -c 10 https://127.0.0.1:8443/i.html; a -k -n 1000 -c 10 https://127.0.0.1:8443/i.html | sed 's/Keep-Alive requests [0-9]*/kept/'
kill -QUIT "$(cat n.pid)"; ready test ! -e n.pid; grep -c ' 200 ' access; grep -vc '" 200 ' access; grep -c . err; true
