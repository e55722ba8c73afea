# C++: exceptions through frames and threads, RTTI, iostreams, regex, futures, coroutines
# grade=medium time=200 factor=6 memory=1200
cat >t.cc <<'C'
#include <atomic>
#include <coroutine>
#include <cstring>
#include <dlfcn.h>
#include <future>
#include <iostream>
#include <map>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <csetjmp>
#include <csignal>
struct B { virtual ~B() {} }; struct D : B { int x = 7; }; static int live; struct G { G() { live++; } ~G() { live--; } };
static int nest(int n) { G g; if (n == 0) throw std::runtime_error("deep"); return nest(n - 1) + 1; } static jmp_buf jb; static sigjmp_buf sj; static void on(int) { siglongjmp(sj, 1); }
struct Gen { struct promise_type { int v; Gen get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; } std::suspend_always initial_suspend() { return {}; } std::suspend_always final_suspend() noexcept { return {}; } std::suspend_always yield_value(int x) { v = x; return {}; } void return_void() {} void unhandled_exception() {} }; std::coroutine_handle<promise_type> h; };
static Gen count(int n) { for (int i = 0; i < n; i++) co_yield i * i; }
int main() { try { nest(200); } catch (std::exception &e) { std::cout << e.what() << ' ' << live << '\n'; } auto f = std::async(std::launch::async, [] { return nest(50); }); try { f.get(); } catch (const std::runtime_error &e) { std::cout << "future " << e.what() << '\n'; }
B *b = new D; std::cout << (dynamic_cast<D *>(b) ? dynamic_cast<D *>(b)->x : 0) << ' ' << typeid(*b).name() << '\n'; std::smatch m; std::string s = "key=value;a=b"; std::regex re("(\\w+)=(\\w+)"); for (std::sregex_iterator i(s.begin(), s.end(), re), e; i != e; ++i) std::cout << (*i)[1] << "->" << (*i)[2] << ' '; std::mt19937_64 r(42); std::uniform_int_distribution<int> u(0, 99); long t = 0; for (int i = 0; i < 1000; i++) t += r() % 100; std::cout << t << '\n';
std::atomic<long> c{0}; std::vector<std::thread> v; for (int i = 0; i < 6; i++) v.emplace_back([&] { for (int j = 0; j < 20000; j++) c.fetch_add(j & 3); }); for (auto &x : v) x.join(); std::ostringstream o; o.precision(15); o << 0.1 + 0.2 << ' ' << std::hexfloat << 1.5; std::cout << c << ' ' << o.str() << '\n'; if (int k = setjmp(jb)) std::cout << "jump " << k << '\n'; else longjmp(jb, 3); signal(SIGSEGV, on); if (sigsetjmp(sj, 1) == 0) { *(volatile int *)8 = 1; } else std::cout << "fault\n"; auto g = count(5); int sum = 0; while (g.h.resume(), !g.h.done()) sum += g.h.promise().v; std::cout << sum << '\n';
void *h = dlopen("libm.so.6", RTLD_NOW); auto cs = (double (*)(double))dlsym(h, "cos"); std::cout << cs(0) << ' ' << (dlopen("none.so", RTLD_NOW) == nullptr) << '\n'; std::map<std::string, int> mm; for (int i = 0; i < 5000; i++) mm[std::to_string(i * 7919 % 5003)]++; std::cout << mm.size() << ' ' << mm.begin()->first << '\n'; try { std::string("x").at(5); } catch (std::out_of_range &) { std::cout << "range\n"; } std::thread([] { try { throw 5; } catch (int i) { std::cout << i << '\n'; } }).join(); return 0; }
C
g++ -std=c++20 -O1 -pthread -w -o t t.cc && ./t
