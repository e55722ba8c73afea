# go build, vet and test: goroutines, channels, GC, net/http on loopback; the executable is the cross-built one's, byte for byte
# grade=hard group=build time=500 memory=2500 expect=native engines="qemu auto bt"
export GOCACHE=/tmp/gc GOPATH=/tmp/gp GOFLAGS=-mod=mod GO111MODULE=on GOTOOLCHAIN=local GOPROXY=off CGO_ENABLED=0 PATH=$PATH:/usr/lib/go-1.24/bin
mkdir p && cd p && printf 'module p\ngo 1.23\n' >go.mod
cat >main.go <<'G'
package main

import ("bytes"; "compress/gzip"; "crypto/sha256"; "encoding/json"; "fmt"; "io"; "net/http"; "os"; "runtime"; "sort"; "sync")

type tree struct{ l, r *tree }
func build(n int) *tree { if n == 0 { return &tree{} }; return &tree{build(n - 1), build(n - 1)} }
func (t *tree) count() int { if t.l == nil { return 1 }; return 1 + t.l.count() + t.r.count() }
func Sum(xs ...int) (s int) { for _, x := range xs { s += x }; return }
func main() {
	var wg sync.WaitGroup; c := make(chan int, 10); for i := 0; i < 50; i++ { wg.Add(1); go func() { defer wg.Done(); for j := 0; j < 100; j++ { c <- i * j; runtime.Gosched() } }() }
	go func() { wg.Wait(); close(c) }(); s := 0; for v := range c { s += v }; fmt.Println(s)
	for i := 0; i < 5; i++ { fmt.Print(build(14).count(), " ") }; runtime.GC(); fmt.Println()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hi %s", r.URL.Path) }); go http.ListenAndServe("127.0.0.1:8080", nil)
	for { r, err := http.Get("http://127.0.0.1:8080/x"); if err == nil { b, _ := io.ReadAll(r.Body); fmt.Println(string(b)); break } }
	var z bytes.Buffer; g := gzip.NewWriter(&z); for i := 0; i < 10000; i++ { fmt.Fprintln(g, i) }; g.Close(); fmt.Println(z.Len(), fmt.Sprintf("%x", sha256.Sum256(z.Bytes()))[:16])
	m := map[string]int{"a": 1, "b": 2}; j, _ := json.Marshal(m); k := []string{}; for x := range m { k = append(k, x) }; sort.Strings(k); fmt.Println(string(j), k)
	func() { defer func() { fmt.Println(recover()) }(); var p *tree; p.l = nil }(); func() { defer func() { fmt.Println(recover()) }(); a := []int{1}; fmt.Println(a[len(os.Args)]) }()
}
G
printf 'package main\nimport "testing"\nfunc TestSum(t *testing.T) { if Sum(1, 2, 3) != 6 { t.Fatal() } }\nfunc BenchmarkSum(b *testing.B) { for i := 0; i < b.N; i++ { Sum(1, 2) } }\n' >main_test.go
GOARCH=$MATRIX_GUEST go build -trimpath -buildvcs=false -ldflags=-buildid= -o x . && sha256sum <x; go build -o y . && ./y; go vet . && go test -bench . -benchtime 100x . | grep -c '^ok\|^Benchmark'
