# go vet of the whole standard library, a module with vendored dependencies built as natively, and tests of the library itself
# grade=hard group=build time=1500 memory=3000 expect=native engines="qemu auto"
echo "127.0.0.1 localhost" >/etc/hosts; export GOCACHE=/tmp/gc GOPATH=/tmp/gp GOTOOLCHAIN=local GOPROXY=off GOFLAGS= CGO_ENABLED=0 PATH=$PATH:/usr/lib/go-1.24/bin
go vet std && echo vet
cd "$(go env GOROOT)/src/cmd" && GOARCH=$MATRIX_GUEST go build -trimpath -buildvcs=false -ldflags=-buildid= -o /tmp/x ./pprof && sha256sum </tmp/x
cd ../ && go test -short sort strconv sync sync/atomic container/... encoding/json context os/signal net/textproto | sed 's/\t[0-9.]*s$//; s/\t(cached)//'
