# go build and vet: goroutines, channels, GC, TCP on loopback; the executable is the cross-built one's, byte for byte
# grade=hard group=build time=600 memory=2500 expect=native engines="qemu auto bt"
export GOCACHE=/tmp/gc GOPATH=/tmp/gp GOFLAGS=-mod=mod GO111MODULE=on GOTOOLCHAIN=local GOPROXY=off CGO_ENABLED=0 PATH=$PATH:/usr/lib/go-1.24/bin
mkdir p && cd p && printf 'module p\ngo 1.23\n' >go.mod
cat >main.go <<'G'
package main

import ("bufio"; "fmt"; "net"; "os"; "runtime"; "sort"; "sync")

type tree struct{ l, r *tree }
func build(n int) *tree { if n == 0 { return &tree{} }; return &tree{build(n - 1), build(n - 1)} }
func (t *tree) count() int { if t.l == nil { return 1 }; return 1 + t.l.count() + t.r.count() }
func Sum(xs ...int) (s int) { for _, x := range xs { s += x }; return }
func main() {
	var wg sync.WaitGroup; c := make(chan int, 10); for i := 0; i < 50; i++ { wg.Add(1); go func() { defer wg.Done(); for j := 0; j < 100; j++ { c <- i * j; runtime.Gosched() } }() }
	go func() { wg.Wait(); close(c) }(); s := 0; for v := range c { s += v }; fmt.Println(s)
	for i := 0; i < 5; i++ { fmt.Print(build(14).count(), " ") }; runtime.GC(); fmt.Println()
	l, err := net.Listen("tcp", "127.0.0.1:0"); if err != nil { panic(err) }; go func() { for { c, err := l.Accept(); if err != nil { return }; go func() { s, _ := bufio.NewReader(c).ReadString('\n'); fmt.Fprintf(c, "hi %s", s); c.Close() }() } }()
	for i := 0; i < 20; i++ { c, err := net.Dial("tcp", l.Addr().String()); if err != nil { panic(err) }; fmt.Fprintln(c, i); s, _ := bufio.NewReader(c).ReadString('\n'); if i == 19 { fmt.Print(s) }; c.Close() }
	m := map[string]int{}; for i := 0; i < 50000; i++ { m[fmt.Sprint(i%997)] += i }; k := []string{}; for x := range m { k = append(k, x) }; sort.Strings(k); fmt.Println(len(k), k[0], m["5"])
	func() { defer func() { fmt.Println(recover()) }(); var p *tree; p.l = nil }(); func() { defer func() { fmt.Println(recover()) }(); a := []int{1}; fmt.Println(a[len(os.Args)]) }()
}
G
GOARCH=$MATRIX_GUEST go build -trimpath -buildvcs=false -ldflags=-buildid= -o x . && sha256sum <x; go build -o y . && ./y; go vet . && echo vet
